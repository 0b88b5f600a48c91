//! The axes that a figure really has: automatic ranges found, shared axes merged.
//!
//! Does not know where on the page a panel lies.

use crate::error::ReportError;
use crate::figure::{Axis, ErrorStyle, Figure, Guide, Panel, ScaleKind};
use crate::scale::{Lost, Scale};

/// Values beyond this size take no part in an automatic range: a margin around them could overflow.
const LARGEST: f64 = 1e150;

/// Free room at both ends of an automatic range, as a fraction of it.
const MARGIN: f64 = 0.04;

/// A panel's two axes after sharing.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelAxes {
    pub x: SharedAxis,
    pub y: SharedAxis,
}

/// One axis, and whether this panel is the one that writes its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedAxis {
    pub axis: Axis,
    pub scale: Scale,
    pub labelled: bool,
}

/// A point that would not be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct LostPoint {
    /// Indices into the figure's panels, the panel's series and the series' points.
    pub panel: usize,
    pub series: usize,
    pub point: usize,
    pub x: f64,
    pub y: f64,
    pub why: Lost,
}

#[derive(Clone, Copy)]
enum Direction {
    X,
    Y,
}

/// Panels in a row of the figure.
pub fn columns(figure: &Figure) -> usize {
    match figure.layout.columns {
        0 => figure.panels.len().max(1),
        columns => columns.min(figure.panels.len().max(1)),
    }
}

/// The axes of every panel.
///
/// Errors: a range that is not low to high, not positive on a log axis, or too narrow to draw.
pub fn resolve(figure: &Figure) -> Result<Vec<PanelAxes>, ReportError> {
    (0..figure.panels.len())
        .map(|at| {
            Ok(PanelAxes {
                x: shared(figure, at, Direction::X)?,
                y: shared(figure, at, Direction::Y)?,
            })
        })
        .collect()
}

/// Every point that falls outside its panel's ranges or into the gap of a broken axis (or that
/// has no place at all), so that a caller can refuse or warn.
pub fn lost_points(figure: &Figure) -> Result<Vec<LostPoint>, ReportError> {
    let mut lost = Vec::new();
    for (panel_at, axes) in resolve(figure)?.iter().enumerate() {
        for (series_at, series) in figure.panels[panel_at].series.iter().enumerate() {
            for (point_at, point) in series.points.iter().enumerate() {
                let found = (axes.x.scale.find(point.x), axes.y.scale.find(point.y));
                if let (Err(why), _) | (_, Err(why)) = found {
                    lost.push(LostPoint {
                        panel: panel_at,
                        series: series_at,
                        point: point_at,
                        x: point.x,
                        y: point.y,
                        why,
                    });
                }
            }
        }
    }
    Ok(lost)
}

fn shared(figure: &Figure, at: usize, direction: Direction) -> Result<SharedAxis, ReportError> {
    let columns = columns(figure);
    let (together, name): (Box<dyn Fn(usize) -> bool>, _) = match direction {
        Direction::X => (
            Box::new(|other| figure.layout.share_x && other % columns == at % columns),
            "x",
        ),
        Direction::Y => (
            Box::new(|other| figure.layout.share_y && other / columns == at / columns),
            "y",
        ),
    };
    let group: Vec<usize> = (0..figure.panels.len())
        .filter(|&other| other == at || together(other))
        .collect();
    let axis_of = |other: usize| match direction {
        Direction::X => &figure.panels[other].x,
        Direction::Y => &figure.panels[other].y,
    };
    // The panel that states a range speaks for all that share it.
    let speaker = group
        .iter()
        .copied()
        .find(|&other| axis_of(other).range.is_some() || !axis_of(other).segments.is_empty())
        .unwrap_or(group[0]);
    let mut axis = axis_of(speaker).clone();
    if axis.label.is_empty() {
        let labels = group.iter().map(|&other| &axis_of(other).label);
        axis.label = labels
            .max_by_key(|l| !l.is_empty())
            .cloned()
            .unwrap_or_default();
    }
    let ranges: Vec<([f64; 2], f64)> = if !axis.segments.is_empty() {
        axis.segments.iter().map(|s| (s.range, s.ratio)).collect()
    } else if let Some(range) = axis.range {
        vec![(range, 1.0)]
    } else {
        let panels = group.iter().map(|&other| &figure.panels[other]);
        let values = panels.flat_map(|panel| values(panel, direction)).collect();
        vec![(automatic(axis.scale, values, axis.within), 1.0)]
    };
    let scale = Scale::new(axis.scale, &ranges).map_err(|problem| ReportError::Figure {
        place: format!("panels[{speaker}].{name}"),
        problem,
    })?;
    // The lowest panel writes a shared x axis, the leftmost a shared y axis.
    let writer = match direction {
        Direction::X => group[group.len() - 1],
        Direction::Y => group[0],
    };
    Ok(SharedAxis {
        axis,
        scale,
        labelled: writer == at,
    })
}

fn values(panel: &Panel, direction: Direction) -> Vec<f64> {
    let mut values = Vec::new();
    for series in &panel.series {
        for point in &series.points {
            let mut reach = |value: f64, bars: bool| {
                values.push(value);
                if let (Some(error), true) = (point.error, bars) {
                    values.extend([value - error, value + error]);
                }
            };
            match direction {
                Direction::X => reach(point.x, series.error == ErrorStyle::BarsAlongX),
                Direction::Y => {
                    let along_y = matches!(series.error, ErrorStyle::Bars | ErrorStyle::Band);
                    reach(point.y, along_y)
                }
            }
        }
    }
    for guide in &panel.guides {
        match (guide, direction) {
            (Guide::Vertical(line), Direction::X) => values.push(line.at),
            (Guide::Horizontal(line), Direction::Y) => values.push(line.at),
            (Guide::Point(point), Direction::X) => values.push(point.x),
            (Guide::Point(point), Direction::Y) => values.push(point.y),
            _ => {}
        }
    }
    values
}

/// The range of the values with a margin; at most `within`, margin or not.
fn automatic(kind: ScaleKind, mut values: Vec<f64>, within: Option<[f64; 2]>) -> [f64; 2] {
    if let Some([least, most]) = within {
        let cut = values.iter_mut().filter(|v| !v.is_nan());
        cut.for_each(|v| *v = v.max(least).min(most));
        let [low, high] = automatic(kind, values, None);
        return [low.max(least), high.min(most)];
    }
    values.retain(|v| v.abs() < LARGEST && (kind == ScaleKind::Linear || *v > 1.0 / LARGEST));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return match kind {
            ScaleKind::Linear => [0.0, 1.0],
            ScaleKind::Log => [0.1, 1.0],
        };
    }
    match kind {
        ScaleKind::Linear => {
            // Equal (or nearly equal) values get a range around them.
            let least = 1e-6 * low.abs().max(high.abs());
            let margin = match high - low > least {
                true => MARGIN * (high - low),
                false if least > 0.0 => 0.1 * low.abs().max(high.abs()),
                false => 0.5,
            };
            [low - margin, high + margin]
        }
        ScaleKind::Log => {
            let factor = match libm::log10(high) - libm::log10(low) {
                decades if decades > 1e-6 => libm::pow(10.0, MARGIN * decades),
                _ => 2.0,
            };
            [low / factor, high * factor]
        }
    }
}
