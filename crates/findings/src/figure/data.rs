//! What a figure draws, as one table: `figures/data/STEM.csv`.
//!
//! Columns: `panel` and `curve` (counted from 0), `panel_title`, `series` (the legend's words, or where
//! the curve comes from), `key` (the value that tells the curves of one table apart), `row` and
//! `row_name` (in panels of rows: its key and what it is called), `x`, `y`, `std_error` and `exact` (where
//! the table has them beside y), the look: `color`, `line`, `marker`, `shape`, and `std_errors`: how many
//! the bars or the band reach to each side, where there are any. A marked point of a panel is a curve of
//! one point with its words.

use crate::figure::curves::Curve;
use crate::figure::error_range::ErrorRange;
use crate::figure::statistics::Reading;
use plots::figure::GuidePoint;
use serde::Serialize;
use std::collections::BTreeMap;
use tables::table::{Column, Table, TableError};

/// A curve beside its readings, in words.
#[derive(Clone)]
struct Words {
    panel_title: String,
    series: String,
    color: String,
    /// `solid`, `dashed`, `dotted`, ... or nothing.
    line: String,
    /// `filled`, `hollow`, `half` or nothing.
    marker: String,
    shape: String,
    /// How many standard errors are drawn; NaN for none.
    std_errors: f64,
}

/// The readings of all panels, in the order in which they are drawn.
#[derive(Default)]
pub struct FigureData {
    curves: i64,
    /// Panel and curve of each reading.
    places: Vec<(i64, i64)>,
    words: Vec<Words>,
    row_names: Vec<String>,
    readings: Vec<Reading>,
}

impl FigureData {
    /// Adds a curve of a panel, which has a number, a title, and names of its rows if it has any.
    pub fn add(
        &mut self,
        (panel, title): (usize, &str),
        row_names: &BTreeMap<String, String>,
        curve: &Curve,
    ) {
        let drawn = &curve.series;
        let words = Words {
            panel_title: title.to_owned(),
            series: curve.name.clone(),
            color: drawn.color.0.to_string(),
            line: word(drawn.line.map(|line| line.dash)),
            marker: word(drawn.marker.map(|marker| marker.fill)),
            shape: word(drawn.marker.map(|marker| marker.shape)),
            std_errors: curve.error.map_or(f64::NAN, ErrorRange::reach),
        };
        for reading in &curve.readings {
            let row_name = row_names.get(&reading.row).cloned().unwrap_or_default();
            self.push(panel, words.clone(), row_name, reading.clone());
        }
        self.curves += 1;
    }

    /// Adds a marked point of a panel.
    pub fn add_point(&mut self, (panel, title): (usize, &str), point: &GuidePoint) {
        let words = Words {
            panel_title: title.to_owned(),
            series: point.label.clone(),
            color: point.color.to_string(),
            line: String::new(),
            marker: word(Some(point.marker.fill)),
            shape: word(Some(point.marker.shape)),
            std_errors: f64::NAN,
        };
        let reading = Reading {
            x: point.x,
            y: point.y,
            std_error: f64::NAN,
            exact: f64::NAN,
            row: String::new(),
            key: String::new(),
        };
        self.push(panel, words, String::new(), reading);
        self.curves += 1;
    }

    fn push(&mut self, panel: usize, words: Words, row_name: String, reading: Reading) {
        self.places.push((panel as i64, self.curves));
        self.words.push(words);
        self.row_names.push(row_name);
        self.readings.push(reading);
    }

    /// All of it as a table.
    ///
    /// # Errors
    /// None in practice: the columns have one length.
    pub fn table(self) -> Result<Table, TableError> {
        let int =
            |part: fn(&(i64, i64)) -> i64| Column::Int(self.places.iter().map(part).collect());
        let word = |part: fn(&Words) -> &String| {
            Column::Text(self.words.iter().map(|w| part(w).clone()).collect())
        };
        let text = |part: fn(&Reading) -> &String| {
            Column::Text(self.readings.iter().map(|r| part(r).clone()).collect())
        };
        let float =
            |part: fn(&Reading) -> f64| Column::Float(self.readings.iter().map(part).collect());
        let std_errors = self.words.iter().map(|words| words.std_errors);
        Table::new(vec![
            ("panel", int(|p| p.0)),
            ("panel_title", word(|w| &w.panel_title)),
            ("curve", int(|p| p.1)),
            ("series", word(|w| &w.series)),
            ("key", text(|r| &r.key)),
            ("row", text(|r| &r.row)),
            ("row_name", Column::Text(self.row_names.clone())),
            ("x", float(|r| r.x)),
            ("y", float(|r| r.y)),
            ("std_error", float(|r| r.std_error)),
            ("exact", float(|r| r.exact)),
            ("color", word(|w| &w.color)),
            ("line", word(|w| &w.line)),
            ("marker", word(|w| &w.marker)),
            ("shape", word(|w| &w.shape)),
            ("std_errors", Column::Float(std_errors.collect())),
        ])
    }
}

/// A part of a look as pipeline.yaml writes it; nothing where it is not drawn.
fn word(part: Option<impl Serialize>) -> String {
    let written = serde_json::to_value(part).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}
