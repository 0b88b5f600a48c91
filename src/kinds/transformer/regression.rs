//! The regression world's parameters, which pretraining and fine-tuning share.

use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use crate::kinds::params::seed::Seed;
use crate::kinds::transformer::model::Tokens;
use crate::kinds::transformer::model_file::Built;
use icl::prompts::task::Task;
use retrace::base::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::bridge::regression::Regression;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionParams {
    d: Dimension,
    noise_var: NonNegative,
    /// Pairs in a few-shot prompt.
    shots: Count,
    /// Whether prompts begin with a token of their own.
    first_token: bool,
    /// Prompts of a step; of a fine-tuning step, in each part of the objective.
    prompts: Count,
    /// Prompts of a measure.
    measured: Count,
    /// Of the target task and of all prompts.
    seed: Seed,
}

impl RegressionParams {
    /// The world.
    pub fn world(&self) -> Regression {
        let seed = self.seed.get();
        Regression {
            target: Task::random_unit(self.d.get(), seed),
            noise_std: self.noise_var.get().sqrt(),
            shots: self.shots.get(),
            first_token: self.first_token,
            seed,
            prompts: self.prompts.get(),
            measured: self.measured.get(),
        }
    }

    /// # Errors
    /// A model that reads other tokens than this world's.
    pub fn check_reader(&self, model: &Built) -> Result<()> {
        let (found, tokens) = (model.tokens, Tokens::Features(self.world().features()));
        match found == tokens {
            true => Ok(()),
            false => Err(failed(format!(
                "the pretrained model reads {found:?}, this world gives {tokens:?}: state the same d and first_token as in pretraining"
            ))),
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed.get()
    }
}
