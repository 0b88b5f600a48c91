//! Zero-shot prompts of the target beside few-shot prompts of other tasks: fine-tuning that rehearses.
//!
//! The two sources have streams of their own. Does not know which tasks the others are.

use crate::model::weights::Shape;
use crate::train::batch::{BatchPlan, Batches, Part, Reader, Reading, Streams};
use crate::train::objective::BatchLoss;
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
        let of_others = BatchPlan {
            streams: Streams::REPLAY,
            ..plan
        };
        Box::new(Pair {
            shape: plan.shape,
            target: self.target.batches(plan, n_shots),
            others: self.others.batches(of_others, n_shots),
            readings: Vec::new(),
        })
    }
}

struct Pair<'a> {
    shape: Shape,
    target: Box<dyn Batches + 'a>,
    others: Box<dyn Batches + 'a>,
    readings: Vec<Reading>,
}

impl Batches for Pair<'_> {
    fn read(&mut self, readers: &[Reader], _part: Part, step: usize) -> &[Reading] {
        self.readings
            .resize_with(readers.len(), || Reading::zeros(self.shape));
        let target = self.target.read(readers, Part::ZeroShot, step);
        let others = self.others.read(readers, Part::FewShot, step);
        for ((reading, target), others) in self.readings.iter_mut().zip(target).zip(others) {
            reading.loss = BatchLoss {
                zero_shot: target.loss.zero_shot,
                few_shot: others.loss.few_shot,
            };
            reading.gradient.clear();
            reading.gradient.add(&target.gradient);
            reading.gradient.add(&others.gradient);
        }
        &self.readings
    }
}
