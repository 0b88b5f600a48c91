//! Test errors of models and baselines on prompts of real data, shot by shot.
//!
//! Everything sees the same prompts: each is drawn once with all its shots, and read with its first n for
//! every n asked for. One random stream per (seed, set of tasks, block of [`BLOCK`] prompts): results
//! do not depend on the thread count. Does not know what the tasks mean.

use crate::evaluate::baseline::{self, Baselines, Penalties};
use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::moments::{Estimate, LaneSums, Moments};
use crate::math::simd::{self, Kernel};
use crate::math::width::{Fixed, Width};
use crate::model::attention::Attention;
use crate::model::effective::Effective;
use crate::model::weights::LinearAttention;
use crate::prompts::gram::PromptGroup;
use crate::prompts::sampler::Sampler;
use crate::prompts::task_pool::{PoolSampler, TaskPool};
use rayon::prelude::*;
use std::fmt;
use std::ops::ControlFlow;

/// Prompts per block. Part of the definition of every result.
pub const BLOCK: usize = 128;

/// What reads the prompts, in the order of the results: models, the baselines of
/// [`baseline::NAMES`], and linear classifiers that read no context.
#[derive(Debug, Clone)]
pub struct Readers<'a> {
    pub models: Vec<&'a LinearAttention>,
    pub penalties: Penalties,
    /// Each (w_0, w_1..w_d).
    pub linear: Vec<Vec<f64>>,
}

/// Which prompts to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolPlan {
    /// Numbers of shots to read; 0 is the query alone.
    pub n_shots: Vec<usize>,
    /// Prompts of each set of tasks and seed.
    pub n_prompts: usize,
    /// Results are pooled over the seeds.
    pub seeds: Vec<u64>,
}

/// What one reader does on one set of tasks at one number of shots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean squared error.
    pub error: Estimate,
    /// Share of prompts whose prediction has the label's sign; a prediction of 0 counts as a half.
    pub accuracy: Estimate,
}

/// The scores of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    n_readers: usize,
    n_points: usize,
    scores: Vec<Score>,
}

/// Why there are no scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolEvaluateError {
    Dimension { found: usize, expected: usize },
    NoPrompts,
    Stopped,
}

impl fmt::Display for PoolEvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolEvaluateError::Dimension { found, expected } => {
                write!(
                    f,
                    "a model or classifier has d = {found}, the examples have d = {expected}"
                )
            }
            PoolEvaluateError::NoPrompts => {
                write!(
                    f,
                    "prompts, seeds and numbers of shots: at least 1 of each is needed"
                )
            }
            PoolEvaluateError::Stopped => write!(f, "stopped before the end"),
        }
    }
}

impl std::error::Error for PoolEvaluateError {}

impl Scores {
    /// The score of a reader on a set of tasks at `n_shots[point]`.
    ///
    /// # Panics
    /// If there is no such reader, set or point.
    pub fn get(&self, reader: usize, set: usize, point: usize) -> Score {
        assert!(
            reader < self.n_readers && point < self.n_points,
            "no reader {reader}, point {point}"
        );
        self.scores[(set * self.n_readers + reader) * self.n_points + point]
    }
}

/// Scores every reader on prompts of every set of tasks. `on_set(done, total)` is called after each
/// set; `Break` stops with [`PoolEvaluateError::Stopped`].
///
/// # Errors
/// Dimensions that differ, nothing to draw, or a stop.
pub fn evaluate(
    readers: &Readers<'_>,
    sets: &[&TaskPool],
    plan: &PoolPlan,
    mut on_set: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Scores, PoolEvaluateError> {
    for pool in sets {
        let models = readers.models.iter().map(|model| model.shape().d);
        let linear = readers.linear.iter().map(|weights| weights.len() - 1);
        if let Some(found) = models.chain(linear).find(|&d| d != pool.d()) {
            let expected = pool.d();
            return Err(PoolEvaluateError::Dimension { found, expected });
        }
    }
    if plan.n_prompts == 0 || plan.seeds.is_empty() || plan.n_shots.is_empty() {
        return Err(PoolEvaluateError::NoPrompts);
    }
    let models: Vec<Effective> = readers
        .models
        .iter()
        .map(|model| model.effective())
        .collect();
    let n_readers = models.len() + baseline::NAMES.len() + readers.linear.len();
    let n_points = plan.n_shots.len();
    let n_blocks = plan.n_prompts.div_ceil(BLOCK);
    let mut scores = Vec::with_capacity(sets.len() * n_readers * n_points);
    for (set, pool) in sets.iter().enumerate() {
        let blocks: Vec<Vec<[Moments; 2]>> = (0..plan.seeds.len() * n_blocks)
            .into_par_iter()
            .map(|index| {
                let (seed, block) = (plan.seeds[index / n_blocks], index % n_blocks);
                let n_prompts = BLOCK.min(plan.n_prompts - block * BLOCK);
                let name = [set as u64, block as u64];
                let sums = simd::dispatch(BlockKernel {
                    readers,
                    models: &models,
                    pool,
                    n_shots: &plan.n_shots,
                    n_prompts,
                    stream: LaneStream::new(seed, "pool evaluation", &name),
                });
                let moments = |sums: &[LaneSums; 2]| sums.map(|sum| sum.moments(n_prompts as u64));
                sums.iter().map(moments).collect()
            })
            .collect();
        for at in 0..n_readers * n_points {
            let [mut error, mut accuracy] = [Moments::new(); 2];
            for block in &blocks {
                error.merge(&block[at][0]);
                accuracy.merge(&block[at][1]);
            }
            scores.push(Score {
                error: error.estimate(),
                accuracy: accuracy.estimate(),
            });
        }
        if on_set(set + 1, sets.len()).is_break() {
            return Err(PoolEvaluateError::Stopped);
        }
    }
    Ok(Scores {
        n_readers,
        n_points,
        scores,
    })
}

/// Squared errors and hits of all readers on one block of prompts, by reader and number of shots.
struct BlockKernel<'a> {
    readers: &'a Readers<'a>,
    models: &'a [Effective],
    pool: &'a TaskPool,
    n_shots: &'a [usize],
    n_prompts: usize,
    stream: LaneStream,
}

impl Kernel for BlockKernel<'_> {
    type Output = Vec<[LaneSums; 2]>;

    #[inline(always)]
    fn run(self) -> Vec<[LaneSums; 2]> {
        match self.pool.d() + 2 {
            10 => self.run_at(Fixed::<10>),
            dim => self.run_at(dim),
        }
    }
}

impl BlockKernel<'_> {
    #[inline(always)]
    fn run_at<W: Width>(mut self, width: W) -> Vec<[LaneSums; 2]> {
        let d = width.get() - 2;
        let most = self.n_shots.iter().max().map_or(0, |&n| n);
        let n_points = self.n_shots.len();
        let n_baselines = baseline::NAMES.len();
        let n_readers = self.models.len() + n_baselines + self.readers.linear.len();
        let mut sampler = PoolSampler::new(self.pool, most);
        let mut group = PromptGroup::new(d);
        let mut context = Context::new(d);
        let mut baselines = Baselines::new(d, self.readers.penalties);
        let mut attentions: Vec<Attention> = self
            .models
            .iter()
            .map(|model| Attention::new(model.dim(), model.n_layers(), model.n_heads()))
            .collect();
        let mut predictions = vec![Lanes::ZERO; n_readers];
        let mut token = vec![Lanes::ZERO; d + 2];
        let mut sums = vec![[LaneSums::ZERO; 2]; n_readers * n_points];
        for start in (0..self.n_prompts).step_by(WIDTH) {
            let mask = Lanes::first(self.n_prompts - start);
            sampler.draw_query(width, &mut self.stream, &mut group);
            sampler.draw_pairs(&mut self.stream);
            context.clear();
            baselines.clear();
            let query = group.z[1..=d].to_vec();
            let linear = &mut predictions[self.models.len() + n_baselines..];
            for (prediction, weights) in linear.iter_mut().zip(&self.readers.linear) {
                *prediction = Lanes::splat(weights[0]);
                for (&weight, &x) in weights[1..].iter().zip(&query) {
                    *prediction += weight * x;
                }
            }
            for n in 0..=most {
                if n > 0 {
                    sampler.token(width, n - 1, &mut token);
                    context.push(width, &token);
                    baselines.push(&token[1..=d], token[d + 1]);
                }
                if !self.n_shots.contains(&n) {
                    continue;
                }
                group.s.copy_from_slice(&context.sums);
                group.add_query(width, n);
                for (place, (model, attention)) in
                    self.models.iter().zip(&mut attentions).enumerate()
                {
                    predictions[place] = attention.forward(width, model, &group);
                }
                let fitted = baselines.predict(&query);
                predictions[self.models.len()..][..n_baselines].copy_from_slice(&fitted);
                for (point, _) in self.n_shots.iter().enumerate().filter(|(_, at)| **at == n) {
                    for (reader, &prediction) in predictions.iter().enumerate() {
                        let residual = prediction - group.y;
                        let [error, hits] = &mut sums[reader * n_points + point];
                        error.push(residual * residual, mask);
                        hits.push(right(prediction, group.y), mask);
                    }
                }
            }
        }
        sums
    }
}

/// 1 where the signs agree, a half where the prediction is 0.
#[inline(always)]
fn right(prediction: Lanes, label: Lanes) -> Lanes {
    Lanes(std::array::from_fn(|lane| {
        let product = prediction.0[lane] * label.0[lane];
        if product > 0.0 {
            1.0
        } else if product == 0.0 {
            0.5
        } else {
            0.0
        }
    }))
}

/// The upper triangle of sum z z^T over the context so far.
struct Context {
    sums: Vec<Lanes>,
}

impl Context {
    fn new(d: usize) -> Context {
        Context {
            sums: vec![Lanes::ZERO; (d + 2) * (d + 2)],
        }
    }

    fn clear(&mut self) {
        self.sums.fill(Lanes::ZERO);
    }

    /// Adds a token (1, x, y).
    #[inline(always)]
    fn push<W: Width>(&mut self, width: W, token: &[Lanes]) {
        let dim = width.get();
        let (token, sums) = (&token[..dim], &mut self.sums[..dim * dim]);
        for i in 0..dim {
            for j in i..dim {
                sums[i * dim + j] += token[i] * token[j];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::Stream;
    use crate::math::tolerance;
    use crate::model::head::Head;
    use crate::prompts::task_pool::{Flips, Member};
    use ndarray::Array2;

    /// Two classes at (1, 0) and (-1, 0), far apart along the first feature.
    fn pool(flips: Flips) -> TaskPool {
        let mut stream = Stream::new(2, "pool evaluate test", &[]);
        let x = Array2::from_shape_fn((40, 2), |(i, j)| match (j, i % 2) {
            (0, 0) => 1.0 + 0.1 * stream.normal(),
            (0, _) => -1.0 + 0.1 * stream.normal(),
            _ => stream.normal(),
        });
        let label = |row: usize| if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        let members = |rows: std::ops::Range<usize>| {
            let member = |row| Member {
                row,
                label: label(row),
            };
            rows.map(member).collect::<Vec<_>>()
        };
        TaskPool::new(x.view(), vec![members(0..20), members(20..40)], flips).unwrap()
    }

    const PENALTIES: Penalties = Penalties {
        ridge: 1.0,
        logistic: 1.0,
    };

    /// The context's Gram matrix is the sampler's, and errors are those of predictions written out.
    #[test]
    fn scores_are_those_of_the_prompts_written_out() {
        let pool = pool(Flips::Random);
        let q = Array2::from_shape_fn((4, 4), |(i, j)| 0.3 - 0.1 * (i as f64) + 0.05 * j as f64);
        let model = LinearAttention::from_head(&Head::new(vec![0.1, 0.4, -0.2, 0.9], q).unwrap());
        let readers = Readers {
            models: vec![&model],
            penalties: PENALTIES,
            linear: vec![vec![0.1, 0.8, 0.0]],
        };
        let plan = PoolPlan {
            n_shots: vec![5],
            n_prompts: 100,
            seeds: vec![3],
        };
        let scores = evaluate(&readers, &[&pool], &plan, |_, _| ControlFlow::Continue(())).unwrap();

        let mut stream = LaneStream::new(3, "pool evaluation", &[0, 0]);
        let mut sampler = PoolSampler::new(&pool, 5);
        let mut group = PromptGroup::new(2);
        let effective = model.effective();
        let mut attention = Attention::new(4, 1, 1);
        let (mut errors, mut hits, mut linear) = (Moments::new(), Moments::new(), Moments::new());
        for prompt in 0..13 {
            // The same draws: all queries of a group, then its pairs.
            sampler.draw_query(4, &mut stream, &mut group);
            sampler.draw_context(4, &mut stream, &mut group);
            let prediction = attention.forward(4, &effective, &group);
            for lane in 0..WIDTH.min(100 - prompt * WIDTH) {
                let (p, y) = (prediction.0[lane], group.y.0[lane]);
                errors.push((p - y) * (p - y));
                hits.push(f64::from(u8::from(p * y > 0.0)));
                let line = 0.1 + 0.8 * group.z[1].0[lane] - y;
                linear.push(line * line);
            }
        }
        let close = |found: Estimate, expected: &Moments| {
            let gap = (found.mean - expected.estimate().mean).abs();
            assert!(gap < tolerance::ROUNDING && found.n == 100, "{found:?}");
        };
        close(scores.get(0, 0, 0).error, &errors);
        close(scores.get(0, 0, 0).accuracy, &hits);
        close(scores.get(4, 0, 0).error, &linear);
    }

    /// What reads the context finds flipped labels; what does not is right on the plain ones and wrong
    /// on the flipped ones; nothing is known at n = 0.
    #[test]
    fn readers_do_what_they_can() {
        let [plain, flipped] = [Flips::None, Flips::All].map(pool);
        let readers = Readers {
            models: vec![],
            penalties: PENALTIES,
            linear: vec![vec![0.0, 1.0, 0.0]],
        };
        let plan = PoolPlan {
            n_shots: vec![0, 12],
            n_prompts: 300,
            seeds: vec![1, 2],
        };
        let go = |_, _| ControlFlow::Continue(());
        let scores = evaluate(&readers, &[&plain, &flipped], &plan, go).unwrap();
        for reader in 0..3 {
            for set in 0..2 {
                let none = scores.get(reader, set, 0);
                assert_eq!((none.error.mean, none.accuracy.mean), (1.0, 0.5));
                let some = scores.get(reader, set, 1);
                assert!(
                    some.accuracy.mean > 0.97 && some.error.mean < 0.4,
                    "{reader}: {some:?}"
                );
                assert_eq!(some.error.n, 600);
            }
        }
        assert_eq!(scores.get(3, 0, 1).accuracy.mean, 1.0);
        assert_eq!(scores.get(3, 1, 1).accuracy.mean, 0.0);
    }

    #[test]
    fn refusals_and_a_stop() {
        let pool = pool(Flips::None);
        let readers = Readers {
            models: vec![],
            penalties: PENALTIES,
            linear: vec![vec![0.0; 5]],
        };
        let mut plan = PoolPlan {
            n_shots: vec![1],
            n_prompts: 8,
            seeds: vec![1],
        };
        let run = |readers: &Readers, plan: &PoolPlan, flow| {
            evaluate(readers, &[&pool], plan, |_, _| flow).unwrap_err()
        };
        let go = ControlFlow::Continue(());
        assert!(run(&readers, &plan, go).to_string().contains("d = 4"));
        let none = Readers {
            linear: vec![],
            ..readers
        };
        assert_eq!(
            run(&none, &plan, ControlFlow::Break(())),
            PoolEvaluateError::Stopped
        );
        plan.seeds.clear();
        assert_eq!(run(&none, &plan, go), PoolEvaluateError::NoPrompts);
    }
}
