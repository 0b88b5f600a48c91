//! Prompts of real data: a pool of labelled examples, and two-class tasks on it.
//!
//! A prompt has one task of the pool. Its query and its context pairs are examples of that task, drawn
//! with replacement, but no context example is the query's; there is no noise. A flip negates all its
//! labels: then the features alone do not say what the labels mean, and a model must read the context.
//! Does not know where the features come from, nor what reads the prompts.

use crate::icl::gram::{Columns, PromptGroup};
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::stream::Stream;
use ndarray::ArrayView2;
use std::fmt;

/// Examples with the tasks that prompts are drawn from, each equally often.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPool {
    d: usize,
    groups_per_row: usize,
    rows: Vec<Lanes>,
    tasks: Vec<Vec<Member>>,
    flips: Flips,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolError {
    NoTasks,
    NoFeatures,
    NotFinite { row: usize },
    NoSuchRow { task: usize, row: usize },
    Label { task: usize, row: usize },
    TooFew { task: usize, found: usize },
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::NoTasks => write!(f, "task pool: it needs a task"),
            PoolError::NoFeatures => write!(f, "task pool: its examples need a feature"),
            PoolError::NotFinite { row } => {
                write!(
                    f,
                    "task pool: example {row} has a number that is not finite"
                )
            }
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
        if d == 0 {
            return Err(PoolError::NoFeatures);
        }
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
        let groups_per_row = d.div_ceil(WIDTH);
        let mut rows = vec![Lanes::ZERO; n * groups_per_row];
        for ((row, j), &value) in x.indexed_iter() {
            if !value.is_finite() {
                return Err(PoolError::NotFinite { row });
            }
            rows[row * groups_per_row + j / WIDTH].0[j % WIDTH] = value;
        }
        Ok(TaskPool {
            d,
            groups_per_row,
            rows,
            tasks,
            flips,
        })
    }

    /// Feature dimension.
    pub fn d(&self) -> usize {
        self.d
    }

    #[inline(always)]
    fn feature(&self, row: usize, j: usize) -> f64 {
        self.rows[row * self.groups_per_row + j / WIDTH].0[j % WIDTH]
    }
}

/// Draws groups of eight prompts of n context pairs and a query.
#[derive(Debug, Clone)]
pub struct PoolSampler<'a> {
    pool: &'a TaskPool,
    n_shots: usize,
    columns: Columns,
    query: Vec<Lanes>,
    /// Of the prompt in each lane: its task, the sign of its labels, the query's place in the task.
    task: [usize; WIDTH],
    sign: [f64; WIDTH],
    place: [usize; WIDTH],
    members: Vec<[Member; WIDTH]>,
}

impl<'a> PoolSampler<'a> {
    pub fn new(pool: &'a TaskPool, n_shots: usize) -> PoolSampler<'a> {
        let nobody = Member { row: 0, label: 0.0 };
        PoolSampler {
            pool,
            n_shots,
            columns: Columns::new(pool.d + 1, n_shots, n_shots),
            query: vec![Lanes::ZERO; pool.d],
            task: [0; WIDTH],
            sign: [1.0; WIDTH],
            place: [0; WIDTH],
            members: vec![[nobody; WIDTH]; n_shots],
        }
    }

    /// Draws the tasks, their flips and the queries: sets z_q and y_q.
    #[inline(always)]
    pub fn draw_query(&mut self, stream: &mut Stream, group: &mut PromptGroup) {
        let pool = self.pool;
        let mut label = Lanes::ZERO;
        for lane in 0..WIDTH {
            let task = stream.index(pool.tasks.len());
            let flipped = match pool.flips {
                Flips::None => false,
                Flips::Random => stream.index(2) == 1,
                Flips::All => true,
            };
            let members = &pool.tasks[task];
            let place = stream.index(members.len());
            self.task[lane] = task;
            self.sign[lane] = if flipped { -1.0 } else { 1.0 };
            self.place[lane] = place;
            let member = members[place];
            for (j, coordinate) in self.query.iter_mut().enumerate() {
                coordinate.0[lane] = pool.feature(member.row, j);
            }
            label.0[lane] = self.sign[lane] * member.label;
        }
        group.set_query(&self.query, label);
    }

    /// Draws the context pairs of the prompts whose queries were drawn before: sets S.
    #[inline(always)]
    pub fn draw_context(&mut self, stream: &mut Stream, group: &mut PromptGroup) {
        self.draw_pairs(stream);
        self.columns.sum_columns();
        group.set_few_shot(&self.columns);
    }

    /// Draws the context pairs, without a Gram matrix.
    #[inline(always)]
    pub fn draw_pairs(&mut self, stream: &mut Stream) {
        let pool = self.pool;
        for pair in 0..self.n_shots {
            for lane in 0..WIDTH {
                let members = &pool.tasks[self.task[lane]];
                // Uniform over all places but the query's.
                let other = stream.index(members.len() - 1);
                let place = other + usize::from(other >= self.place[lane]);
                self.members[pair][lane] = members[place];
            }
        }
        for j in 0..pool.d {
            let coordinate = self.columns.coordinate_mut(j);
            for (value, members) in coordinate.iter_mut().zip(&self.members) {
                *value = Lanes(std::array::from_fn(|lane| {
                    pool.feature(members[lane].row, j)
                }));
            }
        }
        let labels = self.columns.coordinate_mut(pool.d);
        for (value, members) in labels.iter_mut().zip(&self.members) {
            *value = Lanes(std::array::from_fn(|lane| {
                self.sign[lane] * members[lane].label
            }));
        }
    }

    /// Coordinate j of the context pairs drawn last, pair by pair; their labels at j = d.
    #[inline(always)]
    pub fn pairs(&self, j: usize) -> &[Lanes] {
        self.columns.coordinate(j)
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
            let mut stream = Stream::new(1, "pool test", &[]);
            let (mut task, mut flipped) = (Moments::new(), Moments::new());
            for _ in 0..400 {
                sampler.draw_query(&mut stream, &mut group);
                sampler.draw_context(&mut stream, &mut group);
                for lane in 0..WIDTH {
                    let query = group.z[1].0[lane];
                    assert_eq!(group.z[2].0[lane], 10.0 * query);
                    let plain = if query < 3.0 { 1.0 } else { -1.0 };
                    let sign = group.y.0[lane] * plain;
                    for t in 0..7 {
                        let x = sampler.pairs(0)[t].0[lane];
                        let label = if x < 3.0 { sign } else { -sign };
                        assert!(x != query && (x - query) % 2.0 == 0.0);
                        assert_eq!(sampler.pairs(1)[t].0[lane], 10.0 * x);
                        assert_eq!(sampler.pairs(2)[t].0[lane], label);
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
        assert!(error(3, vec![good.clone()]).contains("example 2"));
        let short = vec![good.clone(), vec![member(0, 1.0)]];
        assert!(error(2, short).contains("task 1 has 1 examples"));
        assert!(error(2, vec![vec![member(0, 1.0), member(9, 1.0)]]).contains("no example 9"));
        assert!(error(2, vec![vec![member(0, 1.0), member(1, 0.5)]]).contains("1 or -1"));
    }
}
