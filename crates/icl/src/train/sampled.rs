//! Training on sampled prompts.
//!
//! Bit-identical for any thread count: a step's batch is cut into blocks of [`batch::BLOCK`] prompts, each
//! with its own random streams, and the blocks' gradients are added in order. Does not know which kinds of
//! prompts there are: they are [`Source`]s, a file each, so that a change of one is none of the others.

use crate::model::weights::LinearAttention;
#[cfg(doc)]
use crate::train::batch;
use crate::train::batch::{BatchPlan, Batches, Streams};
use crate::train::config::TrainConfig;
use crate::train::descent::{StepLoss, TrainError, Trained, descend};
use std::ops::ControlFlow;

/// Where training prompts come from.
pub trait Source: Sync {
    /// Covariate dimension of its prompts.
    fn d(&self) -> usize;
    /// Batches of prompts with `n_shots` context pairs.
    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_>;
}

/// Trains a copy of `initial` and returns it with its losses.
///
/// `on_step(step, loss)` is called after each update; `Break` ends training there. Runs on rayon's
/// current pool; the result does not depend on its size.
///
/// # Errors
/// Dimensions that differ, an empty batch or no steps, constants that make no sense, a trainable
/// set that the parametrisation does not have. Divergence is a result, not an error.
pub fn train(
    initial: &LinearAttention,
    source: &dyn Source,
    config: &TrainConfig,
    on_step: impl FnMut(usize, StepLoss) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let shape = initial.shape();
    config.check(shape.d, source.d())?;
    let plan = BatchPlan {
        shape,
        objective: config.objective,
        batch_size: config.batch_size,
        seed: config.seed,
        streams: Streams::TRAINING,
    };
    let mut batch = source.batches(plan, config.n_shots);
    let mut matrices = initial.effective();
    let sampled = |model: &LinearAttention, weights, step, out: &mut [f64]| {
        model.effective_into(&mut matrices);
        let (parts, gradient) = batch.loss_and_gradient(&matrices, weights, step);
        model.pull_back_into(gradient, out);
        parts
    };
    descend(initial, &config.descent(), sampled, on_step)
}
