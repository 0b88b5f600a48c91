//! Loss and gradient of one step's batch, in blocks that run in parallel.
//!
//! A block has its own random streams and buffers; blocks are added in order, so the sum does not
//! depend on the threads. Queries and contexts have streams of their own, so objectives that need no
//! context see the same queries. Does not know optimisers.

use crate::icl::attention::{Attention, LaneGradient};
use crate::icl::effective::Effective;
use crate::icl::fresh::{FreshSampler, Method, TaskChoice};
use crate::icl::gram::PromptGroup;
use crate::icl::model::Shape;
use crate::icl::objective::{LossWeights, Objective};
use crate::icl::resample::Resampler;
use crate::icl::source::Source;
use crate::icl::task_pool::PoolSampler;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::simd::{self, Kernel};
use crate::math::stream::Stream;
use rayon::prelude::*;

/// Prompts per block. Part of the definition of every training result.
pub const BLOCK: usize = 256;

/// Buffers and samplers for all blocks of a batch, reused in every step.
#[derive(Debug)]
pub struct Batch<'a> {
    blocks: Vec<Block<'a>>,
    gradient: Effective,
    objective: Objective,
    batch_size: usize,
    seed: u64,
}

/// Mean squared errors over a batch (or over the population); zero where the objective does not use them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchLoss {
    pub zero_shot: f64,
    pub few_shot: f64,
}

#[derive(Debug)]
struct Block<'a> {
    n_prompts: usize,
    sampler: Sampler<'a>,
    group: PromptGroup,
    attention: Attention,
    lane_gradient: LaneGradient,
    gradient: Effective,
    zero_shot: Lanes,
    few_shot: Lanes,
}

#[derive(Debug, Clone)]
enum Sampler<'a> {
    Fresh(FreshSampler),
    DataSet(Resampler<'a>),
    Pool(PoolSampler<'a>),
}

impl Sampler<'_> {
    #[inline(always)]
    fn draw_query(&mut self, stream: &mut Stream, group: &mut PromptGroup) {
        match self {
            Sampler::Fresh(sampler) => sampler.draw_query(stream, group),
            Sampler::DataSet(sampler) => sampler.draw_query(stream, group),
            Sampler::Pool(sampler) => sampler.draw_query(stream, group),
        }
    }

    #[inline(always)]
    fn draw_context(&mut self, stream: &mut Stream, group: &mut PromptGroup) {
        match self {
            Sampler::Fresh(sampler) => sampler.draw_context(stream, group),
            Sampler::DataSet(sampler) => sampler.draw_context(stream, group),
            Sampler::Pool(sampler) => sampler.draw_context(stream, group),
        }
    }
}

impl<'a> Batch<'a> {
    /// Prepares `batch_size` prompts of `n_shots` for models of this shape.
    ///
    /// # Panics
    /// If the source's dimension is not the shape's.
    pub fn new(
        shape: Shape,
        source: Source<'a>,
        objective: Objective,
        batch_size: usize,
        n_shots: usize,
        seed: u64,
    ) -> Batch<'a> {
        assert_eq!(source.d(), shape.d, "batch: dimensions");
        let sampler = match source {
            Source::Fresh(setting) => Sampler::Fresh(FreshSampler::new(
                setting,
                n_shots,
                TaskChoice::RandomUnit,
                Method::Fastest,
            )),
            Source::DataSet(data) => Sampler::DataSet(Resampler::new(data, n_shots)),
            Source::Pool(pool) => Sampler::Pool(PoolSampler::new(pool, n_shots)),
        };
        let (dim, layers, heads) = (shape.token_dim(), shape.n_layers, shape.n_heads);
        let blocks = (0..batch_size.div_ceil(BLOCK))
            .map(|block| Block {
                n_prompts: BLOCK.min(batch_size - block * BLOCK),
                sampler: sampler.clone(),
                group: PromptGroup::new(shape.d),
                attention: Attention::new(dim, layers, heads),
                lane_gradient: LaneGradient::zeros(dim, layers, heads),
                gradient: Effective::zeros(dim, layers, heads),
                zero_shot: Lanes::ZERO,
                few_shot: Lanes::ZERO,
            })
            .collect();
        let gradient = Effective::zeros(dim, layers, heads);
        Batch {
            blocks,
            gradient,
            objective,
            batch_size,
            seed,
        }
    }

    /// Draws step `step`'s batch and returns its losses and the gradient of
    /// weights.zero_shot * zero-shot loss + weights.few_shot * few-shot loss.
    pub fn loss_and_gradient(
        &mut self,
        matrices: &Effective,
        weights: LossWeights,
        step: usize,
    ) -> (BatchLoss, &Effective) {
        let scale = 1.0 / self.batch_size as f64;
        let (objective, seed) = (self.objective, self.seed);
        self.blocks
            .par_iter_mut()
            .enumerate()
            .for_each(|(index, block)| {
                let index = [step as u64, index as u64];
                simd::dispatch(BlockKernel {
                    block,
                    matrices,
                    objective,
                    zero_shot_seed: 2.0 * scale * weights.zero_shot,
                    few_shot_seed: 2.0 * scale * weights.few_shot,
                    queries: Stream::new(seed, "training queries", &index),
                    contexts: Stream::new(seed, "training contexts", &index),
                });
            });
        self.gradient.clear();
        let mut loss = BatchLoss {
            zero_shot: 0.0,
            few_shot: 0.0,
        };
        for block in &self.blocks {
            self.gradient.add(&block.gradient);
            loss.zero_shot += block.zero_shot.sum();
            loss.few_shot += block.few_shot.sum();
        }
        loss.zero_shot *= scale;
        loss.few_shot *= scale;
        (loss, &self.gradient)
    }
}

struct BlockKernel<'b, 'a> {
    block: &'b mut Block<'a>,
    matrices: &'b Effective,
    objective: Objective,
    /// Derivative of the batch loss by a squared residual, times 2.
    zero_shot_seed: f64,
    few_shot_seed: f64,
    queries: Stream,
    contexts: Stream,
}

impl Kernel for BlockKernel<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let block = self.block;
        block.lane_gradient.clear();
        block.zero_shot = Lanes::ZERO;
        block.few_shot = Lanes::ZERO;
        for start in (0..block.n_prompts).step_by(WIDTH) {
            let mask = Lanes::first(block.n_prompts - start);
            block
                .sampler
                .draw_query(&mut self.queries, &mut block.group);
            if self.objective.uses_few_shot() {
                block
                    .sampler
                    .draw_context(&mut self.contexts, &mut block.group);
                block.few_shot += learn(
                    &mut block.attention,
                    &mut block.lane_gradient,
                    &block.group,
                    self.matrices,
                    mask,
                    self.few_shot_seed,
                );
            }
            if self.objective.uses_zero_shot() {
                block.group.set_zero_shot();
                block.zero_shot += learn(
                    &mut block.attention,
                    &mut block.lane_gradient,
                    &block.group,
                    self.matrices,
                    mask,
                    self.zero_shot_seed,
                );
            }
        }
        block.lane_gradient.reduce_into(&mut block.gradient);
    }
}

/// Squared residuals of a group; adds their gradient times seed / 2.
#[inline(always)]
fn learn(
    attention: &mut Attention,
    gradient: &mut LaneGradient,
    group: &PromptGroup,
    matrices: &Effective,
    mask: Lanes,
    seed: f64,
) -> Lanes {
    let residual = (attention.forward(matrices, &group.s, &group.z) - group.y) * mask;
    attention.backward(matrices, residual * seed, gradient);
    residual * residual
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icl::data_set::DataSet;
    use crate::icl::head::Head;
    use crate::icl::model::LinearAttention;
    use crate::math::tolerance;

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
            let mut batch =
                Batch::new(model.shape(), Source::DataSet(&data), objective, size, 2, 0);
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
