//! Kind `pool-evaluate`: test errors and accuracies of models and baselines on held-out examples.
//!
//! All see the same prompts. Output `errors`: columns `model` (`pretrained`, the item of the fine-tuning
//! matrix, a baseline, or `target_linear`, a linear classifier fitted on the target's training examples
//! that reads no context), `task` (`target`, `flipped` with negated labels, `unseen` with labels negated
//! at random, and, where the roles have any, `new_class` likewise: tasks with a class that pretraining
//! never saw), `n_shots`, `error` (mean squared), `std_error`, `accuracy`, `accuracy_std_error`, `prompts`.

use crate::kinds::exchange::examples::Examples;
use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::roles::read_roles;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::measure::sampling::Seeds;
use crate::kinds::params::number::{Count, Positive, ShotRange};
use icl::evaluate::baseline::{self, Penalties};
use icl::evaluate::pool::{self, PoolEvaluateError, PoolPlan, Readers, Score};
use icl::prompts::task_pool::{Flips, TaskPool};
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, many, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use tables::table::{Column, Table};

pub struct PoolEvaluate;

/// The model before fine-tuning.
pub const PRETRAINED: &str = "pretrained";
/// The linear classifier of the target.
pub const TARGET_LINEAR: &str = "target_linear";
/// The sets of tasks, in the order of the output; the last where the roles have any.
const TASKS: [&str; 4] = ["target", "flipped", "unseen", "new_class"];

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    shots: ShotRange,
    /// Prompts for each set of tasks and seed; each is read with every number of shots.
    prompts: Count,
    seeds: Seeds,
    baselines: BaselineParams,
}

/// How much the baselines' weights cost.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BaselineParams {
    /// Of ridge regression, on the shots and on the target's training examples.
    ridge: Positive,
    logistic: Positive,
}

impl StageKind for PoolEvaluate {
    const NAME: &'static str = "pool-evaluate";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        one("train"),
        one("held_out"),
        one("roles"),
        one("pretrained"),
        many("finetuned"),
    ];
    const OUTPUTS: &'static [&'static str] = &["errors.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "errors" => columns(&[
                "model",
                "task",
                "n_shots",
                "error",
                "std_error",
                "accuracy",
                "accuracy_std_error",
                "prompts",
            ]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let roles = read_roles(io)?;
        let train = Examples::read(io.input("train")?)?;
        let held_out = Examples::read(io.input("held_out")?)?;
        let target = std::slice::from_ref(&roles.target);
        let mut sets = vec![
            held_out.pool(target, Flips::None)?,
            held_out.pool(target, Flips::All)?,
            held_out.pool(&roles.unseen, Flips::Random)?,
        ];
        if !roles.new_class.is_empty() {
            sets.push(held_out.pool(&roles.new_class, Flips::Random)?);
        }
        let mut names = vec![PRETRAINED.to_owned()];
        let mut models = vec![read_model(io.input("pretrained")?)?];
        for (label, path) in io.inputs("finetuned") {
            names.push(label.clone());
            models.push(read_model(path)?);
        }
        names.extend(baseline::NAMES.map(str::to_owned));
        names.push(TARGET_LINEAR.to_owned());
        let penalties = Penalties {
            ridge: params.baselines.ridge.get(),
            logistic: params.baselines.logistic.get(),
        };
        let members = train.members(&roles.target)?;
        let rows: Vec<Vec<f64>> = members
            .iter()
            .map(|m| train.x.row(m.row).to_vec())
            .collect();
        let labels: Vec<f64> = members.iter().map(|member| member.label).collect();
        let readers = Readers {
            models: models.iter().collect(),
            penalties,
            linear: vec![baseline::linear_fit(&rows, &labels, penalties.ridge)],
        };
        let plan = PoolPlan {
            n_shots: params.shots.to_vec(),
            n_prompts: params.prompts.get(),
            seeds: params.seeds.get(),
        };
        let pools: Vec<&TaskPool> = sets.iter().collect();
        let scores = pool::evaluate(&readers, &pools, &plan, |done, total| {
            io.progress(done as u64, total as u64, "");
            match io.cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let scores = scores.map_err(|error| match error {
            PoolEvaluateError::Stopped => io.interrupted(),
            other => failed(other),
        })?;
        let mut rows = Rows::default();
        for (reader, name) in names.iter().enumerate() {
            for (set, task) in TASKS.iter().take(sets.len()).enumerate() {
                for (point, &n) in plan.n_shots.iter().enumerate() {
                    rows.push(name, task, n, scores.get(reader, set, point));
                }
            }
        }
        write_table(io, "errors", rows.table())
    }
}

/// The columns of the output as they grow.
#[derive(Default)]
struct Rows {
    model: Vec<String>,
    task: Vec<String>,
    n_shots: Vec<i64>,
    scores: Vec<Score>,
}

impl Rows {
    fn push(&mut self, model: &str, task: &str, n_shots: usize, score: Score) {
        self.model.push(model.to_owned());
        self.task.push(task.to_owned());
        self.n_shots.push(n_shots as i64);
        self.scores.push(score);
    }

    fn table(self) -> std::result::Result<Table, tables::table::TableError> {
        let float = |part: fn(&Score) -> f64| Column::Float(self.scores.iter().map(part).collect());
        let prompts = self.scores.iter().map(|score| score.error.n as i64);
        Table::new(vec![
            ("model", Column::Text(self.model.clone())),
            ("task", Column::Text(self.task.clone())),
            ("n_shots", Column::Int(self.n_shots.clone())),
            ("error", float(|score| score.error.mean)),
            ("std_error", float(|score| score.error.std_error)),
            ("accuracy", float(|score| score.accuracy.mean)),
            (
                "accuracy_std_error",
                float(|score| score.accuracy.std_error),
            ),
            ("prompts", Column::Int(prompts.collect())),
        ])
    }
}
