//! The world of words' parameters, which pretraining and fine-tuning share.

use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::words::read_corpus;
use crate::kinds::params::number::{Count, NonNegative, Share};
use crate::kinds::params::seed::Seed;
use crate::kinds::transformer::model::Tokens;
use retrace::base::error::Result;
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::words::features::Vocabulary;
use tuning::words::prompts::Deal;
use tuning::words::tokens::Lexicon;
use tuning::words::world::Words;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsParams {
    /// Ids of n-grams.
    n_grams: Count,
    /// Examples in a few-shot prompt.
    shots: Count,
    /// Share of a name's n-grams that are left out in training.
    dropout: Share,
    /// Weight of the auxiliary loss (which language?) when pretraining begins; it falls linearly to 0.
    language_weight: NonNegative,
    /// Prompts of a step of pretraining.
    pretraining_prompts: Count,
    /// Prompts of a fine-tuning step, in each part of the objective.
    prompts: Count,
    /// Prompts of a measure.
    measured: Count,
    /// Of the target's languages and of all prompts.
    seed: Seed,
}

impl WordsParams {
    /// The world over the names of the input `names`.
    ///
    /// # Errors
    /// A table that is no corpus, a size of vocabulary out of range, or too few languages.
    pub fn world(&self, io: &Io) -> Result<Words> {
        let corpus = read_corpus(io)?;
        let vocabulary = Vocabulary::new(self.n_grams.get()).map_err(failed)?;
        let seed = self.seed.get();
        Ok(Words {
            lexicon: Lexicon::new(&corpus, vocabulary),
            target: Deal::target(&corpus, seed).map_err(failed)?,
            corpus,
            shots: self.shots.get(),
            seed,
            pretraining_prompts: self.pretraining_prompts.get(),
            prompts: self.prompts.get(),
            measured: self.measured.get(),
            dropout: self.dropout.get(),
            language_weight: self.language_weight.get(),
        })
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed.get()
    }

    /// # Errors
    /// A size of vocabulary out of range.
    pub fn check(&self) -> std::result::Result<(), String> {
        match Vocabulary::new(self.n_grams.get()) {
            Ok(_) => Ok(()),
            Err(e) => Err(format!("n_grams: {e}")),
        }
    }
}

/// What the world's tokens are, and how many outputs a model of it has.
pub fn sizes(world: &Words) -> (Tokens, usize) {
    let vocabulary = world.lexicon.vocabulary().size();
    (Tokens::Vocabulary(vocabulary), world.lexicon.n_outputs())
}
