//! Optima of the one-layer model for a general covariance Sigma, where closed forms exist.
//!
//! Each reduces to its namesake in [`crate::theory::optima`] at Sigma = I. The full zero-shot optimum
//! needs none: [`crate::theory::optima::zero_shot_head`] is one for every Sigma. There is no general
//! few-shot threshold and no w*(n, c) of the cosine alone: both depend on the task through Sigma.
//! Source of every formula: `docs/theory.md`, section 8. Does not know learned models.

use crate::math::linalg::{self, MatrixError};
use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use ndarray::{Array2, ArrayView2, s};

/// The pretraining optimum over random unit tasks, with vy = 1:
/// Q\[x,x\] = (m+1) [(m+1) Sigma + (tr Sigma + d sigma^2) I]^{-1}, all else 0.
///
/// No head has a lower pretraining loss.
pub fn pretraining_head(setting: &Setting, m: usize) -> Head {
    let tokens = m as f64 + 1.0;
    let sigma = covariance(setting);
    let rest = setting.d() as f64 * setting.noise_var();
    let trace = trace(&sigma);
    let q_xx = linalg::symmetric_function(&sigma, |x| tokens / (tokens * x + trace + rest));
    context_head(vec![0.0; setting.d()], q_xx.view(), 1.0)
}

/// The pretraining loss at that optimum, with s_i the eigenvalues of Sigma:
/// sigma^2 + tr Sigma / d - (m/d) sum_i s_i^2 / ((m+1) s_i + tr Sigma + d sigma^2).
pub fn pretraining_loss(setting: &Setting, m: usize) -> f64 {
    let (shots, d) = (m as f64, setting.d() as f64);
    let sigma = covariance(setting);
    let (eigenvalues, _) = linalg::symmetric_eigen(&sigma);
    let (trace, rest) = (trace(&sigma), d * setting.noise_var());
    let gain = eigenvalues.iter().fold(0.0, |sum, x| {
        sum + x * x / ((shots + 1.0) * x + trace + rest)
    });
    setting.noise_var() + trace / d - shots / d * gain
}

/// The value-only zero-shot optimum for theta0 at a fixed symmetric Q\[x,x\] (all else of Q zero):
/// vx = Sigma^{-1/2} u, where with B = Sigma^{1/2} Q\[x,x\] Sigma^{1/2}, t = tr B, p = tr B^2
/// u = [(t^2 + 2p) I + 4 t B + 8 B^2]^{-1} (t I + 2B) Sigma^{1/2} theta0; v0 = 0 and any vy.
///
/// At Q\[x,x\] = 0 every v is an optimum and vx = 0 comes back.
///
/// # Errors
/// Q\[x,x\] of another shape than d x d, not finite or not symmetric; an optimum that overflows.
///
/// # Panics
/// If theta0 and the setting differ in d.
pub fn value_only_head(
    setting: &Setting,
    theta0: &Task,
    q_xx: ArrayView2<'_, f64>,
    vy: f64,
) -> Result<Head, MatrixError> {
    let whitened = ValueOnly::new(setting, theta0, q_xx)?;
    let vx = match setting.covariance() {
        None => whitened.u,
        Some(sigma) => {
            let inverse_root = linalg::symmetric_function(sigma, |x| 1.0 / x.sqrt());
            linalg::matvec(inverse_root.view(), &whitened.u)
        }
    };
    linalg::check_vector("value-only optimum", &vx, setting.d())?;
    linalg::check_vector("vy", &[vy], 1)?;
    Ok(context_head(vx, q_xx, vy))
}

/// Zero-shot (n = 0) error of that optimum on theta0: sigma^2 + |beta|^2 - beta^T (t I + 2B) u with
/// beta = Sigma^{1/2} theta0.
///
/// # Errors
/// As [`value_only_head`].
///
/// # Panics
/// If theta0 and the setting differ in d.
pub fn value_only_zero_shot_loss(
    setting: &Setting,
    theta0: &Task,
    q_xx: ArrayView2<'_, f64>,
) -> Result<f64, MatrixError> {
    let ValueOnly { b, beta, u } = ValueOnly::new(setting, theta0, q_xx)?;
    let bu = linalg::matvec(b.view(), &u);
    let gain = trace(&b) * linalg::inner(&beta, &u) + 2.0 * linalg::inner(&beta, &bu);
    Ok(setting.noise_var() + linalg::inner(&beta, &beta) - gain)
}

/// The vy that is best for n >= 1 shots on a task, in the value-only family of theta0 at a fixed
/// symmetric Q\[x,x\]. With beta = Sigma^{1/2} theta, r = B beta, and B, u, t, p as above:
/// w* = [(n+1) r.beta - (n+3) r.Bu - t r.u - p u.beta] / [(n+1) r.r + (|beta|^2 + sigma^2) p].
///
/// At n = 0 w has no effect. NaN at Q\[x,x\] = 0.
///
/// # Errors
/// As [`value_only_head`].
///
/// # Panics
/// If a task and the setting differ in d.
pub fn best_value_weight(
    setting: &Setting,
    theta0: &Task,
    q_xx: ArrayView2<'_, f64>,
    task: &Task,
    n_shots: usize,
) -> Result<f64, MatrixError> {
    let ValueOnly { b, u, .. } = ValueOnly::new(setting, theta0, q_xx)?;
    let tokens = n_shots as f64 + 1.0;
    let beta = whitened_task(setting, task);
    let r = linalg::matvec(b.view(), &beta);
    let bu = linalg::matvec(b.view(), &u);
    let (t, p) = (trace(&b), square(&b));
    let signal = tokens * linalg::inner(&r, &beta);
    let pull = (tokens + 2.0) * linalg::inner(&r, &bu)
        + t * linalg::inner(&r, &u)
        + p * linalg::inner(&u, &beta);
    let curvature =
        tokens * linalg::inner(&r, &r) + (linalg::inner(&beta, &beta) + setting.noise_var()) * p;
    Ok((signal - pull) / curvature)
}

/// Error of a full zero-shot optimum as n -> inf on any task: theta^T Sigma theta + sigma^2.
///
/// # Panics
/// If task and setting differ in d.
pub fn zero_shot_asymptote(setting: &Setting, task: &Task) -> f64 {
    let beta = whitened_task(setting, task);
    linalg::inner(&beta, &beta) + setting.noise_var()
}

/// The value-only optimum in whitened coordinates.
struct ValueOnly {
    b: Array2<f64>,
    beta: Vec<f64>,
    u: Vec<f64>,
}

impl ValueOnly {
    fn new(
        setting: &Setting,
        theta0: &Task,
        q_xx: ArrayView2<'_, f64>,
    ) -> Result<ValueOnly, MatrixError> {
        const NAME: &str = "Q[x,x]";
        linalg::check_square(NAME, q_xx, setting.d())?;
        let mut b = q_xx.to_owned();
        linalg::check_symmetric(NAME, &b)?;
        if let Some(root) = setting.covariance_root() {
            let left = linalg::matmul(root.view(), q_xx);
            b = linalg::matmul(left.view(), root.view());
        }
        let beta = whitened_task(setting, theta0);
        let (t, p) = (trace(&b), square(&b));
        let ratio = |x: f64| {
            // A sum of squares that vanishes with B alone.
            let size = (t + 2.0 * x) * (t + 2.0 * x) + 4.0 * x * x + 2.0 * p;
            if size > 0.0 {
                (t + 2.0 * x) / size
            } else {
                0.0
            }
        };
        let u = linalg::matvec(linalg::symmetric_function(&b, ratio).view(), &beta);
        Ok(ValueOnly { b, beta, u })
    }
}

fn covariance(setting: &Setting) -> Array2<f64> {
    let identity = || Array2::eye(setting.d());
    setting.covariance().cloned().unwrap_or_else(identity)
}

fn whitened_task(setting: &Setting, task: &Task) -> Vec<f64> {
    assert_eq!(task.d(), setting.d(), "a task of another dimension");
    match setting.covariance_root() {
        None => task.theta().to_vec(),
        Some(root) => linalg::matvec(root.view(), task.theta()),
    }
}

fn context_head(vx: Vec<f64>, q_xx: ArrayView2<'_, f64>, vy: f64) -> Head {
    let d = vx.len();
    let mut q = Array2::zeros((d + 2, d + 2));
    q.slice_mut(s![1..=d, 1..=d]).assign(&q_xx);
    let v = [&[0.0], &vx[..], &[vy]].concat();
    Head::new(v, q).expect("its parts are finite")
}

fn trace(matrix: &Array2<f64>) -> f64 {
    matrix.diag().iter().fold(0.0, |sum, x| sum + x)
}

/// tr M^2 of a symmetric matrix.
fn square(matrix: &Array2<f64>) -> f64 {
    matrix.iter().fold(0.0, |sum, x| sum + x * x)
}
