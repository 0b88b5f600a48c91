//! Training: objectives, optimisers, gradient descent on samples and on the population.

pub mod batch;
pub mod descent;
pub mod objective;
pub mod optimizer;
pub mod population;
