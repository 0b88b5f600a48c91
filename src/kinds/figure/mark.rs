//! Points of a table that are marked and named.
//!
//! Does not know what else is in the panel.

use crate::kinds::figure::tables::{Drawn, Rows, Tables};
use plots::color::Color;
use plots::figure::{Guide, GuidePoint, Marker, Side};
use plots::number;
use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One row as a marked point.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    from: Rows,
    /// Words beside it; `{x}` and `{y}` stand for its coordinates.
    label: String,
    /// Decimals of `{y}`.
    decimals: usize,
    color: Color,
    marker: Marker,
    #[serde(default)]
    side: Side,
}

/// What a mark is marked with beside it.
const PLACEHOLDERS: [&str; 2] = ["{x}", "{y}"];

impl Mark {
    /// What the params alone tell.
    ///
    /// # Errors
    /// A placeholder that stands for nothing.
    pub fn check(&self, path: &str) -> std::result::Result<(), String> {
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
    pub fn guide(&self, tables: &Tables, path: &str, drawn: &mut Drawn) -> Result<Guide> {
        let path = format!("{path}.from");
        let (named, rows) = self.from.find(tables, &path, false)?;
        let [row] = rows[..] else {
            let message = format!(
                "{path}.where: table `{}` has {} rows for one mark",
                self.from.table,
                rows.len()
            );
            return Err(Error::failed(message).hint("narrow its `where`"));
        };
        drawn.note(named.label, &rows);
        let x = named.numbers(&self.from.x, &format!("{path}.x"))?[row];
        let y = named.numbers(&self.from.y, &format!("{path}.y"))?[row];
        let label = self.label.replace("{x}", &number::shortest(x));
        Ok(Guide::Point(GuidePoint {
            x,
            y,
            color: self.color,
            marker: self.marker,
            label: label.replace("{y}", &number::fixed(y, self.decimals)),
            side: self.side,
        }))
    }
}
