//! Test errors by sampling, beside baselines, and their means over draws.

pub mod baseline;
pub mod draws;
pub mod fresh_tasks;
pub mod kept;
pub mod pool;
