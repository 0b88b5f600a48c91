//! Kind `kept-summary`: what was kept, over draws and side by side for several worlds.
//!
//! A world is the label of an input up to its `@`; what follows, or the column `draw` of the table, are the values of
//! `labels`, of which some are random: these tell draws apart, the others groups. Outputs:
//!
//! * `summary`: a row for each `world`, `group` (`bridge@linear`, or the world where nothing else tells groups apart),
//!   `variant`, `at` and `measure`: means over draws of `step`, `zero_shot`, `before`, `after` and `kept`, each but the
//!   first with a standard error as `kept_std_error` ([`icl::evaluate::draws`]; null for one draw), of those draws that
//!   have a number; `missing` draws have none; `draws` is how many there are, `reached` how many of them reached
//!   the level; `level` says it in a word: `reached` by every draw, `missed` by one or more, `none` where a world has
//!   none. `zero_shot_accuracy`, `before_accuracy` and `after_accuracy` are one minus the errors, in worlds where that
//!   is an accuracy, else null.
//! * `draws`: the rows of all inputs, with `world`, `group`, `draw` and accuracies.
//! * `curves`: of the outputs `curves` of the kind `kept`, if there are any, the same means of `zero_shot`, `few_shot`
//!   and `kept` for each `step`.

use crate::kinds::exchange::table::write_table;
use crate::kinds::kept::kind;
use crate::kinds::kept::rows::{Layout, Row, read};
use icl::evaluate::draws::mean;
use icl::math::moments::Estimate;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, any, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tables::table::{Column, Table, TableError};

pub struct KeptSummary;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// For each world what the `*` of its inputs stands for, in order.
    labels: BTreeMap<String, Vec<String>>,
    /// Which of these are drawn at random.
    random: Vec<String>,
    /// Worlds whose error is one minus an accuracy.
    #[serde(default)]
    accuracies: Vec<String>,
}

const MEANS: [&str; 4] = ["zero_shot", "before", "after", "kept"];
const OF_CURVES: [&str; 3] = ["zero_shot", "few_shot", "kept"];

impl StageKind for KeptSummary {
    const NAME: &'static str = "kept-summary";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("kept"), any("curves")];
    const OUTPUTS: &'static [&'static str] =
        &["summary.parquet", "draws.parquet", "curves.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let known: BTreeSet<&String> = params.labels.values().flatten().collect();
        for (at, name) in params.random.iter().enumerate() {
            if !known.contains(name) {
                return Err(format!("random.{at}: `{name}` is none of the labels"));
            }
        }
        for (world, labels) in &params.labels {
            if !labels.iter().any(|label| params.random.contains(label)) {
                return Err(format!(
                    "labels.{world}: none of them is random: what tells its draws apart?"
                ));
            }
        }
        for (at, world) in params.accuracies.iter().enumerate() {
            if !params.labels.contains_key(world) {
                return Err(format!("accuracies.{at}: `labels` has no `{world}`"));
            }
        }
        Ok(())
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "summary" => columns(&[
                "world",
                "group",
                "variant",
                "at",
                "measure",
                "draws",
                "reached",
                "missing",
                "level",
                "step",
                "zero_shot",
                "zero_shot_std_error",
                "before",
                "before_std_error",
                "after",
                "after_std_error",
                "kept",
                "kept_std_error",
                "zero_shot_accuracy",
                "zero_shot_accuracy_std_error",
                "before_accuracy",
                "before_accuracy_std_error",
                "after_accuracy",
                "after_accuracy_std_error",
            ]),
            "draws" => columns(&[
                "world",
                "group",
                "draw",
                "variant",
                "at",
                "measure",
                "step",
                "reached",
                "zero_shot",
                "before",
                "after",
                "kept",
                "zero_shot_accuracy",
                "before_accuracy",
                "after_accuracy",
            ]),
            "curves" => columns(&[
                "world",
                "group",
                "variant",
                "step",
                "measure",
                "draws",
                "missing",
                "zero_shot",
                "zero_shot_std_error",
                "few_shot",
                "few_shot_std_error",
                "kept",
                "kept_std_error",
                "zero_shot_accuracy",
                "zero_shot_accuracy_std_error",
                "few_shot_accuracy",
                "few_shot_accuracy_std_error",
            ]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        let mut wants = wanted("kept", kind::COLUMNS);
        wants.extend(wanted("curves", kind::CURVES));
        wants
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let layout = Layout {
            labels: &params.labels,
            random: &params.random,
        };
        let all = [&["step", "reached"][..], &MEANS].concat();
        let kept = read(io.inputs("kept"), "at", &all, layout)?;
        let curves = read(io.inputs("curves"), "step", &OF_CURVES, layout)?;
        let worlds: BTreeSet<&String> = kept.iter().map(|row| &row.world).collect();
        if let Some(world) = params.labels.keys().find(|world| !worlds.contains(world)) {
            let message = format!("labels.{world}: no input is called so");
            return Err(Error::failed(message).suggest(world, worlds.iter().map(|w| w.as_str())));
        }
        let summary = Groups::of(&kept)?;
        for group in &summary.0 {
            let missing = group.missing(5);
            if missing > 0 {
                let first = group.rows[0];
                io.log(format!(
                    "{}, {}, {} on {}: {missing} of {} draws have no number",
                    first.group,
                    first.variant,
                    first.place,
                    first.measure,
                    group.rows.len()
                ));
            }
        }
        write_table(io, "summary", summary.summary(params))?;
        write_table(io, "draws", draws(&kept, params))?;
        write_table(io, "curves", Groups::of(&curves)?.curves(params)?)
    }
}

/// Rows that differ in their draw alone.
struct Group<'a> {
    rows: Vec<&'a Row>,
}

/// In the order of their first rows.
struct Groups<'a>(Vec<Group<'a>>);

impl<'a> Groups<'a> {
    fn of(rows: &'a [Row]) -> Result<Self> {
        let mut index: BTreeMap<[&str; 4], usize> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for row in rows {
            let key = [&row.group, &row.variant, &row.place, &row.measure].map(String::as_str);
            let at = *index.entry(key).or_insert_with(|| {
                groups.push(Group { rows: Vec::new() });
                groups.len() - 1
            });
            groups[at].rows.push(row);
        }
        for group in &groups {
            let mut known = BTreeSet::new();
            if let Some(row) = group.rows.iter().find(|row| !known.insert(&row.draw)) {
                let message = format!(
                    "two inputs have `{}` of `{}` for the draw `{}`",
                    row.variant,
                    row.group,
                    row.draw.join(",")
                );
                let hint = "`labels` names what the `*` of an input stands for, `random` which of it tells draws apart";
                return Err(Error::failed(message).hint(hint));
            }
        }
        Ok(Groups(groups))
    }

    /// Text of the first row of each.
    fn texts(&self, part: fn(&Row) -> &String) -> Column {
        let first = self.0.iter().map(|group| part(group.rows[0]).clone());
        Column::Text(first.collect())
    }

    /// Means of a number with their standard errors.
    fn means(&self, number: usize) -> Vec<Estimate> {
        self.0.iter().map(|group| group.mean(number)).collect()
    }

    fn counts(&self, of: impl Fn(&Group) -> usize) -> Column {
        Column::Int(self.0.iter().map(|group| of(group) as i64).collect())
    }

    /// Means and standard errors of errors, or of one minus them in worlds of accuracies.
    fn pair(&self, number: usize, accuracies: Option<&[String]>) -> [Column; 2] {
        let is =
            |group: &Group| accuracies.is_none_or(|worlds| worlds.contains(&group.rows[0].world));
        let found = self.means(number);
        let found = found.into_iter().zip(&self.0);
        let (means, errors) = found
            .map(|(of, group)| match (is(group), accuracies) {
                (false, _) => (f64::NAN, f64::NAN),
                (true, None) => (of.mean, of.std_error),
                (true, Some(_)) => (1.0 - of.mean, of.std_error),
            })
            .unzip();
        [Column::Float(means), Column::Float(errors)]
    }

    fn summary(&self, params: &Params) -> std::result::Result<Table, TableError> {
        let reached = |group: &Group| -> (f64, &str) {
            let reached = group.rows.iter().map(|row| row.numbers[1]);
            let count = reached.clone().sum::<f64>();
            match (
                reached.clone().all(f64::is_nan),
                reached.clone().all(|x| x == 1.0),
            ) {
                (true, _) => (f64::NAN, "none"),
                (_, true) => (count, "reached"),
                _ => (count, "missed"),
            }
        };
        let (counts, words): (Vec<f64>, Vec<String>) = self
            .0
            .iter()
            .map(reached)
            .map(|(count, word)| (count, word.to_owned()))
            .unzip();
        let steps = self.means(0).iter().map(|of| of.mean).collect();
        let mut columns = vec![
            ("world", self.texts(|row| &row.world)),
            ("group", self.texts(|row| &row.group)),
            ("variant", self.texts(|row| &row.variant)),
            ("at", self.texts(|row| &row.place)),
            ("measure", self.texts(|row| &row.measure)),
            ("draws", self.counts(|group| group.rows.len())),
            ("reached", Column::Float(counts)),
            ("missing", self.counts(|group| group.missing(5))),
            ("level", Column::Text(words)),
            ("step", Column::Float(steps)),
        ];
        let names = [
            ["zero_shot", "zero_shot_std_error"],
            ["before", "before_std_error"],
            ["after", "after_std_error"],
            ["kept", "kept_std_error"],
        ];
        for (at, names) in names.into_iter().enumerate() {
            columns.extend(names.into_iter().zip(self.pair(at + 2, None)));
        }
        let names = [
            ["zero_shot_accuracy", "zero_shot_accuracy_std_error"],
            ["before_accuracy", "before_accuracy_std_error"],
            ["after_accuracy", "after_accuracy_std_error"],
        ];
        for (at, names) in names.into_iter().enumerate() {
            let pair = self.pair(at + 2, Some(&params.accuracies));
            columns.extend(names.into_iter().zip(pair));
        }
        Table::new(columns)
    }

    fn curves(&self, params: &Params) -> Result<std::result::Result<Table, TableError>> {
        let steps = self.0.iter().map(|group| {
            let step = &group.rows[0].place;
            let whole = step.parse::<i64>();
            whole.map_err(|_| Error::failed(format!("step `{step}` is no whole number")))
        });
        let steps = steps.collect::<Result<Vec<i64>>>()?;
        let mut columns = vec![
            ("world", self.texts(|row| &row.world)),
            ("group", self.texts(|row| &row.group)),
            ("variant", self.texts(|row| &row.variant)),
            ("step", Column::Int(steps)),
            ("measure", self.texts(|row| &row.measure)),
            ("draws", self.counts(|group| group.rows.len())),
            ("missing", self.counts(|group| group.missing(1))),
        ];
        let names = [
            ["zero_shot", "zero_shot_std_error"],
            ["few_shot", "few_shot_std_error"],
            ["kept", "kept_std_error"],
        ];
        for (at, names) in names.into_iter().enumerate() {
            columns.extend(names.into_iter().zip(self.pair(at, None)));
        }
        let names = [
            ["zero_shot_accuracy", "zero_shot_accuracy_std_error"],
            ["few_shot_accuracy", "few_shot_accuracy_std_error"],
        ];
        for (at, names) in names.into_iter().enumerate() {
            let pair = self.pair(at, Some(&params.accuracies));
            columns.extend(names.into_iter().zip(pair));
        }
        Ok(Table::new(columns))
    }
}

impl Group<'_> {
    /// The mean over the draws that have a number, with every random label a factor.
    fn mean(&self, number: usize) -> Estimate {
        let rows = self.rows.iter().filter(|row| !row.numbers[number].is_nan());
        let rows: Vec<&&Row> = rows.collect();
        let values: Vec<f64> = rows.iter().map(|row| row.numbers[number]).collect();
        let factors = self.rows[0].draw.len();
        let levels = (0..factors).map(|factor| {
            let names: BTreeSet<&String> = rows.iter().map(|row| &row.draw[factor]).collect();
            let numbers: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
            rows.iter().map(|row| numbers[&row.draw[factor]]).collect()
        });
        mean(&values, &levels.collect::<Vec<_>>())
    }

    fn missing(&self, number: usize) -> usize {
        let missing = self.rows.iter().filter(|row| row.numbers[number].is_nan());
        missing.count()
    }
}

fn draws(rows: &[Row], params: &Params) -> std::result::Result<Table, TableError> {
    let text = |part: fn(&Row) -> &String| {
        Column::Text(rows.iter().map(|row| part(row).clone()).collect())
    };
    let number = |at: usize| Column::Float(rows.iter().map(|row| row.numbers[at]).collect());
    let accuracy = |at: usize| {
        let of = rows
            .iter()
            .map(|row| match params.accuracies.contains(&row.world) {
                true => 1.0 - row.numbers[at],
                false => f64::NAN,
            });
        Column::Float(of.collect())
    };
    let draw = rows.iter().map(|row| row.draw.join(","));
    Table::new(vec![
        ("world", text(|row| &row.world)),
        ("group", text(|row| &row.group)),
        ("draw", Column::Text(draw.collect())),
        ("variant", text(|row| &row.variant)),
        ("at", text(|row| &row.place)),
        ("measure", text(|row| &row.measure)),
        ("step", number(0)),
        ("reached", number(1)),
        ("zero_shot", number(2)),
        ("before", number(3)),
        ("after", number(4)),
        ("kept", number(5)),
        ("zero_shot_accuracy", accuracy(2)),
        ("before_accuracy", accuracy(3)),
        ("after_accuracy", accuracy(4)),
    ])
}
