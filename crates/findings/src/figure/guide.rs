//! What curves are read against: straight lines, and points of a table that are marked and named.
//!
//! Does not know the curves.

use crate::figure::query::tables::{Drawn, Rows, TableScope, Tables};
use crate::params::look::{LookOf, Paint, Scale, Sizes};
use plots::color::Color;
use plots::figure::{Dash, Guide, GuideLine, GuidePoint, Line, Marker, Side};
use plots::number;
use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A line across the frame, or one at each of several places.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lines {
    /// At an x.
    Vertical(LineParams),
    /// At a y.
    Horizontal(LineParams),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineParams {
    at: Places,
    #[serde(default = "gray")]
    color: Paint,
    #[serde(default = "thin")]
    line: Line,
    /// Written inside the frame beside an end of the line, where fewest curves are in the way.
    #[serde(default)]
    label: String,
}

/// One number or several.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Places {
    One(f64),
    Several(Vec<f64>),
}

/// Dashes have a meaning; what curves are read against is dotted.
fn thin() -> Line {
    Line {
        width: 0.7,
        dash: Dash::Dotted,
    }
}

fn gray() -> Paint {
    Paint::Color(Color::GRAY)
}

impl Lines {
    /// What the params alone tell.
    ///
    /// # Errors
    /// No place, or a colour map over one.
    pub fn check(&self, path: &str) -> std::result::Result<(), String> {
        let (Lines::Vertical(line) | Lines::Horizontal(line)) = self;
        match (line.at.list(), line.color) {
            ([], _) => Err(format!("{path}.at: it has no place")),
            ([_], Paint::Family(_)) => Err(format!(
                "{path}.color: a colour map is for lines at several places"
            )),
            _ => Ok(()),
        }
    }

    /// A line at each place.
    pub fn guides(&self) -> Vec<Guide> {
        let (Lines::Vertical(line) | Lines::Horizontal(line)) = self;
        let places = line.at.list();
        let guides = places.iter().enumerate().map(|(number, &at)| {
            let line = GuideLine {
                at,
                color: line.color.at(number, places.len()),
                line: line.line,
                label: line.label.clone(),
            };
            match self {
                Lines::Vertical(_) => Guide::Vertical(line),
                Lines::Horizontal(_) => Guide::Horizontal(line),
            }
        });
        guides.collect()
    }
}

impl Places {
    fn list(&self) -> &[f64] {
        match self {
            Places::One(place) => std::slice::from_ref(place),
            Places::Several(places) => places,
        }
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Places;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number or a list of numbers")
            }
            fn visit_f64<E>(self, place: f64) -> std::result::Result<Places, E> {
                Ok(Places::One(place))
            }
            fn visit_i64<E>(self, place: i64) -> std::result::Result<Places, E> {
                Ok(Places::One(place as f64))
            }
            fn visit_u64<E>(self, place: u64) -> std::result::Result<Places, E> {
                Ok(Places::One(place as f64))
            }
            fn visit_seq<A: SeqAccess<'de>>(
                self,
                list: A,
            ) -> std::result::Result<Places, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Places::Several)
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// One row as a marked point.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Callout {
    pub from: Rows,
    /// Words beside it; `{x}` and `{y}` stand for its coordinates.
    label: String,
    /// Decimals of `{y}`.
    decimals: usize,
    look: LookOf,
    mark: Sizes,
    #[serde(default)]
    side: Side,
}

const NO_MARKER: &str = "a marker needs a `shape` in its look and a size, `mark: {marker: 7}`";

/// What the words beside a callout can have.
const PLACEHOLDERS: [&str; 2] = ["{x}", "{y}"];

impl Callout {
    /// What the params alone tell.
    ///
    /// # Errors
    /// A placeholder that stands for nothing, a look that marks nothing.
    pub fn check(
        &self,
        path: &str,
        scope: TableScope,
        looks: &Scale,
    ) -> std::result::Result<(), String> {
        self.from.check(scope, &format!("{path}.from"))?;
        self.look.check(looks, &format!("{path}.look"))?;
        if self.marker(looks).is_none() {
            return Err(format!("{path}: {NO_MARKER}"));
        }
        let filled = PLACEHOLDERS.iter();
        let rest = filled.fold(self.label.clone(), |rest, known| rest.replace(known, ""));
        match rest.contains(['{', '}']) {
            true => Err(format!(
                "{path}.label: `{}` has braces that are neither {{x}} nor {{y}}",
                self.label
            )),
            false => Ok(()),
        }
    }

    /// The point with its words.
    ///
    /// # Errors
    /// Another number of rows than one.
    pub fn guide(
        &self,
        tables: &Tables,
        scope: TableScope,
        looks: &Scale,
        path: &str,
        drawn: &mut Drawn,
    ) -> Result<Guide> {
        let path = format!("{path}.from");
        let (label, label_path) = self.from.label(scope, &path);
        let named = tables.find(label, &label_path)?;
        let rows = self.from.of(named, scope, &path, false)?;
        let [row] = rows[..] else {
            let message = format!(
                "{path}.where: table `{label}` has {} rows for one callout",
                rows.len()
            );
            return Err(Error::failed(message).hint("narrow its `where`"));
        };
        drawn.note(named.label, &rows);
        let marker = self.marker(looks);
        let (color, marker) = marker.ok_or_else(|| Error::failed(NO_MARKER))?;
        let x = named.numbers(&self.from.x, &format!("{path}.x"))?[row];
        let y = named.numbers(&self.from.y, &format!("{path}.y"))?[row];
        let label = self.label.replace("{x}", &number::shortest(x));
        Ok(Guide::Point(GuidePoint {
            x,
            y,
            color,
            marker,
            label: label.replace("{y}", &number::fixed(y, self.decimals)),
            side: self.side,
        }))
    }

    fn marker(&self, looks: &Scale) -> Option<(Color, Marker)> {
        let look = self.look.of(looks)?;
        Some((look.color.at(0, 1), look.marker(self.mark)?))
    }
}
