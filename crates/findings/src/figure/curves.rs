//! Curves in the words of pipeline.yaml, and how they become series: rows asked for, readings taken,
//! looks and sizes added.
//!
//! A curve that is named and not there is an error, unless it may be missing. Does not know what the
//! axes have room for.

use crate::figure::error_range::ErrorRange;
use crate::figure::query::choice::{Choice, Chosen, Group, Split};
use crate::figure::query::selector::{self, Selector};
use crate::figure::query::tables::{Drawn, Rows, TableScope, Tables};
use crate::figure::rows::{self, FigureRows};
use crate::figure::statistics::{Bins, Columns, Reading};
use crate::params::look::{self, Look, LookOf, Paint, Scale, Sizes};
use crate::params::number::Part;
use plots::color::Color;
use plots::figure::{ErrorStyle, Point, Series};
use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// One curve, or one for each value of a column or for each of several tables.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    pub from: Rows,
    /// Column whose values, in the order of the table, give one curve each.
    #[serde(default)]
    each: Option<String>,
    /// The values (or what `*` stands for in `from.table`) that have a curve, in this order, each with
    /// its look from `looks` unless `look` is one for all.
    #[serde(default)]
    values: Vec<Selector>,
    /// How all curves look: a name of `looks`, or a look of their own.
    #[serde(default)]
    look: Option<LookOf>,
    /// What is drawn, and how large.
    #[serde(default)]
    mark: Sizes,
    /// Values that have no curve on purpose; of others without a curve the run warns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Selector>,
    /// Whether there may be no rows, or none that the panel shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_empty: bool,
    /// Whether numbers may be missing (diverged, or never measured) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gaps: bool,
    /// Bars, or a band, of so many standard errors to each side; in a panel with `rows` bars along x.
    #[serde(default)]
    error: Option<ErrorRange>,
    /// Show the means of so many consecutive rows.
    #[serde(default)]
    means_of: Option<NonZeroUsize>,
    /// Show their medians: for losses that a rare prompt makes huge.
    #[serde(default)]
    medians_of: Option<NonZeroUsize>,
    /// In a panel with `rows`: how much of a row the curves share, one above the other.
    #[serde(default)]
    dodge: Part,
    /// In a panel with `rows`: draw each point as a line across so much of its row.
    #[serde(default)]
    across: Part,
    /// Show a point beyond the left or right edge as an arrow head there.
    #[serde(default)]
    beyond: bool,
}

/// A curve with the numbers behind its points.
pub struct Curve {
    pub series: Series,
    pub readings: Vec<Reading>,
    pub error: Option<ErrorRange>,
    /// The legend's words, or where it comes from.
    pub name: String,
    pub may_be_empty: bool,
}

/// The curves of one entry, and what to say of values that have none.
pub struct Found<'t> {
    pub curves: Vec<Curve>,
    /// Values without a curve, with their rows.
    pub unseen: Vec<Group<'t>>,
    /// Curves that are missing as they may.
    pub missing: Vec<String>,
    /// How the rows were picked, as the end of a message.
    pub under: String,
}

/// The place of an entry: its path in the params, its facet, the rows of its panel, the looks.
#[derive(Clone, Copy)]
pub struct CurvePlace<'p> {
    pub path: &'p str,
    pub scope: TableScope<'p>,
    pub rows: Option<&'p FigureRows>,
    pub looks: &'p Scale,
}

impl Curves {
    /// What the params alone tell.
    ///
    /// # Errors
    /// Params that say nothing without others, or contradict each other; a look that is not there.
    pub fn check(
        &self,
        path: &str,
        scope: TableScope,
        on_rows: bool,
        looks: &Scale,
    ) -> std::result::Result<(), String> {
        self.from.check(scope, &format!("{path}.from"))?;
        let (label, _) = self.from.label(scope, path);
        let tables = label.matches('*').count();
        let error = |param: &str, words: &str| Err(format!("{path}.{param}: {words}"));
        if tables > 1 {
            return error("from.table", "one `*` at most can stand in it");
        }
        if tables == 1 && self.each.is_some() {
            return error(
                "each",
                "`*` in `from.table` tells the curves apart already: leave one of them out",
            );
        }
        let several = tables == 1 || self.each.is_some();
        if !several && !self.values.is_empty() {
            return error(
                "values",
                "they are those of `each`, or of a `*` in `from.table`, which are missing",
            );
        }
        if self.values.is_empty() && !self.left_out.is_empty() {
            return error("left_out", "without `values` no value is left out");
        }
        match &self.look {
            Some(look) => look.check(looks, &format!("{path}.look"))?,
            None => {
                for (at, value) in self.values.iter().enumerate() {
                    look::known(&value.words(), looks, &format!("{path}.values.{at}"))?;
                }
            }
        }
        self.check_looks(path, several, looks)?;
        let without_effect = match on_rows {
            false => [
                ("dodge", self.dodge.get() > 0.0),
                ("across", self.across.get() > 0.0),
                ("", false),
            ],
            true => [
                ("error", matches!(self.error, Some(ErrorRange::Band(_)))),
                ("means_of", self.means_of.is_some()),
                ("medians_of", self.medians_of.is_some()),
            ],
        };
        if let Some((name, _)) = without_effect.iter().find(|(_, given)| *given) {
            let with = if on_rows { "with" } else { "without" };
            return Err(format!(
                "{path}.{name}: it has no effect in a panel {with} `rows`"
            ));
        }
        if self.means_of.is_some() && self.medians_of.is_some() {
            return error("medians_of", "there are `means_of` too: choose one");
        }
        if self.error.is_some() && self.from.std_error.is_none() {
            return error("error", "there is nothing to draw without `from.std_error`");
        }
        Ok(())
    }

    fn check_looks(
        &self,
        path: &str,
        several: bool,
        looks: &Scale,
    ) -> std::result::Result<(), String> {
        let used = self.looks(looks);
        if !several {
            let braces = used.iter().any(|look| look.label.contains("{}"));
            if braces {
                return Err(format!(
                    "{path}.look: `{{}}` stands for the value of `each`, which is missing"
                ));
            }
            if used
                .iter()
                .any(|look| matches!(look.color, Paint::Family(_)))
            {
                return Err(format!(
                    "{path}.look.color: a colour map is for the curves of `each`, which is missing"
                ));
            }
        }
        if self.mark.marker.is_some() && used.iter().all(|look| look.shape.is_none()) {
            return Err(format!(
                "{path}.mark.marker: no look here has a `shape` to draw at this size"
            ));
        }
        Ok(())
    }

    /// The looks that its curves can have.
    pub fn looks<'a>(&'a self, looks: &'a Scale) -> Vec<&'a Look> {
        match &self.look {
            Some(look) => look.of(looks).into_iter().collect(),
            None => {
                let words = self.values.iter().map(Selector::words);
                words.filter_map(|name| look::find(&name, looks)).collect()
            }
        }
    }

    /// The plain colours that its curves can have.
    pub fn colors(&self, looks: &Scale) -> Vec<Color> {
        let looks = self.looks(looks).into_iter();
        let plain = looks.filter_map(|look| match look.color {
            Paint::Color(color) => Some(color),
            Paint::Family(_) => None,
        });
        plain.collect()
    }

    /// What tells its curves apart, in words; nothing where it is one curve.
    pub fn each(&self) -> &str {
        self.each.as_deref().unwrap_or_default()
    }

    fn bins(&self) -> Bins {
        match (self.means_of, self.medians_of) {
            (Some(size), _) => Bins::Means(size.get()),
            (None, Some(size)) => Bins::Medians(size.get()),
            (None, None) => Bins::Rows,
        }
    }

    /// Each curve with the numbers behind its points.
    ///
    /// # Errors
    /// A table, column, value or row of the panel that is not there.
    pub fn find<'t>(
        &'t self,
        tables: &'t Tables,
        place: CurvePlace<'t>,
        drawn: &mut Drawn,
    ) -> Result<Found<'t>> {
        let chosen = self.choose(tables, place, drawn)?;
        for group in chosen.left_out.iter().filter(|_| self.each.is_none()) {
            drawn.note(group.named.label, &[]);
        }
        let count = chosen.groups.len();
        let groups = chosen.groups.iter().enumerate();
        let curves = groups.map(|(position, (at, group))| {
            drawn.note(group.named.label, &group.rows);
            self.curve(group, (*at, position, count), place)
        });
        Ok(Found {
            curves: curves.collect::<Result<_>>()?,
            unseen: chosen.rest,
            missing: chosen.missing,
            under: self.from.under(place.scope),
        })
    }

    /// The groups of rows that get a curve.
    fn choose<'t>(
        &'t self,
        tables: &'t Tables,
        place: CurvePlace<'t>,
        drawn: &mut Drawn,
    ) -> Result<Chosen<'t>> {
        let CurvePlace { path, scope, .. } = place;
        let from = format!("{path}.from");
        let (label, label_path) = self.from.label(scope, &from);
        let under = self.from.under(scope);
        let may_be_empty = self.may_be_empty;
        let (split, groups) = if label.contains('*') {
            let matching = tables.matching(label, &label_path)?.into_iter();
            let groups = matching.map(|(value, named)| {
                let rows = self.from.of(named, scope, &from, may_be_empty)?;
                Ok(Group { value, named, rows })
            });
            let mut groups: Vec<Group> = groups.collect::<Result<_>>()?;
            groups.retain(|group| !group.rows.is_empty());
            (Split::Tables { pattern: label }, groups)
        } else {
            let named = tables.find(label, &label_path)?;
            drawn.note(label, &[]);
            let rows = self.from.of(named, scope, &from, may_be_empty)?;
            let column = self.each();
            let mut groups: Vec<Group> = Vec::new();
            let values = match &self.each {
                Some(name) => Some(named.column(name, &format!("{path}.each"))?),
                None => None,
            };
            for row in rows {
                let value = values.map_or_else(String::new, |column| selector::text(column, row));
                match groups.iter_mut().find(|group| group.value == value) {
                    Some(group) => group.rows.push(row),
                    None => groups.push(Group {
                        value,
                        named,
                        rows: vec![row],
                    }),
                }
            }
            (Split::Column { named, column }, groups)
        };
        if self.values.is_empty() || groups.is_empty() {
            let none = groups
                .is_empty()
                .then(|| format!("{path}: no rows, as there may be none"));
            return Ok(Chosen {
                groups: groups.into_iter().enumerate().collect(),
                left_out: Vec::new(),
                rest: Vec::new(),
                missing: none.into_iter().collect(),
            });
        }
        let choice = Choice {
            split,
            under: &under,
            values: &self.values,
            left_out: &self.left_out,
            may_be_empty,
            path,
        };
        choice.make(groups)
    }

    /// One curve: `at` is its place among the values, `position` among the `count` that are there.
    fn curve(
        &self,
        group: &Group,
        (at, position, count): (usize, usize, usize),
        place: CurvePlace,
    ) -> Result<Curve> {
        let from = format!("{}.from", place.path);
        let Group { value, named, rows } = group;
        let columns = Columns::read(*named, &self.from, place.rows.is_some(), &from)?;
        let readings = columns.readings(value, rows, self.bins());
        let points = match place.rows {
            None => self.points(&readings),
            Some(figure_rows) => {
                // A curve without data leaves its place free.
                let places = self.values.len().max(count);
                let up = rows::dodge(at, places, self.dodge.get());
                let points = readings.iter().map(|r| {
                    let error = self.error.map(|error| error.reach() * r.std_error);
                    (r.x, error, r.row.clone())
                });
                let points = figure_rows.points(points, up, self.across.get());
                points.map_err(|e| Error::failed(format!("{from}.y: {e}")))?
            }
        };
        let look = match &self.look {
            Some(look) => look.of(place.looks),
            None => {
                let name = self.values.get(at).map(Selector::words);
                name.and_then(|name| look::find(&name, place.looks))
            }
        };
        let look = look.cloned().unwrap_or_default();
        let style = match place.rows {
            None => ErrorRange::style,
            Some(_) => ErrorRange::style_on_rows,
        };
        let series = Series {
            label: look.label.replace("{}", value),
            color: look.color.at(position, count).into(),
            points,
            line: look.line(self.mark),
            marker: look.marker(self.mark),
            error: self.error.map_or(ErrorStyle::None, style),
            beyond: self.beyond,
            every: match self.across.get() {
                0.0 => 1,
                _ => rows::CROSSING,
            },
        };
        let name = match series.label.as_str() {
            "" => {
                let mut words = self.from.chosen(place.scope);
                words.push(value.clone());
                words.retain(|word| !word.is_empty());
                let origin = format!("{}.{} {}", named.label, self.from.y, words.join(", "));
                origin.trim_end().to_owned()
            }
            label => label.to_owned(),
        };
        Ok(Curve {
            series,
            readings,
            error: self.error,
            name,
            may_be_empty: self.may_be_empty,
        })
    }

    fn points(&self, readings: &[Reading]) -> Vec<Point> {
        let point = |reading: &Reading| Point {
            x: reading.x,
            y: reading.y,
            error: self.error.map(|error| error.reach() * reading.std_error),
        };
        readings.iter().map(point).collect()
    }
}
