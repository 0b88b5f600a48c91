//! How prompts are made, as pipeline.yaml writes it, and which are asked.
//!
//! Does not know models.

use crate::kinds::params::number::Count;
use crate::kinds::params::seed::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tuning::language::codec::Codec;
use tuning::mmlu::builder::{Before, Builder, Frame};
use tuning::mmlu::items::Item;
use tuning::mmlu::prompts::Task;

/// What all prompts share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompting {
    /// Tokens to which each shot is padded with zeros on its left; longer items are no shots. Unpadded where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shot_tokens: Option<Count>,
    /// Draws the shots.
    seed: Seed,
}

/// Prompts of one form.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Form {
    task: TaskParam,
    /// Solved samples before the query.
    #[serde(default, skip_serializing_if = "is_zero")]
    shots: u32,
    /// Zeros in the place of so many solved samples.
    #[serde(default, skip_serializing_if = "is_zero")]
    dummies: u32,
}

/// What is asked about an item.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum TaskParam {
    /// Its question.
    Question,
    /// The words of the question's last sentence.
    WordCount,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Form {
    pub fn task(&self) -> Task {
        match self.task {
            TaskParam::Question => Task::Question,
            TaskParam::WordCount => Task::WordCount,
        }
    }

    pub fn before(&self) -> Before {
        Before {
            shots: self.shots as usize,
            dummies: self.dummies as usize,
        }
    }
}

impl Prompting {
    /// # Errors
    /// No form, two that are alike, or dummies without a length.
    pub fn check_forms(&self, forms: &[Form]) -> Result<(), String> {
        if forms.is_empty() {
            return Err("forms: at least one is needed".into());
        }
        for (at, form) in forms.iter().enumerate() {
            let same =
                |other: &&Form| (other.task(), other.before()) == (form.task(), form.before());
            if forms[..at].iter().any(|other| same(&other)) {
                return Err(format!("forms.{at}: it stands twice"));
            }
            self.check_dummies(form.dummies)
                .map_err(|e| format!("forms.{at}.{e}"))?;
        }
        Ok(())
    }

    /// # Errors
    /// Dummies without a length.
    pub fn check_dummies(&self, dummies: u32) -> Result<(), String> {
        match (dummies, self.shot_tokens) {
            (1.., None) => Err(
                "dummies: how long a shot is says `prompting.shot_tokens`, which is missing".into(),
            ),
            _ => Ok(()),
        }
    }

    /// What makes prompts, with shots from a pool.
    pub fn builder<'a>(
        &self,
        codec: &'a dyn Codec,
        frame: &'a Frame,
        reasoning: Option<&'a BTreeMap<u64, String>>,
        pool: &'a [Item],
    ) -> Builder<'a> {
        Builder {
            codec,
            frame,
            reasoning,
            shot_tokens: self.shot_tokens.map(Count::get),
            pool,
            seed: self.seed.get(),
        }
    }
}
