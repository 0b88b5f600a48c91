//! What training minimises: few-shot loss, zero-shot loss, or both, the few-shot part with a weight that decays or stays.
//!
//! Does not know models or prompts.

/// The loss of a step. Both parts are mean squared errors over the batch, label noise included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// All n_shots + 1 tokens: pretraining.
    FewShot,
    /// The query token alone (N = 1).
    ZeroShot,
    /// zero-shot + lambda_t few-shot.
    ZeroAndFewShot,
    /// zero-shot on the target + weight * few-shot on other tasks, throughout.
    ZeroShotAndReplay { weight: f64 },
}

/// Factors of the two losses at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossWeights {
    pub zero_shot: f64,
    pub few_shot: f64,
}

impl Objective {
    /// Weights at step t = 0..T-1 of T; lambda_t = (T-1-t)/(T-1), and 0 when T = 1.
    pub fn weights(self, step: usize, steps: usize) -> LossWeights {
        let last = steps.saturating_sub(1);
        let lambda = if last == 0 {
            0.0
        } else {
            last.saturating_sub(step) as f64 / last as f64
        };
        let (zero_shot, few_shot) = match self {
            Objective::FewShot => (0.0, 1.0),
            Objective::ZeroShot => (1.0, 0.0),
            Objective::ZeroAndFewShot => (1.0, lambda),
            Objective::ZeroShotAndReplay { weight } => (1.0, weight),
        };
        LossWeights {
            zero_shot,
            few_shot,
        }
    }

    /// Whether prompts need their context.
    pub fn uses_few_shot(self) -> bool {
        self != Objective::ZeroShot
    }

    pub fn uses_zero_shot(self) -> bool {
        self != Objective::FewShot
    }
}

/// Mean squared errors over a batch (or over the population); zero where the objective does not use them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchLoss {
    pub zero_shot: f64,
    pub few_shot: f64,
}

impl BatchLoss {
    pub const ZERO: BatchLoss = BatchLoss {
        zero_shot: 0.0,
        few_shot: 0.0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auxiliary_weight_falls_to_zero() {
        let weight = |step| Objective::ZeroAndFewShot.weights(step, 5).few_shot;
        assert_eq!([weight(0), weight(1), weight(4)], [1.0, 0.75, 0.0]);
        assert_eq!(Objective::ZeroAndFewShot.weights(0, 1).few_shot, 0.0);
        assert_eq!(
            Objective::FewShot.weights(3, 5),
            LossWeights {
                zero_shot: 0.0,
                few_shot: 1.0
            }
        );
        assert!(!Objective::ZeroShot.uses_few_shot() && Objective::ZeroShot.uses_zero_shot());
        let replay = Objective::ZeroShotAndReplay { weight: 0.3 };
        for step in [0, 4] {
            assert_eq!(replay.weights(step, 5).few_shot, 0.3);
        }
        assert!(replay.uses_few_shot() && replay.uses_zero_shot());
    }
}
