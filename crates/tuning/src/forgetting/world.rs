//! What a world of tasks gives to training, and what is measured in it.
//!
//! Batches of a step depend on the step alone, never on what is trained: variants see the same prompts. Does not know
//! which worlds there are.

use crate::transformer::model::batch::{Batch, Target};
use crate::transformer::train::Worker;
use icl::math::tensor::float::Float;

/// Tasks to pretrain on, one to fine-tune on, and what is measured. Errors are of worlds that lack what a prompt needs.
pub trait World: Sync {
    /// Few-shot prompts of random tasks; the weights of a batch sum to 1 over its main reads.
    fn pretraining(&self, step: usize, steps: usize) -> Result<Batch, String>;
    /// Prompts of the target task without examples.
    fn zero_shot(&self, step: usize) -> Result<Batch, String>;
    /// Few-shot prompts of the target task.
    fn few_shot(&self, step: usize) -> Result<Batch, String>;
    /// Few-shot prompts of other tasks than the target.
    fn replay(&self, step: usize, of: Replayed) -> Result<Batch, String>;
    /// What is measured, always on the same prompts.
    fn measures(&self) -> Result<Vec<Measure>, String>;
}

/// Which prompts replay shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// Another random pretraining task in each prompt.
    Random,
    /// One of so many pretraining tasks, drawn once.
    Tasks(usize),
    /// Inputs of pretraining with labels that are drawn independently of them: no task is at hand. The answer that is
    /// asked for is the pretrained model's own, which the caller fills in.
    Unlabelled,
}

/// Prompts whose reads are scored.
#[derive(Debug, Clone)]
pub struct Measure {
    pub name: &'static str,
    /// Examples in a prompt.
    pub shots: usize,
    pub batch: Batch,
}

impl Measure {
    /// The mean error over its reads: the squared error of a value; of a class 1 where another output of its range is
    /// larger, else 0 (at equality the first counts).
    ///
    /// # Errors
    /// Prompts that the network cannot read.
    #[inline(never)]
    pub fn error<T: Float>(
        &self,
        worker: &mut Worker<'_, T>,
        parameters: &[T],
    ) -> Result<f64, String> {
        let outputs = worker.predict(parameters, &self.batch)?;
        let reads = &self.batch.reads;
        let size = outputs.len() / reads.len().max(1);
        let errors = reads
            .iter()
            .zip(outputs.chunks_exact(size.max(1)))
            .map(|(read, row)| match read.target {
                Target::Value(wanted) => {
                    let off = row[0].to_f64() - wanted;
                    off * off
                }
                Target::Class { from, to, class } => {
                    let first = (from..to)
                        .fold(from, |best, at| if row[at] > row[best] { at } else { best });
                    f64::from(u8::from(first != class))
                }
            });
        Ok(errors.sum::<f64>() / reads.len() as f64)
    }
}
