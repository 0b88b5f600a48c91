//! Where training prompts come from.
//!
//! Does not know how they are sampled.

use crate::prompts::data_set::DataSet;
use crate::prompts::setting::Setting;
use crate::prompts::task_pool::TaskPool;

/// Fresh prompts with one random unit task each (pretraining), rows of a fixed set (fine-tuning), or
/// examples of real tasks (pretraining on data).
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    Fresh(&'a Setting),
    DataSet(&'a DataSet),
    Pool(&'a TaskPool),
}

impl Source<'_> {
    /// Covariate dimension of its prompts.
    pub fn d(&self) -> usize {
        match self {
            Source::Fresh(setting) => setting.d(),
            Source::DataSet(data) => data.d(),
            Source::Pool(pool) => pool.d(),
        }
    }
}
