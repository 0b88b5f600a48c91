//! Kind `tradeoff-paths`: zero-shot against few-shot error on the way from the pretrained model to fine-tuned ones.
//!
//! Exact errors; no sampling. Output `paths`: columns `path` (`interpolation` of all weights between the pretrained and
//! a fine-tuned model, `early_stopping` of descent on the exact zero-shot loss), `model` (the label of the fine-tuned one,
//! or the name of the descent), `at` (share of the way, or steps), `zero_shot` (on theta0 at n = 0), `few_shot` (mean over
//! random unit tasks at n shots).

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::params::number::{Count, NonNegative};
use crate::kinds::train::population::DescentParams;
use icl::model::head::Head;
use icl::model::trainable::Trainable;
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::risk;
use icl::train::objective::Objective;
use icl::train::population::{PopulationLoss, train_population};
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use tables::table::{Column, Table};

pub struct TradeoffPaths;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    /// n of the few-shot error.
    shots: Count,
    /// Points of an interpolation, the pretrained model aside.
    points: Count,
    /// How to descend on the exact zero-shot loss of all matrices.
    descent: DescentParams,
    /// Steps after which descent is looked at, besides 0.
    stops: Vec<Count>,
}

#[derive(Default)]
struct Rows {
    path: Vec<String>,
    model: Vec<String>,
    at: Vec<f64>,
    zero_shot: Vec<f64>,
    few_shot: Vec<f64>,
}

impl StageKind for TradeoffPaths {
    const NAME: &'static str = "tradeoff-paths";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("task"), one("pretrained"), any("finetuned")];
    const OUTPUTS: &'static [&'static str] = &["paths.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let steps = params.descent.steps.get();
        match params.stops.iter().position(|stop| stop.get() > steps) {
            Some(at) => Err(format!("stops.{at}: descent ends after {steps} steps")),
            None => Ok(()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "paths" => columns(&["path", "model", "at", "zero_shot", "few_shot"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let setting = Setting::new(task.d(), params.noise_var.get()).map_err(failed)?;
        let shots = params.shots.get();
        let pretrained = read_model(io.input("pretrained")?)?;
        let errors = |model: &LinearAttention| errors(&setting, &task, model, shots);
        let mut rows = Rows::default();
        for (label, path) in io.inputs("finetuned") {
            let tuned = read_model(path)?;
            if tuned.shape() != pretrained.shape() {
                let message = format!(
                    "`{label}` is no fine-tuned version of the pretrained model: other sizes"
                );
                return Err(Error::failed(message));
            }
            let points = params.points.get();
            for point in 0..=points {
                let share = point as f64 / points as f64;
                let between = pretrained.params().iter().zip(tuned.params());
                let between = between.map(|(from, to)| from + share * (to - from));
                let model = LinearAttention::from_params(tuned.shape(), between.collect());
                rows.push(
                    "interpolation",
                    label,
                    share,
                    errors(&model.map_err(failed)?)?,
                );
            }
        }
        rows.push("early_stopping", "zs", 0.0, errors(&pretrained)?);
        let mut stops: Vec<usize> = params.stops.iter().map(|stop| stop.get()).collect();
        stops.sort_unstable();
        stops.dedup();
        for stop in stops {
            let mut descent = params.descent.descent(Objective::ZeroShot, Trainable::All);
            descent.steps = stop;
            let loss = PopulationLoss::Target(&task);
            let trained =
                train_population(
                    &pretrained,
                    &setting,
                    loss,
                    shots,
                    &descent,
                    |_, _| match io.cancelled() {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    },
                );
            let trained = trained.map_err(failed)?;
            if io.cancelled() {
                return Err(io.interrupted());
            }
            rows.push("early_stopping", "zs", stop as f64, errors(&trained.model)?);
        }
        write_table(io, "paths", rows.table())
    }
}

/// Zero-shot error on the task, mean few-shot error over random unit tasks.
fn errors(
    setting: &Setting,
    task: &Task,
    model: &LinearAttention,
    shots: usize,
) -> Result<[f64; 2]> {
    let heads: Vec<Head> = model.heads().map_err(failed)?;
    let zero = risk::test_error_of_heads(setting, &heads, task, 0).map_err(failed)?;
    let few = risk::mean_unit_task_error_of_heads(setting, &heads, shots).map_err(failed)?;
    Ok([zero, few])
}

impl Rows {
    fn push(&mut self, path: &str, model: &str, at: f64, [zero_shot, few_shot]: [f64; 2]) {
        self.path.push(path.to_owned());
        self.model.push(model.to_owned());
        self.at.push(at);
        self.zero_shot.push(zero_shot);
        self.few_shot.push(few_shot);
    }

    fn table(self) -> std::result::Result<Table, tables::table::TableError> {
        Table::new(vec![
            ("path", Column::Text(self.path)),
            ("model", Column::Text(self.model)),
            ("at", Column::Float(self.at)),
            ("zero_shot", Column::Float(self.zero_shot)),
            ("few_shot", Column::Float(self.few_shot)),
        ])
    }
}
