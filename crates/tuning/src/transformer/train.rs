//! Training and prediction: batches in a fixed number of parts that run in parallel and are added in order.
//!
//! [`PARTS`] is part of the definition of every result, the number of threads is not. Does not know where batches come
//! from, nor what is measured at checkpoints.

use crate::transformer::model::batch::Batch;
use crate::transformer::model::parameters::Gradient;
use crate::transformer::network::{Network, Part, Workspace};
use crate::transformer::optimizer::{Optimizer, Schedule, State, clip};
use crate::transformer::trainable::{LowRank, Subset, Trained};
use icl::math::tensor::float::Float;
use rayon::prelude::*;
use std::ops::ControlFlow;

/// Parts of a batch, of about as many tokens each.
pub const PARTS: usize = 4;

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    pub steps: usize,
    pub optimizer: Optimizer,
    pub schedule: Schedule,
    /// Joint gradient norm that is not exceeded.
    pub clip_norm: Option<f64>,
    pub subset: Subset,
    pub low_rank: Option<LowRank>,
    /// Of the first values of low-rank additions.
    pub seed: u64,
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Completed,
    /// The loss or the gradient of this step was not finite; the parameters are those before it.
    Diverged {
        step: usize,
    },
    /// The caller stopped it.
    Stopped,
}

/// What works on batches of one network: buffers for each part.
#[derive(Debug)]
pub struct Worker<'a, T> {
    network: &'a Network,
    parts: Vec<(Workspace<T>, Vec<T>)>,
}

impl<'a, T: Float> Worker<'a, T> {
    pub fn new(network: &'a Network) -> Worker<'a, T> {
        Worker {
            network,
            parts: (0..PARTS).map(|_| Default::default()).collect(),
        }
    }

    /// Outputs of all reads: reads x output size, row-major.
    ///
    /// # Errors
    /// A batch that the network cannot read.
    #[inline(never)]
    pub fn predict(&mut self, parameters: &[T], batch: &Batch) -> Result<Vec<T>, String> {
        self.network.check(batch)?;
        let network = self.network;
        let size = network.config().output_size();
        let work = self.parts.par_iter_mut().zip(split(batch));
        let outputs: Vec<Vec<T>> = work
            .map(|((space, _), part)| {
                network.forward(parameters, batch, &part, space);
                space.outputs(size).flatten().copied().collect()
            })
            .collect();
        Ok(outputs.concat())
    }

    /// The loss, and its gradient for the tensors that are wanted (0 elsewhere).
    ///
    /// # Errors
    /// A batch that the network cannot read.
    #[inline(never)]
    pub fn loss_and_gradient(
        &mut self,
        parameters: &[T],
        batch: &Batch,
        wanted: &[bool],
        gradient: &mut Vec<T>,
    ) -> Result<f64, String> {
        self.network.check(batch)?;
        let network = self.network;
        let layout = network.layout();
        let work = self.parts.par_iter_mut().zip(split(batch));
        let losses: Vec<f64> = work
            .map(|((space, values), part)| {
                values.clear();
                values.resize(layout.len(), T::ZERO);
                let mut gradient = Gradient {
                    layout,
                    wanted,
                    values,
                };
                network.forward(parameters, batch, &part, space);
                network.backward(parameters, batch, &part, space, &mut gradient)
            })
            .collect();
        gradient.clear();
        gradient.resize(layout.len(), T::ZERO);
        for (_, part) in &self.parts[..losses.len()] {
            for (tensor, _) in layout
                .tensors()
                .iter()
                .zip(wanted)
                .filter(|(_, wanted)| **wanted)
            {
                let range = tensor.range();
                for (sum, &x) in gradient[range.clone()].iter_mut().zip(&part[range]) {
                    *sum += x;
                }
            }
        }
        Ok(losses.iter().sum())
    }
}

/// Consecutive sequences in at most [`PARTS`] parts: a part ends with the sequence that reaches its share of the tokens.
fn split(batch: &Batch) -> Vec<Part> {
    let total: usize = batch.lengths.iter().sum();
    let mut parts: Vec<Part> = Vec::with_capacity(PARTS);
    let (mut first, mut start, mut read) = (0, 0, 0);
    let mut end = 0;
    for (at, length) in batch.lengths.iter().enumerate() {
        end += length;
        let last = at + 1 == batch.lengths.len();
        if last || end * PARTS >= total * (parts.len() + 1) {
            let rest = &batch.reads[read..];
            let reads = read + rest.iter().take_while(|read| read.token < end).count();
            parts.push(Part {
                sequences: first..at + 1,
                tokens: start..end,
                reads: read..reads,
            });
            (first, start, read) = (at + 1, end, reads);
        }
    }
    parts
}

/// Trains `parameters` in place on the batches of `batch_of`. `heard` is told the loss of each step, before its
/// update, and the parameters before it; and once more after the last, without a loss.
///
/// # Errors
/// A subset that the model lacks, or a batch that cannot be made or read.
pub fn train<T: Float>(
    network: &Network,
    parameters: &mut [T],
    training: &Training,
    mut batch_of: impl FnMut(usize) -> Result<Batch, String>,
    mut heard: impl FnMut(usize, Option<f64>, &[T]) -> ControlFlow<()>,
) -> Result<Ending, String> {
    let (subset, low_rank, seed) = (training.subset, training.low_rank, training.seed);
    let mut trained = Trained::new(network.layout(), parameters, subset, low_rank, seed)?;
    let mut state = State::new(training.optimizer, trained.values.len());
    let mut worker = Worker::new(network);
    let (mut of_parameters, mut gradient) = (Vec::new(), Vec::new());
    for step in 0..training.steps {
        let batch = batch_of(step)?;
        let wanted = trained.wanted();
        let loss = worker.loss_and_gradient(parameters, &batch, wanted, &mut of_parameters)?;
        trained.gradient(&of_parameters, &mut gradient);
        let norm = clip(&mut gradient, training.clip_norm);
        if !(loss.is_finite() && norm.is_finite()) {
            return Ok(Ending::Diverged { step });
        }
        if heard(step, Some(loss), parameters).is_break() {
            return Ok(Ending::Stopped);
        }
        let rate = training.schedule.rate(step, training.steps);
        state.step(rate, &gradient, &mut trained.values);
        trained.write(parameters);
    }
    match heard(training.steps, None, parameters) {
        ControlFlow::Continue(()) => Ok(Ending::Completed),
        ControlFlow::Break(()) => Ok(Ending::Stopped),
    }
}
