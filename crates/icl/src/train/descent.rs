//! The training loop: SGD or Adam along any source of gradients.
//!
//! Does not know where gradients come from, nor files, stages or what the result is for.

use crate::model::trainable::{Trainable, TrainableError};
use crate::model::weights::LinearAttention;
use crate::train::objective::{BatchLoss, LossWeights, Objective};
use crate::train::optimizer::{self, Optimizer, OptimizerConfig};
use std::fmt;
use std::ops::ControlFlow;

/// The part of a configuration that does not depend on where gradients come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descent {
    pub steps: usize,
    pub objective: Objective,
    pub trainable: Trainable,
    pub optimizer: OptimizerConfig,
    /// Joint gradient norm above which the gradient is scaled down; `None` never clips.
    pub clip_norm: Option<f64>,
}

/// The loss of one step, before its update. Means over the batch, label noise included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLoss {
    /// What was minimised: zero_shot + lambda_t few_shot, or the only part there is.
    pub total: f64,
    pub zero_shot: Option<f64>,
    pub few_shot: Option<f64>,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps were made.
    Completed,
    /// The loss or the gradient of this step was not finite, or its update would not have been. The
    /// model holds the parameters before that step.
    Diverged { step: usize },
    /// The callback asked to stop after this step.
    Stopped { step: usize },
}

/// A trained model with its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    pub model: LinearAttention,
    /// One entry per step whose loss was finite.
    pub losses: Vec<StepLoss>,
    pub ending: Ending,
}

impl Trained {
    /// The step at which training diverged, if it did.
    pub fn diverged_at(&self) -> Option<usize> {
        match self.ending {
            Ending::Diverged { step } => Some(step),
            Ending::Completed | Ending::Stopped { .. } => None,
        }
    }
}

/// Why training cannot start.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainError {
    Dimension { model: usize, source: usize },
    NoSteps,
    NoPrompts,
    ClipNorm(f64),
    Optimizer(String),
    Trainable(TrainableError),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Dimension { model, source } => {
                write!(
                    f,
                    "the model has d = {model}, its prompts have d = {source}"
                )
            }
            TrainError::NoSteps => write!(f, "steps: at least 1 is needed"),
            TrainError::NoPrompts => write!(f, "batch size: at least 1 is needed"),
            TrainError::ClipNorm(value) => write!(f, "clip norm: {value} is not a positive number"),
            TrainError::Optimizer(problem) => f.write_str(problem),
            TrainError::Trainable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrainError {}

/// Descends from a copy of `initial` along the gradients of
/// weights.zero_shot * zero-shot loss + weights.few_shot * few-shot loss that
/// `loss_and_gradient(model, weights, step, gradient)` sets, by flat parameter, and returns both losses.
///
/// `on_step(step, loss)` is called after each update; `Break` ends the descent there.
///
/// # Errors
/// No steps, constants that make no sense, a trainable set that the parametrisation does not have.
pub fn descend(
    initial: &LinearAttention,
    descent: &Descent,
    mut loss_and_gradient: impl FnMut(&LinearAttention, LossWeights, usize, &mut [f64]) -> BatchLoss,
    mut on_step: impl FnMut(usize, StepLoss) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut descending = Descending::new(initial, descent)?;
    let mut gradient = vec![0.0; initial.params().len()];
    while descending.ending().is_none() {
        let (model, step) = (descending.model(), descending.step());
        let parts = loss_and_gradient(model, descending.weights(), step, &mut gradient);
        descending.update(parts, &mut gradient, &mut on_step);
    }
    Ok(descending.into_trained())
}

/// A model on its way down, one step at a time: for who has the gradients of several at once.
#[derive(Debug)]
pub struct Descending {
    descent: Descent,
    optimizer: Optimizer,
    model: LinearAttention,
    params: Vec<f64>,
    losses: Vec<StepLoss>,
    ending: Option<Ending>,
}

impl Descending {
    /// A copy of `initial` before its first step.
    ///
    /// # Errors
    /// As [`descend`].
    pub fn new(initial: &LinearAttention, descent: &Descent) -> Result<Descending, TrainError> {
        descent.check()?;
        let mask = descent
            .trainable
            .mask(initial.shape())
            .map_err(TrainError::Trainable)?;
        Ok(Descending {
            descent: *descent,
            optimizer: Optimizer::new(descent.optimizer, mask),
            model: initial.clone(),
            params: initial.params().to_vec(),
            losses: Vec::with_capacity(descent.steps),
            ending: None,
        })
    }

    pub fn model(&self) -> &LinearAttention {
        &self.model
    }

    /// The step that comes next.
    pub fn step(&self) -> usize {
        self.losses.len()
    }

    /// Factors of the two losses at that step.
    pub fn weights(&self) -> LossWeights {
        self.descent
            .objective
            .weights(self.step(), self.descent.steps)
    }

    pub fn objective(&self) -> Objective {
        self.descent.objective
    }

    /// Why it ended, if it did: no update follows.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Makes a step along a gradient by flat parameter, which it may scale; `on_step` as for [`descend`].
    pub fn update(
        &mut self,
        parts: BatchLoss,
        gradient: &mut [f64],
        on_step: &mut dyn FnMut(usize, StepLoss) -> ControlFlow<()>,
    ) {
        let (step, weights, objective) = (self.step(), self.weights(), self.objective());
        let total = weights.zero_shot * parts.zero_shot + weights.few_shot * parts.few_shot;
        if !(total.is_finite() && gradient.iter().all(|g| g.is_finite())) {
            self.ending = Some(Ending::Diverged { step });
            return;
        }
        if let Some(max_norm) = self.descent.clip_norm {
            optimizer::clip(gradient, self.optimizer.mask(), max_norm);
        }
        self.optimizer.step(&mut self.params, gradient);
        if !self.model.set_params(&self.params) {
            self.ending = Some(Ending::Diverged { step });
            return;
        }
        let loss = StepLoss {
            total,
            zero_shot: objective.uses_zero_shot().then_some(parts.zero_shot),
            few_shot: objective.uses_few_shot().then_some(parts.few_shot),
        };
        self.losses.push(loss);
        if on_step(step, loss).is_break() {
            self.ending = Some(Ending::Stopped { step });
        } else if self.losses.len() == self.descent.steps {
            self.ending = Some(Ending::Completed);
        }
    }

    /// What came of it; completed, where it did not end otherwise.
    pub fn into_trained(self) -> Trained {
        Trained {
            model: self.model,
            losses: self.losses,
            ending: self.ending.unwrap_or(Ending::Completed),
        }
    }
}

impl Descent {
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.steps == 0 {
            return Err(TrainError::NoSteps);
        }
        if let Some(norm) = self.clip_norm.filter(|&norm| norm.is_nan() || norm <= 0.0) {
            return Err(TrainError::ClipNorm(norm));
        }
        self.optimizer
            .problem()
            .map_or(Ok(()), |problem| Err(TrainError::Optimizer(problem)))
    }
}
