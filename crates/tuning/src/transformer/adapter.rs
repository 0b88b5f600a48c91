//! Fine-tuning a large frozen model through low-rank additions W + (alpha / rank) B A to some of its matrices (LoRA; Hu et al. 2022,
//! doi:10.48550/arXiv.2106.09685).
//!
//! What [`train`](crate::transformer::train) does with buffers for every parameter, this does with buffers for the
//! matrices that are trained: the frozen ones, most of a language model, are kept once. A batch is worked on in [`PARTS`] parts, which are
//! part of the definition of every result. Does not know where batches come from.

use crate::transformer::model::batch::{Batch, Read};
use crate::transformer::model::layout::Layout;
use crate::transformer::model::parameters::Gradient;
use crate::transformer::network::{Network, Part, Workspace};
use crate::transformer::optimizer::{State, clip};
use crate::transformer::train::{Ending, Training};
use crate::transformer::trainable::Trained;
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use rayon::prelude::*;
use std::ops::{ControlFlow, Range};

/// Parts of a batch, of about as many tokens each; each has a gradient of the trained matrices, and its activations.
pub const PARTS: usize = 2;

/// Low-rank additions to matrices of a model.
#[derive(Debug, Clone)]
struct Adapter<T> {
    pieces: Vec<Piece<T>>,
    /// A and B of each piece.
    values: Vec<T>,
    wanted: Vec<bool>,
    scale: T,
}

/// One matrix, outputs x inputs; A is rank x inputs, B outputs x rank.
#[derive(Debug, Clone)]
struct Piece<T> {
    /// Entries among the parameters.
    tensor: Range<usize>,
    /// Its factors among the values.
    factors: Range<usize>,
    rank: usize,
    outputs: usize,
    inputs: usize,
    /// As pretrained.
    base: Vec<T>,
}

impl<T: Float> Adapter<T> {
    /// A is drawn, B is 0: nothing changes yet.
    #[inline(never)]
    fn new(layout: &Layout, parameters: &[T], training: &Training) -> Result<Adapter<T>, String> {
        let low_rank = training
            .low_rank
            .ok_or("a frozen model is trained by low-rank additions: state their rank")?;
        let (subset, seed) = (training.subset, training.seed);
        // It copies all parameters, for as long as this takes.
        let trained = Trained::new(layout, parameters, subset, Some(low_rank), seed)?;
        let wanted = trained.wanted().to_vec();
        let rank = low_rank.rank;
        let mut start = 0;
        let tensors = layout.tensors().iter().zip(&wanted);
        let matrices = tensors
            .filter(|(_, wanted)| **wanted)
            .filter_map(|(tensor, _)| {
                let (outputs, inputs) = (tensor.rows, tensor.columns?);
                let factors = start..start + rank * (inputs + outputs);
                start = factors.end;
                let base = parameters[tensor.range()].to_vec();
                let tensor = tensor.range();
                Some(Piece {
                    tensor,
                    factors,
                    rank,
                    outputs,
                    inputs,
                    base,
                })
            });
        Ok(Adapter {
            pieces: matrices.collect(),
            values: trained.values,
            scale: T::from_f64(low_rank.alpha / rank as f64),
            wanted,
        })
    }

    /// Writes W + scale B A.
    #[inline(never)]
    fn write(&self, parameters: &mut [T]) {
        let matrices = windows(
            parameters,
            self.pieces.iter().map(|piece| piece.tensor.clone()),
        );
        self.pieces
            .par_iter()
            .zip(matrices)
            .for_each(|(piece, into)| {
                let [a, b] = piece.factors(&self.values);
                let (rows, columns) = (piece.outputs, piece.inputs);
                multiply(MatrixMut::new(into, rows, columns), b, a, false);
                for (into, &base) in into.iter_mut().zip(&piece.base) {
                    *into = base + self.scale * *into;
                }
            });
    }

    /// Writes W.
    #[inline(never)]
    fn restore(&self, parameters: &mut [T]) {
        for piece in &self.pieces {
            parameters[piece.tensor.clone()].copy_from_slice(&piece.base);
        }
    }

    /// The gradient of A and B from that of the matrices: dA = scale B^T dW, dB = scale dW A^T.
    #[inline(never)]
    fn gradient(&self, of_parameters: &[T], gradient: &mut Vec<T>) {
        gradient.resize(self.values.len(), T::ZERO);
        let own = windows(
            gradient,
            self.pieces.iter().map(|piece| piece.factors.clone()),
        );
        self.pieces.par_iter().zip(own).for_each(|(piece, into)| {
            let [a, b] = piece.factors(&self.values);
            let (rank, outputs, inputs) = (piece.rank, piece.outputs, piece.inputs);
            let d = MatrixRef::new(&of_parameters[piece.tensor.clone()], outputs, inputs);
            let (d_a, d_b) = into.split_at_mut(rank * inputs);
            multiply(MatrixMut::new(d_a, rank, inputs), b.t(), d, false);
            multiply(MatrixMut::new(d_b, outputs, rank), d, a.t(), false);
            for x in into {
                *x *= self.scale;
            }
        });
    }
}

impl<T> Piece<T> {
    /// A and B.
    fn factors<'a>(&self, values: &'a [T]) -> [MatrixRef<'a, T>; 2] {
        let (a, b) = values[self.factors.clone()].split_at(self.rank * self.inputs);
        [
            MatrixRef::new(a, self.rank, self.inputs),
            MatrixRef::new(b, self.outputs, self.rank),
        ]
    }
}

/// Ranges of a slice, which follow each other, to be written at once.
fn windows<T>(mut rest: &mut [T], ranges: impl Iterator<Item = Range<usize>>) -> Vec<&mut [T]> {
    let mut start = 0;
    let take = |range: Range<usize>| {
        let (window, after) =
            std::mem::take(&mut rest)[range.start - start..].split_at_mut(range.len());
        (rest, start) = (after, range.end);
        window
    };
    ranges.map(take).collect()
}

/// Buffers of the parts. A gradient has a place for every parameter, of which only those of trained matrices are ever
/// written: memory that is not touched is not there.
#[derive(Debug)]
struct Work<T> {
    parts: Vec<(Workspace<T>, Vec<T>)>,
}

impl<T: Float> Work<T> {
    #[inline(never)]
    fn new(layout: &Layout) -> Work<T> {
        let part = || (Workspace::default(), vec![T::ZERO; layout.len()]);
        Work {
            parts: (0..PARTS).map(|_| part()).collect(),
        }
    }

    /// The loss and, in the first part's buffer, its gradient by the wanted tensors.
    #[inline(never)]
    fn loss_and_gradient(
        &mut self,
        network: &Network,
        parameters: &[T],
        batch: &Batch,
        wanted: &[bool],
    ) -> Result<(f64, &[T]), String> {
        network.check(batch)?;
        let layout = network.layout();
        let ranges = || {
            let tensors = layout.tensors().iter().zip(wanted);
            tensors
                .filter(|(_, wanted)| **wanted)
                .map(|(tensor, _)| tensor.range())
        };
        let parts = split(batch);
        let work = self.parts.par_iter_mut().zip(parts);
        let losses: Vec<f64> = work
            .map(|((space, values), part)| {
                ranges().for_each(|range| values[range].fill(T::ZERO));
                network.forward(parameters, batch, &part, space);
                let mut gradient = Gradient {
                    layout,
                    wanted,
                    values,
                };
                network.backward(parameters, batch, &part, space, &mut gradient)
            })
            .collect();
        let (first, others) = self.parts.split_at_mut(1);
        let sum = &mut first[0].1;
        for (_, part) in &others[..losses.len().saturating_sub(1)] {
            let sums = windows(sum, ranges());
            sums.into_par_iter()
                .zip(ranges().collect::<Vec<_>>())
                .for_each(|(sum, range)| {
                    for (sum, &x) in sum.iter_mut().zip(&part[range]) {
                        *sum += x;
                    }
                });
        }
        Ok((losses.iter().sum(), sum))
    }
}

/// Consecutive sequences in at most [`PARTS`] parts: a part ends with the sequence that reaches its share of the tokens.
fn split(batch: &Batch) -> Vec<Part> {
    let total: usize = batch.lengths.iter().sum();
    let mut parts: Vec<Part> = Vec::with_capacity(PARTS);
    let mut open = Part {
        sequences: 0..0,
        tokens: 0..0,
        reads: 0..0,
    };
    for (at, length) in batch.lengths.iter().enumerate() {
        open.sequences.end = at + 1;
        open.tokens.end += length;
        let is_last = at + 1 == batch.lengths.len();
        if is_last || open.tokens.end * PARTS >= total * (parts.len() + 1) {
            let is_before = |read: &&Read| read.token < open.tokens.end;
            open.reads.end += batch.reads[open.reads.start..]
                .iter()
                .take_while(is_before)
                .count();
            let (sequences, tokens, reads) = (open.sequences.end, open.tokens.end, open.reads.end);
            parts.push(open);
            open = Part {
                sequences: sequences..sequences,
                tokens: tokens..tokens,
                reads: reads..reads,
            };
        }
    }
    parts
}

/// Trains low-rank additions to `parameters` on the batches of `batch_of`.
/// `heard` is told the loss of each step, before its update, and the parameters before it; and once more after the last, without a
/// loss. The parameters are the pretrained ones again when this returns.
///
/// # Errors
/// A training without `low_rank`, a subset that the model lacks, or a batch that cannot be made or read.
pub fn adapt<T: Float>(
    network: &Network,
    parameters: &mut [T],
    training: &Training,
    mut batch_of: impl FnMut(usize) -> Result<Batch, String>,
    mut heard: impl FnMut(usize, Option<f64>, &[T]) -> ControlFlow<()>,
) -> Result<Ending, String> {
    let mut adapter = Adapter::new(network.layout(), parameters, training)?;
    let mut state = State::new(training.optimizer, adapter.values.len());
    let mut work = Work::new(network.layout());
    let mut gradient = Vec::new();
    let mut run = |parameters: &mut [T]| {
        for step in 0..training.steps {
            let batch = batch_of(step)?;
            let (loss, of_parameters) =
                work.loss_and_gradient(network, parameters, &batch, &adapter.wanted)?;
            adapter.gradient(of_parameters, &mut gradient);
            let norm = clip(&mut gradient, training.clip_norm);
            if !(loss.is_finite() && norm.is_finite()) {
                return Ok(Ending::Diverged { step });
            }
            if heard(step, Some(loss), parameters).is_break() {
                return Ok(Ending::Stopped);
            }
            let rate = training.schedule.rate(step, training.steps);
            state.step(rate, &gradient, &mut adapter.values);
            adapter.write(parameters);
        }
        match heard(training.steps, None, parameters) {
            ControlFlow::Continue(()) => Ok(Ending::Completed),
            ControlFlow::Break(()) => Ok(Ending::Stopped),
        }
    };
    let ending = run(parameters);
    adapter.restore(parameters);
    ending
}
