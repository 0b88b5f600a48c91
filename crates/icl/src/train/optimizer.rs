//! Gradient clipping, SGD with momentum, and Adam, with PyTorch's update rules.
//!
//! Acts on flat vectors and knows no model. Frozen parameters are those whose mask is false: they
//! enter neither the norm nor the update.

/// Which rule, with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerConfig {
    /// b <- momentum b + g; p <- p - lr b.
    Sgd { learning_rate: f64, momentum: f64 },
    /// Kingma and Ba 2015 with bias correction; p <- p - lr m' / (sqrt v' + epsilon).
    Adam {
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
    },
}

/// PyTorch's default epsilon of Adam.
pub const ADAM_EPSILON: f64 = 1e-8;

/// An optimiser with its running state.
#[derive(Debug, Clone)]
pub struct Optimizer {
    config: OptimizerConfig,
    mask: Vec<bool>,
    first: Vec<f64>,
    second: Vec<f64>,
    /// beta^t of Adam, as a running product.
    decay1: f64,
    decay2: f64,
}

impl OptimizerConfig {
    /// The first constant that makes no sense, as a message.
    pub fn problem(&self) -> Option<String> {
        let bad_rate = |rate: f64| !(rate.is_finite() && rate > 0.0);
        let bad_share = |share: f64| !(0.0..1.0).contains(&share);
        match *self {
            OptimizerConfig::Sgd {
                learning_rate,
                momentum,
            } => {
                if bad_rate(learning_rate) {
                    Some(format!(
                        "learning rate: {learning_rate} is not a positive number"
                    ))
                } else if bad_share(momentum) {
                    Some(format!("momentum: {momentum} is not in [0, 1)"))
                } else {
                    None
                }
            }
            OptimizerConfig::Adam {
                learning_rate,
                beta1,
                beta2,
                epsilon,
            } => {
                if bad_rate(learning_rate) {
                    Some(format!(
                        "learning rate: {learning_rate} is not a positive number"
                    ))
                } else if bad_share(beta1) || bad_share(beta2) {
                    Some(format!("betas: ({beta1}, {beta2}) are not both in [0, 1)"))
                } else if bad_rate(epsilon) {
                    Some(format!("epsilon: {epsilon} is not a positive number"))
                } else {
                    None
                }
            }
        }
    }
}

/// Scales the masked part of the gradient to `max_norm` when its Euclidean norm is larger; returns
/// the norm before. (PyTorch divides by norm + 1e-6 instead.)
pub fn clip(gradient: &mut [f64], mask: &[bool], max_norm: f64) -> f64 {
    let squares = gradient
        .iter()
        .zip(mask)
        .fold(0.0, |sum, (g, &on)| if on { sum + g * g } else { sum });
    let norm = squares.sqrt();
    if norm > max_norm {
        let scale = max_norm / norm;
        gradient.iter_mut().for_each(|g| *g *= scale);
    }
    norm
}

impl Optimizer {
    pub fn new(config: OptimizerConfig, mask: Vec<bool>) -> Optimizer {
        let n = mask.len();
        Optimizer {
            config,
            mask,
            first: vec![0.0; n],
            second: vec![0.0; n],
            decay1: 1.0,
            decay2: 1.0,
        }
    }

    pub fn mask(&self) -> &[bool] {
        &self.mask
    }

    /// One update in place.
    ///
    /// # Panics
    /// If the sizes differ from the mask's.
    pub fn step(&mut self, params: &mut [f64], gradient: &[f64]) {
        assert!(params.len() == self.mask.len() && gradient.len() == self.mask.len());
        if let OptimizerConfig::Adam { beta1, beta2, .. } = self.config {
            self.decay1 *= beta1;
            self.decay2 *= beta2;
        }
        for (i, (param, &g)) in params.iter_mut().zip(gradient).enumerate() {
            if !self.mask[i] {
                continue;
            }
            let (first, second) = (&mut self.first[i], &mut self.second[i]);
            match self.config {
                OptimizerConfig::Sgd {
                    learning_rate,
                    momentum,
                } => {
                    *first = momentum * *first + g;
                    *param -= learning_rate * *first;
                }
                OptimizerConfig::Adam {
                    learning_rate,
                    beta1,
                    beta2,
                    epsilon,
                } => {
                    *first = beta1 * *first + (1.0 - beta1) * g;
                    *second = beta2 * *second + (1.0 - beta2) * g * g;
                    let mean = *first / (1.0 - self.decay1);
                    let spread = (*second / (1.0 - self.decay2)).sqrt();
                    *param -= learning_rate * mean / (spread + epsilon);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;

    fn assert_close(found: &[f64], expected: &[f64]) {
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() < tolerance::ROUNDING,
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn sgd_momentum_by_hand() {
        let config = OptimizerConfig::Sgd {
            learning_rate: 0.1,
            momentum: 0.5,
        };
        let mut optimizer = Optimizer::new(config, vec![true, false]);
        let mut params = [1.0, 1.0];
        optimizer.step(&mut params, &[2.0, 2.0]);
        assert_close(&params, &[0.8, 1.0]);
        optimizer.step(&mut params, &[-1.0, 2.0]);
        // buffer 0.5 * 2 - 1 = 0
        assert_close(&params, &[0.8, 1.0]);
        optimizer.step(&mut params, &[4.0, 2.0]);
        assert_close(&params, &[0.4, 1.0]);
    }

    #[test]
    fn adam_by_hand() {
        let (learning_rate, epsilon) = (0.1, 1e-8);
        let config = OptimizerConfig::Adam {
            learning_rate,
            beta1: 0.9,
            beta2: 0.9,
            epsilon,
        };
        let mut optimizer = Optimizer::new(config, vec![true]);
        let mut params = [1.0];
        optimizer.step(&mut params, &[3.0]);
        // Bias correction makes the first step lr * sign(g).
        assert!((params[0] - 0.9).abs() < 1e-9);
        optimizer.step(&mut params, &[-1.0]);
        // m = 0.9*0.3 - 0.1 = 0.17, v = 0.9*0.9 + 0.1 = 0.91, both over 0.19
        let expected = 0.9 - 0.1 * (0.17 / 0.19) / (0.91_f64 / 0.19).sqrt();
        assert!((params[0] - expected).abs() < 1e-9, "{params:?}");
    }

    #[test]
    fn clipping_is_joint_over_the_mask() {
        let mut gradient = [3.0, 100.0, 4.0];
        let norm = clip(&mut gradient, &[true, false, true], 1.0);
        assert_eq!(norm, 5.0);
        assert_close(&[gradient[0], gradient[2]], &[0.6, 0.8]);
        let mut small = [0.3, 0.4];
        clip(&mut small, &[true, true], 1.0);
        assert_eq!(small, [0.3, 0.4]);
    }

    #[test]
    fn senseless_constants_are_named() {
        let sgd = OptimizerConfig::Sgd {
            learning_rate: 0.01,
            momentum: 1.0,
        };
        assert!(sgd.problem().unwrap().contains("momentum"));
        let adam = OptimizerConfig::Adam {
            learning_rate: 0.0,
            beta1: 0.9,
            beta2: 0.9,
            epsilon: 1e-8,
        };
        assert!(adam.problem().unwrap().contains("learning rate"));
    }
}
