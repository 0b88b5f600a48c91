//! Ways to fine-tune: what is minimised, and what is changed.

use crate::forgetting::world::{Replayed, World};
use crate::transformer::model::batch::Batch;
use crate::transformer::trainable::{LowRank, Subset};

/// A way to fine-tune.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub name: String,
    pub objective: Objective,
    pub subset: Subset,
    pub low_rank: Option<LowRank>,
    /// Measured on the straight line between the pretrained and the last parameters, at so many equal steps, instead
    /// of along training: weight interpolation.
    pub between: Option<usize>,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// The zero-shot loss on the target task.
    ZeroShot,
    /// The zero-shot loss plus lambda_t times the target's few-shot loss, lambda_t = (T-1-t)/(T-1) in step t of T: the
    /// paper's auxiliary loss.
    ZeroAndFewShot,
    /// The zero-shot loss plus a constant weight times the few-shot loss on other tasks, in every `every`-th step (that
    /// many times the weight, so that its mean over the steps is the weight).
    Replay {
        weight: f64,
        every: usize,
        of: Replayed,
    },
}

impl Objective {
    /// The batch of step `step` of `steps`; `answer` gives unlabelled prompts the pretrained model's own answers.
    ///
    /// # Errors
    /// Of the world.
    pub fn batch(
        self,
        world: &dyn World,
        step: usize,
        steps: usize,
        answer: impl FnOnce(&mut Batch) -> Result<(), String>,
    ) -> Result<Batch, String> {
        let mut batch = world.zero_shot(step)?;
        match self {
            Objective::ZeroShot => {}
            Objective::ZeroAndFewShot => {
                let left = (steps - 1 - step) as f64 / (steps - 1).max(1) as f64;
                if left > 0.0 {
                    batch.append(&world.few_shot(step)?, left);
                }
            }
            Objective::Replay { weight, every, of } => {
                if step.is_multiple_of(every) {
                    let mut replayed = world.replay(step, of)?;
                    if of == Replayed::Unlabelled {
                        answer(&mut replayed)?;
                    }
                    batch.append(&replayed, weight * every as f64);
                }
            }
        }
        Ok(batch)
    }
}
