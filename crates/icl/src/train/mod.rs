//! Training: objectives, optimisers, gradient descent on samples and on the population.

pub mod batch;
pub mod config;
pub mod descent;
pub mod fresh;
pub mod objective;
pub mod optimizer;
pub mod pool;
pub mod population;
pub mod replay;
pub mod rows;
mod running;
pub mod sampled;
