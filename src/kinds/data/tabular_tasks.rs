//! Kind `tabular-tasks`: features and tasks from a table, split into examples to train on and examples
//! held out.
//!
//! Reads a CSV or Parquet file with columns of features and columns of tasks (1, -1, or nothing where a
//! row is not part of the task). The split is stratified; principal components are those of the
//! training examples alone, and features are whitened along them. Outputs:
//!
//! * `train`, `held_out`: see [`crate::kinds::exchange::examples`].
//! * `features`: how a column enters: `feature`, `mean`, `scale` and `x1` to `xd`; a new row has
//!   x_k = sum over columns of (value - mean)/scale * xk.

use crate::kinds::data::tabular::Tabular;
use crate::kinds::exchange::examples::{Examples, Labels};
use crate::kinds::exchange::table::write_table;
use crate::kinds::params::number::{Count, Dimension, Share};
use crate::kinds::params::seed::Seed;
use icl::math::pca::Pca;
use icl::prompts::hold_out;
use ndarray::Array2;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct TabularTasks;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Columns of numbers; `*` and `?` stand for any letters of a name.
    features: Vec<String>,
    /// Columns of labels, likewise; each is a task.
    tasks: Vec<String>,
    /// A column whose classes are split evenly.
    #[serde(default)]
    stratify: Option<String>,
    /// Share of the rows that is held out.
    held_out: Share,
    /// Whether columns are divided by their standard deviations before the components are found.
    scale: Scale,
    /// What to do with a column that has one value only.
    #[serde(default)]
    constant_features: Constant,
    /// Principal components that are kept: the dimension of the model's covariates.
    d: Dimension,
    /// Most shots of a prompt: each task needs one row more, in training and held out.
    shots: Count,
    seed: Seed,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Scale {
    /// Columns as they are: their units are the same.
    None,
    /// Standard deviation 1 over the training rows.
    Standard,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Constant {
    #[default]
    Refuse,
    Drop,
}

/// A class of a task needs so many rows in training and held out: a query, and a shot of its class.
const LEAST_OF_CLASS: usize = 2;

impl StageKind for TabularTasks {
    const NAME: &'static str = "tabular-tasks";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("table")];
    const OUTPUTS: &'static [&'static str] =
        &["train.parquet", "held_out.parquet", "features.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        if params.held_out.get() == 0.0 {
            return Err("held_out: a share above 0 is needed to evaluate on".into());
        }
        Ok(())
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let table = Tabular::read(io.input("table")?)?;
        let features = table.select(&params.features)?;
        let names = table.select(&params.tasks)?;
        if let Some(both) = features.iter().find(|name| names.contains(name)) {
            return Err(table.wrong(format!("column `{both}` is a feature and a task")));
        }
        let label = |name: &String| {
            Ok(Labels {
                task: name.clone(),
                labels: table.labels(name)?,
            })
        };
        let tasks: Vec<Labels> = names.iter().map(label).collect::<Result<_>>()?;
        let classes = match &params.stratify {
            Some(column) => table.classes(column)?,
            None => vec![0; table.rows()],
        };
        let held_out = hold_out::stratified(&classes, params.held_out.get(), params.seed.get());
        let part = |held: bool| -> Vec<usize> {
            let rows = 0..table.rows();
            rows.filter(|&row| held_out[row] == held).collect()
        };
        let (train, held) = (part(false), part(true));
        for (rows, place) in [(&train, "to train on"), (&held, "held out")] {
            check_sizes(&table, &tasks, rows, place, params.shots.get())?;
        }
        let columns = columns(&table, &features, &train, params, io)?;
        let map = FeatureMap::fit(&table, columns, &train, params)?;
        for (rows, output) in [(&train, "train"), (&held, "held_out")] {
            map.examples(&tasks, rows).write(io, output)?;
        }
        io.log(format!(
            "{} tasks, {} rows to train on, {} held out",
            tasks.len(),
            train.len(),
            held.len()
        ));
        write_table(io, "features", map.table())
    }
}

/// Whether prompts of each task can be drawn from the rows.
fn check_sizes(
    table: &Tabular,
    tasks: &[Labels],
    rows: &[usize],
    place: &str,
    shots: usize,
) -> Result<()> {
    for Labels { task, labels } in tasks {
        let count = |class: f64| rows.iter().filter(|&&row| labels[row] == class).count();
        let sizes = [1.0, -1.0].map(|class| (class, count(class)));
        if let Some((class, size)) = sizes.iter().find(|(_, size)| *size < LEAST_OF_CLASS) {
            return Err(table.wrong(format!(
                "column `{task}`: the class {class} has {size} rows {place}, at least {LEAST_OF_CLASS} are needed"
            )));
        }
        let size = sizes[0].1 + sizes[1].1;
        if size <= shots {
            let needed = shots + 1;
            let error = table.wrong(format!(
                "column `{task}`: it has {size} rows {place}, fewer than the {needed} of a prompt with {shots} shots and a query"
            ));
            return Err(error.hint("ask for fewer shots, or leave the task out"));
        }
    }
    Ok(())
}

/// A column of the table that is used.
struct Feature {
    name: String,
    values: Vec<f64>,
    scale: f64,
}

/// The features that vary over the training rows.
fn columns(
    table: &Tabular,
    names: &[String],
    train: &[usize],
    params: &Params,
    io: &Io,
) -> Result<Vec<Feature>> {
    let mut columns = Vec::new();
    for name in names {
        let values = table.features(name)?;
        let first = values[train[0]];
        if train.iter().all(|&row| values[row] == first) {
            if params.constant_features == Constant::Refuse {
                let error = table.wrong(format!(
                    "column `{name}`: it is {first} in each of the {} rows to train on (the first is row {}) and says nothing",
                    train.len(),
                    train[0] + 1
                ));
                return Err(
                    error.hint("leave it out of `features`, or write `constant_features: drop`")
                );
            }
            io.log(format!("column `{name}` is constant and left out"));
            continue;
        }
        let scale = match params.scale {
            Scale::None => 1.0,
            Scale::Standard => deviation(train.iter().map(|&row| values[row])),
        };
        columns.push(Feature {
            name: name.clone(),
            values,
            scale,
        });
    }
    match columns.is_empty() {
        true => Err(table.wrong("it has no feature that varies")),
        false => Ok(columns),
    }
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count() as f64;
    let mean = values.clone().fold(0.0, |sum, x| sum + x) / n;
    (values.fold(0.0, |sum, x| sum + (x - mean) * (x - mean)) / n).sqrt()
}

/// From the table's columns to whitened features.
struct FeatureMap {
    columns: Vec<Feature>,
    pca: Pca,
}

impl FeatureMap {
    fn fit(
        table: &Tabular,
        columns: Vec<Feature>,
        train: &[usize],
        params: &Params,
    ) -> Result<Self> {
        let scaled = scaled(&columns, train);
        let pca = Pca::fit(scaled.view(), params.d.get()).map_err(|e| {
            let error: Error = table.wrong(format!("d: {e} (over the rows to train on)"));
            error.hint("ask for a smaller d")
        })?;
        Ok(FeatureMap { columns, pca })
    }

    fn examples(&self, tasks: &[Labels], rows: &[usize]) -> Examples {
        let task = |Labels { task, labels }: &Labels| Labels {
            task: task.clone(),
            labels: rows.iter().map(|&row| labels[row]).collect(),
        };
        Examples {
            rows: rows.iter().map(|&row| row as i64 + 1).collect(),
            x: self.pca.whiten(scaled(&self.columns, rows).view()),
            tasks: tasks.iter().map(task).collect(),
        }
    }

    fn table(&self) -> std::result::Result<Table, tables::table::TableError> {
        let names = self.columns.iter().map(|column| column.name.clone());
        let scales = self.columns.iter().map(|column| column.scale);
        let means = self.pca.mean.iter().zip(scales.clone());
        let mut columns = vec![
            ("feature".to_owned(), Column::Text(names.collect())),
            (
                "mean".to_owned(),
                Column::Float(means.map(|(mean, scale)| mean * scale).collect()),
            ),
            ("scale".to_owned(), Column::Float(scales.collect())),
        ];
        let components = self.pca.components.rows().into_iter();
        for (k, (component, variance)) in components.zip(&self.pca.variances).enumerate() {
            let weights = component.iter().map(|weight| weight / variance.sqrt());
            columns.push((format!("x{}", k + 1), Column::Float(weights.collect())));
        }
        let columns = columns
            .iter()
            .map(|(name, column)| (name.as_str(), column.clone()));
        Table::new(columns.collect())
    }
}

fn scaled(columns: &[Feature], rows: &[usize]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| {
        columns[j].values[rows[i]] / columns[j].scale
    })
}
