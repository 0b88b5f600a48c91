//! The exact test error of a one-layer, one-head model, for any (v, Q), task, n, noise, covariance.
//!
//! No sampling: the error is a polynomial in (v, Q). Does not know where the head came from.

use crate::icl::head::Head;
use crate::icl::setting::Setting;
use crate::icl::task::Task;
use crate::math::linalg;
use ndarray::Array2;
use std::fmt;

/// Why an error cannot be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum RiskError {
    /// Head, task and setting must share d.
    Dimension {
        what: &'static str,
        found: usize,
        expected: usize,
    },
}

impl fmt::Display for RiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RiskError::Dimension {
                what,
                found,
                expected,
            } => {
                write!(
                    f,
                    "{what}: dimension {found}, but the setting has d = {expected}"
                )
            }
        }
    }
}

impl std::error::Error for RiskError {}

fn check_dimension(what: &'static str, found: usize, expected: usize) -> Result<(), RiskError> {
    if found == expected {
        Ok(())
    } else {
        Err(RiskError::Dimension {
            what,
            found,
            expected,
        })
    }
}

/// E[(prediction - y_q)^2] over prompts of n shots of the task, label noise included.
///
/// Formula: `docs/science.md`, section 4. With z = e0 + h, h ~ N(0, K), the error given the query
/// splits into the squared mean of the residual, even and odd in x_q, and the variance of the
/// context average, n k^2 tr(Q C Q^T diag(1, I, 0)), k = 1/(n+1). General Sigma enters by whitening:
/// theta -> Sigma^{1/2} theta, v -> T v, Q -> T Q T with T = diag(1, Sigma^{1/2}, 1).
///
/// Units: squared label. O(d^3).
///
/// # Errors
/// When head, task and setting differ in d. (Shapes, NaN, noise and covariance are checked where
/// [`Head`], [`Task`] and [`Setting`] are made.)
pub fn test_error(
    setting: &Setting,
    head: &Head,
    task: &Task,
    n_shots: usize,
) -> Result<f64, RiskError> {
    check_dimension("head", head.d(), setting.d())?;
    check_dimension("task", task.d(), setting.d())?;
    let whitened = Whitened::new(setting, head);
    let theta = whitened.task(task.theta());
    Ok(whitened.error(&theta, n_shots))
}

/// The mean of [`test_error`] over tasks uniform on the unit sphere, exactly.
///
/// With Sigma = I the error is of degree 2 in theta and the 2d points +-e_i suffice; with a general
/// Sigma it is of degree 4, and a degree-5 cubature is used: +-e_i with weight (4-d)/(2d(d+2)) and
/// (+-e_i +-e_j)/sqrt 2 with weight 1/(d(d+2)). Source: Stroud 1971, U_n 5-2.
///
/// # Errors
/// When head and setting differ in d.
pub fn mean_unit_task_error(
    setting: &Setting,
    head: &Head,
    n_shots: usize,
) -> Result<f64, RiskError> {
    check_dimension("head", head.d(), setting.d())?;
    let whitened = Whitened::new(setting, head);
    Ok(unit_sphere_cubature(setting)
        .iter()
        .fold(0.0, |sum, (theta, weight)| {
            sum + weight * whitened.error(&whitened.task(theta), n_shots)
        }))
}

/// Points and weights that average the error over the unit sphere exactly.
fn unit_sphere_cubature(setting: &Setting) -> Vec<(Vec<f64>, f64)> {
    let d = setting.d();
    let size = d as f64;
    let axis_weight = if setting.covariance().is_none() {
        1.0 / (2.0 * size)
    } else {
        (4.0 - size) / (2.0 * size * (size + 2.0))
    };
    // For d = 1 the sphere is the two points +-1, whatever the degree.
    let axis_weight = if d == 1 { 0.5 } else { axis_weight };
    let mut points = Vec::new();
    for i in 0..d {
        for sign in [1.0, -1.0] {
            let mut point = vec![0.0; d];
            point[i] = sign;
            points.push((point, axis_weight));
        }
    }
    if setting.covariance().is_some() {
        let pair_weight = 1.0 / (size * (size + 2.0));
        for (i, j) in (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j))) {
            for (left, right) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
                let mut point = vec![0.0; d];
                point[i] = left * std::f64::consts::FRAC_1_SQRT_2;
                point[j] = right * std::f64::consts::FRAC_1_SQRT_2;
                points.push((point, pair_weight));
            }
        }
    }
    points
}

/// A head in whitened coordinates, where Sigma = I.
struct Whitened<'a> {
    setting: &'a Setting,
    v: Vec<f64>,
    q: Array2<f64>,
}

impl<'a> Whitened<'a> {
    fn new(setting: &'a Setting, head: &Head) -> Whitened<'a> {
        let (mut v, mut q) = (head.v().to_vec(), head.q().to_owned());
        if let Some(root) = setting.covariance_root() {
            let mut transform = Array2::eye(setting.token_dim());
            for ((i, j), &entry) in root.indexed_iter() {
                transform[[i + 1, j + 1]] = entry;
            }
            v = linalg::matvec(transform.view(), &v);
            let left = linalg::matmul(transform.view(), q.view());
            q = linalg::matmul(left.view(), transform.view());
        }
        Whitened { setting, v, q }
    }

    fn task(&self, theta: &[f64]) -> Vec<f64> {
        match self.setting.covariance_root() {
            None => theta.to_vec(),
            Some(root) => linalg::matvec(root.view(), theta),
        }
    }

    /// The formula of [`test_error`] at Sigma = I; names follow science.md.
    fn error(&self, theta: &[f64], n_shots: usize) -> f64 {
        let d = theta.len();
        let n = n_shots as f64;
        let k = 1.0 / (n + 1.0);
        let (v, q_matrix) = (&self.v, &self.q);
        let (v0, vx) = (v[0], &v[1..=d]);
        let q00 = q_matrix[[0, 0]];

        let context = ContextMoments::new(theta, self.setting.noise_var(), v);
        let q = linalg::matvec(q_matrix.view(), &context.mean);

        let c = -n * k * q[0] - k * q00 * v0;
        let b: Vec<f64> = (1..=d)
            .map(|i| q_matrix[[0, i]] + q_matrix[[i, 0]])
            .collect();
        let l: Vec<f64> = (0..d)
            .map(|i| theta[i] - n * k * q[i + 1] - k * (q00 * vx[i] + v0 * b[i]))
            .collect();
        let sym = Array2::from_shape_fn((d, d), |(i, j)| {
            0.5 * (q_matrix[[i + 1, j + 1]] + q_matrix[[j + 1, i + 1]])
        });
        let a = Array2::from_shape_fn((d, d), |(i, j)| {
            -k * (v0 * sym[[i, j]] + 0.5 * (b[i] * vx[j] + vx[i] * b[j]))
        });
        let w: Vec<f64> = vx.iter().map(|x| -k * x).collect();

        let trace = |matrix: &Array2<f64>| matrix.diag().iter().fold(0.0, |sum, x| sum + x);
        let square = |matrix: &Array2<f64>| matrix.iter().fold(0.0, |sum, x| sum + x * x);
        let (tr_a, tr_b) = (trace(&a), trace(&sym));
        let bw = linalg::matvec(sym.view(), &w);
        let even = c * c + 2.0 * c * tr_a + tr_a * tr_a + 2.0 * square(&a);
        let odd = linalg::inner(&l, &l)
            + 2.0 * (tr_b * linalg::inner(&l, &w) + 2.0 * linalg::inner(&l, &bw))
            + linalg::inner(&w, &w) * (tr_b * tr_b + 2.0 * square(&sym))
            + 4.0 * tr_b * linalg::inner(&w, &bw)
            + 8.0 * linalg::inner(&bw, &bw);

        let spread = linalg::matmul(q_matrix.view(), context.covariance.view());
        // The label coordinate of the query is masked: the last row does not count.
        let variance = (0..=d).fold(0.0, |sum, i| {
            let row = spread.row(i).into_iter().zip(q_matrix.row(i));
            sum + row.fold(0.0, |inner, (x, y)| inner + x * y)
        });
        even + odd + n * k * k * variance + self.setting.noise_var()
    }
}

/// Mean and covariance of t = z (v . z) for a context token z.
struct ContextMoments {
    mean: Vec<f64>,
    covariance: Array2<f64>,
}

impl ContextMoments {
    fn new(theta: &[f64], noise_var: f64, v: &[f64]) -> ContextMoments {
        let d = theta.len();
        let dim = d + 2;
        let token = Array2::from_shape_fn((dim, dim), |(i, j)| match (i.min(j), i.max(j)) {
            (0, _) => 0.0,
            (i, j) if j <= d => f64::from(u8::from(i == j)),
            (i, _) if i <= d => theta[i - 1],
            _ => linalg::inner(theta, theta) + noise_var,
        });
        let v0 = v[0];
        let kv = linalg::matvec(token.view(), v);
        let s = linalg::inner(v, &kv);
        let constant = |i: usize| f64::from(u8::from(i == 0));
        let mean: Vec<f64> = (0..dim).map(|i| kv[i] + v0 * constant(i)).collect();
        let covariance = Array2::from_shape_fn((dim, dim), |(i, j)| {
            let second = (v0 * v0 + s) * (constant(i) * constant(j) + token[[i, j]])
                + 2.0 * kv[i] * kv[j]
                + 2.0 * v0 * (constant(i) * kv[j] + kv[i] * constant(j));
            second - mean[i] * mean[j]
        });
        ContextMoments { mean, covariance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;

    /// With v = 0 the prediction is 0 and the error is theta^T Sigma theta + noise.
    #[test]
    fn a_silent_model_pays_the_signal() {
        let sigma = ndarray::arr2(&[[2.0, 0.5], [0.5, 1.0]]);
        let setting = Setting::new(2, 0.3)
            .unwrap()
            .with_covariance(&sigma)
            .unwrap();
        let head = Head::new(vec![0.0; 4], Array2::ones((4, 4))).unwrap();
        let task = Task::new(vec![1.0, 2.0]).unwrap();
        for n in [0, 1, 9] {
            let error = test_error(&setting, &head, &task, n).unwrap();
            assert!((error - (2.0 + 2.0 + 4.0 + 0.3)).abs() < tolerance::ROUNDING);
        }
        // Mean of theta^T Sigma theta over the circle: trace / d.
        let mean = mean_unit_task_error(&setting, &head, 3).unwrap();
        assert!((mean - 1.8).abs() < tolerance::ROUNDING);
    }

    #[test]
    fn dimensions_must_agree() {
        let setting = Setting::new(3, 0.1).unwrap();
        let head = Head::new(vec![0.0; 4], Array2::zeros((4, 4))).unwrap();
        let error = mean_unit_task_error(&setting, &head, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "head: dimension 2, but the setting has d = 3"
        );
    }

    #[test]
    fn an_explicit_identity_changes_nothing() {
        let plain = Setting::new(3, 0.1).unwrap();
        let explicit = plain.clone().with_covariance(&Array2::eye(3)).unwrap();
        let q = Array2::from_shape_fn((5, 5), |(i, j)| ((i * 3 + j * 5) % 7) as f64 * 0.1 - 0.2);
        let head = Head::new(vec![0.1, -0.2, 0.3, 0.4, 0.9], q).unwrap();
        for n in [0, 4] {
            let a = mean_unit_task_error(&plain, &head, n).unwrap();
            let b = mean_unit_task_error(&explicit, &head, n).unwrap();
            assert!((a - b).abs() < tolerance::ROUNDING, "{a} {b}");
        }
    }
}
