//! Prompts of real data: a pool of labelled examples, and two-class tasks on it.
//!
//! A prompt has one task of the pool. Its query and its context pairs are examples of that task, drawn
//! with replacement, but no context example is the query's; there is no noise. A flip negates all its
//! labels: then the features alone do not say what the labels mean, and a model must read the context.
//! Does not know where the features come from, nor what reads the prompts.

use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::width::Width;
use crate::math::words::Words;
use crate::prompts::data_set::{DataSet, DataSetError};
use crate::prompts::gram::PromptGroup;
use crate::prompts::sampler::Sampler;
use crate::prompts::token_reader::TokenReader;
use ndarray::{Array2, ArrayView2};
use std::fmt;

/// Examples with the tasks that prompts are drawn from, each equally often.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPool {
    /// The pairs of all tasks, task after task: an example of several tasks stands there several times.
    pairs: DataSet,
    tasks: Vec<Range>,
    flips: Flips,
}

/// The pairs of one task: the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    first: u32,
    size: u32,
}

/// An example of a task: its row, and its label, 1 or -1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    pub row: usize,
    pub label: f64,
}

/// Which prompts have their labels negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flips {
    None,
    /// One in two, at random.
    Random,
    All,
}

/// Why a pool is refused. Tasks are counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolError {
    NoTasks,
    Examples(DataSetError),
    NoSuchRow { task: usize, row: usize },
    Label { task: usize, row: usize },
    TooFew { task: usize, found: usize },
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::NoTasks => write!(f, "task pool: it needs a task"),
            PoolError::Examples(error) => write!(f, "task pool: {error}"),
            PoolError::NoSuchRow { task, row } => {
                write!(f, "task pool: there is no example {row} for task {task}")
            }
            PoolError::Label { task, row } => {
                write!(
                    f,
                    "task pool: example {row} of task {task} has a label that is not 1 or -1"
                )
            }
            PoolError::TooFew { task, found } => {
                write!(
                    f,
                    "task pool: task {task} has {found} examples, a prompt needs 2"
                )
            }
        }
    }
}

impl std::error::Error for PoolError {}

impl TaskPool {
    /// A pool on the rows of `x` (n x d).
    ///
    /// # Errors
    /// No tasks or features, a feature that is not finite, a label other than 1 and -1, a task of
    /// fewer than two examples or with one that is not there.
    pub fn new(
        x: ArrayView2<'_, f64>,
        tasks: Vec<Vec<Member>>,
        flips: Flips,
    ) -> Result<TaskPool, PoolError> {
        let (n, d) = x.dim();
        if tasks.is_empty() {
            return Err(PoolError::NoTasks);
        }
        for (task, members) in tasks.iter().enumerate() {
            if members.len() < 2 {
                let found = members.len();
                return Err(PoolError::TooFew { task, found });
            }
            for &Member { row, label } in members {
                if row >= n {
                    return Err(PoolError::NoSuchRow { task, row });
                }
                if label.abs() != 1.0 {
                    return Err(PoolError::Label { task, row });
                }
            }
        }
        let members: Vec<Member> = tasks.concat();
        let features = Array2::from_shape_fn((members.len(), d), |(i, j)| x[[members[i].row, j]]);
        let labels: Vec<f64> = members.iter().map(|member| member.label).collect();
        let pairs = DataSet::from_arrays(features.view(), &labels).map_err(PoolError::Examples)?;
        let mut first = 0;
        let range = |members: &Vec<Member>| {
            let size = members.len() as u32;
            first += size;
            Range {
                first: first - size,
                size,
            }
        };
        Ok(TaskPool {
            pairs,
            tasks: tasks.iter().map(range).collect(),
            flips,
        })
    }

    /// Feature dimension.
    pub fn d(&self) -> usize {
        self.pairs.d()
    }
}

/// Draws groups of eight prompts of n context pairs and a query.
#[derive(Debug, Clone)]
pub struct PoolSampler<'a> {
    pool: &'a TaskPool,
    reader: TokenReader<'a>,
    /// Of the prompt in each lane: its task's pairs, the query's number among them, its labels' sign.
    first: Words,
    size: Words,
    query: Words,
    sign: Lanes,
    /// Where the context pairs stand in the set, pair by pair.
    context: Vec<Words>,
}

impl<'a> PoolSampler<'a> {
    pub fn new(pool: &'a TaskPool, n_shots: usize) -> PoolSampler<'a> {
        PoolSampler {
            pool,
            reader: TokenReader::new(&pool.pairs),
            first: Words::ZERO,
            size: Words::ZERO,
            query: Words::ZERO,
            sign: Lanes::ONE,
            context: vec![Words::ZERO; n_shots],
        }
    }

    /// Draws the context pairs, without a Gram matrix.
    #[inline(always)]
    pub fn draw_pairs(&mut self, stream: &mut LaneStream) {
        for places in &mut self.context {
            let mut others = self.size;
            others.0.iter_mut().for_each(|size| *size -= 1);
            // Uniform over all numbers but the query's.
            let mut number = stream.bits().below_each(others);
            for (number, &query) in number.0.iter_mut().zip(&self.query.0) {
                *number += u64::from(*number >= query);
            }
            *places = self.pool.pairs.places(self.first + number);
        }
    }

    /// The tokens (1, x, y) of a context pair drawn last. `width` is d + 2.
    #[inline(always)]
    pub fn token<W: Width>(&self, width: W, pair: usize, out: &mut [Lanes]) {
        self.reader.read_token(width, &self.context[pair], out);
        out[width.get() - 1] *= self.sign;
    }
}

impl Sampler for PoolSampler<'_> {
    /// Draws the tasks, their flips and the queries: sets z_q and y_q. `width` is d + 2.
    #[inline(always)]
    fn draw_query<W: Width>(&mut self, width: W, stream: &mut LaneStream, group: &mut PromptGroup) {
        let task = stream.index(self.pool.tasks.len() as u32);
        for lane in 0..WIDTH {
            let Range { first, size } = self.pool.tasks[task.0[lane] as usize];
            self.first.0[lane] = u64::from(first);
            self.size.0[lane] = u64::from(size);
        }
        self.sign = match self.pool.flips {
            Flips::None => Lanes::ONE,
            Flips::All => Lanes::splat(-1.0),
            Flips::Random => Lanes(stream.index(2).0.map(|bit| 1.0 - 2.0 * bit as f64)),
        };
        self.query = stream.bits().below_each(self.size);
        let places = self.pool.pairs.places(self.first + self.query);
        self.reader.read_query(width, &places, group);
        group.y *= self.sign;
    }

    /// Draws the context pairs of the prompts whose queries were drawn before: sets S. `width` is d + 2.
    #[inline(always)]
    fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        self.draw_pairs(stream);
        self.reader.read_context(width, &self.context, group);
        let last = width.get() - 1;
        for row in group.s.chunks_exact_mut(last + 1).take(last) {
            row[last] *= self.sign;
        }
        group.add_query(width, self.context.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::tolerance;

    /// Example i has the features (i, 10 i); task 0 has the even examples below 6, task 1 the odd.
    fn pool(flips: Flips) -> TaskPool {
        let x = ndarray::Array2::from_shape_fn((6, 2), |(i, j)| i as f64 * [1.0, 10.0][j]);
        let label = |i: usize| if i < 3 { 1.0 } else { -1.0 };
        let task = |rows: [usize; 3]| {
            let members = rows.map(|row| Member {
                row,
                label: label(row),
            });
            members.to_vec()
        };
        TaskPool::new(x.view(), vec![task([0, 2, 4]), task([1, 3, 5])], flips).unwrap()
    }

    /// Every prompt has examples of one task, labels of one sign, and never its query as context.
    #[test]
    fn prompts_keep_to_their_task() {
        for flips in [Flips::None, Flips::Random, Flips::All] {
            let pool = pool(flips);
            let mut sampler = PoolSampler::new(&pool, 7);
            let mut group = PromptGroup::new(2);
            let mut stream = LaneStream::new(1, "pool test", &[]);
            let mut token = [Lanes::ZERO; 4];
            let (mut task, mut flipped) = (Moments::new(), Moments::new());
            for _ in 0..400 {
                sampler.draw_query(4, &mut stream, &mut group);
                sampler.draw_context(4, &mut stream, &mut group);
                for lane in 0..WIDTH {
                    let query = group.z[1].0[lane];
                    assert_eq!(group.z[2].0[lane], 10.0 * query);
                    let plain = if query < 3.0 { 1.0 } else { -1.0 };
                    let sign = group.y.0[lane] * plain;
                    // S, summed over tokens that are checked one by one.
                    let mut sums = [1.0, query, 0.0, query * query, 0.0, 0.0];
                    for t in 0..7 {
                        sampler.token(4, t, &mut token);
                        let [one, x, tenfold, y] = token.map(|value| value.0[lane]);
                        let label = if x < 3.0 { sign } else { -sign };
                        assert!(x != query && (x - query) % 2.0 == 0.0);
                        assert_eq!((one, tenfold, y), (1.0, 10.0 * x, label));
                        for (sum, term) in sums.iter_mut().zip([1.0, x, y, x * x, x * y, y * y]) {
                            *sum += term;
                        }
                    }
                    for (at, sum) in [0, 1, 3, 5, 7, 15].into_iter().zip(sums) {
                        let found = 8.0 * group.s[at].0[lane];
                        assert!((found - sum).abs() < 1e-12, "S[{at}]: {found} {sum}");
                    }
                    task.push(query % 2.0);
                    flipped.push(f64::from(u8::from(sign < 0.0)));
                }
            }
            let near = |moments: &Moments| {
                moments.estimate().z_score(0.5).abs() < tolerance::STANDARD_ERRORS
            };
            assert!(near(&task));
            match flips {
                Flips::None => assert_eq!(flipped.estimate().mean, 0.0),
                Flips::All => assert_eq!(flipped.estimate().mean, 1.0),
                Flips::Random => assert!(near(&flipped)),
            }
        }
    }

    #[test]
    fn refusals_name_the_task() {
        let x = ndarray::arr2(&[[1.0], [2.0], [f64::NAN]]);
        let member = |row, label| Member { row, label };
        let good = vec![member(0, 1.0), member(1, -1.0)];
        let error = |rows: usize, tasks: Vec<Vec<Member>>| {
            let x = x.slice(ndarray::s![..rows, ..]);
            TaskPool::new(x, tasks, Flips::None)
                .unwrap_err()
                .to_string()
        };
        assert!(error(2, vec![]).contains("needs a task"));
        let missing = vec![member(0, 1.0), member(2, -1.0)];
        assert!(error(3, vec![missing]).contains("row 1 has a number that is not finite"));
        let short = vec![good.clone(), vec![member(0, 1.0)]];
        assert!(error(2, short).contains("task 1 has 1 examples"));
        assert!(error(2, vec![vec![member(0, 1.0), member(9, 1.0)]]).contains("no example 9"));
        assert!(error(2, vec![vec![member(0, 1.0), member(1, 0.5)]]).contains("1 or -1"));
    }
}
