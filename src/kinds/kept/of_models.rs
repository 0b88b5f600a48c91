//! Kind `kept-of-models`: how much in-context learning models keep of which no path was measured: at the end alone.
//!
//! Reads tables of `measure` and `pool-evaluate`, one a draw. Output `kept`: column `draw` (what the `*` of its input
//! stands for) and those of the kind `kept`; `at` is `end`, `step` and `reached` are null.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::kept::kind::COLUMNS;
use crate::kinds::measure::pool_evaluate::PRETRAINED;
use crate::kinds::params::number::{Count, Positive};
use icl::evaluate::kept;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use tables::table::{Column, Table};

pub struct KeptOfModels;

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Quality {
    /// Squared errors.
    Error,
    /// Accuracies, of which one minus the accuracy is the error.
    Accuracy,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The error of an answer that ignores the context: 1 + sigma2, or one minus the accuracy of chance.
    null_error: Positive,
    /// n of the few-shot errors.
    shots: Count,
    quality: Quality,
    /// Names of variants, each with the model that it is in the tables.
    variants: BTreeMap<String, String>,
    /// Names of measures, each with the task that it is in the tables.
    measures: BTreeMap<String, String>,
    /// The measure that zero-shot errors are of.
    zero_shot_measure: String,
}

impl StageKind for KeptOfModels {
    const NAME: &'static str = "kept-of-models";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("errors")];
    const OUTPUTS: &'static [&'static str] = &["kept.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        for (name, map) in [
            ("variants", &params.variants),
            ("measures", &params.measures),
        ] {
            if map.is_empty() {
                return Err(format!("{name}: there are none"));
            }
        }
        match params.measures.contains_key(&params.zero_shot_measure) {
            true => Ok(()),
            false => Err("zero_shot_measure: it is none of the measures".into()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "kept" => columns(&[&["draw"], COLUMNS].concat()),
            _ => None,
        }
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        wanted("errors", &["model", "task", "n_shots", params.column()])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut texts: [Vec<String>; 3] = Default::default();
        let mut numbers: [Vec<f64>; 4] = Default::default();
        for (label, path) in io.inputs("errors") {
            let draw = label.rsplit('@').next().unwrap_or(label);
            let errors = Errors::read(label, path, params)?;
            let (n, null) = (params.shots.get(), params.null_error.get());
            let target = &params.measures[&params.zero_shot_measure];
            for (variant, model) in &params.variants {
                let zero_shot = errors.at(model, target, 0)?;
                for (measure, task) in &params.measures {
                    let (before, after) =
                        (errors.at(PRETRAINED, task, n)?, errors.at(model, task, n)?);
                    let left = kept::kept(null, before, after).unwrap_or(f64::NAN);
                    let row = [zero_shot, before, after, left];
                    numbers
                        .iter_mut()
                        .zip(row)
                        .for_each(|(column, x)| column.push(x));
                    let words = [draw, variant, measure];
                    let columns = texts.iter_mut().zip(words);
                    columns.for_each(|(column, word)| column.push(word.to_owned()));
                }
            }
        }
        let rows = numbers[0].len();
        let [draw, variant, measure] = texts.map(Column::Text);
        let [zero_shot, before, after, left] = numbers.map(Column::Float);
        let none = || Column::Float(vec![f64::NAN; rows]);
        let table = Table::new(vec![
            ("draw", draw),
            ("variant", variant),
            ("at", Column::Text(vec!["end".to_owned(); rows])),
            ("measure", measure),
            ("step", none()),
            ("reached", none()),
            ("zero_shot", zero_shot),
            ("before", before),
            ("after", after),
            ("kept", left),
        ]);
        write_table(io, "kept", table)
    }
}

impl Params {
    fn column(&self) -> &'static str {
        match self.quality {
            Quality::Error => "error",
            Quality::Accuracy => "accuracy",
        }
    }
}

/// The errors of one draw.
struct Errors<'a> {
    label: &'a str,
    model: Vec<String>,
    task: Vec<String>,
    n_shots: Vec<f64>,
    error: Vec<f64>,
}

impl<'a> Errors<'a> {
    fn read(label: &'a str, path: &Path, params: &Params) -> Result<Self> {
        let table = read_table(path)?;
        let found = table.floats(params.column()).map_err(failed)?;
        Ok(Errors {
            label,
            model: table.texts("model").map_err(failed)?.to_vec(),
            task: table.texts("task").map_err(failed)?.to_vec(),
            n_shots: table.floats("n_shots").map_err(failed)?,
            error: match params.quality {
                Quality::Error => found,
                Quality::Accuracy => found.iter().map(|accuracy| 1.0 - accuracy).collect(),
            },
        })
    }

    fn at(&self, model: &str, task: &str, n: usize) -> Result<f64> {
        let mut rows = 0..self.error.len();
        let here = |row: &usize| {
            self.model[*row] == model && self.task[*row] == task && self.n_shots[*row] == n as f64
        };
        let found = rows.find(here).map(|row| self.error[row]);
        found.ok_or_else(|| {
            let message = format!("`{}` has no `{model}` on `{task}` at n = {n}", self.label);
            let error = Error::failed(message);
            let models = || self.model.iter().map(String::as_str);
            let tasks = || self.task.iter().map(String::as_str);
            match (
                models().any(|known| known == model),
                tasks().any(|known| known == task),
            ) {
                (false, _) => error.suggest(model, models()),
                (_, false) => error.suggest(task, tasks()),
                _ => error,
            }
        })
    }
}
