//! The exact test error of a one-layer model, for any heads (v, Q), task, n, noise, covariance.
//!
//! No sampling: the error is a polynomial in (v, Q), and so are its derivatives. Does not know where
//! the head came from.

use crate::model::head::Head;
use crate::model::head_gradient::HeadGradient;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::unit_sphere;
use crate::theory::whitened::Whitened;
use std::fmt;

/// Why an error cannot be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum RiskError {
    NoHeads,
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
            RiskError::NoHeads => write!(f, "heads: at least 1 is needed"),
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
/// Formula: `docs/theory.md`, sections 3 and 4. With z = e0 + h, h ~ N(0, K), the error given the query
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

/// [`test_error`] of a one-layer model with several heads: its prediction is the mean of theirs.
///
/// Formula: `docs/theory.md`, section 3, several heads. For one head it is [`test_error`], to the same bits.
///
/// Units: squared label. O(H^2 d^3).
///
/// # Errors
/// No heads, or heads, task and setting that differ in d.
pub fn test_error_of_heads(
    setting: &Setting,
    heads: &[Head],
    task: &Task,
    n_shots: usize,
) -> Result<f64, RiskError> {
    match heads {
        [] => return Err(RiskError::NoHeads),
        [head] => return test_error(setting, head, task, n_shots),
        _ => {}
    }
    for head in heads {
        check_dimension("head", head.d(), setting.d())?;
    }
    check_dimension("task", task.d(), setting.d())?;
    let whitened: Vec<Whitened> = heads
        .iter()
        .map(|head| Whitened::new(setting, head))
        .collect();
    let theta = whitened[0].task(task.theta());
    Ok(Whitened::error_of_mean(&whitened, &theta, n_shots))
}

/// [`test_error`], to the same bits, with its derivatives by every entry of (v, Q).
///
/// Formula: the reverse pass over that of [`test_error`], whitening included; `docs/theory.md`,
/// section 5. About three times the cost of the error alone.
///
/// # Errors
/// As [`test_error`].
pub fn test_error_and_gradient(
    setting: &Setting,
    head: &Head,
    task: &Task,
    n_shots: usize,
) -> Result<(f64, HeadGradient), RiskError> {
    check_dimension("head", head.d(), setting.d())?;
    check_dimension("task", task.d(), setting.d())?;
    let whitened = Whitened::new(setting, head);
    let theta = whitened.task(task.theta());
    let mut gradient = HeadGradient::zeros(setting.token_dim());
    let error = whitened.error_and_gradient(&theta, n_shots, 1.0, &mut gradient);
    Ok((error, whitened.pull_back(gradient)))
}

/// The mean of [`test_error`] over tasks uniform on the unit sphere, exactly.
///
/// Formula: a weighted sum over the 2d or 2d^2 points of [`unit_sphere::cubature`].
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
    Ok(unit_sphere::cubature(setting)
        .iter()
        .fold(0.0, |sum, (theta, weight)| {
            sum + weight * whitened.error(&whitened.task(theta), n_shots)
        }))
}

/// [`mean_unit_task_error`] of a one-layer model with several heads; for one head to the same bits.
///
/// # Errors
/// As [`test_error_of_heads`].
pub fn mean_unit_task_error_of_heads(
    setting: &Setting,
    heads: &[Head],
    n_shots: usize,
) -> Result<f64, RiskError> {
    match heads {
        [] => return Err(RiskError::NoHeads),
        [head] => return mean_unit_task_error(setting, head, n_shots),
        _ => {}
    }
    for head in heads {
        check_dimension("head", head.d(), setting.d())?;
    }
    let whitened: Vec<Whitened> = heads
        .iter()
        .map(|head| Whitened::new(setting, head))
        .collect();
    Ok(unit_sphere::cubature(setting)
        .iter()
        .fold(0.0, |sum, (theta, weight)| {
            let theta = whitened[0].task(theta);
            sum + weight * Whitened::error_of_mean(&whitened, &theta, n_shots)
        }))
}

/// [`mean_unit_task_error`], to the same bits, with its derivatives by every entry of (v, Q).
///
/// # Errors
/// When head and setting differ in d.
pub fn mean_unit_task_error_and_gradient(
    setting: &Setting,
    head: &Head,
    n_shots: usize,
) -> Result<(f64, HeadGradient), RiskError> {
    check_dimension("head", head.d(), setting.d())?;
    let whitened = Whitened::new(setting, head);
    let mut gradient = HeadGradient::zeros(setting.token_dim());
    let mut mean = 0.0;
    for (theta, weight) in unit_sphere::cubature(setting) {
        let theta = whitened.task(&theta);
        mean += weight * whitened.error_and_gradient(&theta, n_shots, weight, &mut gradient);
    }
    Ok((mean, whitened.pull_back(gradient)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;
    use ndarray::Array2;

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
