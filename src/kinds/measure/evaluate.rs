//! Kind `evaluate`: Monte Carlo test errors of models on theta0 and -theta0, with the exact ones.
//!
//! All models see the same prompts. Output `errors`: columns `model` (`pretrained`, or the item of
//! the fine-tuning matrix), `task` (`theta0`, `-theta0`), `n_shots`, `error`, `std_error`, `prompts`
//! and `exact`, the closed form at the same parameters, null for models that have none (more than
//! one layer); `median` and `q90`, quantiles of the squared error over all prompts of all seeds, and
//! `tail`, the share of its sum that the largest 0.1 % hold. Where a model has no closed form and its
//! tail forbids a mean ([`icl::math::spread::Spread::tells_mean`]), `error` and `std_error` are null.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::measure::sampling::{self, Seeds};
use crate::kinds::params::number::{Count, NonNegative, ShotRange};
use icl::math::moments::Estimate;
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::theory::risk;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct Evaluate;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    shots: ShotRange,
    /// Prompts for each task, number of shots and seed.
    prompts: Count,
    seeds: Seeds,
}

impl StageKind for Evaluate {
    const NAME: &'static str = "evaluate";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("task"), one("pretrained"), any("finetuned")];
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
                "prompts",
                "exact",
                "median",
                "q90",
                "tail",
            ]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let tasks = [("theta0", task.clone()), ("-theta0", task.negated())];
        let mut models = vec![(
            "pretrained".to_owned(),
            read_model(io.input("pretrained")?)?,
        )];
        for (label, path) in io.inputs("finetuned") {
            models.push((label.clone(), read_model(path)?));
        }
        let setting = Setting::new(task.d(), params.noise_var.get()).map_err(failed)?;
        let plan = sampling::plan(params.shots, params.prompts, &params.seeds);
        let references: Vec<&LinearAttention> = models.iter().map(|(_, model)| model).collect();
        let task_list = tasks.each_ref().map(|(_, task)| task.clone());
        let errors = sampling::evaluate_spread(io, &setting, &references, &task_list, &plan)?;

        let mut rows = Rows::default();
        for (m, (model_name, model)) in models.iter().enumerate() {
            let heads = model.heads().ok();
            for (t, (task_name, task)) in tasks.iter().enumerate() {
                for (p, &n_shots) in plan.n_shots.iter().enumerate() {
                    let exact = match &heads {
                        Some(heads) => risk::test_error_of_heads(&setting, heads, task, n_shots),
                        None => Ok(f64::NAN),
                    };
                    let Estimate { mean, std_error, n } = errors.get(m, t, p);
                    let spread = errors.spread(m, t, p).ok_or_else(no_spread)?;
                    let is_known = heads.is_some() || spread.tells_mean();
                    let known = |value: f64| if is_known { value } else { f64::NAN };
                    rows.model.push(model_name.clone());
                    rows.task.push((*task_name).to_owned());
                    rows.n_shots.push(n_shots as i64);
                    rows.error.push(known(mean));
                    rows.std_error.push(known(std_error));
                    rows.prompts.push(n as i64);
                    rows.exact.push(exact.map_err(failed)?);
                    rows.median.push(spread.median);
                    rows.q90.push(spread.q90);
                    rows.tail.push(spread.tail);
                }
            }
        }
        write_table(io, "errors", rows.table())
    }
}

fn no_spread() -> Error {
    Error::failed("the errors have no spread")
}

/// The columns of the output as they grow.
#[derive(Default)]
struct Rows {
    model: Vec<String>,
    task: Vec<String>,
    n_shots: Vec<i64>,
    error: Vec<f64>,
    std_error: Vec<f64>,
    prompts: Vec<i64>,
    exact: Vec<f64>,
    median: Vec<f64>,
    q90: Vec<f64>,
    tail: Vec<f64>,
}

impl Rows {
    fn table(self) -> std::result::Result<Table, tables::table::TableError> {
        Table::new(vec![
            ("model", Column::Text(self.model)),
            ("task", Column::Text(self.task)),
            ("n_shots", Column::Int(self.n_shots)),
            ("error", Column::Float(self.error)),
            ("std_error", Column::Float(self.std_error)),
            ("prompts", Column::Int(self.prompts)),
            ("exact", Column::Float(self.exact)),
            ("median", Column::Float(self.median)),
            ("q90", Column::Float(self.q90)),
            ("tail", Column::Float(self.tail)),
        ])
    }
}
