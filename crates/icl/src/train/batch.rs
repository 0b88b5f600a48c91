//! Loss and gradient of one step's batch, in blocks that run in parallel.
//!
//! A block has its own random streams and buffers; blocks are added in order, so the sum does not
//! depend on the threads. Queries and contexts have streams of their own, so objectives that need no
//! context see the same queries. Several models may read the same prompts: what comes of one does not depend
//! on the others. Does not know optimisers.

use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::simd::{self, Kernel};
use crate::math::width::{Fixed, Width};
use crate::model::attention::{Attention, LaneGradient};
use crate::model::effective::Effective;
use crate::model::single_token::SingleToken;
use crate::model::weights::Shape;
use crate::prompts::gram::PromptGroup;
use crate::prompts::sampler::Sampler;
use crate::train::objective::{BatchLoss, LossWeights, Objective};
use crate::train::running;
use rayon::prelude::*;

/// Prompts per block. Part of the definition of every training result.
pub const BLOCK: usize = 256;

/// Purposes of a block's two streams; the index is (step, block).
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    queries: &'static str,
    contexts: &'static str,
}

impl Streams {
    pub const TRAINING: Streams = Streams {
        queries: "training queries",
        contexts: "training contexts",
    };
    /// Of a second source beside the first.
    pub const REPLAY: Streams = Streams {
        queries: "replay queries",
        contexts: "replay contexts",
    };
}

/// What a batch is made of.
#[derive(Debug, Clone, Copy)]
pub struct BatchPlan {
    pub shape: Shape,
    /// Prompts.
    pub batch_size: usize,
    pub seed: u64,
    pub streams: Streams,
}

/// A model that reads a batch, and what of its losses is minimised.
#[derive(Debug, Clone)]
pub struct Reader {
    pub matrices: Effective,
    pub objective: Objective,
    pub weights: LossWeights,
}

/// The losses that a source of prompts is for, of those of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    ZeroShot,
    FewShot,
}

impl Reader {
    fn uses_zero_shot(&self, part: Part) -> bool {
        part != Part::FewShot && self.objective.uses_zero_shot()
    }

    fn uses_few_shot(&self, part: Part) -> bool {
        part != Part::ZeroShot && self.objective.uses_few_shot()
    }
}

/// What a model has read: its losses, and the gradient of
/// weights.zero_shot * zero-shot loss + weights.few_shot * few-shot loss.
#[derive(Debug, Clone)]
pub struct Reading {
    pub loss: BatchLoss,
    pub gradient: Effective,
}

impl Reading {
    pub(crate) fn zeros(shape: Shape) -> Reading {
        Reading {
            loss: BatchLoss::ZERO,
            gradient: Effective::zeros(shape.token_dim(), shape.n_layers, shape.n_heads),
        }
    }
}

/// Losses and gradients of batches, wherever their prompts come from.
pub trait Batches {
    /// Draws step `step`'s batch, which all of `readers` read for this part of their losses. The readings are in
    /// their order.
    fn read(&mut self, readers: &[Reader], part: Part, step: usize) -> &[Reading];
}

/// Buffers and samplers for all blocks of a batch, reused in every step.
#[derive(Debug)]
pub struct Batch<S> {
    blocks: Vec<Block<S>>,
    readings: Vec<Reading>,
    plan: BatchPlan,
}

#[derive(Debug)]
struct Block<S> {
    n_prompts: usize,
    queries: LaneStream,
    contexts: LaneStream,
    sampler: S,
    group: PromptGroup,
    /// For each reader.
    works: Vec<Work>,
}

/// What does not depend on where prompts come from: its kernels are compiled once for all sources.
#[derive(Debug)]
struct Work {
    attention: Attention,
    single_token: SingleToken,
    lane_gradient: LaneGradient,
    gradient: Effective,
    zero_shot: Lanes,
    few_shot: Lanes,
}

impl Work {
    fn new(shape: Shape) -> Work {
        let (dim, layers, heads) = (shape.token_dim(), shape.n_layers, shape.n_heads);
        Work {
            attention: Attention::new(dim, layers, heads),
            single_token: SingleToken::new(dim, layers, heads),
            lane_gradient: LaneGradient::zeros(dim, layers, heads),
            gradient: Effective::zeros(dim, layers, heads),
            zero_shot: Lanes::ZERO,
            few_shot: Lanes::ZERO,
        }
    }
}

impl<S: Sampler> Batch<S> {
    /// Prepares a batch whose prompts come from copies of `sampler`.
    pub fn new(plan: BatchPlan, sampler: S) -> Batch<S> {
        let BatchPlan {
            shape,
            batch_size,
            seed,
            streams,
        } = plan;
        let blocks = (0..batch_size.div_ceil(BLOCK))
            .map(|block| Block {
                n_prompts: BLOCK.min(batch_size - block * BLOCK),
                queries: LaneStream::new(seed, streams.queries, &[]),
                contexts: LaneStream::new(seed, streams.contexts, &[]),
                sampler: sampler.clone(),
                group: PromptGroup::new(shape.d),
                works: Vec::new(),
            })
            .collect();
        Batch {
            blocks,
            readings: Vec::new(),
            plan,
        }
    }
}

impl<S: Sampler> Batches for Batch<S> {
    fn read(&mut self, readers: &[Reader], part: Part, step: usize) -> &[Reading] {
        let BatchPlan {
            shape,
            batch_size,
            seed,
            streams,
        } = self.plan;
        let scale = 1.0 / batch_size as f64;
        let needs_context = readers.iter().any(|reader| reader.uses_few_shot(part));
        let read = |(index, block): (usize, &mut Block<S>)| {
            let index = [step as u64, index as u64];
            block.queries.restart(seed, streams.queries, &index);
            if needs_context {
                block.contexts.restart(seed, streams.contexts, &index);
            }
            block.works.resize_with(readers.len(), || Work::new(shape));
            block.run(readers, part, needs_context, scale);
        };
        // To hand blocks round cost the digits a seventh of their CPU time, where nobody was free to take any.
        match running::fill_the_pool() {
            true => self.blocks.iter_mut().enumerate().for_each(read),
            false => self.blocks.par_iter_mut().enumerate().for_each(read),
        }
        self.readings
            .resize_with(readers.len(), || Reading::zeros(shape));
        for (place, reading) in self.readings.iter_mut().enumerate() {
            let Reading { loss, gradient } = reading;
            gradient.clear();
            *loss = BatchLoss::ZERO;
            for block in &self.blocks {
                let work = &block.works[place];
                gradient.add(&work.gradient);
                loss.zero_shot += work.zero_shot.sum();
                loss.few_shot += work.few_shot.sum();
            }
            loss.zero_shot *= scale;
            loss.few_shot *= scale;
        }
        &self.readings
    }
}

impl<S: Sampler> Block<S> {
    fn run(&mut self, readers: &[Reader], part: Part, needs_context: bool, scale: f64) {
        for work in &mut self.works {
            work.lane_gradient.clear();
            work.zero_shot = Lanes::ZERO;
            work.few_shot = Lanes::ZERO;
        }
        self.sampler
            .start(&mut self.queries, &mut self.contexts, needs_context);
        for start in (0..self.n_prompts).step_by(WIDTH) {
            simd::dispatch(Draw {
                sampler: &mut self.sampler,
                queries: &mut self.queries,
                contexts: needs_context.then_some(&mut self.contexts),
                group: &mut self.group,
            });
            let mask = Lanes::first(self.n_prompts - start);
            for (reader, work) in readers.iter().zip(&mut self.works) {
                simd::dispatch(Step {
                    work,
                    prompts: &self.group,
                    matrices: &reader.matrices,
                    zero_shot: reader
                        .uses_zero_shot(part)
                        .then_some(2.0 * scale * reader.weights.zero_shot),
                    few_shot: reader
                        .uses_few_shot(part)
                        .then_some(2.0 * scale * reader.weights.few_shot),
                    mask,
                });
            }
        }
        for work in &mut self.works {
            work.lane_gradient.reduce_into(&mut work.gradient);
        }
    }
}

/// Runs a kernel with the width as a constant, for those of the pipeline's larger experiments: d = 5, and 4, 8
/// and 16 for the digits.
macro_rules! at_width {
    ($dim:expr, $kernel:expr) => {
        match $dim {
            6 => $kernel.at(Fixed::<6>),
            7 => $kernel.at(Fixed::<7>),
            10 => $kernel.at(Fixed::<10>),
            18 => $kernel.at(Fixed::<18>),
            dim => $kernel.at(dim),
        }
    };
}

/// Draws a group of prompts, without contexts where nobody asks for them.
struct Draw<'b, S> {
    sampler: &'b mut S,
    queries: &'b mut LaneStream,
    contexts: Option<&'b mut LaneStream>,
    group: &'b mut PromptGroup,
}

impl<S: Sampler> Kernel for Draw<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        at_width!(self.group.dim(), self)
    }
}

impl<S: Sampler> Draw<'_, S> {
    #[inline(always)]
    fn at<W: Width>(self, width: W) {
        self.sampler.draw_query(width, self.queries, self.group);
        if let Some(contexts) = self.contexts {
            self.sampler.draw_context(width, contexts, self.group);
        }
    }
}

/// Adds a reader's losses and gradients on the group that was drawn.
struct Step<'b> {
    work: &'b mut Work,
    prompts: &'b PromptGroup,
    matrices: &'b Effective,
    /// Derivatives of the batch loss by a squared residual, times 2; `None` for a loss that is not used.
    zero_shot: Option<f64>,
    few_shot: Option<f64>,
    mask: Lanes,
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        at_width!(self.prompts.dim(), self)
    }
}

impl Step<'_> {
    #[inline(always)]
    fn at<W: Width>(self, width: W) {
        let Step {
            work,
            prompts,
            matrices,
            zero_shot,
            few_shot,
            mask,
        } = self;
        let gradient = &mut work.lane_gradient;
        if let Some(few_shot) = few_shot {
            let prediction = work.attention.forward(width, matrices, prompts);
            let residual = (prediction - prompts.y) * mask;
            work.few_shot += residual * residual;
            let seed = residual * few_shot;
            work.attention
                .backward(width, matrices, prompts, seed, gradient);
        }
        if let Some(zero_shot) = zero_shot {
            let prediction = work.single_token.forward(width, matrices, &prompts.z);
            let residual = (prediction - prompts.y) * mask;
            work.zero_shot += residual * residual;
            let seed = residual * zero_shot;
            work.single_token.backward(width, matrices, seed, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;
    use crate::model::head::Head;
    use crate::model::weights::LinearAttention;
    use crate::prompts::data_set::DataSet;
    use crate::prompts::resample::Resampler;

    /// With one row in the set every prompt is the same, so no batch size may change the means.
    #[test]
    fn only_the_asked_prompts_count() {
        let data = DataSet::from_arrays(ndarray::arr2(&[[1.0, 2.0]]).view(), &[3.0]).unwrap();
        let q = ndarray::Array2::from_shape_fn((4, 4), |(i, j)| (i + 2 * j) as f64 * 0.1);
        let head = Head::new(vec![0.3, -0.1, 0.2, 0.5], q).unwrap();
        // Zero-shot prediction: (z^T Q z) (z . v) with z = (1, 1, 2, 0).
        let z = [1.0, 1.0, 2.0, 0.0];
        let mut score = 0.0;
        for ((i, j), entry) in head.q().indexed_iter() {
            score += z[i] * entry * z[j];
        }
        let residual = score * (0.3 - 0.1 + 0.4) - 3.0;
        let model = LinearAttention::from_head(&head);
        let objective = Objective::ZeroAndFewShot;
        let weights = LossWeights {
            zero_shot: 1.0,
            few_shot: 0.5,
        };
        let run = |size: usize| {
            let plan = BatchPlan {
                shape: model.shape(),
                batch_size: size,
                seed: 0,
                streams: Streams::TRAINING,
            };
            let mut batch = Batch::new(plan, Resampler::new(&data, 2));
            let reader = Reader {
                matrices: model.effective(),
                objective,
                weights,
            };
            let reading = &batch.read(&[reader], Part::Whole, 0)[0];
            (reading.loss, reading.gradient.q(0, 0)[0])
        };
        let (full, slope) = run(8);
        assert!((full.zero_shot - residual * residual).abs() < tolerance::ROUNDING);
        for size in [1, 3, BLOCK, BLOCK + 5] {
            let (loss, other) = run(size);
            assert!(
                (loss.zero_shot - full.zero_shot).abs() < tolerance::ROUNDING,
                "{size}"
            );
            assert!(
                (loss.few_shot - full.few_shot).abs() < tolerance::ROUNDING,
                "{size}"
            );
            assert!(
                (other - slope).abs() < tolerance::ROUNDING * slope.abs().max(1.0),
                "{size}"
            );
        }
    }
}
