//! From rows of tables to curves and marked points, in the words of pipeline.yaml.
//!
//! A curve that is named and not there is an error, unless it may be missing. Does not know what the
//! axes have room for.

use crate::kinds::figure::choice::{Choice, Chosen, Groups};
use crate::kinds::figure::data::Reading;
use crate::kinds::figure::look::{Look, LookOf, Paint};
use crate::kinds::figure::rows::{self, FigureRows};
use crate::kinds::figure::selector::{self, Selector};
use crate::kinds::figure::tables::{Drawn, Named, Rows, Tables};
use crate::kinds::params::number::{Count, Positive, Share};
use plots::color::Color;
use plots::figure::{ErrorStyle, Point, Series};
use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::Column;

/// One curve, or with `each` one curve for each value of a column.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    pub from: Rows,
    /// Column whose values, in the order of the table, give one curve each.
    #[serde(default)]
    each: Option<String>,
    /// How all curves look.
    #[serde(default)]
    look: Look,
    /// How the curve of each of these values looks, in this order; other values have no curve.
    #[serde(default)]
    looks: Vec<LookOf>,
    /// Values of `each` that have no curve on purpose; of others without a curve the run warns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Selector>,
    /// Whether there may be no rows, or none that the panel shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_empty: bool,
    /// Whether numbers may be missing (diverged, or never measured) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gaps: bool,
    /// Bars or bands, and how many standard errors they extend to each side.
    #[serde(default)]
    error: ErrorStyle,
    #[serde(default = "one_error")]
    std_errors: Positive,
    /// Show the means of so many consecutive rows (1: every row).
    #[serde(default = "every_row")]
    mean_of: Count,
    /// Show their medians instead: for losses that a rare prompt makes huge.
    #[serde(default)]
    median: bool,
    /// In a panel with `rows`: how much of a row the curves of `each` share, one above the other.
    #[serde(default)]
    dodge: Share,
    /// In a panel with `rows`: draw each point as a line across so much of its row.
    #[serde(default)]
    across: Share,
    /// Show a point beyond the left or right edge as an arrow head there.
    #[serde(default)]
    beyond: bool,
}

fn one_error() -> Positive {
    Positive::ONE
}

fn every_row() -> Count {
    Count::ONE
}

/// A curve with the numbers behind its points.
pub struct Curve {
    pub series: Series,
    pub readings: Vec<Reading>,
    /// The legend's words, or where it comes from.
    pub name: String,
    pub may_be_empty: bool,
}

/// The curves of one entry, and what to say of values that have none.
pub struct Found {
    pub curves: Vec<Curve>,
    /// Values of `each` without a curve, with their rows.
    pub unseen: Groups,
    /// Curves that are missing as they may.
    pub missing: Vec<String>,
}

impl Curves {
    /// What the params alone tell.
    ///
    /// # Errors
    /// Params that say nothing without others, or contradict each other.
    pub fn check(&self, path: &str, on_rows: bool) -> std::result::Result<(), String> {
        let looks = || self.looks.iter().map(|look| &look.look).chain([&self.look]);
        if self.each.is_none() {
            if !self.looks.is_empty() {
                return Err(format!(
                    "{path}.looks: they are for the values of `each`, which is missing"
                ));
            }
            if looks().any(|look| look.label.contains("{}")) {
                return Err(format!(
                    "{path}.look: `{{}}` stands for the value of `each`, which is missing"
                ));
            }
        }
        let Look {
            label,
            line,
            marker,
            ..
        } = &self.look;
        let shows = !label.is_empty() || line.is_some() || marker.is_some();
        if shows && !self.looks.is_empty() {
            return Err(format!(
                "{path}.look: it is for curves without `looks`, which have their own"
            ));
        }
        let without_effect = match on_rows {
            false => [
                ("dodge", self.dodge.get() > 0.0),
                ("across", self.across.get() > 0.0),
            ],
            true => [
                ("error", self.error != ErrorStyle::None),
                ("mean_of", self.mean_of.get() > 1),
            ],
        };
        if let Some((name, _)) = without_effect.iter().find(|(_, given)| *given) {
            let with = if on_rows { "with" } else { "without" };
            return Err(format!(
                "{path}.{name}: it has no effect in a panel {with} `rows`"
            ));
        }
        if self.looks.is_empty() && !self.left_out.is_empty() {
            return Err(format!(
                "{path}.left_out: without `looks` no value is left out"
            ));
        }
        if self.error != ErrorStyle::None && self.from.std_error.is_none() {
            return Err(format!(
                "{path}.error: there is nothing to draw without `from.std_error`"
            ));
        }
        Ok(())
    }

    /// The plain colours that its curves can have.
    pub fn colors(&self) -> impl Iterator<Item = Color> {
        let looks = self.looks.iter().map(|look| &look.look);
        looks
            .chain([&self.look])
            .filter_map(|look| match look.color {
                Paint::Color(color) => Some(color),
                Paint::Viridis(_) => None,
            })
    }

    /// The column that tells its curves apart, or nothing.
    pub fn each(&self) -> &str {
        self.each.as_deref().unwrap_or_default()
    }

    /// Each curve with the numbers behind its points.
    ///
    /// # Errors
    /// A table, column, value or row of the panel that is not there.
    pub fn find(
        &self,
        tables: &Tables,
        figure_rows: Option<&FigureRows>,
        path: &str,
        drawn: &mut Drawn,
    ) -> Result<Found> {
        let from = format!("{path}.from");
        let (named, rows) = self.from.find(tables, &from, self.may_be_empty)?;
        let column = match &self.each {
            Some(name) => Some((name.as_str(), named.column(name, &format!("{path}.each"))?)),
            None => None,
        };
        let mut groups = Groups::new();
        for &row in &rows {
            let value = column.map_or_else(String::new, |(_, column)| selector::text(column, row));
            match groups.iter_mut().find(|(name, _)| *name == value) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((value, vec![row])),
            }
        }
        let under = self.from.under();
        let mut missing = Vec::new();
        if rows.is_empty() {
            missing.push(format!("{path}: no rows, as there may be none"));
        }
        let chosen = match (column, self.looks.is_empty()) {
            (Some((name, _)), false) => {
                let choice = Choice {
                    named,
                    column: name,
                    rows: &rows,
                    under: &under,
                    looks: &self.looks,
                    left_out: &self.left_out,
                    may_be_empty: self.may_be_empty,
                    path,
                };
                choice.make(&mut groups, &mut missing)?
            }
            _ => groups
                .drain(..)
                .enumerate()
                .map(|(at, (value, rows))| Chosen {
                    at,
                    value,
                    rows,
                    look: &self.look,
                    may_be_empty: self.may_be_empty,
                })
                .collect(),
        };
        for chosen in &chosen {
            drawn.note(named.label, &chosen.rows);
        }
        let count = chosen.len();
        let places = match self.looks.len() {
            0 => count,
            looks => looks,
        };
        let curve = |(position, chosen): (usize, Chosen)| {
            let Chosen {
                at,
                value,
                rows,
                look,
                may_be_empty,
            } = chosen;
            let readings = self.readings(named, &rows, &value, figure_rows.is_some(), &from)?;
            let points = match figure_rows {
                None => self.points(&readings),
                Some(figure_rows) => {
                    // A curve without data leaves its place free.
                    let up = rows::dodge(at, places, self.dodge.get());
                    let x = named.numbers(&self.from.x, &format!("{from}.x"))?;
                    let key = named.column(&self.from.y, &format!("{from}.y"))?;
                    let points = rows.iter().map(|&row| (x[row], key.text(row)));
                    let points = figure_rows.points(points, up, self.across.get());
                    points.map_err(|e| Error::failed(format!("{from}.y: {e}")))?
                }
            };
            let series = Series {
                label: look.label.replace("{}", &value),
                color: look.color.at(position, count).into(),
                points,
                line: look.line,
                marker: look.marker,
                error: self.error,
                beyond: self.beyond,
                every: match self.across.get() {
                    0.0 => 1,
                    _ => rows::CROSSING,
                },
            };
            let name = match series.label.as_str() {
                "" => self.origin(&readings),
                label => label.to_owned(),
            };
            Ok(Curve {
                series,
                readings,
                name,
                may_be_empty,
            })
        };
        let curves = chosen.into_iter().enumerate().map(curve);
        Ok(Found {
            curves: curves.collect::<Result<_>>()?,
            unseen: groups,
            missing,
        })
    }

    /// Where a curve without words for the legend comes from.
    fn origin(&self, readings: &[Reading]) -> String {
        let mut words: Vec<String> = self.from.filter.values().map(Selector::words).collect();
        words.extend(readings.first().map(|reading| reading.key.clone()));
        words.retain(|word| !word.is_empty());
        format!("{}.{} {}", self.from.table, self.from.y, words.join(", "))
            .trim_end()
            .to_owned()
    }

    /// The numbers behind each point; on rows, y is the row's key.
    fn readings(
        &self,
        named: Named,
        rows: &[usize],
        value: &str,
        on_rows: bool,
        path: &str,
    ) -> Result<Vec<Reading>> {
        let table = named.table;
        let x = named.numbers(&self.from.x, &format!("{path}.x"))?;
        let y = match on_rows {
            true => Vec::new(),
            false => named.numbers(&self.from.y, &format!("{path}.y"))?,
        };
        let beside = |column: &str| match table.column(column) {
            Ok(Column::Float(values)) => Some(values.clone()),
            _ => None,
        };
        let errors = match &self.from.std_error {
            Some(name) => Some(named.numbers(name, &format!("{path}.std_error"))?),
            None if self.from.y == ERROR => beside(STD_ERROR),
            None => beside(&format!("{}_{STD_ERROR}", self.from.y)),
        };
        let exact = match self.from.y == ERROR {
            true => beside(EXACT),
            false => None,
        };
        let mean = |values: &[f64], rows: &[usize]| {
            let mut values: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            if self.median {
                values.sort_by(f64::total_cmp);
                let half = (values.len() - 1) / 2;
                values = values[half..values.len() - half].to_vec();
            }
            values.iter().sum::<f64>() / values.len() as f64
        };
        let key = named.column(&self.from.y, &format!("{path}.y"))?;
        let reading = |rows: &[usize]| Reading {
            key: value.to_owned(),
            x: mean(&x, rows),
            y: match on_rows {
                true => f64::NAN,
                false => mean(&y, rows),
            },
            row: match on_rows {
                true => key.text(rows[0]),
                false => String::new(),
            },
            std_error: errors.as_ref().map_or(f64::NAN, |e| mean(e, rows)),
            exact: exact.as_ref().map_or(f64::NAN, |e| mean(e, rows)),
        };
        let every = if on_rows { 1 } else { self.mean_of.get() };
        Ok(rows.chunks(every).map(reading).collect())
    }

    fn points(&self, readings: &[Reading]) -> Vec<Point> {
        let has_errors = self.from.std_error.is_some();
        let point = |reading: &Reading| Point {
            x: reading.x,
            y: reading.y,
            error: has_errors.then(|| self.std_errors.get() * reading.std_error),
        };
        readings.iter().map(point).collect()
    }
}

/// Columns that tables of errors have: the standard error and the exact value beside the estimate.
const ERROR: &str = "error";
const STD_ERROR: &str = "std_error";
const EXACT: &str = "exact";
