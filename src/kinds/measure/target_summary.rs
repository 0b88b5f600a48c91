//! Kind `target-summary`: what `pool-evaluate` measured for many draws of split and target, in means,
//! medians and shares of collapses.
//!
//! A draw is an input; its label is `SPLIT,TARGET`, as a glob over these axes gives it, or `TARGET`
//! where there is one split. Outputs:
//!
//! * `curves`: for each `model`, `task` and `n_shots` the mean over draws of `error` and `accuracy` with
//!   `std_error` and `accuracy_std_error` (see [`icl::math::clusters`]: splits and targets are the
//!   two random factors; null for one draw), `error_median` and `accuracy_median` over draws, `collapses`:
//!   the share of draws whose accuracy is more than the param `collapse` below the pretrained model's of
//!   the same draw, and how many `draws`, `splits` and `targets` there are.
//! * `tradeoff`: for each draw and fine-tuned model what fine-tuning brings: `gain` = accuracy without
//!   shots on the target above the pretrained model's, `loss` = accuracy with the most shots on unseen tasks
//!   below the pretrained model's; `error_gain` and `error_loss` likewise of squared errors, lower and
//!   higher. `statistic` is `draw`; one more row a model, `median`, has the medians over draws of each
//!   column, and neither split nor target.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::measure::pool_evaluate::PRETRAINED;
use crate::kinds::params::number::Share;
use icl::evaluate::draws::mean;
use icl::math::clusters::median;
use icl::math::moments::Estimate;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tables::table::{Column, Table, TableError};

pub struct TargetSummary;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Fine-tuned models in `tradeoff`, in order.
    models: Vec<String>,
    /// An accuracy that is lower than the pretrained model's by more than this is a collapse.
    collapse: Share,
}

/// Where one number stands: model, task, number of shots.
type Place = (String, String, i64);

/// What was measured for one split and target.
struct Draw {
    split: String,
    target: String,
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
                "error_median",
                "accuracy",
                "accuracy_std_error",
                "accuracy_median",
                "collapses",
                "draws",
                "splits",
                "targets",
            ]),
            "tradeoff" => columns(&[
                "statistic",
                "split",
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
        let draws = io.inputs("errors").iter();
        let draws = draws.map(|(label, path)| Draw::read(label, path));
        let draws: Vec<Draw> = draws.collect::<Result<_>>()?;
        let first = &draws[0];
        let mut known = BTreeSet::new();
        for draw in &draws {
            if draw.places != first.places {
                let (a, b) = (first.name(), draw.name());
                let message = format!("`{a}` and `{b}` have other models, tasks or shots");
                return Err(Error::failed(message));
            }
            if !known.insert((&draw.split, &draw.target)) {
                let message = format!("two inputs are the draw `{}`", draw.name());
                let hint =
                    "labels are SPLIT,TARGET: give the axes in this order, split and target last";
                return Err(Error::failed(message).hint(hint));
            }
        }
        write_table(io, "curves", curves(&draws, params.collapse.get())?)?;
        write_table(io, "tradeoff", tradeoff(&draws, &params.models)?)
    }
}

impl Draw {
    fn read(label: &str, path: &Path) -> Result<Draw> {
        let table = read_table(path)?;
        let texts = |name: &str| table.texts(name).map_err(failed);
        let floats = |name: &str| table.floats(name).map_err(failed);
        let (model, task, n_shots) = (texts("model")?, texts("task")?, floats("n_shots")?);
        let place = |row: usize| (model[row].clone(), task[row].clone(), n_shots[row] as i64);
        let (split, target) = label.rsplit_once(',').unwrap_or(("", label));
        Ok(Draw {
            split: split.to_owned(),
            target: target.rsplit('@').next().unwrap_or(target).to_owned(),
            places: (0..table.rows()).map(place).collect(),
            error: floats("error")?,
            accuracy: floats("accuracy")?,
        })
    }

    fn name(&self) -> String {
        match self.split.is_empty() {
            true => self.target.clone(),
            false => format!("{},{}", self.split, self.target),
        }
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
            let message = format!("`{}` has no `{model}` on `{task}`{at}", self.name());
            match known.clone().any(|known| known == model) {
                true => Error::failed(message),
                false => Error::failed(message).suggest(model, known),
            }
        })?;
        Ok((self.error[row], self.accuracy[row]))
    }
}

/// The level of a factor at each draw, and how many there are.
fn levels(draws: &[Draw], factor: fn(&Draw) -> &str) -> (Vec<usize>, usize) {
    let names: BTreeSet<&str> = draws.iter().map(factor).collect();
    let numbers: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
    (
        draws.iter().map(|draw| numbers[factor(draw)]).collect(),
        names.len(),
    )
}

fn curves(draws: &[Draw], collapse: f64) -> Result<std::result::Result<Table, TableError>> {
    let places = &draws[0].places;
    let (split, splits) = levels(draws, |draw| &draw.split);
    let (target, targets) = levels(draws, |draw| &draw.target);
    let factors = [split, target];
    let over_draws = |part: fn(&Draw) -> &[f64], row: usize| -> Vec<f64> {
        draws.iter().map(|draw| part(draw)[row]).collect()
    };
    let means = |part: fn(&Draw) -> &[f64]| -> (Vec<Estimate>, Column) {
        let rows = (0..places.len()).map(|row| over_draws(part, row));
        let summary = rows.map(|values| (mean(&values, &factors), median(&values)));
        let (means, medians) = summary.unzip();
        (means, Column::Float(medians))
    };
    let (error, error_median) = means(|draw| &draw.error);
    let (accuracy, accuracy_median) = means(|draw| &draw.accuracy);
    // Accuracies of the pretrained model by task and shots: the row is the same in each draw.
    let rows_of: BTreeMap<(&str, i64), usize> = places
        .iter()
        .enumerate()
        .filter(|(_, (model, ..))| model == PRETRAINED)
        .map(|(row, (_, task, n))| ((task.as_str(), *n), row))
        .collect();
    let collapses = places.iter().enumerate().map(|(row, (_, task, n))| {
        let before = rows_of.get(&(task.as_str(), *n)).ok_or_else(|| {
            let name = draws[0].name();
            Error::failed(format!(
                "`{name}` has no `{PRETRAINED}` on `{task}` at n = {n}"
            ))
        })?;
        let lost = |draw: &&Draw| draw.accuracy[*before] - draw.accuracy[row] > collapse;
        Ok(draws.iter().filter(lost).count() as f64 / draws.len() as f64)
    });
    let collapses = collapses.collect::<Result<Vec<f64>>>()?;
    let float = |estimates: &[Estimate], part: fn(&Estimate) -> f64| {
        Column::Float(estimates.iter().map(part).collect())
    };
    let text = |part: fn(&Place) -> &str| {
        Column::Text(places.iter().map(|place| part(place).to_owned()).collect())
    };
    let count = |n: usize| Column::Int(vec![n as i64; places.len()]);
    Ok(Table::new(vec![
        ("model", text(|place| &place.0)),
        ("task", text(|place| &place.1)),
        (
            "n_shots",
            Column::Int(places.iter().map(|place| place.2).collect()),
        ),
        ("error", float(&error, |e| e.mean)),
        ("std_error", float(&error, |e| e.std_error)),
        ("error_median", error_median),
        ("accuracy", float(&accuracy, |e| e.mean)),
        ("accuracy_std_error", float(&accuracy, |e| e.std_error)),
        ("accuracy_median", accuracy_median),
        ("collapses", Column::Float(collapses)),
        ("draws", count(draws.len())),
        ("splits", count(splits)),
        ("targets", count(targets)),
    ]))
}

/// Gain, loss, gain and loss of error.
type Tradeoff = [f64; 4];

fn tradeoff(draws: &[Draw], models: &[String]) -> Result<std::result::Result<Table, TableError>> {
    let mut texts: [Vec<String>; 4] = Default::default();
    let mut numbers: Vec<Tradeoff> = Vec::new();
    let mut push = |words: [&str; 4], row: Tradeoff| {
        let columns = texts.iter_mut().zip(words);
        columns.for_each(|(column, word)| column.push(word.to_owned()));
        numbers.push(row);
    };
    let mut by_model: Vec<Vec<Tradeoff>> = vec![Vec::new(); models.len()];
    for draw in draws {
        let before = draw.at(PRETRAINED, "target", Some(0))?;
        let before_unseen = draw.at(PRETRAINED, "unseen", None)?;
        for (model, rows) in models.iter().zip(&mut by_model) {
            let after = draw.at(model, "target", Some(0))?;
            let after_unseen = draw.at(model, "unseen", None)?;
            let row = [
                after.1 - before.1,
                before_unseen.1 - after_unseen.1,
                before.0 - after.0,
                after_unseen.0 - before_unseen.0,
            ];
            push(["draw", &draw.split, &draw.target, model], row);
            rows.push(row);
        }
    }
    for (model, rows) in models.iter().zip(&by_model) {
        let of = |column: usize| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
        push(["median", "", "", model], [0, 1, 2, 3].map(of));
    }
    let [statistic, split, target, model] = texts.map(Column::Text);
    let float = |column: usize| Column::Float(numbers.iter().map(|row| row[column]).collect());
    Ok(Table::new(vec![
        ("statistic", statistic),
        ("split", split),
        ("target", target),
        ("model", model),
        ("gain", float(0)),
        ("loss", float(1)),
        ("error_gain", float(2)),
        ("error_loss", float(3)),
    ]))
}
