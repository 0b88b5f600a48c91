//! Ways to fine-tune, as pipeline.yaml writes them.

use crate::kinds::params::number::{Count, Positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tuning::forgetting::variant::{Objective, Variant};
use tuning::forgetting::world::Replayed;
use tuning::transformer::trainable::{LowRank, Subset};

/// Variants by name.
pub type Variants = BTreeMap<String, VariantParams>;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantParams {
    objective: ObjectiveParam,
    trainable: Trainable,
    /// A low-rank addition to these matrices (LoRA) instead of the matrices themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lora: Option<Lora>,
    /// Measured on the straight line between the pretrained and the last weights, at so many equal steps, instead of
    /// along training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    between: Option<Count>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::enum_variant_names, reason = "the names in pipeline.yaml")]
enum ObjectiveParam {
    /// The zero-shot loss.
    ZeroShot,
    /// The zero-shot loss plus the target's few-shot loss, whose weight falls linearly to 0.
    ZeroAndFewShot,
    /// The zero-shot loss plus a constant weight times the few-shot loss on other tasks.
    ZeroShotAndReplay(Replay),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    weight: Positive,
    /// In every so many steps, with that many times the weight; in each where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<Count>,
    tasks: ReplayedParam,
}

/// Which tasks are replayed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ReplayedParam {
    /// A random pretraining task in each prompt.
    Random,
    /// So many pretraining tasks, drawn once.
    Number(Count),
    /// None: inputs of pretraining with labels at random, and the pretrained model's own answers.
    Unlabelled,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lora {
    rank: Count,
    /// The addition is alpha / rank times B A.
    alpha: Positive,
}

/// What is updated.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Trainable {
    Everything,
    QueryKeyValue,
    /// Queries, keys, values and O.
    Attention,
    Query,
    Key,
    Value,
    HeadOutput,
    Mlp,
    FirstLayerValue,
    LastLayerValue,
}

impl VariantParams {
    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Variant {
        Variant {
            name: name.to_owned(),
            objective: match self.objective {
                ObjectiveParam::ZeroShot => Objective::ZeroShot,
                ObjectiveParam::ZeroAndFewShot => Objective::ZeroAndFewShot,
                ObjectiveParam::ZeroShotAndReplay(replay) => Objective::Replay {
                    weight: replay.weight.get(),
                    every: replay.every.map_or(1, Count::get),
                    of: match replay.tasks {
                        ReplayedParam::Random => Replayed::Random,
                        ReplayedParam::Number(count) => Replayed::Tasks(count.get()),
                        ReplayedParam::Unlabelled => Replayed::Unlabelled,
                    },
                },
            },
            subset: match self.trainable {
                Trainable::Everything => Subset::Everything,
                Trainable::QueryKeyValue => Subset::QueryKeyValue,
                Trainable::Attention => Subset::Attention,
                Trainable::Query => Subset::Query,
                Trainable::Key => Subset::Key,
                Trainable::Value => Subset::Value,
                Trainable::HeadOutput => Subset::HeadOutput,
                Trainable::Mlp => Subset::Mlp,
                Trainable::FirstLayerValue => Subset::FirstLayerValue,
                Trainable::LastLayerValue => Subset::LastLayerValue,
            },
            low_rank: self.lora.map(|lora| LowRank {
                rank: lora.rank.get(),
                alpha: lora.alpha.get(),
            }),
            between: self.between.map(Count::get),
        }
    }
}
