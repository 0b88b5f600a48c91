//! Examples of a pool of real tasks: pretraining on data.

use crate::prompts::task_pool::{PoolSampler, TaskPool};
use crate::train::batch::{Batch, BatchPlan, Batches};
use crate::train::sampled::Source;

/// Examples of a pool of real tasks: pretraining on data.
pub struct Pool<'a>(pub &'a TaskPool);

impl Source for Pool<'_> {
    fn d(&self) -> usize {
        self.0.d()
    }

    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_> {
        let sampler = PoolSampler::new(self.0, n_shots);
        Box::new(Batch::new(plan, sampler))
    }
}
