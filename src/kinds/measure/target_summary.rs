//! Kind `target-summary`: the mean over targets of what `pool-evaluate` measured for each.
//!
//! Outputs:
//!
//! * `curves`: columns `model`, `task`, `n_shots`, `error`, `std_error`, `accuracy`, `accuracy_std_error`,
//!   `targets`: means over the targets, and standard errors by their spread (null for one target).
//! * `tradeoff`: for each target and fine-tuned model the gain and the loss that fine-tuning brings:
//!   `gain` = accuracy without shots on the target above the pretrained model's, `loss` = accuracy with
//!   the most shots on unseen tasks below the pretrained model's; `error_gain` and `error_loss` likewise
//!   of squared errors, lower and higher.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::measure::pool_evaluate::PRETRAINED;
use icl::math::moments::{Estimate, Moments};
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tables::table::{Column, Table, TableError};

pub struct TargetSummary;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Fine-tuned models in `tradeoff`, in order.
    models: Vec<String>,
}

/// Where one number stands: model, task, number of shots.
type Place = (String, String, i64);

/// What was measured for one target.
struct Target {
    name: String,
    places: Vec<Place>,
    error: Vec<f64>,
    accuracy: Vec<f64>,
}

impl StageKind for TargetSummary {
    const NAME: &'static str = "target-summary";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("errors")];
    const OUTPUTS: &'static [&'static str] = &["curves.parquet", "tradeoff.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "curves" => columns(&[
                "model",
                "task",
                "n_shots",
                "error",
                "std_error",
                "accuracy",
                "accuracy_std_error",
                "targets",
            ]),
            "tradeoff" => columns(&[
                "target",
                "model",
                "gain",
                "loss",
                "error_gain",
                "error_loss",
            ]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("errors", &["model", "task", "n_shots", "error", "accuracy"])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let targets = io.inputs("errors").iter();
        let targets = targets.map(|(label, path)| Target::read(label, path));
        let targets: Vec<Target> = targets.collect::<Result<_>>()?;
        let first = &targets[0];
        if let Some(other) = targets.iter().find(|target| target.places != first.places) {
            let message = format!(
                "`{}` and `{}` have other models, tasks or shots",
                first.name, other.name
            );
            return Err(Error::failed(message));
        }
        write_table(io, "curves", curves(&targets))?;
        write_table(io, "tradeoff", tradeoff(&targets, &params.models)?)
    }
}

impl Target {
    /// The label is the item of a matrix; its last axis names the target.
    fn read(label: &str, path: &Path) -> Result<Target> {
        let table = read_table(path)?;
        let texts = |name: &str| table.texts(name).map_err(failed);
        let floats = |name: &str| table.floats(name).map_err(failed);
        let (model, task, n_shots) = (texts("model")?, texts("task")?, floats("n_shots")?);
        let place = |row: usize| (model[row].clone(), task[row].clone(), n_shots[row] as i64);
        Ok(Target {
            name: label.rsplit([',', '@']).next().unwrap_or(label).to_owned(),
            places: (0..table.rows()).map(place).collect(),
            error: floats("error")?,
            accuracy: floats("accuracy")?,
        })
    }

    /// Error and accuracy of a model on a task; `n_shots` = `None` stands for the most.
    fn at(&self, model: &str, task: &str, n_shots: Option<i64>) -> Result<(f64, f64)> {
        let rows = (0..self.places.len()).filter(|&row| {
            let (m, t, n) = &self.places[row];
            m == model && t == task && n_shots.is_none_or(|wanted| wanted == *n)
        });
        let row = rows.max_by_key(|&row| self.places[row].2).ok_or_else(|| {
            let known = self.places.iter().map(|(model, ..)| model.as_str());
            let at = n_shots.map_or_else(String::new, |n| format!(" at n = {n}"));
            let message = format!("`{}` has no `{model}` on `{task}`{at}", self.name);
            match known.clone().any(|known| known == model) {
                true => Error::failed(message),
                false => Error::failed(message).suggest(model, known),
            }
        })?;
        Ok((self.error[row], self.accuracy[row]))
    }
}

fn curves(targets: &[Target]) -> std::result::Result<Table, TableError> {
    let places = &targets[0].places;
    let mean = |part: fn(&Target) -> &[f64]| -> Vec<Estimate> {
        let over_targets = |row: usize| {
            let mut moments = Moments::new();
            targets
                .iter()
                .for_each(|target| moments.push(part(target)[row]));
            moments.estimate()
        };
        (0..places.len()).map(over_targets).collect()
    };
    let (error, accuracy) = (mean(|t| &t.error), mean(|t| &t.accuracy));
    let float = |estimates: &[Estimate], part: fn(&Estimate) -> f64| {
        Column::Float(estimates.iter().map(part).collect())
    };
    let text = |part: fn(&Place) -> &str| {
        Column::Text(places.iter().map(|place| part(place).to_owned()).collect())
    };
    Table::new(vec![
        ("model", text(|place| &place.0)),
        ("task", text(|place| &place.1)),
        (
            "n_shots",
            Column::Int(places.iter().map(|place| place.2).collect()),
        ),
        ("error", float(&error, |e| e.mean)),
        ("std_error", float(&error, |e| e.std_error)),
        ("accuracy", float(&accuracy, |e| e.mean)),
        ("accuracy_std_error", float(&accuracy, |e| e.std_error)),
        (
            "targets",
            Column::Int(vec![targets.len() as i64; places.len()]),
        ),
    ])
}

fn tradeoff(
    targets: &[Target],
    models: &[String],
) -> Result<std::result::Result<Table, TableError>> {
    let (mut names, mut of) = (Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 4] = Default::default();
    for target in targets {
        let before = target.at(PRETRAINED, "target", Some(0))?;
        let before_unseen = target.at(PRETRAINED, "unseen", None)?;
        for model in models {
            let after = target.at(model, "target", Some(0))?;
            let after_unseen = target.at(model, "unseen", None)?;
            names.push(target.name.clone());
            of.push(model.clone());
            let row = [
                after.1 - before.1,
                before_unseen.1 - after_unseen.1,
                before.0 - after.0,
                after_unseen.0 - before_unseen.0,
            ];
            numbers
                .iter_mut()
                .zip(row)
                .for_each(|(column, x)| column.push(x));
        }
    }
    let [gain, loss, error_gain, error_loss] = numbers.map(Column::Float);
    Ok(Table::new(vec![
        ("target", Column::Text(names)),
        ("model", Column::Text(of)),
        ("gain", gain),
        ("loss", loss),
        ("error_gain", error_gain),
        ("error_loss", error_loss),
    ]))
}
