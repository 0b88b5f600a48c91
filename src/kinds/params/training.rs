//! The parameters of a training, as pipeline.yaml writes them.

use crate::kinds::params::number::{Count, Positive, Share};
use crate::kinds::params::seed::Seed;
use icl::model::trainable::Trainable;
use icl::train::config::TrainConfig;
use icl::train::objective::Objective;
use icl::train::optimizer::{ADAM_EPSILON, OptimizerConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The update rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimizerParams {
    Sgd {
        learning_rate: Positive,
        momentum: Share,
    },
    Adam {
        learning_rate: Positive,
        betas: [Share; 2],
    },
}

/// How long, on what and by which rule to train.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingParams {
    /// Shots in a prompt with context.
    pub shots: Count,
    pub steps: Count,
    /// Prompts in a step.
    pub batch: Count,
    pub optimizer: OptimizerParams,
    /// Joint gradient norm that is not exceeded.
    pub clip_norm: Positive,
    pub seed: Seed,
}

impl TrainingParams {
    /// The configuration of the training loop.
    pub fn config(&self, objective: Objective, trainable: Trainable) -> TrainConfig {
        let optimizer = match &self.optimizer {
            OptimizerParams::Sgd {
                learning_rate,
                momentum,
            } => OptimizerConfig::Sgd {
                learning_rate: learning_rate.get(),
                momentum: momentum.get(),
            },
            OptimizerParams::Adam {
                learning_rate,
                betas,
            } => OptimizerConfig::Adam {
                learning_rate: learning_rate.get(),
                beta1: betas[0].get(),
                beta2: betas[1].get(),
                epsilon: ADAM_EPSILON,
            },
        };
        TrainConfig {
            steps: self.steps.get(),
            batch_size: self.batch.get(),
            n_shots: self.shots.get(),
            objective,
            trainable,
            optimizer,
            clip_norm: Some(self.clip_norm.get()),
            seed: self.seed.get(),
        }
    }
}
