//! The exact error at closed-form parameters, where claims compare it with closed forms.
//!
//! The error comes in as a function, so that a test can put a wrong one in its place. Does not know
//! the claims.

use crate::math::linalg;
use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::optima;
use crate::theory::risk::{self, RiskError};

/// A pretrained head's error with and without examples.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdPoint {
    /// n above which few shots beat none, by the closed form.
    pub threshold: f64,
    /// What the special case says: d - 1 without noise at a = 1.
    pub special: Option<f64>,
    pub n_shots: usize,
    pub none: f64,
    pub few: f64,
}

/// The minimiser of the value-only family's error over w.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightPoint {
    pub n_shots: usize,
    /// Of the task with theta0.
    pub cosine: f64,
    pub best: f64,
}

/// All points.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TheoryPoints {
    pub thresholds: Vec<ThresholdPoint>,
    pub weights: Vec<WeightPoint>,
    /// Errors of full zero-shot optima with several w at n = 10^9, on theta0, its negative and across.
    pub limits: Vec<f64>,
}

/// [`risk::test_error`] at all points of a setting with Sigma = I.
///
/// # Errors
/// As [`risk::test_error`].
pub fn exact(setting: &Setting) -> Result<TheoryPoints, RiskError> {
    points(setting, risk::test_error)
}

/// `error(setting, head, task, n)` at all points.
///
/// # Errors
/// Those of `error`.
pub fn points<E>(
    setting: &Setting,
    error: impl Fn(&Setting, &Head, &Task, usize) -> Result<f64, E>,
) -> Result<TheoryPoints, E> {
    const LARGEST_D: usize = 21;
    const MOST_SHOTS: usize = 60;
    const FAR: usize = 1_000_000_000;
    let mut points = TheoryPoints::default();
    for d in 1..=LARGEST_D {
        let task = Task::random_unit(d, 0);
        for noise in [0.0, setting.noise_var(), 0.5] {
            let other = Setting::new(d, noise).expect("d >= 1 and a valid noise");
            for a in [1.0, optima::pretraining_scale(&other, 20), 0.5] {
                let head = optima::pretrained_head(d, a);
                let none = error(&other, &head, &task, 0)?;
                for n_shots in 1..=MOST_SHOTS {
                    points.thresholds.push(ThresholdPoint {
                        threshold: optima::few_shot_threshold(&other, a),
                        special: (noise == 0.0 && a == 1.0).then_some(d as f64 - 1.0),
                        n_shots,
                        none,
                        few: error(&other, &head, &task, n_shots)?,
                    });
                }
            }
        }
    }
    let theta0 = Task::random_unit(setting.d(), 0);
    let mut tasks = vec![(1.0, theta0.clone()), (-1.0, theta0.negated())];
    tasks.extend(across(&theta0).map(|task| (0.0, task)));
    for (cosine, task) in &tasks {
        for n_shots in 1..=40 {
            let at = |w: f64| {
                let head = optima::value_only_head(&theta0, w);
                error(setting, &head, task, n_shots)
            };
            // The error is a parabola in w: three points give its vertex.
            let (low, middle, high) = (at(0.0)?, at(0.5)?, at(1.0)?);
            let bend = low - 2.0 * middle + high;
            points.weights.push(WeightPoint {
                n_shots,
                cosine: *cosine,
                best: 0.5 - 0.25 * (high - low) / bend,
            });
        }
        for w in [0.3, 0.52, 1.0, 3.0] {
            let head = optima::zero_shot_head(&theta0, w);
            points.limits.push(error(setting, &head, task, FAR)?);
        }
    }
    Ok(points)
}

/// A unit task orthogonal to a unit task; none for d = 1.
fn across(theta0: &Task) -> Option<Task> {
    let theta = theta0.theta();
    let axis = (0..theta.len()).min_by(|&i, &j| theta[i].abs().total_cmp(&theta[j].abs()))?;
    let mut other: Vec<f64> = theta.iter().map(|t| -theta[axis] * t).collect();
    other[axis] += 1.0;
    let norm = linalg::inner(&other, &other).sqrt();
    (theta.len() > 1).then(|| {
        Task::new(other.iter().map(|x| x / norm).collect()).expect("finite: the norm is not 0")
    })
}
