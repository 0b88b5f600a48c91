//! Kind `draw-means`: a number of tables with the same keys, in means over draws.
//!
//! `labels` are what the `*` of the inputs stands for, in order; those among `random` tell draws apart, the others become
//! columns. Output `means`: a row for each value of these and of `keys`, in the order of the inputs: `draws` is how many
//! tables have it, `missing` in how many of them the number is null, then the mean of the others under the number's own
//! name, with a standard error as `NAME_std_error` ([`icl::evaluate::draws`]; null for one draw). Does not know
//! what the number is.

use crate::kinds::exchange::table::{read_table, write_table};
use icl::evaluate::draws::mean;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tables::table::{Column, Table, TableError};

pub struct DrawMeans;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What the `*` of the inputs stands for, in order.
    labels: Vec<String>,
    /// Which of these are drawn at random.
    random: Vec<String>,
    /// Columns that tell a table's rows apart.
    keys: Vec<String>,
    /// The column with the number.
    value: String,
}

impl Params {
    fn std_error(&self) -> String {
        format!("{}_std_error", self.value)
    }

    fn fixed(&self) -> impl Iterator<Item = &String> {
        let fixed = |label: &&String| !self.random.contains(label);
        self.labels.iter().filter(fixed)
    }

    /// The columns of the output.
    fn names(&self) -> Vec<String> {
        let keys = self.fixed().chain(&self.keys).cloned();
        let own = ["draws", "missing"].map(str::to_owned);
        let number = [self.value.clone(), self.std_error()];
        keys.chain(own).chain(number).collect()
    }
}

impl StageKind for DrawMeans {
    const NAME: &'static str = "draw-means";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("tables")];
    const OUTPUTS: &'static [&'static str] = &["means.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        for (at, name) in params.random.iter().enumerate() {
            if !params.labels.contains(name) {
                return Err(format!("random.{at}: `{name}` is none of the labels"));
            }
        }
        if params.random.is_empty() {
            return Err("random: name a label that tells draws apart".into());
        }
        let mut known = BTreeSet::new();
        let all = params.labels.iter().chain(&params.keys);
        let names = params.names();
        let twice = names
            .iter()
            .chain(all.filter(|name| params.random.contains(name)));
        match { twice }.find(|name| !known.insert(*name)) {
            Some(name) => Err(format!("keys: the table would have two columns `{name}`")),
            None => Ok(()),
        }
    }

    fn columns(output: &str, params: &Params) -> Option<Vec<String>> {
        (output == "means").then(|| params.names())
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        let names = params.keys.iter().chain([&params.value]);
        let names: Vec<&str> = names.map(String::as_str).collect();
        wanted("tables", &names)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut groups = Groups::default();
        for (label, path) in io.inputs("tables") {
            let place = Place::of(params, label)?;
            let wrong = |why: String| Error::failed(format!("`{label}`: {why}"));
            groups
                .add(params, &place, &read_table(path)?)
                .map_err(wrong)?;
        }
        write_table(io, "means", groups.table(params))
    }
}

/// What the `*` of an input stands for.
struct Place {
    fixed: Vec<String>,
    draw: Vec<String>,
}

impl Place {
    fn of(params: &Params, label: &str) -> Result<Place> {
        let stands_for = label.split_once('@').map_or(label, |(_, values)| values);
        let parts: Vec<&str> = stands_for.split(',').collect();
        let labels = &params.labels;
        if parts.len() != labels.len() {
            return Err(Error::failed(format!(
                "labels: they are {}: {}; the input `{label}` has {}",
                labels.len(),
                labels.join(", "),
                parts.len()
            )));
        }
        let (mut fixed, mut draw) = (Vec::new(), Vec::new());
        for (label, part) in labels.iter().zip(parts) {
            match params.random.contains(label) {
                true => draw.push(part.to_owned()),
                false => fixed.push(part.to_owned()),
            }
        }
        Ok(Place { fixed, draw })
    }
}

/// A number for each draw.
type Draws = BTreeMap<Vec<String>, f64>;

/// Rows that differ in their draw alone, in the order of their first ones.
#[derive(Default)]
struct Groups {
    index: BTreeMap<Vec<String>, usize>,
    fixed: Vec<Vec<String>>,
    /// By key, then by group.
    keys: Vec<Column>,
    draws: Vec<Draws>,
}

impl Groups {
    fn add(
        &mut self,
        params: &Params,
        place: &Place,
        table: &Table,
    ) -> std::result::Result<(), String> {
        let keys = params.keys.iter().map(|key| table.column(key));
        let keys: Vec<&Column> = keys
            .collect::<std::result::Result<_, _>>()
            .map_err(|e: TableError| e.to_string())?;
        let values = table.floats(&params.value).map_err(|e| e.to_string())?;
        if self.keys.is_empty() {
            self.keys = keys.iter().map(|key| empty(key)).collect();
        }
        for (row, &value) in values.iter().enumerate() {
            let texts = keys.iter().map(|key| key.text(row));
            let group: Vec<String> = place.fixed.iter().cloned().chain(texts).collect();
            let at = match self.index.get(&group) {
                Some(&at) => at,
                None => {
                    for ((into, from), name) in self.keys.iter_mut().zip(&keys).zip(&params.keys) {
                        push(into, from, row).ok_or_else(|| {
                            format!("column `{name}` has another type than in the first table")
                        })?;
                    }
                    self.index.insert(group.clone(), self.draws.len());
                    self.fixed.push(place.fixed.clone());
                    self.draws.push(Draws::new());
                    self.draws.len() - 1
                }
            };
            if self.draws[at].insert(place.draw.clone(), value).is_some() {
                let names: Vec<&str> = params
                    .fixed()
                    .chain(&params.keys)
                    .map(String::as_str)
                    .collect();
                let pairs = names.iter().zip(&group);
                let pairs: Vec<String> = pairs.map(|(name, is)| format!("{name} {is}")).collect();
                return Err(format!(
                    "a second row for {}: name the columns that tell rows apart in `keys`, and what tells draws apart in `random`",
                    pairs.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn table(self, params: &Params) -> std::result::Result<Table, TableError> {
        let texts = |at: usize| self.fixed.iter().map(|fixed| fixed[at].clone()).collect();
        let mut columns: Vec<(&str, Column)> = params
            .fixed()
            .enumerate()
            .map(|(at, name)| (name.as_str(), Column::Text(texts(at))))
            .collect();
        let count = |of: fn(&Draws) -> usize| {
            Column::Int(self.draws.iter().map(|draws| of(draws) as i64).collect())
        };
        let draws = count(BTreeMap::len);
        let missing = count(|draws| draws.values().filter(|x| x.is_nan()).count());
        let (means, errors) = self.draws.iter().map(mean_of).unzip();
        columns.extend(params.keys.iter().map(String::as_str).zip(self.keys));
        columns.extend([("draws", draws), ("missing", missing)]);
        let std_error = params.std_error();
        columns.push((&params.value, Column::Float(means)));
        columns.push((&std_error, Column::Float(errors)));
        Table::new(columns)
    }
}

/// Mean and standard error of the draws that have a number.
fn mean_of(draws: &Draws) -> (f64, f64) {
    let found: Vec<(&Vec<String>, f64)> = draws
        .iter()
        .filter(|(_, value)| !value.is_nan())
        .map(|(draw, &value)| (draw, value))
        .collect();
    let factors = found.first().map_or(0, |(draw, _)| draw.len());
    let levels = (0..factors).map(|factor| {
        let names: BTreeSet<&String> = found.iter().map(|(draw, _)| &draw[factor]).collect();
        let numbers: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
        found
            .iter()
            .map(|(draw, _)| numbers[&draw[factor]])
            .collect()
    });
    let values: Vec<f64> = found.iter().map(|(_, value)| *value).collect();
    let mean = mean(&values, &levels.collect::<Vec<_>>());
    (mean.mean, mean.std_error)
}

fn empty(like: &Column) -> Column {
    match like {
        Column::Text(_) => Column::Text(Vec::new()),
        Column::Int(_) => Column::Int(Vec::new()),
        Column::Float(_) => Column::Float(Vec::new()),
    }
}

/// None where the types differ.
fn push(into: &mut Column, from: &Column, row: usize) -> Option<()> {
    match (into, from) {
        (Column::Text(into), Column::Text(from)) => into.push(from[row].clone()),
        (Column::Int(into), Column::Int(from)) => into.push(from[row]),
        (Column::Float(into), Column::Float(from)) => into.push(from[row]),
        _ => return None,
    }
    Some(())
}
