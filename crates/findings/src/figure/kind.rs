//! Kind `figure`: draws columns of tables as one figure, in SVG, PDF and PNG, and what is drawn as CSV.
//!
//! Everything that is not data stands in pipeline.yaml: panels, axes, looks, labels. What it names and
//! is not there is an error; what is there and is not seen is a warning, in the stage's log and in the
//! SVG. Knows neither what a curve means nor which figure of the paper it draws.

use crate::exchange::drawing::write_drawing;
use crate::exchange::failed::failed;
use crate::figure::check;
use crate::figure::data::FigureData;
use crate::figure::error_range::ErrorRange;
use crate::figure::legend::LegendParams;
use crate::figure::lost;
use crate::figure::panel::{self, Filled, PanelAt, PanelParams};
use crate::figure::query::tables::{Drawn, Tables};
use crate::figure::wants;
use crate::params::look::{Paint, Scale};
use crate::params::number::Size;
use plots::color::Color;
use plots::draw::axes;
use plots::draw::figure;
use plots::figure::{Axis, Figure, Guide, Layout};
use plots::font::Font;
use plots::scale::Lost;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::Wanted;
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct DrawFigure;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    width_pt: Size,
    height_pt: Size,
    /// Size of axis labels.
    font_pt: Size,
    /// Resolution of the PNG.
    dpi: Size,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    legend: Option<LegendParams>,
    /// How each model (or what else `values` list) looks; one scale for all figures.
    #[serde(default)]
    looks: Scale,
    #[serde(default)]
    panels: Vec<PanelParams>,
    /// Whether the font may lack glyphs of the words (then drawn as boxes) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing_glyphs: bool,
}

impl StageKind for DrawFigure {
    const NAME: &'static str = "figure";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("font"), any("tables")];
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png", "data"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.check_looks()?;
        check::count(panel::count(&params.panels))?;
        let panels = panel::drawn(&params.panels);
        let axes: Vec<(&Axis, &Axis)> = panels.iter().map(|p| (&p.x, &p.y)).collect();
        check::layout(&params.layout, axes.len())?;
        if let Some(legend) = &params.legend {
            legend.check(axes.len(), &params.looks)?;
        }
        panels
            .iter()
            .try_for_each(|panel| panel.check(&params.looks))?;
        check::shared(&params.layout, &axes)
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        wants::wants(&panel::drawn(&params.panels))
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let tables = Tables::read(io)?;
        let looks = &params.looks;
        let mut drawn = Drawn::default();
        let panels = panel::drawn(&params.panels).into_iter();
        let panels = panels.map(|panel: PanelAt| panel.fill(&tables, looks, &mut drawn));
        let panels: Vec<Filled> = panels.collect::<Result<_>>()?;
        let entries = || panels.iter().flat_map(|panel| &panel.entries);
        let missing = entries().flat_map(|entry| &entry.missing);
        missing.for_each(|words| io.log(words));
        let mut figure = Figure {
            width_pt: params.width_pt.get(),
            height_pt: params.height_pt.get(),
            font_pt: params.font_pt.get(),
            layout: params.layout.clone(),
            panels: panels.iter().map(|panel| panel.panel.clone()).collect(),
            legend: None,
        };
        if let Some(legend) = &params.legend {
            let curves = params.panels.iter().flat_map(|panel| &panel.series);
            // A curve that may be missing may be in the legend.
            let possible: Vec<Color> = curves.flat_map(|curves| curves.colors(looks)).collect();
            legend.check_entries(&figure, looks, &possible)?;
            let errors = entries().flat_map(|entry| &entry.curves);
            let errors: Vec<ErrorRange> = errors.filter_map(|curve| curve.error).collect();
            figure.legend = Some(legend.legend(&figure, looks, &errors));
        }
        refuse_points_in_gaps(&figure, &panels)?;
        let font = Font::from_bytes(&io.read("font")?).map_err(failed)?;
        let drawing = figure::draw(&figure, &font).map_err(failed)?;
        let mut warned = unseen(&panels, &drawn);
        warned.extend(not_shown(&figure, &panels)?);
        warned.extend(unused(&tables, &drawn));
        warned.extend(check::empty_legend(&figure));
        let (dpi, missing) = (params.dpi.get(), params.missing_glyphs);
        write_drawing(io, &drawing, &font, dpi, missing, warned)?;
        let data = data(&panels).table().and_then(|table| table.to_csv());
        io.write("data", &data.map_err(failed)?)
    }
}

impl Params {
    /// A scale tells everything in it apart, by more than its names.
    fn check_looks(&self) -> std::result::Result<(), String> {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, look) in &self.looks {
            if matches!(look.color, Paint::Family(_)) {
                return Err(format!(
                    "looks.{name}.color: a colour map is for curves of `each`: write one colour"
                ));
            }
            if let Some(other) = seen.insert(look.seen(), name) {
                return Err(format!(
                    "looks.{name}: it looks like `{other}`: give it another colour, shape, fill or dash"
                ));
            }
        }
        Ok(())
    }
}

/// What the params of a figure tell of a panel that it draws.
pub struct Described {
    pub x: Axis,
    pub y: Axis,
    /// The straight lines across it.
    pub lines: Vec<Guide>,
}

/// The panels that a figure with these params draws, for who has no more than its params and its data;
/// nothing where they are those of another kind.
pub fn panels_of(params: &serde_json::Value) -> Option<Vec<Described>> {
    let params = Params::deserialize(params).ok()?;
    let described = panel::drawn(&params.panels)
        .into_iter()
        .map(|panel| Described {
            lines: panel.lines(),
            x: panel.x,
            y: panel.y,
        });
    Some(described.collect())
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
        // Tables of which nothing is drawn are told of as such.
        let never = entry.unseen.iter().filter(|_| !entry.each.is_empty());
        let never = never.filter(|(_, table, rows)| !drawn.any(table, rows));
        let never: Vec<(&str, &str)> = never
            .map(|(value, table, _)| (value.as_str(), table.as_str()))
            .collect();
        if let Some((_, table)) = never.first() {
            let (each, under) = (&entry.each, &entry.under);
            warnings.push(format!(
                "{}: no curve shows the rows of table `{table}` with {each} = {}{under}; `left_out: [...]` says that this is meant",
                entry.path,
                lost::names(never.iter().map(|(value, _)| *value)),
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
            let entry = lost::Entry {
                path: &entry.path,
                curves: &entry.curves,
                gaps: entry.gaps,
                on_rows: filled.on_rows,
            };
            warnings.extend(lost::of_entry(&entry, axes, &filled.panel));
        }
        let of_axes = lost::of_axes(&filled.path, axes, &filled.panel, &filled.guides);
        warnings.extend(of_axes);
    }
    Ok(warnings)
}

/// Tables that nothing is drawn of: a copied line may name another one.
fn unused(tables: &Tables, drawn: &Drawn) -> Vec<String> {
    let unused = tables.labels().filter(|label| !drawn.is_known(label));
    unused
        .map(|label| format!("nothing is drawn of the input table `{label}`"))
        .collect()
}

fn data(panels: &[Filled]) -> FigureData {
    let mut data = FigureData::default();
    for (number, filled) in panels.iter().enumerate() {
        for curve in filled.entries.iter().flat_map(|entry| &entry.curves) {
            data.add((number, &filled.title), &filled.row_names, curve);
        }
        for guide in &filled.panel.guides {
            if let Guide::Point(point) = guide {
                data.add_point((number, &filled.title), point);
            }
        }
    }
    data
}
