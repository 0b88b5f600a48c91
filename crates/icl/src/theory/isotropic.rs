//! Fewer covariates with the same test errors, for models that treat most directions alike.
//!
//! Let Sigma = I and every head's Q[x, x] be a multiple a_j of the identity, and let U be the span of
//! theta and of all v_x, Q[0, x], Q[x, 0], Q[x, y]. Then a prediction sees the directions outside U only through
//! inner products between covariates, which no rotation changes: rotate each prompt so that the
//! query's part outside U lies on one axis. What is left of the D = d - dim U directions is one
//! coordinate, in which pairs are N(0, 1) as before and the query is the length of a normal vector, the
//! root of a chi-square with D degrees of freedom. Exact in distribution; the closed-form optima are of
//! this kind, and their cost no longer grows with d. Does not know how errors are estimated.

use crate::math::basis;
use crate::math::linalg;
use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use ndarray::{Array2, ArrayView2, s};

/// A setting, task and models with dim U + 1 covariates, of which the last is the special one.
#[derive(Debug, Clone)]
pub struct Reduced {
    pub setting: Setting,
    pub task: Task,
    /// By model, then head.
    pub models: Vec<Vec<Head>>,
    /// Degrees of freedom D of the squared last covariate of a query.
    pub degrees: usize,
}

/// The reduction; `None` where the models are not of this kind or nothing would be saved.
///
/// # Panics
/// If a head or the task differs from the setting in d.
pub fn reduce(setting: &Setting, models: &[Vec<Head>], task: &Task) -> Option<Reduced> {
    let d = setting.d();
    if setting.covariance().is_some() {
        return None;
    }
    let mut directions = vec![task.theta().to_vec()];
    let mut scales = Vec::new();
    for head in models.iter().flatten() {
        scales.push(multiple_of_identity(head.q_xx())?);
        directions.push(head.vx().to_vec());
        directions.push(head.q_0x().to_vec());
        directions.push(head.q_x0().to_vec());
        directions.push(head.q_xy().to_vec());
    }
    let (basis, rank) = basis::basis_with_span(&directions, d);
    if rank + 2 > d {
        return None;
    }
    let basis = basis.slice(s![.., ..rank]);
    // U's coordinates of a vector in U, and 0 outside.
    let project = |vector: &[f64]| {
        let mut out = linalg::matvec(basis.t(), vector);
        out.push(0.0);
        out
    };
    let mut scales = scales.into_iter();
    let models = models
        .iter()
        .map(|heads| {
            heads
                .iter()
                .zip(scales.by_ref())
                .map(|(head, scale)| reduced_head(head, scale, rank + 1, project))
                .collect()
        })
        .collect();
    Some(Reduced {
        setting: Setting::new(rank + 1, setting.noise_var()).expect("a valid setting, smaller"),
        task: Task::new(project(task.theta())).expect("a finite task"),
        models,
        degrees: d - rank,
    })
}

/// a, if the matrix is exactly a I.
fn multiple_of_identity(matrix: ArrayView2<'_, f64>) -> Option<f64> {
    let scale = matrix[[0, 0]];
    let exact = matrix
        .indexed_iter()
        .all(|((i, j), &entry)| entry == if i == j { scale } else { 0.0 });
    exact.then_some(scale)
}

/// The head in the coordinates of U and the axis outside. Q's row of the label stays zero: a query's
/// label is masked.
fn reduced_head(head: &Head, scale: f64, d: usize, project: impl Fn(&[f64]) -> Vec<f64>) -> Head {
    let (label, full_label) = (d + 1, head.d() + 1);
    let mut v = vec![head.v0()];
    v.extend(project(head.vx()));
    v.push(head.vy());
    let mut q = Array2::zeros((d + 2, d + 2));
    q[[0, 0]] = head.q()[[0, 0]];
    q[[0, label]] = head.q()[[0, full_label]];
    q.slice_mut(s![1..=d, 1..=d]).diag_mut().fill(scale);
    let vectors = [head.q_0x(), head.q_x0(), head.q_xy()];
    let [row, first_column, last_column] = vectors.map(|vector| project(&vector.to_vec()));
    for i in 0..d {
        q[[0, i + 1]] = row[i];
        q[[i + 1, 0]] = first_column[i];
        q[[i + 1, label]] = last_column[i];
    }
    Head::new(v, q).expect("finite numbers of a finite head")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::lane_stream::LaneStream;
    use crate::math::simd::Kernel;
    use crate::math::tolerance;
    use crate::theory::one_layer::{OneLayerKernel, OneLayerPlan};
    use crate::theory::risk;

    /// Two heads that share a multiple of the identity and nothing else, in five directions.
    fn models(d: usize) -> Vec<Vec<Head>> {
        let vector = |axes: [usize; 2]| {
            let mut out = vec![0.0; d];
            axes.into_iter().for_each(|axis| out[axis] += 0.4);
            out
        };
        let head = |scale: f64, v0: f64, axes: [[usize; 2]; 4]| {
            let [vx, row, column, label] = axes.map(vector);
            let mut v = vec![v0];
            v.extend(vx);
            v.push(0.9);
            let mut q = Array2::zeros((d + 2, d + 2));
            q.slice_mut(s![1..=d, 1..=d]).diag_mut().fill(scale);
            q[[0, 0]] = 0.2;
            q[[0, d + 1]] = -0.3;
            for i in 0..d {
                q[[0, i + 1]] = row[i];
                q[[i + 1, 0]] = column[i];
                q[[i + 1, d + 1]] = label[i];
            }
            Head::new(v, q).unwrap()
        };
        vec![
            vec![head(0.8, 0.1, [[0, 1], [1, 2], [2, 2], [0, 0]])],
            vec![head(-0.5, 0.0, [[1, 1], [3, 3], [0, 3], [2, 3]])],
        ]
    }

    #[test]
    fn sampled_errors_equal_the_exact_ones_of_the_whole_model() {
        let d = 9;
        let task = Task::random_unit(d, 3);
        let models = models(d);
        for noise_var in [0.0, 0.3] {
            let setting = Setting::new(d, noise_var).unwrap();
            let reduced = reduce(&setting, &models, &task).unwrap();
            assert_eq!((reduced.setting.d(), reduced.degrees), (6, 4));
            let plan = OneLayerPlan::new(&setting, &models, &task);
            for n_shots in [0, 1, 4, 7, 12, 30] {
                let n_prompts = 80_000;
                let sums = OneLayerKernel {
                    plan: &plan,
                    n_shots,
                    n_prompts,
                    stream: LaneStream::new(1, "isotropic test", &[n_shots as u64]),
                    keeps: false,
                }
                .run();
                for (heads, sums) in models.iter().zip(sums) {
                    let estimate = sums.moments().estimate();
                    let exact = risk::test_error(&setting, &heads[0], &task, n_shots).unwrap();
                    assert!(
                        estimate.z_score(exact).abs() < tolerance::STANDARD_ERRORS,
                        "noise {noise_var}, n = {n_shots}: {estimate:?}, exact {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn other_models_are_left_alone() {
        let d = 9;
        let task = Task::random_unit(d, 3);
        let setting = Setting::new(d, 0.1).unwrap();
        let mut almost = models(d)[0][0].q().to_owned();
        almost[[1, 2]] = 1e-12;
        let almost = Head::new(models(d)[0][0].v().to_vec(), almost).unwrap();
        assert!(reduce(&setting, &[vec![almost]], &task).is_none());
        let sigma = Array2::eye(d) * 2.0;
        let general = setting.with_covariance(&sigma).unwrap();
        assert!(reduce(&general, &models(d), &task).is_none());
        let small = Setting::new(5, 0.1).unwrap();
        assert!(reduce(&small, &models(5), &Task::random_unit(5, 3)).is_none());
    }
}
