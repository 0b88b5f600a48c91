//! How a transformer is trained, as pipeline.yaml writes it.

use crate::kinds::params::number::{Count, NonNegative, Positive, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::Training;
use tuning::transformer::trainable::Subset;

/// Added to the root of Adam's second moment.
const ADAM_EPSILON: f64 = 1e-8;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Optimisation {
    pub steps: Count,
    optimizer: OptimizerParam,
    learning_rate: Positive,
    /// Steps over which the rate rises from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    warmup: u32,
    decay: DecayParam,
    /// Joint gradient norm that is not exceeded.
    clip_norm: Positive,
    /// Steps after which is measured; besides the first and last.
    stops: Vec<Count>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum OptimizerParam {
    Sgd {
        momentum: Share,
    },
    #[serde(rename = "adamw")]
    AdamW {
        betas: [Share; 2],
        /// Decoupled.
        weight_decay: NonNegative,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum DecayParam {
    Constant,
    /// To 0 after the last step.
    Linear,
    /// Half a cosine, to 0 after the last step.
    Cosine,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(steps: &u32) -> bool {
    *steps == 0
}

impl Optimisation {
    /// # Errors
    /// A stop or a warmup beyond the last step.
    pub fn check(&self) -> Result<(), String> {
        let steps = self.steps.get();
        if self.warmup as usize > steps {
            return Err(format!("warmup: {} of {steps} steps", self.warmup));
        }
        match self.stops.iter().position(|stop| stop.get() > steps) {
            Some(at) => Err(format!("stops.{at}: training ends after {steps} steps")),
            None => Ok(()),
        }
    }

    /// The training of everything.
    pub fn training(&self, seed: u64) -> Training {
        Training {
            steps: self.steps.get(),
            optimizer: match self.optimizer {
                OptimizerParam::Sgd { momentum } => Optimizer::Sgd {
                    momentum: momentum.get(),
                },
                OptimizerParam::AdamW {
                    betas,
                    weight_decay,
                } => Optimizer::AdamW {
                    beta1: betas[0].get(),
                    beta2: betas[1].get(),
                    epsilon: ADAM_EPSILON,
                    weight_decay: weight_decay.get(),
                },
            },
            schedule: Schedule {
                learning_rate: self.learning_rate.get(),
                warmup: self.warmup as usize,
                decay: match self.decay {
                    DecayParam::Constant => Decay::Constant,
                    DecayParam::Linear => Decay::Linear,
                    DecayParam::Cosine => Decay::Cosine,
                },
            },
            clip_norm: Some(self.clip_norm.get()),
            subset: Subset::Everything,
            low_rank: None,
            seed,
        }
    }

    /// Steps at which is measured, increasing.
    pub fn stops(&self) -> Vec<usize> {
        let steps = self.steps.get();
        let mut stops: Vec<usize> = self.stops.iter().map(|stop| stop.get()).collect();
        stops.extend([0, steps]);
        stops.sort_unstable();
        stops.dedup();
        stops
    }
}
