//! Test errors by sampling, beside baselines.

pub mod baseline;
pub mod fresh_tasks;
pub mod pool;
