//! The interactive version of a figure: its data (`figures/data/STEM.csv`) with the axes of its params.
//!
//! Knows the columns that [`crate::figure::data`] writes. Does not know who draws them.

use crate::exchange::failed::failed;
use crate::figure::kind;
use crate::figure::panel::{self, PanelAt, PanelParams};
use crate::page::template;
use plots::figure::{self, Guide, ScaleKind};
use retrace::base::error::{Error, Result};
use serde::{Deserialize, Serialize};
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
    /// Of each row the value that it stands for.
    #[serde(skip)]
    keys: Vec<String>,
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
                keys: Vec::new(),
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
                let name = if name.is_empty() { key } else { name.as_str() };
                let found = panel.rows.iter().position(|known| known == name);
                let at = found.unwrap_or_else(|| {
                    panel.rows.push(name.to_owned());
                    panel.keys.push(key.to_owned());
                    panel.rows.len() - 1
                });
                Some(at as f64)
            }
        };
        if let Some(curve) = panel.series.last_mut() {
            curve.points.push([x[row], at, std_error[row], exact[row]]);
        }
    }
    for (panel, keys) in panels.iter_mut().zip(listed_rows(params)) {
        in_the_order_of(&keys, panel);
    }
    Ok(Some(Chart { panels }))
}

/// The keys of the rows of each panel that is drawn, from the top, where the params list them.
fn listed_rows(params: &Value) -> Vec<Vec<String>> {
    #[derive(Deserialize)]
    struct Panels {
        panels: Vec<PanelParams>,
    }
    let Ok(Panels { panels }) = Panels::deserialize(params) else {
        return Vec::new();
    };
    let listed = |panel: PanelAt| {
        let rows = panel.rows().into_iter().flat_map(|rows| &rows.named);
        rows.map(|row| row.row.clone()).collect()
    };
    panel::drawn(&panels).into_iter().map(listed).collect()
}

/// Puts the rows of a panel into the order of the picture, where it lists them: curves name theirs in their own.
fn in_the_order_of(keys: &[String], panel: &mut Panel) {
    if keys.is_empty() {
        return;
    }
    let place = |row: &usize| keys.iter().position(|key| *key == panel.keys[*row]);
    let mut order: Vec<usize> = (0..panel.rows.len()).collect();
    order.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
    let now = |before: f64| order.iter().position(|&row| row == before as usize);
    for curve in &mut panel.series {
        for [_, row, ..] in &mut curve.points {
            *row = row.and_then(now).map(|row| row as f64);
        }
    }
    panel.rows = order.iter().map(|&row| panel.rows[row].clone()).collect();
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
            "Bars and bands of the picture reach {} standard errors (s.e.) to each side.",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_as_in_the_picture_whichever_curve_has_them_first() {
        let params = serde_json::json!({"panels": [{
            "x": {}, "y": {}, "series": [],
            "rows": {"table": "t", "key": "k", "named": [{"row": "a", "name": "the\ntop"}, {"row": "b", "name": "middle"}, {"row": "c", "name": "low"}]},
        }]});
        let data = "panel,panel_title,curve,series,key,row,row_name,x,y,std_error,exact,color,line,marker,shape,std_errors\n\
                    0,,0,one,1,c,low,0.5,,,,#000000,,filled,circle,\n\
                    0,,1,two,2,b,middle,0.6,,,,#000000,,filled,circle,\n\
                    0,,1,two,2,a,the top,0.7,,,,#000000,,filled,circle,\n";
        let chart = chart(&params, data.as_bytes()).expect("it can be read");
        let panel = &chart.expect("it has points").panels[0];
        assert_eq!(panel.rows, ["the top", "middle", "low"]);
        let points = panel.series.iter().flat_map(|curve| &curve.points);
        let places: Vec<_> = points.map(|point| (point[0], point[1])).collect();
        let at = |x, row| (Some(x), Some(row));
        assert_eq!(places, [at(0.5, 2.0), at(0.6, 1.0), at(0.7, 0.0)]);
    }
}
