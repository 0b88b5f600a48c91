//! Kind `shot-table`: accuracy and squared error of models and baselines, by what their curves are for.
//!
//! CSV and Parquet hold every row of the curves, with the label of their input in the column `group`; the
//! LaTeX fragment holds some models, tasks and numbers of shots.

use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::table::print::{self, Names, column, printed};
use plots::latex::{self, Align, Group};
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct ShotTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Header of the first column, whose cells are the labels of the inputs.
    group: String,
    /// The labels in order.
    groups: Vec<String>,
    names: Names,
    /// Models in the LaTeX fragment, in order.
    models: Vec<String>,
    /// Groups of columns in the LaTeX fragment.
    columns: Vec<ColumnParams>,
}

/// A task and a number of shots.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ColumnParams {
    header: String,
    task: String,
    n_shots: u32,
    /// A column each; accuracy and squared error in their means when left out.
    #[serde(default = "means", skip_serializing_if = "is_means")]
    show: Vec<Shown>,
}

/// A number over the draws.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Shown {
    /// Its mean with the standard error.
    Accuracy,
    AccuracyMedian,
    /// Squared error, likewise.
    Error,
    ErrorMedian,
    /// Share of draws in which it is far below the pretrained model's accuracy.
    Collapses,
}

fn means() -> Vec<Shown> {
    vec![Shown::Accuracy, Shown::Error]
}

fn is_means(shown: &Vec<Shown>) -> bool {
    *shown == means()
}

impl Shown {
    fn header(self) -> &'static str {
        match self {
            Shown::Accuracy => "accuracy",
            Shown::AccuracyMedian | Shown::ErrorMedian => "median",
            Shown::Error => "error",
            Shown::Collapses => "collapsed",
        }
    }

    /// In print, of the numbers of a row.
    fn cell(self, of: impl Fn(&str) -> f64) -> String {
        match self {
            Shown::Accuracy => number::with_error(of("accuracy"), of("accuracy_std_error"), 1),
            Shown::AccuracyMedian => number::fixed(of("accuracy_median"), 3),
            Shown::Error => number::with_error(of("error"), of("std_error"), 1),
            Shown::ErrorMedian => number::fixed(of("error_median"), 2),
            Shown::Collapses => number::fixed(of("collapses"), 3),
        }
    }
}

/// Columns that are copied: numbers, and counts.
const NUMBERS: [&str; 7] = [
    "error",
    "std_error",
    "error_median",
    "accuracy",
    "accuracy_std_error",
    "accuracy_median",
    "collapses",
];
const COUNTS: [&str; 3] = ["draws", "splits", "targets"];

/// All curves, row by row.
#[derive(Default)]
struct Rows {
    texts: [Vec<String>; 3],
    n_shots: Vec<f64>,
    counts: [Vec<f64>; COUNTS.len()],
    numbers: [Vec<f64>; NUMBERS.len()],
}

impl StageKind for ShotTable {
    const NAME: &'static str = "shot-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("curves")];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => {
                let names = ["group", "model", "task", "n_shots"];
                columns(&[&names[..], &NUMBERS, &COUNTS].concat())
            }
            _ => None,
        }
    }

    fn check(params: &Params) -> std::result::Result<(), String> {
        let empty = params.columns.iter().position(|head| head.show.is_empty());
        empty.map_or(Ok(()), |at| {
            Err(format!("columns.{at}.show: it names no number"))
        })
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        let mut wants = wanted("curves", &["model", "task", "n_shots"]);
        wants.extend(wanted("curves", &NUMBERS));
        wants.extend(wanted("curves", &COUNTS));
        wants
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut rows = Rows::default();
        for (at, group) in params.groups.iter().enumerate() {
            let found = io.inputs("curves").iter().find(|(label, _)| label == group);
            let (_, path) = found.ok_or_else(|| {
                let known = io.inputs("curves").iter().map(|(label, _)| label.as_str());
                Error::failed(format!("groups.{at}: there are no curves `{group}`"))
                    .suggest(group, known)
            })?;
            rows.add(group, &read_table(path)?)?;
        }
        print::write(io, &rows.table()?, &rows.printed(params)?)
    }
}

impl Rows {
    fn add(&mut self, group: &str, table: &Table) -> Result<()> {
        let texts = |name: &str| table.texts(name).map_err(failed);
        let floats = |name: &str| table.floats(name).map_err(failed);
        self.texts[0].extend(vec![group.to_owned(); table.rows()]);
        self.texts[1].extend_from_slice(texts("model")?);
        self.texts[2].extend_from_slice(texts("task")?);
        self.n_shots.extend(floats("n_shots")?);
        for (counts, name) in self.counts.iter_mut().zip(COUNTS) {
            counts.extend(floats(name)?);
        }
        for (numbers, name) in self.numbers.iter_mut().zip(NUMBERS) {
            numbers.extend(floats(name)?);
        }
        Ok(())
    }

    fn table(&self) -> Result<Table> {
        let whole = |values: &[f64]| Column::Int(values.iter().map(|&x| x as i64).collect());
        let names = ["group", "model", "task"];
        let texts = names.iter().zip(&self.texts);
        let mut columns: Vec<(&str, Column)> = texts
            .map(|(name, values)| (*name, Column::Text(values.clone())))
            .collect();
        columns.push(("n_shots", whole(&self.n_shots)));
        let numbers = NUMBERS.iter().zip(&self.numbers);
        columns.extend(numbers.map(|(name, values)| (*name, Column::Float(values.clone()))));
        let counts = COUNTS.iter().zip(&self.counts);
        columns.extend(counts.map(|(name, values)| (*name, whole(values))));
        Table::new(columns).map_err(failed)
    }

    /// Which of the names is not there: the model, else the task, else the number of shots.
    fn absent(
        &self,
        group: &str,
        (place, model): (usize, &str),
        (at, column): (usize, &ColumnParams),
    ) -> Error {
        let [groups, models, tasks] = &self.texts;
        let rows = (0..groups.len()).filter(|&row| groups[row] == group);
        let of_model = rows.clone().filter(|&row| models[row] == model);
        let on_task = of_model.clone().filter(|&row| tasks[row] == column.task);
        let (task, n) = (&column.task, column.n_shots.to_string());
        if of_model.clone().next().is_none() {
            let message = format!("models.{place}: `{group}` has no model `{model}`");
            let known = rows.map(|row| models[row].as_str());
            return Error::failed(message).suggest(model, known);
        }
        if on_task.clone().next().is_none() {
            let message = format!("columns.{at}.task: `{group}` has no `{model}` on `{task}`");
            let known = of_model.map(|row| tasks[row].as_str());
            return Error::failed(message).suggest(task, known);
        }
        let message =
            format!("columns.{at}.n_shots: `{group}` has no `{model}` on `{task}` at n = {n}");
        let known: Vec<String> = on_task.map(|row| self.n_shots[row].to_string()).collect();
        Error::failed(message).suggest(&n, known.iter().map(String::as_str))
    }

    fn printed(&self, params: &Params) -> Result<latex::Table> {
        let [groups, models, tasks] = &self.texts;
        let mut lines = Vec::new();
        let mut rules_above = Vec::new();
        for group in &params.groups {
            if !lines.is_empty() {
                rules_above.push(lines.len());
            }
            for (place, model) in params.models.iter().enumerate() {
                let first = if place == 0 {
                    group.clone()
                } else {
                    String::new()
                };
                let mut cells = vec![first, printed(&params.names, model).to_owned()];
                for (at, column) in params.columns.iter().enumerate() {
                    let is_it = |&row: &usize| {
                        groups[row] == *group
                            && models[row] == *model
                            && tasks[row] == column.task
                            && self.n_shots[row] == f64::from(column.n_shots)
                    };
                    let row = (0..groups.len())
                        .find(is_it)
                        .ok_or_else(|| self.absent(group, (place, model), (at, column)))?;
                    let of = |name: &str| {
                        let column = NUMBERS.iter().position(|known| *known == name);
                        column.map_or(f64::NAN, |column| self.numbers[column][row])
                    };
                    cells.extend(column.show.iter().map(|shown| shown.cell(of)));
                }
                lines.push(cells);
            }
        }
        let mut columns = vec![
            column(params.group.clone(), Align::Left),
            column("Model", Align::Left),
        ];
        let mut heads = vec![Group {
            header: String::new(),
            span: 2,
        }];
        for head in &params.columns {
            let shown = head.show.iter();
            columns.extend(shown.map(|shown| column(shown.header(), Align::Decimal)));
            heads.push(Group {
                header: head.header.clone(),
                span: head.show.len(),
            });
        }
        Ok(latex::Table {
            columns,
            groups: heads,
            rows: lines,
            rules_above,
            notes: vec![
                "Over draws of split and target: means with standard errors (both factors random) in units of the last digit, medians, shares of draws that collapsed.".into(),
            ],
        })
    }
}
