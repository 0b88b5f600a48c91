//! Kind `figure`: draws columns of tables as one figure, in SVG, PDF and PNG.
//!
//! Everything that is not data stands in pipeline.yaml: panels, axes, colours, labels. Knows neither
//! what a curve means nor which figure of the paper it draws.

use crate::artifact::table::Table;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::kind::{Io, Role, StageKind, any, one};
use crate::report::axes;
use crate::report::color::Color;
use crate::report::draw;
use crate::report::export;
use crate::report::figure::{
    Axis, ErrorStyle, Figure, Guide, Layout, Legend, Line, Marker, Panel, Point, Series,
};
use crate::report::font::Font;
use crate::report::scale::Lost;
use crate::stages::exchange::{failed, read_table};
use crate::stages::params::{Count, Positive};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub struct DrawFigure;

#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PanelParams {
    #[serde(default)]
    title: String,
    x: Axis,
    y: Axis,
    #[serde(default)]
    guides: Vec<Guide>,
    series: Vec<Curves>,
}

/// One curve from a table, or with `each` one curve for each value of a column.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curves {
    /// Label of an input of the role `tables`.
    table: String,
    /// Rows to take: columns with the value that they must have.
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, serde_json::Value>,
    /// Names of columns.
    x: String,
    y: String,
    /// Column with standard errors, and how many of them a bar or band extends to each side.
    #[serde(default)]
    std_error: Option<String>,
    #[serde(default = "one_error")]
    std_errors: Positive,
    /// Column whose values, in the order of the table, give one curve each.
    #[serde(default)]
    each: Option<String>,
    /// In the legend; `{}` stands for the value of `each`.
    #[serde(default)]
    label: String,
    color: Paint,
    #[serde(default)]
    line: Option<Line>,
    #[serde(default)]
    marker: Option<Marker>,
    #[serde(default)]
    error: ErrorStyle,
    /// Show the means of so many consecutive rows (1: every row).
    #[serde(default = "every_row")]
    mean_of: Count,
}

/// A colour, or a stretch of a colour map over the curves of `each`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Paint {
    Color(Color),
    /// Viridis from its first to its second number, both in [0, 1].
    Viridis([f64; 2]),
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
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut tables = BTreeMap::new();
        for (label, path) in io.inputs("tables") {
            tables.insert(label.as_str(), read_table(path)?);
        }
        let panel = |panel: &PanelParams| {
            let mut series = Vec::new();
            for curves in &panel.series {
                series.extend(curves.series(&tables)?);
            }
            let (x, y) = (panel.x.clone(), panel.y.clone());
            Ok(Panel {
                title: panel.title.clone(),
                x,
                y,
                series,
                guides: panel.guides.clone(),
            })
        };
        let figure = Figure {
            width_pt: params.width_pt.get(),
            height_pt: params.height_pt.get(),
            font_pt: params.font_pt.get(),
            layout: params.layout.clone(),
            panels: params.panels.iter().map(panel).collect::<Result<_>>()?,
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

impl Curves {
    fn series(&self, tables: &BTreeMap<&str, Table>) -> Result<Vec<Series>> {
        let table = tables.get(self.table.as_str()).ok_or_else(|| {
            Error::failed(format!("there is no input table `{}`", self.table))
                .suggest(&self.table, tables.keys().copied())
        })?;
        let in_table = |e| Error::failed(format!("table `{}`: {e}", self.table));
        let rows = self.rows(table).map_err(in_table)?;
        if rows.is_empty() {
            let message = format!("table `{}` has no row where {:?}", self.table, self.filter);
            return Err(Error::failed(message));
        }
        let groups = match &self.each {
            None => vec![(String::new(), rows)],
            Some(column) => {
                let column = table.column(column).map_err(in_table)?;
                let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
                for row in rows {
                    let value = column.text(row);
                    match groups.iter_mut().find(|(name, _)| *name == value) {
                        Some((_, rows)) => rows.push(row),
                        None => groups.push((value, vec![row])),
                    }
                }
                groups
            }
        };
        let count = groups.len();
        let curve = |(position, (value, rows)): (usize, (String, Vec<usize>))| {
            Ok(Series {
                label: self.label.replace("{}", &value),
                color: self.color.at(position, count).into(),
                points: self.points(table, &rows).map_err(in_table)?,
                line: self.line,
                marker: self.marker,
                error: self.error,
                every: 1,
            })
        };
        groups.into_iter().enumerate().map(curve).collect()
    }

    fn rows(
        &self,
        table: &Table,
    ) -> std::result::Result<Vec<usize>, crate::artifact::table::TableError> {
        let mut keep: BTreeSet<usize> = (0..table.rows()).collect();
        for (name, wanted) in &self.filter {
            let column = table.column(name)?;
            let wanted = wanted
                .as_str()
                .map_or_else(|| wanted.to_string(), str::to_owned);
            keep.retain(|&row| column.text(row) == wanted);
        }
        Ok(keep.into_iter().collect())
    }

    fn points(
        &self,
        table: &Table,
        rows: &[usize],
    ) -> std::result::Result<Vec<Point>, crate::artifact::table::TableError> {
        let (x, y) = (table.floats(&self.x)?, table.floats(&self.y)?);
        let errors = self
            .std_error
            .as_ref()
            .map(|name| table.floats(name))
            .transpose()?;
        let mean = |values: &[f64], rows: &[usize]| {
            rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64
        };
        let point = |rows: &[usize]| Point {
            x: mean(&x, rows),
            y: mean(&y, rows),
            error: errors
                .as_ref()
                .map(|e| self.std_errors.get() * mean(e, rows)),
        };
        Ok(rows.chunks(self.mean_of.get()).map(point).collect())
    }
}

impl Paint {
    fn at(&self, position: usize, count: usize) -> Color {
        match self {
            Paint::Color(color) => *color,
            Paint::Viridis([from, to]) => {
                let share = position as f64 / (count.max(2) - 1) as f64;
                Color::viridis(from + share * (to - from))
            }
        }
    }
}
