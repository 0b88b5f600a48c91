//! Fresh prompts, with one random unit task each: pretraining.

use crate::prompts::fresh::{FreshSampler, Method, TaskChoice};
use crate::prompts::setting::Setting;
use crate::train::batch::{Batch, BatchPlan, Batches};
use crate::train::sampled::Source;

/// Fresh prompts, with one random unit task each: pretraining.
pub struct Fresh<'a>(pub &'a Setting);

impl Source for Fresh<'_> {
    fn d(&self) -> usize {
        self.0.d()
    }

    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_> {
        let sampler = FreshSampler::new(self.0, n_shots, TaskChoice::RandomUnit, Method::Fastest);
        Box::new(Batch::new(plan, sampler))
    }
}
