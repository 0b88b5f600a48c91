//! Monte Carlo evaluation with progress, and the parameters that say how much of it.

use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::{Count, ShotRange};
use crate::kinds::params::seed::Seed;
use icl::evaluate::fresh_tasks::{self, EvaluateError, EvaluatePlan, TestErrors};
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Seeds of independent repetitions; at least one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Seed>", into = "Vec<Seed>")]
#[schemars(extend("minItems" = 1))]
pub struct Seeds(Vec<Seed>);

impl TryFrom<Vec<Seed>> for Seeds {
    type Error = String;
    fn try_from(seeds: Vec<Seed>) -> std::result::Result<Self, String> {
        match seeds.is_empty() {
            true => Err("at least one seed is needed".into()),
            false => Ok(Seeds(seeds)),
        }
    }
}

impl From<Seeds> for Vec<Seed> {
    fn from(seeds: Seeds) -> Vec<Seed> {
        seeds.0
    }
}

impl Seeds {
    /// The numbers.
    pub fn get(&self) -> Vec<u64> {
        self.0.iter().map(Seed::get).collect()
    }
}

/// What to sample.
pub fn plan(shots: ShotRange, prompts: Count, seeds: &Seeds) -> EvaluatePlan {
    EvaluatePlan {
        n_shots: shots.to_vec(),
        n_prompts: prompts.get(),
        seeds: seeds.get(),
    }
}

/// Evaluates models on the same prompts; `part` of `parts` equal calls of a stage, for progress.
pub fn evaluate(
    io: &Io,
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
    (part, parts): (usize, usize),
) -> Result<TestErrors> {
    let found = fresh_tasks::evaluate(setting, models, tasks, plan, |done, total| {
        told(io, part * total + done, parts * total)
    });
    found.map_err(|error| why(io, error))
}

/// As [`evaluate`] in one call, with the spread of the squared errors.
pub fn evaluate_spread(
    io: &Io,
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
) -> Result<TestErrors> {
    let go = |done, total| told(io, done, total);
    let found = fresh_tasks::evaluate_spread(setting, models, tasks, plan, go);
    found.map_err(|error| why(io, error))
}

fn told(io: &Io, done: usize, total: usize) -> ControlFlow<()> {
    io.progress(done as u64, total as u64, "");
    match io.cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

fn why(io: &Io, error: EvaluateError) -> Error {
    match error {
        EvaluateError::Stopped => io.interrupted(),
        other => failed(other),
    }
}
