//! Fresh prompts in Gram form: new covariates, a random or a given task.
//!
//! For n - 1 >= k (k normals per pair) the n rows are replaced by k + 1 columns with the same
//! distribution of sum and Gram matrix: with u ~ N(0, I_k) and A the Bartlett factor of Wishart_k(n-1),
//! the sum is sqrt(n) u and sum g g^T = u u^T + A A^T. Source: Bartlett 1934; `docs/theory.md`, section
//! 1. Otherwise the rows are drawn. Does not know what the prompts are for.

use crate::math::lane_stream::LaneStream;
use crate::math::lanes::Lanes;
use crate::math::product::dot;
use crate::math::width::Width;
use crate::prompts::gram::{Columns, PromptGroup};
use crate::prompts::sampler::Sampler;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;

/// Which task a prompt has.
#[derive(Debug, Clone, Copy)]
pub enum TaskChoice<'a> {
    /// Uniform on the unit sphere, for each prompt anew.
    RandomUnit,
    Fixed(&'a Task),
}

/// How contexts are drawn; both have the same distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Bartlett where it applies, rows otherwise.
    Fastest,
    /// Always the rows: the reference that tests compare with.
    Rows,
}

/// Draws groups of eight prompts of n shots.
#[derive(Debug, Clone)]
pub struct FreshSampler {
    d: usize,
    n_shots: usize,
    noise_std: f64,
    /// Sigma^{1/2} row-major, unless Sigma = I.
    root: Option<Vec<f64>>,
    random_task: bool,
    bartlett: bool,
    theta: Vec<Lanes>,
    columns: Columns,
    normals: Vec<Lanes>,
    covariates: Vec<Lanes>,
}

impl FreshSampler {
    /// # Panics
    /// If a fixed task differs from the setting in d.
    pub fn new(
        setting: &Setting,
        n_shots: usize,
        task: TaskChoice<'_>,
        method: Method,
    ) -> FreshSampler {
        let d = setting.d();
        let k = setting.normals_per_pair();
        let bartlett = method == Method::Fastest && n_shots > k;
        let n_columns = if bartlett { k + 1 } else { n_shots };
        let theta = match task {
            TaskChoice::RandomUnit => vec![Lanes::ZERO; d],
            TaskChoice::Fixed(task) => {
                assert_eq!(task.d(), d, "fresh prompts: the task's dimension");
                task.theta().iter().map(|&x| Lanes::splat(x)).collect()
            }
        };
        FreshSampler {
            d,
            n_shots,
            noise_std: setting.noise_std(),
            root: setting
                .covariance_root()
                .map(|root| root.iter().copied().collect()),
            random_task: matches!(task, TaskChoice::RandomUnit),
            bartlett,
            theta,
            columns: Columns::new(d + 1, n_columns, n_shots),
            normals: vec![Lanes::ZERO; 2 * k + k * (k - 1) / 2],
            covariates: vec![Lanes::ZERO; d],
        }
    }

    /// Draws the task (if random) and the query: sets z_q and y_q.
    #[inline(always)]
    pub fn draw_query(&mut self, stream: &mut LaneStream, group: &mut PromptGroup) {
        if self.random_task {
            stream.fill_normal(&mut self.theta);
            let scale = dot(&self.theta, &self.theta).sqrt().recip();
            self.theta.iter_mut().for_each(|x| *x *= scale);
        }
        let k = self.normals_per_pair();
        stream.fill_normal(&mut self.normals[..k]);
        if let Some(root) = &self.root {
            self.covariates.copy_from_slice(&self.normals[..self.d]);
            for (x, row) in self.normals.iter_mut().zip(root.chunks_exact(self.d)) {
                *x = dot(row, &self.covariates);
            }
        }
        let x = &self.normals[..self.d];
        let mut y = dot(&self.theta, x);
        if self.noise_std > 0.0 {
            y += self.noise_std * self.normals[self.d];
        }
        group.set_query(x, y);
    }

    /// Draws the context for the task and query drawn before: sets S. `width` is d + 2.
    #[inline(always)]
    pub fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        let k = width.get() - 1;
        if self.bartlett {
            self.draw_bartlett(k, stream);
            self.map_columns(k);
            let scale = (self.n_shots as f64).sqrt();
            let (first, sum) = self.columns.first_and_sum();
            for (total, &u) in sum.iter_mut().zip(first) {
                *total = scale * u;
            }
        } else {
            let normals = self.normals_per_pair();
            for column in self.columns.data_mut().chunks_exact_mut(k) {
                stream.fill_normal(&mut column[..normals]);
            }
            self.map_columns(k);
            self.columns.sum_columns(k);
        }
        group.set_few_shot(width, &self.columns);
    }

    fn normals_per_pair(&self) -> usize {
        self.d + usize::from(self.noise_std > 0.0)
    }

    /// Column 0 is u, column j + 1 is column j of the lower-triangular Bartlett factor: the root of a
    /// chi-square with n - 1 - j degrees of freedom on the diagonal, normals below.
    #[inline(always)]
    fn draw_bartlett(&mut self, k: usize, stream: &mut LaneStream) {
        // Twice the same, so that the compiler sees which of the two it is.
        if self.normals_per_pair() == k {
            self.draw_bartlett_of_rank(k, k, stream);
        } else {
            self.draw_bartlett_of_rank(k, k - 1, stream);
        }
    }

    #[inline(always)]
    fn draw_bartlett_of_rank(&mut self, k: usize, rank: usize, stream: &mut LaneStream) {
        let normals = &mut self.normals[..2 * rank + rank * (rank - 1) / 2];
        stream.fill_normal(normals);
        let (u, rest) = normals.split_at_mut(rank);
        let (diagonal, mut below) = rest.split_at_mut(rank);
        stream.fill_chi_square(self.n_shots - 1, diagonal);
        let (first, factor) = self.columns.data_mut()[..(rank + 1) * k].split_at_mut(k);
        first[..rank].copy_from_slice(u);
        for j in 0..rank {
            let column = &mut factor[j * k..(j + 1) * k];
            let (here, after) = below.split_at_mut(rank - 1 - j);
            column[..j].fill(Lanes::ZERO);
            column[j] = diagonal[j].sqrt();
            column[j + 1..rank].copy_from_slice(here);
            below = after;
        }
    }

    /// Standard normals to pairs, column by column: x = Sigma^{1/2} g, y = theta . x + sigma e.
    #[inline(always)]
    fn map_columns(&mut self, k: usize) {
        let d = k - 1;
        let theta = &self.theta[..d];
        for column in self.columns.data_mut().chunks_exact_mut(k) {
            if let Some(root) = &self.root {
                self.covariates.copy_from_slice(&column[..d]);
                for (x, row) in column.iter_mut().zip(root.chunks_exact(d)) {
                    *x = dot(row, &self.covariates);
                }
            }
            let noise = column[d];
            let mut y = dot(theta, &column[..d]);
            if self.noise_std > 0.0 {
                y += self.noise_std * noise;
            }
            column[d] = y;
        }
    }
}

impl Sampler for FreshSampler {
    #[inline(always)]
    fn draw_query<W: Width>(
        &mut self,
        _width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        FreshSampler::draw_query(self, stream, group);
    }

    #[inline(always)]
    fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        FreshSampler::draw_context(self, width, stream, group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::tolerance;

    /// Second moments of the Gram entries tell a wrong factor from a right one; compared between
    /// the two ways in standard errors of their difference.
    #[test]
    fn bartlett_and_rows_share_their_moments() {
        let sigma = ndarray::arr2(&[[1.5, 0.4], [0.4, 0.7]]);
        let plain = Setting::new(2, 0.3).unwrap();
        let noiseless = Setting::new(2, 0.0).unwrap();
        let general = plain.clone().with_covariance(&sigma).unwrap();
        let task = Task::new(vec![0.8, -1.1]).unwrap();
        for setting in [&plain, &noiseless, &general] {
            for choice in [TaskChoice::RandomUnit, TaskChoice::Fixed(&task)] {
                for n in [4, 9] {
                    let [fast, rows] = [Method::Fastest, Method::Rows].map(|method| {
                        let mut sampler = FreshSampler::new(setting, n, choice, method);
                        assert_eq!(sampler.bartlett, method == Method::Fastest);
                        summaries(&mut sampler, 2500)
                    });
                    for (i, (a, b)) in fast.iter().zip(&rows).enumerate() {
                        let (a, b) = (a.estimate(), b.estimate());
                        let spread = (a.std_error * a.std_error + b.std_error * b.std_error).sqrt();
                        let gap = (a.mean - b.mean).abs();
                        assert!(
                            gap <= tolerance::STANDARD_ERRORS * spread + tolerance::ROUNDING,
                            "n = {n}, summary {i}: {a:?} {b:?}"
                        );
                    }
                }
            }
        }
    }

    fn summaries(sampler: &mut FreshSampler, n_groups: usize) -> Vec<Moments> {
        let name = if sampler.bartlett {
            "test Bartlett"
        } else {
            "test rows"
        };
        let mut stream = LaneStream::new(5, name, &[sampler.n_shots as u64]);
        let mut group = PromptGroup::new(sampler.d);
        let size = group.dim() * group.dim();
        let mut moments = vec![Moments::new(); 2 * size + 2];
        for _ in 0..n_groups {
            sampler.draw_query(&mut stream, &mut group);
            sampler.draw_context(group.dim(), &mut stream, &mut group);
            for lane in 0..8 {
                let s: Vec<f64> = group.s.iter().map(|x| x.0[lane]).collect();
                for (i, &entry) in s.iter().enumerate() {
                    moments[i].push(entry);
                    moments[size + i].push(entry * entry);
                }
                moments[2 * size].push(s[5] * s[10] * s[15]);
                moments[2 * size + 1].push(s[7] * s[7] * group.y.0[lane] * group.z[1].0[lane]);
            }
        }
        moments
    }
}
