//! How to train on sampled prompts, as numbers. Does not know how prompts are sampled.

use crate::model::trainable::Trainable;
use crate::train::descent::{Descent, TrainError};
use crate::train::objective::Objective;
use crate::train::optimizer::OptimizerConfig;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    pub steps: usize,
    /// Prompts per step.
    pub batch_size: usize,
    /// Context pairs m of a prompt; the query comes on top.
    pub n_shots: usize,
    pub objective: Objective,
    pub trainable: Trainable,
    pub optimizer: OptimizerConfig,
    /// Joint gradient norm above which the gradient is scaled down; `None` never clips.
    pub clip_norm: Option<f64>,
    /// Seed of the prompts. (Initial parameters have a purpose of their own: the same seed is fine.)
    pub seed: u64,
}

impl TrainConfig {
    /// What is left without the sampling.
    pub fn descent(&self) -> Descent {
        Descent {
            steps: self.steps,
            objective: self.objective,
            trainable: self.trainable,
            optimizer: self.optimizer,
            clip_norm: self.clip_norm,
        }
    }

    pub(crate) fn check(&self, model: usize, source: usize) -> Result<(), TrainError> {
        if model != source {
            return Err(TrainError::Dimension { model, source });
        }
        if self.batch_size == 0 {
            return Err(TrainError::NoPrompts);
        }
        // Before any sampler is built.
        self.descent().check()
    }
}
