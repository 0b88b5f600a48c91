//! Batches of fine-tuning: the loss on responses alone, zero-shot and few-shot prompts of the same items in one step, and the
//! weight of the few-shot part, which is annealed by epochs.
//!
//! loss(step) = mean over response tokens of the zero-shot prompts' cross-entropies + weight(epoch) times the same of the
//! few-shot prompts. Does not know texts, models or optimisers.

use crate::language::example::{self, Example};
use crate::transformer::model::batch::Batch;
use icl::math::stream::Stream;

/// An item's prompts with its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub zero_shot: Example,
    /// None where the objective has no few-shot part.
    pub few_shot: Option<Example>,
}

impl Pair {
    /// Tokens of the longer prompt with its response.
    pub fn tokens(&self) -> usize {
        let few = self.few_shot.as_ref();
        { self.zero_shot.tokens.len() }.max(few.map_or(0, |few| few.tokens.len()))
    }
}

/// Epochs over pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Epochs {
    pub pairs: Vec<Pair>,
    pub epochs: usize,
    /// Items of a step; the last step of an epoch may have fewer.
    pub batch: usize,
    /// Weight of the few-shot loss in the first epoch.
    pub few_shot_weight: f64,
    /// Outputs of the model.
    pub vocabulary: usize,
    /// Draws the order of each epoch.
    pub seed: u64,
}

impl Epochs {
    /// Steps of an epoch.
    pub fn steps_of_epoch(&self) -> usize {
        self.pairs.len().div_ceil(self.batch.max(1))
    }

    /// Steps of all.
    pub fn steps(&self) -> usize {
        self.epochs * self.steps_of_epoch()
    }

    /// Weight of the few-shot loss in an epoch e of E: the first one's times (E-1-e)/(E-1), so none in the last; of a single
    /// epoch the first one's.
    pub fn weight(&self, epoch: usize) -> f64 {
        match self.epochs {
            0 | 1 => self.few_shot_weight,
            epochs => self.few_shot_weight * (epochs - 1 - epoch) as f64 / (epochs - 1) as f64,
        }
    }

    /// Places of the items of a step.
    fn places(&self, step: usize) -> Vec<usize> {
        let of_epoch = self.steps_of_epoch().max(1);
        let (epoch, step) = (step / of_epoch, step % of_epoch);
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        let mut stream = Stream::new(self.seed, "mmlu order", &[epoch as u64]);
        for place in 0..order.len() {
            let other = place + stream.index(order.len() - place);
            order.swap(place, other);
        }
        let from = step * self.batch;
        order[from..(from + self.batch).min(order.len())].to_vec()
    }

    /// The batch of a step, counted from 0 over all epochs.
    ///
    /// # Errors
    /// A step beyond the last, a token that the model has no output for.
    pub fn batch(&self, step: usize) -> Result<Batch, String> {
        if step >= self.steps() {
            return Err(format!("step {step}: there are {}", self.steps()));
        }
        let places = self.places(step);
        let pairs = || places.iter().map(|&at| &self.pairs[at]);
        let mut batch = example::batch(pairs().map(|pair| &pair.zero_shot), self.vocabulary)?;
        let weight = self.weight(step / self.steps_of_epoch());
        let few: Vec<&Example> = pairs().filter_map(|pair| pair.few_shot.as_ref()).collect();
        if weight > 0.0 && !few.is_empty() {
            batch.append(&example::batch(few, self.vocabulary)?, weight);
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::model::batch::{Read, Target};

    fn example(tokens: &[u32], response: usize) -> Example {
        Example {
            tokens: tokens.to_vec(),
            response,
        }
    }

    fn epochs(n: u32, few: bool) -> Epochs {
        let pair = |at: u32| Pair {
            zero_shot: example(&[at, 50, 60 + at], 1),
            few_shot: few.then(|| example(&[at, at, at, 70, 71], 3)),
        };
        Epochs {
            pairs: (0..n).map(pair).collect(),
            epochs: 3,
            batch: 2,
            few_shot_weight: 0.5,
            vocabulary: 80,
            seed: 4,
        }
    }

    fn classes(batch: &Batch) -> Vec<(usize, usize, f64)> {
        let class = |read: &Read| match read.target {
            Target::Class { class, .. } => (read.token, class, read.weight),
            Target::Value(_) => panic!("a class"),
        };
        batch.reads.iter().map(class).collect()
    }

    #[test]
    fn each_epoch_sees_each_item_once_in_its_own_order() {
        let epochs = epochs(5, false);
        assert_eq!((epochs.steps_of_epoch(), epochs.steps()), (3, 9));
        let order = |epoch: usize| -> Vec<usize> {
            (0..3)
                .flat_map(|step| epochs.places(epoch * 3 + step))
                .collect()
        };
        for epoch in 0..3 {
            let mut all = order(epoch);
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3, 4]);
        }
        assert!(order(0) != order(1) || order(1) != order(2));
        assert!(epochs.batch(9).is_err());
    }

    #[test]
    fn the_loss_is_on_responses_alone() {
        let mut one = epochs(1, false);
        one.batch = 1;
        let batch = one.batch(0).unwrap();
        // Tokens 0, 50, 60: the response 50, 60 is predicted at 0 and 1.
        assert_eq!(classes(&batch), [(0, 50, 0.5), (1, 60, 0.5)]);
        assert_eq!(batch.lengths, [3]);
        one.vocabulary = 60;
        let told = one.batch(0).unwrap_err();
        assert_eq!(told, "token 60: the model has 60 outputs");
    }

    #[test]
    fn the_few_shot_part_fades_by_epochs() {
        let epochs = epochs(2, true);
        assert_eq!(
            [0, 1, 2].map(|epoch| epochs.weight(epoch)),
            [0.5, 0.25, 0.0]
        );
        for (epoch, weight) in [(0, 0.5), (1, 0.25), (2, 0.0)] {
            let batch = epochs.batch(epoch).unwrap();
            let sequences = if weight > 0.0 { 4 } else { 2 };
            assert_eq!(batch.lengths.len(), sequences);
            let (zero, few) = batch.reads.split_at(4);
            let sum = |reads: &[Read]| reads.iter().map(|read| read.weight).sum::<f64>();
            assert!((sum(zero) - 1.0).abs() < 1e-15 && (sum(few) - weight).abs() < 1e-15);
            assert!(few.iter().all(|read| read.token >= 6));
        }
        let single = Epochs {
            epochs: 1,
            ..epochs
        };
        assert_eq!(single.weight(0), 0.5);
    }
}
