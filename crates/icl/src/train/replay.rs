//! Zero-shot prompts of the target beside few-shot prompts of other tasks: fine-tuning that rehearses.
//!
//! The two sources have streams of their own. Does not know which tasks the others are.

use crate::model::effective::Effective;
use crate::train::batch::{BatchPlan, Batches, Streams};
use crate::train::objective::{BatchLoss, LossWeights, Objective};
use crate::train::sampled::Source;

/// A batch of the target for the zero-shot loss, one of `others` for the few-shot loss.
pub struct Replay<'a> {
    pub target: &'a dyn Source,
    pub others: &'a dyn Source,
}

impl Source for Replay<'_> {
    /// Of the target; 0 where the others have another dimension, which no model has.
    fn d(&self) -> usize {
        match self.target.d() == self.others.d() {
            true => self.target.d(),
            false => 0,
        }
    }

    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_> {
        let shape = plan.shape;
        Box::new(Pair {
            target: self.target.batches(
                BatchPlan {
                    objective: Objective::ZeroShot,
                    ..plan
                },
                n_shots,
            ),
            others: self.others.batches(
                BatchPlan {
                    objective: Objective::FewShot,
                    streams: Streams::REPLAY,
                    ..plan
                },
                n_shots,
            ),
            gradient: Effective::zeros(shape.token_dim(), shape.n_layers, shape.n_heads),
        })
    }
}

struct Pair<'a> {
    target: Box<dyn Batches + 'a>,
    others: Box<dyn Batches + 'a>,
    gradient: Effective,
}

impl Batches for Pair<'_> {
    fn loss_and_gradient(
        &mut self,
        matrices: &Effective,
        weights: LossWeights,
        step: usize,
    ) -> (BatchLoss, &Effective) {
        self.gradient.clear();
        let (target, gradient) = self.target.loss_and_gradient(matrices, weights, step);
        self.gradient.add(gradient);
        let (others, gradient) = self.others.loss_and_gradient(matrices, weights, step);
        self.gradient.add(gradient);
        let loss = BatchLoss {
            zero_shot: target.zero_shot,
            few_shot: others.few_shot,
        };
        (loss, &self.gradient)
    }
}
