//! Loss and gradient of one step's batch, in blocks that run in parallel.
//!
//! A block has its own random streams and buffers; blocks are added in order, so the sum does not
//! depend on the threads. Queries and contexts have streams of their own, so objectives that need no
//! context see the same queries. Does not know optimisers.

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
    pub objective: Objective,
    /// Prompts.
    pub batch_size: usize,
    pub seed: u64,
    pub streams: Streams,
}

/// Losses and gradients of batches, wherever their prompts come from.
pub trait Batches {
    /// Draws step `step`'s batch and returns its losses and the gradient of
    /// weights.zero_shot * zero-shot loss + weights.few_shot * few-shot loss.
    fn loss_and_gradient(
        &mut self,
        matrices: &Effective,
        weights: LossWeights,
        step: usize,
    ) -> (BatchLoss, &Effective);
}

/// Buffers and samplers for all blocks of a batch, reused in every step.
#[derive(Debug)]
pub struct Batch<S> {
    blocks: Vec<Block<S>>,
    gradient: Effective,
    objective: Objective,
    batch_size: usize,
    seed: u64,
    streams: Streams,
}

#[derive(Debug)]
struct Block<S> {
    n_prompts: usize,
    queries: LaneStream,
    contexts: LaneStream,
    sampler: S,
    work: Work,
}

/// What does not depend on where prompts come from: its kernels are compiled once for all sources.
#[derive(Debug)]
struct Work {
    group: PromptGroup,
    attention: Attention,
    single_token: SingleToken,
    lane_gradient: LaneGradient,
    gradient: Effective,
    zero_shot: Lanes,
    few_shot: Lanes,
}

impl<S: Sampler> Batch<S> {
    /// Prepares a batch whose prompts come from copies of `sampler`.
    pub fn new(plan: BatchPlan, sampler: S) -> Batch<S> {
        let BatchPlan {
            shape,
            objective,
            batch_size,
            seed,
            streams,
        } = plan;
        let (dim, layers, heads) = (shape.token_dim(), shape.n_layers, shape.n_heads);
        let blocks = (0..batch_size.div_ceil(BLOCK))
            .map(|block| Block {
                n_prompts: BLOCK.min(batch_size - block * BLOCK),
                queries: LaneStream::new(seed, streams.queries, &[]),
                contexts: LaneStream::new(seed, streams.contexts, &[]),
                sampler: sampler.clone(),
                work: Work {
                    group: PromptGroup::new(shape.d),
                    attention: Attention::new(dim, layers, heads),
                    single_token: SingleToken::new(dim, layers, heads),
                    lane_gradient: LaneGradient::zeros(dim, layers, heads),
                    gradient: Effective::zeros(dim, layers, heads),
                    zero_shot: Lanes::ZERO,
                    few_shot: Lanes::ZERO,
                },
            })
            .collect();
        let gradient = Effective::zeros(dim, layers, heads);
        Batch {
            blocks,
            gradient,
            objective,
            batch_size,
            seed,
            streams,
        }
    }
}

impl<S: Sampler> Batches for Batch<S> {
    fn loss_and_gradient(
        &mut self,
        matrices: &Effective,
        weights: LossWeights,
        step: usize,
    ) -> (BatchLoss, &Effective) {
        let scale = 1.0 / self.batch_size as f64;
        let (objective, seed, streams) = (self.objective, self.seed, self.streams);
        self.blocks
            .par_iter_mut()
            .enumerate()
            .for_each(|(index, block)| {
                let index = [step as u64, index as u64];
                block.queries.restart(seed, streams.queries, &index);
                if objective.uses_few_shot() {
                    block.contexts.restart(seed, streams.contexts, &index);
                }
                let seeds = Seeds {
                    zero_shot: 2.0 * scale * weights.zero_shot,
                    few_shot: 2.0 * scale * weights.few_shot,
                };
                block.run(matrices, objective, seeds);
            });
        self.gradient.clear();
        let mut loss = BatchLoss {
            zero_shot: 0.0,
            few_shot: 0.0,
        };
        for block in &self.blocks {
            self.gradient.add(&block.work.gradient);
            loss.zero_shot += block.work.zero_shot.sum();
            loss.few_shot += block.work.few_shot.sum();
        }
        loss.zero_shot *= scale;
        loss.few_shot *= scale;
        (loss, &self.gradient)
    }
}

/// Derivatives of the batch loss by a squared residual, times 2.
#[derive(Debug, Clone, Copy)]
struct Seeds {
    zero_shot: f64,
    few_shot: f64,
}

impl<S: Sampler> Block<S> {
    fn run(&mut self, matrices: &Effective, objective: Objective, seeds: Seeds) {
        let work = &mut self.work;
        work.lane_gradient.clear();
        work.zero_shot = Lanes::ZERO;
        work.few_shot = Lanes::ZERO;
        let few_shot = objective.uses_few_shot();
        self.sampler
            .start(&mut self.queries, &mut self.contexts, few_shot);
        for start in (0..self.n_prompts).step_by(WIDTH) {
            simd::dispatch(Draw {
                sampler: &mut self.sampler,
                queries: &mut self.queries,
                contexts: few_shot.then_some(&mut self.contexts),
                group: &mut work.group,
            });
            simd::dispatch(Step {
                work,
                matrices,
                objective,
                seeds,
                mask: Lanes::first(self.n_prompts - start),
            });
        }
        work.lane_gradient.reduce_into(&mut work.gradient);
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

/// Adds losses and gradients of the group that was drawn.
struct Step<'b> {
    work: &'b mut Work,
    matrices: &'b Effective,
    objective: Objective,
    seeds: Seeds,
    mask: Lanes,
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        at_width!(self.matrices.dim(), self)
    }
}

impl Step<'_> {
    #[inline(always)]
    fn at<W: Width>(self, width: W) {
        let Step {
            work,
            matrices,
            objective,
            seeds,
            mask,
        } = self;
        let prompts = &work.group;
        let gradient = &mut work.lane_gradient;
        if objective.uses_few_shot() {
            let prediction = work.attention.forward(width, matrices, prompts);
            let residual = (prediction - prompts.y) * mask;
            work.few_shot += residual * residual;
            let seed = residual * seeds.few_shot;
            work.attention
                .backward(width, matrices, prompts, seed, gradient);
        }
        if objective.uses_zero_shot() {
            let prediction = work.single_token.forward(width, matrices, &prompts.z);
            let residual = (prediction - prompts.y) * mask;
            work.zero_shot += residual * residual;
            let seed = residual * seeds.zero_shot;
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
                objective,
                batch_size: size,
                seed: 0,
                streams: Streams::TRAINING,
            };
            let mut batch = Batch::new(plan, Resampler::new(&data, 2));
            let (loss, gradient) = batch.loss_and_gradient(&model.effective(), weights, 0);
            (loss, gradient.q(0, 0)[0])
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
