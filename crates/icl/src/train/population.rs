//! Training on the population loss: the exact error and its exact gradient, without prompts.
//!
//! The loop, optimisers, clipping and objectives are those of [`crate::train::descent`]; what differs from
//! an SGD run is the sampling noise and nothing else (`docs/theory.md`, section 9). Does not know
//! files, stages or seeds.

use crate::model::effective::Effective;
use crate::model::head::Head;
use crate::model::head_gradient::HeadGradient;
use crate::model::weights::LinearAttention;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::risk::{self, RiskError};
use crate::train::descent::{self, Descent, StepLoss, TrainError, Trained};
use crate::train::objective::{BatchLoss, LossWeights};
use std::fmt;
use std::ops::ControlFlow;

/// Over which tasks the error is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PopulationLoss<'a> {
    /// The mean over tasks uniform on the unit sphere.
    Pretraining,
    /// One task: theta0.
    Target(&'a Task),
    /// theta0 without shots, the mean over tasks uniform on the unit sphere with them.
    Replay(&'a Task),
}

/// Why population training cannot start.
#[derive(Debug, Clone, PartialEq)]
pub enum PopulationError {
    /// The exact error is known for one layer with one head only.
    NotOneHead {
        n_layers: usize,
        n_heads: usize,
    },
    Risk(RiskError),
    Train(TrainError),
}

impl fmt::Display for PopulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PopulationError::NotOneHead { n_layers, n_heads } => write!(
                f,
                "population training: the model has {n_layers} layers of {n_heads} heads, but the \
                 exact error needs one layer with one head"
            ),
            PopulationError::Risk(error) => error.fmt(f),
            PopulationError::Train(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PopulationError {}

impl PopulationLoss<'_> {
    /// The exact loss of a head at n shots, with its derivatives.
    ///
    /// # Errors
    /// When head, task and setting differ in d.
    pub fn value_and_gradient(
        &self,
        setting: &Setting,
        head: &Head,
        n_shots: usize,
    ) -> Result<(f64, HeadGradient), RiskError> {
        match self {
            PopulationLoss::Pretraining => {
                risk::mean_unit_task_error_and_gradient(setting, head, n_shots)
            }
            PopulationLoss::Target(task) => {
                risk::test_error_and_gradient(setting, head, task, n_shots)
            }
            PopulationLoss::Replay(task) if n_shots == 0 => {
                risk::test_error_and_gradient(setting, head, task, 0)
            }
            PopulationLoss::Replay(_) => {
                risk::mean_unit_task_error_and_gradient(setting, head, n_shots)
            }
        }
    }
}

/// Trains a copy of `initial` on the exact loss and returns it with its losses.
///
/// The zero-shot part of the objective is the exact error at n = 0, the few-shot part that at
/// n = `n_shots`. The model has one layer and one head, merged or separate. Deterministic; one thread.
/// `on_step` is called as by [`crate::train::sampled::train`].
///
/// # Errors
/// Another model, dimensions that differ, and the refusals of [`descent::descend`]. Divergence is a
/// result, not an error.
pub fn train_population(
    initial: &LinearAttention,
    setting: &Setting,
    loss: PopulationLoss<'_>,
    n_shots: usize,
    descent: &Descent,
    on_step: impl FnMut(usize, StepLoss) -> ControlFlow<()>,
) -> Result<Trained, PopulationError> {
    let shape = initial.shape();
    if (shape.n_layers, shape.n_heads) != (1, 1) {
        return Err(PopulationError::NotOneHead {
            n_layers: shape.n_layers,
            n_heads: shape.n_heads,
        });
    }
    // The only errors of an evaluation are those of dimensions: the first one shows them all.
    evaluate(initial, setting, loss, 0)?;
    let (zero, few) = (
        descent.objective.uses_zero_shot(),
        descent.objective.uses_few_shot(),
    );
    let exact = |model: &LinearAttention, weights: LossWeights, _step: usize, out: &mut [f64]| {
        let mut parts = BatchLoss {
            zero_shot: 0.0,
            few_shot: 0.0,
        };
        let mut sum = HeadGradient::zeros(shape.token_dim());
        let mut add = |used: bool, n: usize, weight: f64, part: &mut f64| {
            if used {
                // A model that overflowed has no error: NaN ends the run as diverged.
                *part = f64::NAN;
                if let Ok((error, gradient)) = evaluate(model, setting, loss, n) {
                    *part = error;
                    sum.add_scaled(weight, &gradient);
                }
            }
        };
        add(zero, 0, weights.zero_shot, &mut parts.zero_shot);
        add(few, n_shots, weights.few_shot, &mut parts.few_shot);
        model.pull_back_into(&effective(&sum), out);
        parts
    };
    descent::descend(initial, descent, exact, on_step).map_err(PopulationError::Train)
}

fn evaluate(
    model: &LinearAttention,
    setting: &Setting,
    loss: PopulationLoss<'_>,
    n_shots: usize,
) -> Result<(f64, HeadGradient), PopulationError> {
    let shape = model.shape();
    let not_one = PopulationError::NotOneHead {
        n_layers: shape.n_layers,
        n_heads: shape.n_heads,
    };
    let heads = model.heads().map_err(|_| not_one.clone())?;
    let head = heads.first().ok_or(not_one)?;
    loss.value_and_gradient(setting, head, n_shots)
        .map_err(PopulationError::Risk)
}

/// dQ, and dv as the last row of dV.
fn effective(gradient: &HeadGradient) -> Effective {
    let dim = gradient.v.len();
    let mut effective = Effective::zeros(dim, 1, 1);
    effective
        .q_mut(0, 0)
        .iter_mut()
        .zip(&gradient.q)
        .for_each(|(entry, x)| *entry = *x);
    effective.v_mut(0, 0)[dim * (dim - 1)..].copy_from_slice(&gradient.v);
    effective
}
