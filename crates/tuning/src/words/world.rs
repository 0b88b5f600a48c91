//! Words as a world of fine-tuning: prompts of names as batches, and what is measured.
//!
//! The target task is four pretraining languages with fixed letters. Training prompts have names of training things alone, whose
//! n-grams drop out; measures have names of test things, whole. Does not know models.

use crate::forgetting::world::{Measure, Replayed, World};
use crate::transformer::model::batch::Batch;
use crate::words::corpus::Corpus;
use crate::words::evaluations::{Evaluation, Training};
use crate::words::features::LETTERS;
use crate::words::prompts::{Deal, Prompt};
use crate::words::tokens::{Lexicon, Weights};
use icl::math::stream::Stream;

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
    fn draw(
        &self,
        training: &Training<'_>,
        shots: usize,
        prompts: usize,
        purpose: &str,
        step: usize,
    ) -> Result<Vec<Prompt>, String> {
        let at = (self.seed, purpose, step as u64);
        let prompts = training.prompts(&self.corpus, shots, prompts, at);
        prompts.map_err(|e| e.to_string())
    }

    fn batch_of(&self, prompts: &[Prompt], purpose: &str, step: usize, weights: &Weights) -> Batch {
        let mut dropout = Stream::new(self.seed, &format!("{purpose} dropout"), &[step as u64]);
        let batch = self.lexicon.batch();
        batch
            .push_with_dropout(prompts, weights, self.dropout, &mut dropout)
            .finish()
    }

    /// Prompts of the target whose query alone is asked.
    fn of_target(&self, shots: usize, purpose: &str, step: usize) -> Result<Batch, String> {
        let target = Training::Target(&self.target);
        let prompts = self.draw(&target, shots, self.prompts, purpose, step)?;
        Ok(self.batch_of(&prompts, purpose, step, &Weights::QUERY))
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
        let (count, purpose) = (self.pretraining_prompts, "words pretraining");
        let prompts = self.draw(&Training::Random, self.shots, count, purpose, step)?;
        Ok(self.batch_of(&prompts, purpose, step, &weights))
    }

    fn zero_shot(&self, step: usize) -> Result<Batch, String> {
        self.of_target(0, "words zero-shot", step)
    }

    fn few_shot(&self, step: usize) -> Result<Batch, String> {
        self.of_target(self.shots, "words few-shot", step)
    }

    fn replay(&self, step: usize, of: Replayed) -> Result<Batch, String> {
        let purpose = "words replay";
        let tasks = match of {
            Replayed::Tasks(count) => {
                Deal::tasks(&self.corpus, count, self.seed).map_err(|e| e.to_string())?
            }
            Replayed::Random | Replayed::Unlabelled => Vec::new(),
        };
        let training = match of {
            Replayed::Tasks(_) => Training::Tasks(&tasks),
            Replayed::Random | Replayed::Unlabelled => Training::Random,
        };
        let mut prompts = self.draw(&training, self.shots, self.prompts, purpose, step)?;
        if of == Replayed::Unlabelled {
            let mut letters = Stream::new(self.seed, "words unlabelled", &[step as u64]);
            for shot in prompts.iter_mut().flat_map(|prompt| &mut prompt.shots) {
                shot.letter = letters.index(LETTERS);
            }
        }
        Ok(self.batch_of(&prompts, purpose, step, &Weights::QUERY))
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
