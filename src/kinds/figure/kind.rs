//! Kind `figure`: draws columns of tables as one figure, in SVG, PDF and PNG, and what is drawn as CSV.
//!
//! Everything that is not data stands in pipeline.yaml: panels, axes, colours, labels. What it names and
//! is not there is an error; what is there and is not seen is a warning, in the stage's log and in the
//! SVG. Knows neither what a curve means nor which figure of the paper it draws.

use crate::kinds::exchange::table::failed;
use crate::kinds::figure::check;
use crate::kinds::figure::choice::Groups;
use crate::kinds::figure::curves::{Curve, Curves};
use crate::kinds::figure::data::{FigureData, Style};
use crate::kinds::figure::lost::{self, Entry};
use crate::kinds::figure::mark::Mark;
use crate::kinds::figure::rows::{FigureRows, RowColumns};
use crate::kinds::figure::tables::{Drawn, Tables};
use crate::kinds::params::number::Positive;
use plots::color::Color;
use plots::draw::axes;
use plots::draw::export;
use plots::draw::figure;
use plots::figure::{Axis, Figure, Guide, Layout, Legend, Panel, Series};
use plots::font::Font;
use plots::scale::Lost;
use plots::warnings;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Whether the font may lack glyphs of the words (then drawn as boxes) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing_glyphs: bool,
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

impl StageKind for DrawFigure {
    const NAME: &'static str = "figure";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("font"), any("tables")];
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png", "data"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let axes: Vec<(&Axis, &Axis)> = params.panels.iter().map(|p| (&p.x, &p.y)).collect();
        check::layout(&params.layout, axes.len())?;
        check::legend(params.legend.as_ref(), axes.len())?;
        check::shared(&params.layout, &axes)?;
        for (at, panel) in params.panels.iter().enumerate() {
            let path = format!("panels.{at}");
            check::names(&panel.x, &format!("{path}.x"))?;
            check::names(&panel.y, &format!("{path}.y"))?;
            for (at, mark) in panel.marks.iter().enumerate() {
                mark.check(&format!("{path}.marks.{at}"))?;
            }
            for (at, curves) in panel.series.iter().enumerate() {
                curves.check(&format!("{path}.series.{at}"), panel.rows.is_some())?;
            }
        }
        Ok(())
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let tables = Tables::read(io)?;
        let mut drawn = Drawn::default();
        let panels = params.panels.iter().enumerate();
        let panels = panels.map(|(at, panel)| panel.fill(at, &tables, &mut drawn));
        let panels: Vec<Filled> = panels.collect::<Result<_>>()?;
        let missing = panels.iter().flat_map(|panel| &panel.entries);
        let missing = missing.flat_map(|entry| &entry.missing);
        missing.for_each(|words| io.log(words));
        let figure = Figure {
            width_pt: params.width_pt.get(),
            height_pt: params.height_pt.get(),
            font_pt: params.font_pt.get(),
            layout: params.layout.clone(),
            panels: panels.iter().map(|panel| panel.panel.clone()).collect(),
            legend: params.legend.clone(),
        };
        refuse_points_in_gaps(&figure, &panels)?;
        params.check_legend_entries(&figure)?;
        let font = Font::from_bytes(&io.read("font")?).map_err(failed)?;
        let drawing = figure::draw(&figure, &font).map_err(failed)?;
        let mut warned = unseen(&panels, &drawn);
        warned.extend(not_shown(&figure, &panels)?);
        warned.extend(unused(&panels, &tables, &drawn));
        warned.extend(check::empty_legend(&figure));
        if !params.missing_glyphs {
            let lacks = export::missing_glyphs(&drawing, &font).map_err(failed)?;
            warned.extend(lacks.iter().map(ToString::to_string));
        }
        warned.iter().for_each(|words| io.warn(words));
        let svg = export::svg(&drawing, &font).map_err(failed)?;
        io.write("svg", warnings::embed(&svg, &warned).as_bytes())?;
        io.write("pdf", &export::pdf(&drawing, &font).map_err(failed)?)?;
        let data = data(&panels)?.table().and_then(|table| table.to_csv());
        io.write("data", &data.map_err(failed)?)?;
        io.write(
            "png",
            &export::png(&drawing, &font, params.dpi.get()).map_err(failed)?,
        )
    }
}

/// A panel with its curves, and what is said of them.
struct Filled {
    path: String,
    title: String,
    panel: Panel,
    entries: Vec<FilledEntry>,
    on_rows: bool,
    marks: usize,
}

/// The curves of one entry of `series`.
struct FilledEntry {
    path: String,
    table: String,
    under: String,
    each: String,
    gaps: bool,
    curves: Vec<Curve>,
    unseen: Groups,
    missing: Vec<String>,
}

impl PanelParams {
    fn fill(&self, at: usize, tables: &Tables, drawn: &mut Drawn) -> Result<Filled> {
        let path = format!("panels.{at}");
        let rows = self.rows.as_ref();
        let rows = rows.map(|rows| FigureRows::read(rows, tables, &format!("{path}.rows")));
        let rows = rows.transpose()?;
        let mut entries = Vec::new();
        for (at, curves) in self.series.iter().enumerate() {
            let path = format!("{path}.series.{at}");
            let found = curves.find(tables, rows.as_ref(), &path, drawn)?;
            entries.push(FilledEntry {
                path,
                table: curves.from.table.clone(),
                under: curves.from.under(),
                each: curves.each().to_owned(),
                gaps: curves.gaps,
                curves: found.curves,
                unseen: found.unseen,
                missing: found.missing,
            });
        }
        let mut guides = self.guides.clone();
        guides.extend(rows.iter().flat_map(FigureRows::separators));
        for (at, mark) in self.marks.iter().enumerate() {
            guides.push(mark.guide(tables, &format!("{path}.marks.{at}"), drawn)?);
        }
        let curves = entries.iter().flat_map(|entry| &entry.curves);
        let series: Vec<Series> = curves.map(|curve| curve.series.clone()).collect();
        Ok(Filled {
            title: self.title.clone(),
            panel: Panel {
                title: self.title.clone(),
                x: self.x.clone(),
                y: match &rows {
                    Some(rows) => rows.axis(&self.y),
                    None => self.y.clone(),
                },
                series,
                guides,
            },
            path,
            entries,
            on_rows: rows.is_some(),
            marks: self.marks.len(),
        })
    }
}

impl Params {
    /// An entry of the legend explains something that the figure can have.
    fn check_legend_entries(&self, figure: &Figure) -> Result<()> {
        let entries = figure.legend.iter().flat_map(|legend| &legend.entries);
        if figure.panels.is_empty() {
            return Ok(());
        }
        let series = figure.panels.iter().flat_map(|panel| &panel.series);
        let mut colors: BTreeSet<String> = series.map(|s| s.color.0.to_string()).collect();
        let curves = self.panels.iter().flat_map(|panel| &panel.series);
        // A curve that may be missing may be in the legend.
        colors.extend(
            curves
                .flat_map(Curves::colors)
                .map(|color| color.to_string()),
        );
        let guide = |guide: &Guide| match guide {
            Guide::Vertical(line) | Guide::Horizontal(line) => line.color,
            Guide::Point(point) => point.color,
        };
        let guides = figure.panels.iter().flat_map(|panel| &panel.guides);
        colors.extend(guides.map(|g| guide(g).to_string()));
        for (at, entry) in entries.enumerate() {
            let color: Color = entry.color.0;
            if !colors.contains(&color.to_string()) {
                let message = format!(
                    "legend.entries.{at}: nothing in the figure has the colour {color} of `{}`",
                    entry.label
                );
                return Err(Error::failed(message)
                    .suggest(&color.to_string(), colors.iter().map(String::as_str)));
            }
        }
        Ok(())
    }
}

/// A point outside the frame may be meant; one in the gap of a broken axis is lost data.
fn refuse_points_in_gaps(figure: &Figure, panels: &[Filled]) -> Result<()> {
    let lost = axes::lost_points(figure).map_err(failed)?;
    match lost.iter().find(|point| point.why == Lost::Gap) {
        None => Ok(()),
        Some(point) => {
            let series = &figure.panels[point.panel].series[point.series];
            let message = format!(
                "{}: the point ({}, {}) of `{}` falls into the gap of the broken axis",
                panels[point.panel].path, point.x, point.y, series.label
            );
            Err(Error::failed(message).hint("move or widen the gap in pipeline.yaml"))
        }
    }
}

/// Rows that no curve of the figure shows, although the curves of an entry tell them apart.
fn unseen(panels: &[Filled], drawn: &Drawn) -> Vec<String> {
    let mut warnings = Vec::new();
    for entry in panels.iter().flat_map(|panel| &panel.entries) {
        let never = entry.unseen.iter();
        let never = never.filter(|(_, rows)| !drawn.any(&entry.table, rows));
        let never: Vec<&str> = never.map(|(value, _)| value.as_str()).collect();
        if !never.is_empty() {
            let (table, each, under) = (&entry.table, &entry.each, &entry.under);
            warnings.push(format!(
                "{}: no curve shows the rows of table `{table}` with {each} = {}{under}; `left_out: [...]` says that this is meant",
                entry.path,
                lost::names(never.into_iter()),
            ));
        }
    }
    warnings
}

fn not_shown(figure: &Figure, panels: &[Filled]) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let resolved = axes::resolve(figure).map_err(failed)?;
    for (filled, axes) in panels.iter().zip(&resolved) {
        for entry in &filled.entries {
            let entry = Entry {
                path: &entry.path,
                curves: &entry.curves,
                gaps: entry.gaps,
                on_rows: filled.on_rows,
            };
            warnings.extend(lost::of_entry(&entry, axes, &filled.panel));
        }
        let of_axes = lost::of_axes(&filled.path, axes, &filled.panel, filled.marks);
        warnings.extend(of_axes);
    }
    Ok(warnings)
}

/// Tables that nothing is drawn of: a copied line may name another one.
fn unused(panels: &[Filled], tables: &Tables, drawn: &Drawn) -> Vec<String> {
    let entries = panels.iter().flat_map(|panel| &panel.entries);
    let named: BTreeSet<&str> = entries.map(|entry| entry.table.as_str()).collect();
    let labels = tables.labels();
    let unused = labels.filter(|label| !named.contains(label) && !drawn.is_known(label));
    unused
        .map(|label| format!("nothing is drawn of the input table `{label}`"))
        .collect()
}

fn data(panels: &[Filled]) -> Result<FigureData> {
    let mut data = FigureData::default();
    for (number, filled) in panels.iter().enumerate() {
        for curve in filled.entries.iter().flat_map(|entry| &entry.curves) {
            let style = style(&curve.series)?;
            let readings = curve.readings.clone();
            data.add((number, &filled.title), &curve.name, &style, readings);
        }
    }
    Ok(data)
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
