//! Words as a world of fine-tuning: prompts of names as batches, and what is measured.
//!
//! The target task is four pretraining languages with fixed letters. Training prompts have names of training things alone, whose
//! n-grams drop out; measures have names of test things, whole. Does not know models.

use crate::forgetting::world::{Measure, World};
use crate::math::stream::Stream;
use crate::transformer::batch::Batch;
use crate::words::corpus::Corpus;
use crate::words::evaluations::{Evaluation, Training};
use crate::words::prompts::Deal;
use crate::words::tokens::{Lexicon, Weights};

/// The world, with the draws of one seed.
#[derive(Debug, Clone)]
pub struct Words {
    pub corpus: Corpus,
    pub lexicon: Lexicon,
    pub target: Deal,
    /// Examples in a few-shot prompt.
    pub shots: usize,
    pub seed: u64,
    /// Prompts of a step of pretraining.
    pub pretraining_prompts: usize,
    /// Prompts of a fine-tuning step, in each part of the objective.
    pub prompts: usize,
    /// Prompts of a measure.
    pub measured: usize,
    /// Share of a name's n-grams that are left out in training.
    pub dropout: f64,
    /// Weight of the auxiliary loss at the beginning of pretraining (which language is this name in?); it falls
    /// linearly to 0 at the end.
    pub language_weight: f64,
}

impl Words {
    fn batch(
        &self,
        training: &Training<'_>,
        shots: usize,
        prompts: usize,
        purpose: &str,
        step: usize,
        weights: &Weights,
    ) -> Result<Batch, String> {
        let at = (self.seed, purpose, step as u64);
        let prompts = training.prompts(&self.corpus, shots, prompts, at);
        let prompts = prompts.map_err(|e| e.to_string())?;
        let mut dropout = Stream::new(self.seed, &format!("{purpose} dropout"), &[step as u64]);
        let batch = self.lexicon.batch();
        Ok(batch
            .push_with_dropout(&prompts, weights, self.dropout, &mut dropout)
            .finish())
    }
}

impl World for Words {
    fn pretraining(&self, step: usize, steps: usize) -> Result<Batch, String> {
        let left = 1.0 - step as f64 / steps as f64;
        // Every name is asked for its letter, the query and the earlier ones alike.
        let each = 1.0 / (self.shots + 1) as f64;
        let weights = Weights {
            query: each,
            earlier: 1.0 - each,
            language: self.language_weight * left,
        };
        let count = self.pretraining_prompts;
        let purpose = "words pretraining";
        self.batch(
            &Training::Random,
            self.shots,
            count,
            purpose,
            step,
            &weights,
        )
    }

    fn zero_shot(&self, step: usize) -> Result<Batch, String> {
        let (target, purpose) = (Training::Target(&self.target), "words zero-shot");
        self.batch(&target, 0, self.prompts, purpose, step, &Weights::QUERY)
    }

    fn few_shot(&self, step: usize) -> Result<Batch, String> {
        let (target, purpose) = (Training::Target(&self.target), "words few-shot");
        self.batch(
            &target,
            self.shots,
            self.prompts,
            purpose,
            step,
            &Weights::QUERY,
        )
    }

    fn replay(&self, step: usize) -> Result<Batch, String> {
        let purpose = "words replay";
        self.batch(
            &Training::Random,
            self.shots,
            self.prompts,
            purpose,
            step,
            &Weights::QUERY,
        )
    }

    fn measures(&self) -> Result<Vec<Measure>, String> {
        let few = Evaluation::possible(&self.corpus)
            .into_iter()
            .map(|one| (one, self.shots));
        let measure = |(evaluation, shots): (Evaluation, usize)| {
            let prompts =
                evaluation.prompts(&self.corpus, &self.target, shots, self.measured, self.seed);
            let prompts = prompts.map_err(|e| e.to_string())?;
            Ok(Measure {
                name: evaluation.name(),
                shots,
                batch: self
                    .lexicon
                    .batch()
                    .push(&prompts, &Weights::QUERY)
                    .finish(),
            })
        };
        std::iter::once((Evaluation::Target, 0))
            .chain(few)
            .map(measure)
            .collect()
    }
}
