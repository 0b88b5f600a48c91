//! The interactive version of a figure: its data (`figures/data/STEM.csv`) with the axes of its params.
//!
//! Knows the columns that [`crate::figure::data`] writes. Does not know who draws them.

use crate::exchange::failed::failed;
use crate::figure::kind;
use crate::page::template;
use plots::figure::{self, Guide, ScaleKind};
use retrace::base::error::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use tables::csv;
use tables::table::Table;

#[derive(Serialize)]
pub struct Chart {
    panels: Vec<Panel>,
}

#[derive(Serialize)]
struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    /// Names of rows from the top, in place of numbers.
    rows: Vec<String>,
    series: Vec<Curve>,
    /// Straight lines across the frame: `x` or `y`, the place, the colour.
    lines: Vec<(&'static str, f64, String)>,
}

#[derive(Serialize)]
struct Axis {
    label: String,
    log: bool,
    /// What the figure shows; the data may go beyond.
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize)]
struct Curve {
    name: String,
    color: String,
    line: String,
    marker: String,
    shape: String,
    /// How many standard errors the picture's bars or band reach to each side; none of these drawn.
    reach: Option<f64>,
    /// x, y (or the place of the row), standard error, exact value.
    points: Vec<[Option<f64>; 4]>,
}

/// The chart of a figure, or none where it draws no points.
pub fn chart(params: &Value, data: &[u8]) -> Result<Option<Chart>> {
    let table = csv::read(data).map_err(failed)?;
    if table.rows() == 0 {
        return Ok(None);
    }
    let int = |name: &str| table.floats(name).map_err(failed);
    let (panel, curve) = (int("panel")?, int("curve")?);
    let numbers = ["x", "y", "std_error", "exact"].map(|name| optional_floats(&table, name));
    let [x, y, std_error, exact] = numbers;
    // Words are words: a curve called 1.0 is another than one called 1.
    let records = csv::records(std::str::from_utf8(data).map_err(failed)?).map_err(failed)?;
    let text = |name: &str, row: usize| {
        table.column(name).map_err(failed)?;
        let header = records.first().into_iter().flatten();
        let column = header.zip(0..).find(|(column, _)| *column == name);
        let field = column.and_then(|(_, column)| records.get(row + 1)?.get::<usize>(column));
        Ok::<String, Error>(field.cloned().unwrap_or_default())
    };
    let mut panels: Vec<Panel> = Vec::new();
    // A figure of another kind has what its data say.
    let described = kind::panels_of(params);
    // Data that an earlier version wrote have no names of rows.
    let named = table.column("row_name").is_ok();
    let reaches = optional_floats(&table, "std_errors");
    let mut last = None;
    for row in 0..table.rows() {
        let number = panel[row] as usize;
        while panels.len() <= number {
            let panel = match &described {
                None => None,
                Some(panels_of) => Some(panels_of.get(panels.len()).ok_or_else(|| {
                    Error::failed("the data has more panels than the params of its figure")
                })?),
            };
            let plain = figure::Axis::default();
            panels.push(Panel {
                title: String::new(),
                x: axis(panel.map_or(&plain, |panel| &panel.x)),
                y: axis(panel.map_or(&plain, |panel| &panel.y)),
                rows: Vec::new(),
                series: Vec::new(),
                lines: panel.map_or_else(Vec::new, |panel| lines(&panel.lines)),
            });
        }
        let panel = &mut panels[number];
        panel.title = text("panel_title", row)?;
        if last != Some(curve[row]) {
            last = Some(curve[row]);
            panel.series.push(Curve {
                name: text("series", row)?,
                color: text("color", row)?,
                line: text("line", row)?,
                marker: text("marker", row)?,
                shape: text("shape", row)?,
                reach: reaches[row],
                points: Vec::new(),
            });
        }
        let key = text("row", row)?;
        let name = match named {
            true => text("row_name", row)?,
            false => String::new(),
        };
        let at = match key.as_str() {
            "" => y[row],
            key => {
                let name = if name.is_empty() { key } else { &name };
                let found = panel.rows.iter().position(|known| known == name);
                let at = found.unwrap_or_else(|| {
                    panel.rows.push(name.to_owned());
                    panel.rows.len() - 1
                });
                Some(at as f64)
            }
        };
        if let Some(curve) = panel.series.last_mut() {
            curve.points.push([x[row], at, std_error[row], exact[row]]);
        }
    }
    Ok(Some(Chart { panels }))
}

/// How many standard errors the picture's bars and bands reach to each side, as a sentence; nothing
/// where it has none.
pub fn error_words(data: &[u8]) -> Result<String> {
    let table = csv::read(data).map_err(failed)?;
    let mut reaches: Vec<f64> = Vec::new();
    for reach in optional_floats(&table, "std_errors").into_iter().flatten() {
        if !reaches.contains(&reach) {
            reaches.push(reach);
        }
    }
    let reaches: Vec<String> = reaches.iter().map(f64::to_string).collect();
    Ok(match reaches.is_empty() {
        true => String::new(),
        false => format!(
            "Bars and bands of the picture reach {} s.e. to each side.",
            reaches.join(" or ")
        ),
    })
}

/// A column of numbers; an empty one reads as text.
fn optional_floats(table: &Table, name: &str) -> Vec<Option<f64>> {
    let values = table.floats(name).unwrap_or_default();
    let finite = |row: usize| values.get(row).copied().filter(|value| value.is_finite());
    let finite = |row: usize| finite(row).map(template::rounded);
    (0..table.rows()).map(finite).collect()
}

fn lines(guides: &[Guide]) -> Vec<(&'static str, f64, String)> {
    let line = |guide: &Guide| match guide {
        Guide::Vertical(line) => Some(("x", line.at, line.color.to_string())),
        Guide::Horizontal(line) => Some(("y", line.at, line.color.to_string())),
        Guide::Point(_) => None,
    };
    guides.iter().filter_map(line).collect()
}

fn axis(axis: &figure::Axis) -> Axis {
    let [low, high] = match (&axis.segments[..], axis.range.or(axis.within)) {
        ([first, .., last], _) => [Some(first.range[0]), Some(last.range[1])],
        ([only], _) => only.range.map(Some),
        ([], Some(range)) => range.map(Some),
        ([], None) => [None; 2],
    };
    Axis {
        label: axis.label.clone(),
        log: axis.scale == ScaleKind::Log,
        low,
        high,
    }
}
