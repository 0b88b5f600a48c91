//! What a figure draws, as one table: `figures/data/STEM.csv`.
//!
//! Columns: `panel` and `curve` (counted from 0), `panel_title`, `series` (the legend's words, or where
//! the curve comes from), `key` (the value that tells the curves of one table apart), `row` (in panels
//! of rows), `x`, `y`, `std_error` and `exact` (where the table has them beside y), and the look:
//! `color`, `line`, `marker`.

use tables::table::{Column, Table, TableError};

/// The numbers behind one point; a missing one is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub key: String,
    pub row: String,
    pub x: f64,
    pub y: f64,
    /// One standard error, drawn or not.
    pub std_error: f64,
    pub exact: f64,
}

/// How a curve looks, in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Style {
    pub color: String,
    /// `solid`, `dashed`, `dotted`, `dash_dot` or nothing.
    pub line: String,
    /// `filled`, `hollow` or nothing.
    pub marker: String,
}

/// The readings of all panels, in the order in which they are drawn.
#[derive(Default)]
pub struct FigureData {
    curves: i64,
    /// Panel and curve of each reading.
    places: Vec<(i64, i64)>,
    /// Title of the panel, name of the curve, and its style.
    words: Vec<(String, String, Style)>,
    readings: Vec<Reading>,
}

impl FigureData {
    /// Adds a curve.
    pub fn add(
        &mut self,
        panel: (usize, &str),
        series: &str,
        style: &Style,
        readings: Vec<Reading>,
    ) {
        for reading in readings {
            self.places.push((panel.0 as i64, self.curves));
            let words = (panel.1.to_owned(), series.to_owned(), style.clone());
            self.words.push(words);
            self.readings.push(reading);
        }
        self.curves += 1;
    }

    /// All of it as a table.
    ///
    /// # Errors
    /// None in practice: the columns have one length.
    pub fn table(self) -> Result<Table, TableError> {
        let int =
            |part: fn(&(i64, i64)) -> i64| Column::Int(self.places.iter().map(part).collect());
        let word = |part: fn(&(String, String, Style)) -> &String| {
            Column::Text(self.words.iter().map(|w| part(w).clone()).collect())
        };
        let text = |part: fn(&Reading) -> &String| {
            Column::Text(self.readings.iter().map(|r| part(r).clone()).collect())
        };
        let float =
            |part: fn(&Reading) -> f64| Column::Float(self.readings.iter().map(part).collect());
        Table::new(vec![
            ("panel", int(|p| p.0)),
            ("panel_title", word(|w| &w.0)),
            ("curve", int(|p| p.1)),
            ("series", word(|w| &w.1)),
            ("key", text(|r| &r.key)),
            ("row", text(|r| &r.row)),
            ("x", float(|r| r.x)),
            ("y", float(|r| r.y)),
            ("std_error", float(|r| r.std_error)),
            ("exact", float(|r| r.exact)),
            ("color", word(|w| &w.2.color)),
            ("line", word(|w| &w.2.line)),
            ("marker", word(|w| &w.2.marker)),
        ])
    }
}
