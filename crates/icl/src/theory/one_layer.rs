//! Test errors of one-layer models without the whole Gram matrix.
//!
//! Such a model reads a context only through T_j = sum_i z_i (z_i . v_j). Write a token as
//! z = (1, M g), g ~ N(0, I_k): then z . v_j = v_j0 + g . c_j with c_j = M^T v_j[1..]. Rotate g so that
//! the r-dimensional span of all c_j is the first r coordinates. With row sum sqrt(n) u and W ~
//! Wishart_k(n-1), only the first r columns of W's Bartlett factor are needed (n - 1 >= r, else the
//! rows). Where `isotropic` applies, d itself shrinks first: a noiseless pretrained optimum in d = 21 is
//! read from 2 covariates. Does not know seeds, plans or averages over them.

use crate::math::basis;
use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::linalg;
use crate::math::product::{View, apply, dot};
use crate::math::sample::Sample;
use crate::math::simd::Kernel;
use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::isotropic;
use ndarray::{Array2, s};

/// What the prompts of one task look like to a set of models, in rotated coordinates.
#[derive(Debug, Clone)]
pub struct OneLayerPlan {
    d: usize,
    /// Normals per pair.
    k: usize,
    /// Dimension of the span of all c_j.
    rank: usize,
    noise_std: f64,
    theta: Vec<f64>,
    /// Sigma^{1/2} row-major, unless Sigma = I.
    root: Option<Vec<f64>>,
    /// Degrees of freedom of the squared last covariate of a query, where it stands for many.
    last_degrees: Option<usize>,
    models: Vec<Vec<HeadPlan>>,
}

#[derive(Debug, Clone)]
struct HeadPlan {
    /// 1 / number of heads.
    share: f64,
    v0: f64,
    /// First `rank` rotated coordinates of c_j.
    c: Vec<f64>,
    /// v without the label: z_q . v.
    v_query: Vec<f64>,
    /// Q restricted to the query's rows, times diag(1, M R): (d+1) x (k+1).
    map: Vec<f64>,
    /// Q restricted to the query's rows and columns, symmetrised, upper triangle by rows: z_q^T Q z_q.
    form: Vec<f64>,
}

impl OneLayerPlan {
    /// Plans for `models`, each the list of its heads.
    ///
    /// # Panics
    /// If a head or the task differs from the setting in d.
    pub fn new(setting: &Setting, models: &[Vec<Head>], task: &Task) -> OneLayerPlan {
        match isotropic::reduce(setting, models, task) {
            None => OneLayerPlan::of(setting, models, task, None),
            Some(reduced) => OneLayerPlan::of(
                &reduced.setting,
                &reduced.models,
                &reduced.task,
                Some(reduced.degrees),
            ),
        }
    }

    fn of(
        setting: &Setting,
        models: &[Vec<Head>],
        task: &Task,
        last_degrees: Option<usize>,
    ) -> OneLayerPlan {
        let (d, k) = (setting.d(), setting.normals_per_pair());
        assert_eq!(task.d(), d, "one-layer plan: the task's dimension");
        let pair_map = pair_map(setting, task);
        let weights: Vec<Vec<f64>> = models
            .iter()
            .flatten()
            .map(|head| {
                assert_eq!(head.d(), d, "one-layer plan: a head's dimension");
                linalg::matvec(pair_map.t(), &head.v()[1..])
            })
            .collect();
        let (rotation, rank) = basis::basis_with_span(&weights, k);
        let rotated_map = linalg::matmul(pair_map.view(), rotation.view());
        let mut weights = weights.iter();
        let models = models
            .iter()
            .map(|heads| {
                let share = 1.0 / heads.len() as f64;
                heads
                    .iter()
                    .zip(weights.by_ref())
                    .map(|(head, weight)| {
                        let mut c = linalg::matvec(rotation.t(), weight);
                        c.truncate(rank);
                        HeadPlan::new(head, share, c, &rotated_map)
                    })
                    .collect()
            })
            .collect();
        OneLayerPlan {
            d,
            k,
            rank,
            noise_std: setting.noise_std(),
            theta: task.theta().to_vec(),
            root: setting
                .covariance_root()
                .map(|root| root.iter().copied().collect()),
            last_degrees,
            models,
        }
    }

    pub fn n_models(&self) -> usize {
        self.models.len()
    }
}

/// M with (x, y) = M g: (d+1) x k; rows Sigma^{1/2}, then (theta^T Sigma^{1/2}, sigma).
fn pair_map(setting: &Setting, task: &Task) -> Array2<f64> {
    let (d, k) = (setting.d(), setting.normals_per_pair());
    let mut map = Array2::zeros((d + 1, k));
    match setting.covariance_root() {
        None => map.slice_mut(s![..d, ..d]).diag_mut().fill(1.0),
        Some(root) => map.slice_mut(s![..d, ..d]).assign(root),
    }
    let label = linalg::matvec(map.slice(s![..d, ..d]).t(), task.theta());
    map.row_mut(d)
        .iter_mut()
        .zip(label)
        .for_each(|(entry, value)| *entry = value);
    if k > d {
        map[[d, d]] = setting.noise_std();
    }
    map
}

impl HeadPlan {
    fn new(head: &Head, share: f64, c: Vec<f64>, rotated_map: &Array2<f64>) -> HeadPlan {
        let d = head.d();
        let q = head.q();
        let mapped = linalg::matmul(q.slice(s![..=d, 1..]), rotated_map.view());
        let map = (0..=d)
            .flat_map(|i| std::iter::once(q[[i, 0]]).chain(mapped.row(i).to_vec()))
            .collect();
        let form = (0..=d)
            .flat_map(|i| (i..=d).map(move |j| (i, j)))
            .map(|(i, j)| {
                if i == j {
                    q[[i, i]]
                } else {
                    q[[i, j]] + q[[j, i]]
                }
            })
            .collect();
        HeadPlan {
            share,
            v0: head.v0(),
            c,
            v_query: head.v()[..=d].to_vec(),
            map,
            form,
        }
    }

    /// z_q^T Q z_q.
    #[inline(always)]
    fn query_score(&self, z: &[Lanes]) -> Lanes {
        let mut sum = Lanes::ZERO;
        let mut rest = &self.form[..];
        for i in 0..z.len() {
            let (row, after) = rest.split_at(z.len() - i);
            sum += z[i] * dot(row, &z[i..]);
            rest = after;
        }
        sum
    }
}

/// Squared errors of all models on one block of prompts; returns one sample per model.
#[derive(Debug)]
pub struct OneLayerKernel<'a> {
    pub plan: &'a OneLayerPlan,
    pub n_shots: usize,
    pub n_prompts: usize,
    pub stream: LaneStream,
    /// Whether the squared errors are kept beside their sums.
    pub keeps: bool,
}

/// Buffers of one group of prompts.
struct Workspace {
    /// Columns of the context in rotated coordinates, column after column; k each.
    columns: Vec<Lanes>,
    /// Row sum of the context, k.
    sum: Vec<Lanes>,
    /// c . column for each column.
    scores: Vec<Lanes>,
    /// (t_0, t_g), k + 1.
    t: Vec<Lanes>,
    /// Q T without the query's own part, d + 1.
    qt: Vec<Lanes>,
    /// z_q without the label, d + 1.
    z: Vec<Lanes>,
    normals: Vec<Lanes>,
}

impl Kernel for OneLayerKernel<'_> {
    type Output = Vec<Sample>;

    #[inline(always)]
    fn run(mut self) -> Vec<Sample> {
        let OneLayerPlan { d, k, rank, .. } = *self.plan;
        let bartlett = self.n_shots > rank && self.n_shots > 1;
        let n_columns = if bartlett { rank + 1 } else { self.n_shots };
        let zeros = |len: usize| vec![Lanes::ZERO; len];
        let mut work = Workspace {
            columns: zeros(n_columns * k),
            sum: zeros(k),
            scores: zeros(n_columns),
            t: zeros(k + 1),
            qt: zeros(d + 1),
            z: zeros(d + 1),
            normals: zeros((d + 1).max(k + rank * k)),
        };
        let new = Sample::new(self.n_prompts, self.keeps);
        let mut samples = vec![new; self.plan.n_models()];
        for start in (0..self.n_prompts).step_by(WIDTH) {
            let active = self.n_prompts - start;
            let y = self.plan.draw_query(&mut self.stream, &mut work);
            if bartlett {
                self.plan
                    .draw_bartlett(&mut self.stream, self.n_shots, &mut work);
            } else {
                self.stream.fill_normal(&mut work.columns);
                work.sum_columns(k);
            }
            for (heads, sample) in self.plan.models.iter().zip(&mut samples) {
                let mut prediction = Lanes::ZERO;
                for head in heads {
                    prediction += head.predict(self.n_shots, k, &mut work) * head.share;
                }
                let residual = prediction - y;
                sample.push(residual * residual, active);
            }
        }
        samples
    }
}

impl OneLayerPlan {
    /// Draws z_q and returns y_q, noise included.
    #[inline(always)]
    fn draw_query(&self, stream: &mut LaneStream, work: &mut Workspace) -> Lanes {
        stream.fill_normal(&mut work.normals[..self.k]);
        work.z[0] = Lanes::ONE;
        if let Some(degrees) = self.last_degrees {
            let last = &mut work.normals[self.d - 1..self.d];
            stream.fill_chi_square(degrees, last);
            last[0] = last[0].sqrt();
        }
        let covariates = &work.normals[..self.d];
        match &self.root {
            None => work.z[1..].copy_from_slice(covariates),
            Some(root) => {
                apply(&mut work.z[1..], View::square(root, self.d), covariates);
            }
        }
        let mut y = dot(&self.theta, &work.z[1..]);
        if self.k > self.d {
            y += self.noise_std * work.normals[self.d];
        }
        y
    }

    /// Column 0 is u, column j + 1 the j-th of the Bartlett factor, for j < rank.
    #[inline(always)]
    fn draw_bartlett(&self, stream: &mut LaneStream, n_shots: usize, work: &mut Workspace) {
        let (k, rank) = (self.k, self.rank);
        let normals = &mut work.normals[..k + rank * k - rank * (rank - 1) / 2];
        stream.fill_normal(normals);
        let (u, rest) = normals.split_at_mut(k);
        let (diagonal, mut below) = rest.split_at_mut(rank);
        stream.fill_chi_square(n_shots - 1, diagonal);
        work.columns[..k].copy_from_slice(u);
        let scale = (n_shots as f64).sqrt();
        for (sum, &u) in work.sum.iter_mut().zip(&*u) {
            *sum = scale * u;
        }
        for (j, column) in work.columns[k..].chunks_exact_mut(k).enumerate() {
            let (here, after) = below.split_at_mut(k - 1 - j);
            column[j] = diagonal[j].sqrt();
            column[j + 1..].copy_from_slice(here);
            below = after;
        }
    }
}

impl Workspace {
    /// The row sum when the columns are the rows.
    #[inline(always)]
    fn sum_columns(&mut self, k: usize) {
        self.sum.fill(Lanes::ZERO);
        for column in self.columns.chunks_exact(k) {
            for (sum, &value) in self.sum.iter_mut().zip(column) {
                *sum += value;
            }
        }
    }
}

impl HeadPlan {
    /// z_q^T Q (T + z_q (z_q . v)) / N, without the factor 1/H.
    #[inline(always)]
    fn predict(&self, n_shots: usize, k: usize, work: &mut Workspace) -> Lanes {
        let rank = self.c.len();
        let n = n_shots as f64;
        for (score, column) in work.scores.iter_mut().zip(work.columns.chunks_exact(k)) {
            *score = dot(&self.c, &column[..rank]);
        }
        // t_0 = sum_i z_i . v; t_g = sum_i g_i (z_i . v)
        work.t[0] = n * self.v0 + dot(&self.c, &work.sum[..rank]);
        for (t, &sum) in work.t[1..].iter_mut().zip(&work.sum) {
            *t = self.v0 * sum;
        }
        for (column, &score) in work.columns.chunks_exact(k).zip(&work.scores) {
            for (t, &value) in work.t[1..].iter_mut().zip(column) {
                *t += value * score;
            }
        }
        let map = View::new(&self.map[..], work.z.len(), k + 1);
        apply(&mut work.qt, map, &work.t);
        let own = self.query_score(&work.z) * dot(&self.v_query, &work.z);
        (dot(&work.z, &work.qt) + own) * (1.0 / (n + 1.0))
    }
}
