//! Kind `figure`: draws columns of tables as one figure, in SVG, PDF and PNG, and what is drawn as CSV.
//!
//! Everything that is not data stands in pipeline.yaml: panels, axes, colours, labels. Knows neither
//! what a curve means nor which figure of the paper it draws.

use crate::artifact::table::{Column, Table};
use crate::pipeline::error::{Error, Result};
use crate::pipeline::kind::{Io, Role, StageKind, any, one};
use crate::report::axes;
use crate::report::color::Color;
use crate::report::draw;
use crate::report::export;
use crate::report::figure::{
    Axis, ErrorStyle, Figure, Guide, GuidePoint, Layout, Legend, Marker, Panel, Point, Series, Side,
};
use crate::report::font::Font;
use crate::report::number;
use crate::report::scale::Lost;
use crate::stages::exchange::failed;
use crate::stages::figure_data::{FigureData, Reading, Style};
use crate::stages::figure_look::{Look, LookOf};
use crate::stages::figure_rows::{self, FigureRows, RowColumns};
use crate::stages::foreign::Foreign;
use crate::stages::params::{Count, Positive, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;

pub struct DrawFigure;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    width_pt: Positive,
    height_pt: Positive,
    /// Size of axis labels.
    font_pt: Positive,
    /// Resolution of the PNG.
    dpi: Positive,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    legend: Option<Legend>,
    #[serde(default)]
    panels: Vec<PanelParams>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PanelParams {
    #[serde(default)]
    title: String,
    x: Axis,
    y: Axis,
    /// Rows in place of numbers on the y axis.
    #[serde(default)]
    rows: Option<RowColumns>,
    #[serde(default)]
    guides: Vec<Guide>,
    /// Points of the tables that are marked and named.
    #[serde(default)]
    marks: Vec<Mark>,
    series: Vec<Curves>,
}

/// Rows of a table, and the columns that are their coordinates.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rows {
    /// Label of an input of the role `tables`.
    table: String,
    /// Columns with the value that they must have.
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, serde_json::Value>,
    x: String,
    y: String,
    #[serde(default)]
    std_error: Option<String>,
}

/// One row as a marked point.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mark {
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

/// One curve, or with `each` one curve for each value of a column.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Curves {
    from: Rows,
    /// Column whose values, in the order of the table, give one curve each.
    #[serde(default)]
    each: Option<String>,
    /// How all curves look.
    #[serde(default)]
    look: Look,
    /// How the curve of each of these values looks, in this order; other values have no curve.
    #[serde(default)]
    looks: Vec<LookOf>,
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

impl StageKind for DrawFigure {
    const NAME: &'static str = "figure";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("font"), any("tables")];
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png", "data"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut tables = Tables::new();
        for (label, path) in io.inputs("tables") {
            let Foreign { table, unread } = Foreign::read(path)?;
            for (column, kind) in unread {
                io.log(format!(
                    "table `{label}`: column `{column}` is of type {kind} and is left out"
                ));
            }
            tables.insert(label.as_str(), table);
        }
        let mut data = FigureData::default();
        let mut panel = |(number, panel): (usize, &PanelParams)| {
            let rows = panel.rows.as_ref().map(|rows| figure_rows(rows, &tables));
            let rows = rows.transpose()?;
            let mut series = Vec::new();
            for curves in &panel.series {
                let drawn = curves.series(&tables, rows.as_ref())?;
                for (curve, readings) in drawn {
                    let name = match curve.label.as_str() {
                        "" => curves.origin(&readings),
                        label => label.to_owned(),
                    };
                    data.add((number, &panel.title), &name, &style(&curve)?, readings);
                    series.push(curve);
                }
            }
            let mut guides = panel.guides.clone();
            guides.extend(rows.iter().flat_map(FigureRows::separators));
            for mark in &panel.marks {
                guides.push(mark.guide(&tables)?);
            }
            let x = panel.x.clone();
            let y = match &rows {
                Some(rows) => rows.axis(&panel.y),
                None => panel.y.clone(),
            };
            Ok(Panel {
                title: panel.title.clone(),
                x,
                y,
                series,
                guides,
            })
        };
        let figure = Figure {
            width_pt: params.width_pt.get(),
            height_pt: params.height_pt.get(),
            font_pt: params.font_pt.get(),
            layout: params.layout.clone(),
            panels: params
                .panels
                .iter()
                .enumerate()
                .map(&mut panel)
                .collect::<Result<_>>()?,
            legend: params.legend.clone(),
        };
        refuse_points_in_gaps(&figure)?;
        let font = Font::from_bytes(&io.read("font")?).map_err(failed)?;
        let drawing = draw::draw(&figure, &font).map_err(failed)?;
        io.write(
            "svg",
            export::svg(&drawing, &font).map_err(failed)?.as_bytes(),
        )?;
        io.write("pdf", &export::pdf(&drawing, &font).map_err(failed)?)?;
        let data = data.table().and_then(|table| table.to_csv());
        io.write("data", &data.map_err(failed)?)?;
        io.write(
            "png",
            &export::png(&drawing, &font, params.dpi.get()).map_err(failed)?,
        )
    }
}

/// A point outside the frame is left out on purpose; one in the gap of a broken axis is lost data.
fn refuse_points_in_gaps(figure: &Figure) -> Result<()> {
    let lost = axes::lost_points(figure).map_err(failed)?;
    match lost.iter().find(|point| point.why == Lost::Gap) {
        None => Ok(()),
        Some(point) => {
            let series = &figure.panels[point.panel].series[point.series];
            let message = format!(
                "panel {}: the point ({}, {}) of `{}` falls into the gap of the broken axis",
                point.panel, point.x, point.y, series.label
            );
            Err(Error::failed(message).hint("move or widen the gap in pipeline.yaml"))
        }
    }
}

/// The input tables by label.
type Tables<'a> = BTreeMap<&'a str, Table>;

fn find_table<'t>(tables: &'t Tables, label: &str) -> Result<&'t Table> {
    tables.get(label).ok_or_else(|| {
        Error::failed(format!("there is no input table `{label}`"))
            .suggest(label, tables.keys().copied())
    })
}

fn figure_rows(columns: &RowColumns, tables: &Tables) -> Result<FigureRows> {
    let wrong = |e| Error::failed(format!("table `{}`: {e}", columns.table));
    FigureRows::read(columns, find_table(tables, &columns.table)?).map_err(wrong)
}

impl Rows {
    /// The table, and the rows of it that are meant. Only a table without rows (of a training that
    /// diverged at once) may give none.
    fn find<'t>(&self, tables: &'t Tables) -> Result<(&'t Table, Vec<usize>)> {
        let table = find_table(tables, &self.table)?;
        let mut rows: Vec<usize> = (0..table.rows()).collect();
        for (name, wanted) in &self.filter {
            let column = table.column(name).map_err(|e| self.wrong(e))?;
            let wanted = wanted
                .as_str()
                .map_or_else(|| wanted.to_string(), str::to_owned);
            rows.retain(|&row| column.text(row) == wanted);
        }
        if rows.is_empty() && table.rows() > 0 {
            let filter = self
                .filter
                .iter()
                .map(|(name, value)| format!("{name} = {value}"));
            let filter = filter.collect::<Vec<_>>().join(", ");
            return Err(self.wrong(format!("there is no row with {filter}")));
        }
        Ok((table, rows))
    }

    fn wrong(&self, error: impl Display) -> Error {
        Error::failed(format!("table `{}`: {error}", self.table))
    }

    fn floats(&self, table: &Table, column: &str) -> Result<Vec<f64>> {
        table.floats(column).map_err(|e| self.wrong(e))
    }
}

impl Mark {
    fn guide(&self, tables: &Tables) -> Result<Guide> {
        let (table, rows) = self.from.find(tables)?;
        let [row] = rows[..] else {
            let message = format!("{} rows for one mark: narrow its `where`", rows.len());
            return Err(self.from.wrong(message));
        };
        let x = self.from.floats(table, &self.from.x)?[row];
        let y = self.from.floats(table, &self.from.y)?[row];
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

impl Curves {
    /// Each curve with the numbers behind its points.
    fn series(
        &self,
        tables: &Tables,
        figure_rows: Option<&FigureRows>,
    ) -> Result<Vec<(Series, Vec<Reading>)>> {
        let (table, rows) = self.from.find(tables)?;
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        let column = self
            .each
            .as_ref()
            .map(|name| table.column(name))
            .transpose();
        let column = column.map_err(|e| self.from.wrong(e))?;
        for row in rows {
            let value = column.map_or_else(String::new, |column| column.text(row));
            match groups.iter_mut().find(|(name, _)| *name == value) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((value, vec![row])),
            }
        }
        let mut curves: Vec<(String, Vec<usize>, &Look)> = Vec::new();
        for (value, rows) in groups {
            let own = self.looks.iter().find(|look| look.value == value);
            match (own, self.looks.is_empty()) {
                (Some(own), _) => curves.push((value, rows, &own.look)),
                (None, true) => curves.push((value, rows, &self.look)),
                (None, false) => {}
            }
        }
        let place = |value: &str| self.looks.iter().position(|look| look.value == value);
        curves.sort_by_key(|(value, ..)| place(value));
        let count = curves.len();
        let series = |(position, (value, rows, look)): (usize, (String, Vec<usize>, &Look))| {
            let readings = self.readings(table, &rows, &value, figure_rows.is_some())?;
            let points = match figure_rows {
                None => self.points(&readings),
                Some(figure_rows) => {
                    // A curve without data leaves its place free.
                    let (at, of) =
                        place(&value).map_or((position, count), |at| (at, self.looks.len()));
                    let x = self.from.floats(table, &self.from.x)?;
                    let key = table.column(&self.from.y).map_err(|e| self.from.wrong(e))?;
                    let points = rows.iter().map(|&row| (x[row], key.text(row)));
                    let up = figure_rows::dodge(at, of, self.dodge.get());
                    let points = figure_rows.points(points, up, self.across.get());
                    points.map_err(|e| self.from.wrong(e))?
                }
            };
            let drawn = Series {
                label: look.label.replace("{}", &value),
                color: look.color.at(position, count).into(),
                points,
                line: look.line,
                marker: look.marker,
                error: self.error,
                beyond: self.beyond,
                every: match self.across.get() {
                    0.0 => 1,
                    _ => figure_rows::CROSSING,
                },
            };
            Ok((drawn, readings))
        };
        curves.into_iter().enumerate().map(series).collect()
    }

    /// Where a curve without words for the legend comes from.
    fn origin(&self, readings: &[Reading]) -> String {
        let filter = self.from.filter.values();
        let filter = filter.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        let mut words: Vec<String> = filter.collect();
        words.extend(readings.first().map(|reading| reading.key.clone()));
        words.retain(|word| !word.is_empty());
        format!("{}.{} {}", self.from.table, self.from.y, words.join(", "))
            .trim_end()
            .to_owned()
    }

    /// The numbers behind each point; on rows, y is the row's key.
    fn readings(
        &self,
        table: &Table,
        rows: &[usize],
        value: &str,
        on_rows: bool,
    ) -> Result<Vec<Reading>> {
        let x = self.from.floats(table, &self.from.x)?;
        let y = match on_rows {
            true => Vec::new(),
            false => self.from.floats(table, &self.from.y)?,
        };
        let beside = |column: &str| match table.column(column) {
            Ok(Column::Float(values)) => Some(values.clone()),
            _ => None,
        };
        let errors = match &self.from.std_error {
            Some(name) => Some(self.from.floats(table, name)?),
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
        let key = table.column(&self.from.y).map_err(|e| self.from.wrong(e))?;
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

/// The look of a curve, in the words of pipeline.yaml.
fn style(curve: &Series) -> Result<Style> {
    let word = |value: serde_json::Result<serde_json::Value>| match value {
        Ok(value) => Ok(value.as_str().unwrap_or_default().to_owned()),
        Err(e) => Err(failed(e)),
    };
    let line = curve.line.map(|line| word(serde_json::to_value(line.dash)));
    let marker = curve
        .marker
        .map(|marker| word(serde_json::to_value(marker.fill)));
    Ok(Style {
        color: word(serde_json::to_value(curve.color))?,
        line: line.transpose()?.unwrap_or_default(),
        marker: marker.transpose()?.unwrap_or_default(),
    })
}

/// Columns that tables of errors have: the standard error and the exact value beside the estimate.
const ERROR: &str = "error";
const STD_ERROR: &str = "std_error";
const EXACT: &str = "exact";
