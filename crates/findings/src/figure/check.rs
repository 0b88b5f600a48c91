//! What the params of a figure say that cannot be, before any table is read.
//!
//! Each message begins with the path of the param it is about. Does not know curves.

use plots::figure::{Axis, Figure, Layout};
use std::result::Result;

/// More panels are taken for a mistake: no page holds them.
const MOST_PANELS: usize = 100;

/// More panels than a page holds.
///
/// # Errors
/// That.
pub fn count(panels: usize) -> Result<(), String> {
    match panels > MOST_PANELS {
        false => Ok(()),
        true => Err(format!(
            "panels: there are {panels}, facets counted; a figure has at most {MOST_PANELS}"
        )),
    }
}

/// Shares of rows and columns that the figure does not have.
///
/// # Errors
/// More numbers than rows or columns.
pub fn layout(layout: &Layout, panels: usize) -> Result<(), String> {
    let columns = columns(layout, panels);
    let rows = panels.div_ceil(columns);
    for (name, what, given, there) in [
        ("heights", "rows", layout.heights.len(), rows),
        ("widths", "columns", layout.widths.len(), columns),
    ] {
        if given > there {
            return Err(format!(
                "layout.{name}: there are {given} numbers for {there} {what} of panels"
            ));
        }
    }
    Ok(())
}

/// Names of ticks that are not there, and ticks without a name.
///
/// # Errors
/// Another number of names than of ticks.
pub fn names(axis: &Axis, path: &str) -> Result<(), String> {
    let (names, ticks) = (axis.names.len(), axis.ticks.as_ref().map_or(0, Vec::len));
    match names == 0 || names == ticks {
        true => Ok(()),
        false => Err(format!(
            "{path}.names: there are {names} names for {ticks} ticks"
        )),
    }
}

/// Panels that share an axis and say different things of it: only one could be heard.
///
/// # Errors
/// Two ranges, broken in other places, or one linear and one logarithmic.
pub fn shared(layout: &Layout, axes: &[(&Axis, &Axis)]) -> Result<(), String> {
    let columns = columns(layout, axes.len());
    for (at, (x, y)) in axes.iter().enumerate() {
        for (other, (other_x, other_y)) in axes.iter().enumerate().take(at) {
            if layout.share_x && at % columns == other % columns {
                agree((x, at), (other_x, other), "x")?;
            }
            if layout.share_y && at / columns == other / columns {
                agree((y, at), (other_y, other), "y")?;
            }
        }
    }
    Ok(())
}

fn agree(
    (axis, at): (&Axis, usize),
    (other, place): (&Axis, usize),
    name: &str,
) -> Result<(), String> {
    let bounds = |axis: &Axis| (axis.range, axis.segments.clone());
    let says = |axis: &Axis| axis.range.is_some() || !axis.segments.is_empty();
    let what = if axis.scale != other.scale {
        "scale"
    } else if says(axis) && says(other) && bounds(axis) != bounds(other) {
        "range"
    } else {
        return Ok(());
    };
    Err(format!(
        "panels.{at}.{name}: it has another {what} than panels.{place}.{name}, with which it is shared"
    ))
}

/// A legend that was asked for and lists nothing.
pub fn empty_legend(figure: &Figure) -> Option<String> {
    let legend = figure.legend.as_ref()?;
    let listed = figure.listed();
    let labelled = !listed.is_empty() || !legend.entries.is_empty();
    (!labelled).then(|| "legend: it lists nothing, for no curve has a label".to_owned())
}

fn columns(layout: &Layout, panels: usize) -> usize {
    match layout.columns {
        0 => panels.max(1),
        columns => columns.min(panels.max(1)),
    }
}
