//! How a language model is fine-tuned, as pipeline.yaml writes it. Does not know items.

use crate::kinds::params::number::{Count, NonNegative, Positive, Share};
use crate::kinds::params::seed::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::Training;
use tuning::transformer::trainable::{LowRank, Subset};

/// Added to the root of Adam's second moment.
const ADAM_EPSILON: f64 = 1e-8;

/// Epochs with AdamW.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Optimisation {
    epochs: Count,
    /// Items of a step.
    batch: Count,
    learning_rate: Positive,
    /// Share of the steps over which the rate rises from 0.
    #[serde(default)]
    warmup: Share,
    decay: DecayParam,
    betas: [Share; 2],
    /// Decoupled.
    weight_decay: NonNegative,
    /// Joint gradient norm that is not exceeded.
    clip_norm: Positive,
    /// Of the low-rank additions and of the order of items.
    seed: Seed,
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

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    rank: Count,
    /// The addition is alpha / rank times B A.
    alpha: Positive,
}

/// What is updated.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trainable {
    Everything,
    /// Queries, keys, values and O.
    Attention,
    QueryKeyValue,
    Query,
    Key,
    Value,
    HeadOutput,
    Mlp,
}

impl Trainable {
    pub fn subset(self) -> Subset {
        match self {
            Trainable::Everything => Subset::Everything,
            Trainable::Attention => Subset::Attention,
            Trainable::QueryKeyValue => Subset::QueryKeyValue,
            Trainable::Query => Subset::Query,
            Trainable::Key => Subset::Key,
            Trainable::Value => Subset::Value,
            Trainable::HeadOutput => Subset::HeadOutput,
            Trainable::Mlp => Subset::Mlp,
        }
    }
}

impl Lora {
    pub fn low_rank(self) -> LowRank {
        LowRank {
            rank: self.rank.get(),
            alpha: self.alpha.get(),
        }
    }
}

impl Optimisation {
    pub fn epochs(&self) -> usize {
        self.epochs.get()
    }

    pub fn batch(&self) -> usize {
        self.batch.get()
    }

    pub fn seed(&self) -> u64 {
        self.seed.get()
    }

    /// The training of so many steps.
    pub fn training(&self, steps: usize, subset: Subset, low_rank: Option<LowRank>) -> Training {
        Training {
            steps,
            optimizer: Optimizer::AdamW {
                beta1: self.betas[0].get(),
                beta2: self.betas[1].get(),
                epsilon: ADAM_EPSILON,
                weight_decay: self.weight_decay.get(),
            },
            schedule: Schedule {
                learning_rate: self.learning_rate.get(),
                warmup: (self.warmup.get() * steps as f64).ceil() as usize,
                decay: match self.decay {
                    DecayParam::Constant => Decay::Constant,
                    DecayParam::Linear => Decay::Linear,
                    DecayParam::Cosine => Decay::Cosine,
                },
            },
            clip_norm: Some(self.clip_norm.get()),
            subset,
            low_rank,
            seed: self.seed.get(),
        }
    }
}
