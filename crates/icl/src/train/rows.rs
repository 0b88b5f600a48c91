//! Rows of a fixed set, drawn with replacement: fine-tuning.

use crate::prompts::data_set::DataSet;
use crate::prompts::resample::Resampler;
use crate::train::batch::{Batch, BatchPlan, Batches};
use crate::train::sampled::Source;

/// Rows of a fixed set, drawn with replacement: fine-tuning.
pub struct Rows<'a>(pub &'a DataSet);

impl Source for Rows<'_> {
    fn d(&self) -> usize {
        self.0.d()
    }

    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_> {
        let sampler = Resampler::new(self.0, n_shots);
        Box::new(Batch::new(plan, sampler))
    }
}
