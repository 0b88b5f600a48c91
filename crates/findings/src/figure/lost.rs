//! What a figure does not show of what it was given: points without a place, curves out of sight, guides
//! and ticks beyond an axis.
//!
//! Knows the axes and what the author said of them. Does not know where the points come from.

use crate::figure::curves::Curve;
use crate::figure::statistics::Reading;
use plots::draw::axes::{PanelAxes, SharedAxis};
use plots::figure::{Axis, ErrorStyle, Guide, Panel, ScaleKind};
use plots::number;
use plots::scale::Lost;
use std::fmt::Write as _;

/// More names than this are counted.
const MOST_NAMES: usize = 5;

/// The curves of one entry of `series`, and what is said of them.
pub struct Entry<'a> {
    /// Its path in the params.
    pub path: &'a str,
    pub curves: &'a [Curve],
    pub gaps: bool,
    /// Whether its points stand on rows in place of a y axis.
    pub on_rows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    NotFinite,
    NotPositive(Direction),
    Outside(Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    X,
    Y,
}

impl Direction {
    fn letter(self) -> &'static str {
        match self {
            Direction::X => "x",
            Direction::Y => "y",
        }
    }
}

/// Warnings of the curves of one entry, each with the entry's path.
pub fn of_entry(entry: &Entry, axes: &PanelAxes, panel: &Panel) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut say = |words: String| warnings.push(format!("{}: {words}", entry.path));
    let mut partly: Vec<&Curve> = Vec::new();
    let mut unseen: Vec<&Curve> = Vec::new();
    let mut bare: Vec<&Curve> = Vec::new();
    for curve in entry
        .curves
        .iter()
        .filter(|curve| !curve.readings.is_empty())
    {
        let lost = |reading: &Reading| why(reading, entry, curve, axes).is_some();
        if !curve.readings.iter().all(lost) {
            partly.push(curve);
        } else if !curve.may_be_empty {
            unseen.push(curve);
        }
        let draws = &curve.series;
        let nothing = draws.line.is_none() && draws.marker.is_none();
        if nothing && draws.error == ErrorStyle::None && !curve.may_be_empty {
            bare.push(curve);
        }
    }
    if !unseen.is_empty() {
        say(out_of_sight(&unseen, entry, axes));
    }
    if !bare.is_empty() {
        let names = names(bare.iter().map(|curve| curve.name.as_str()));
        say(format!("neither a line nor a marker shows {names}"));
    }
    let y = (Direction::Y, &panel.y, &axes.y);
    let mut kinds = vec![(Why::NotFinite, entry.gaps)];
    for (direction, own, shared) in [(Direction::X, &panel.x, &axes.x), y] {
        let cut = is_cut(own, shared);
        kinds.push((Why::NotPositive(direction), cut));
        kinds.push((Why::Outside(direction), cut));
    }
    for (kind, silent) in kinds {
        let count = |curve: &Curve| {
            let whys = curve
                .readings
                .iter()
                .filter_map(|r| why(r, entry, curve, axes));
            whys.filter(|why| *why == kind).count()
        };
        let of: Vec<&Curve> = partly.iter().copied().filter(|c| count(c) > 0).collect();
        if silent || of.is_empty() {
            continue;
        }
        let lost: usize = of.iter().map(|curve| count(curve)).sum();
        let all: usize = of.iter().map(|curve| curve.readings.len()).sum();
        let points = match all {
            1 => format!("{lost} of 1 point"),
            all => format!("{lost} of {all} points"),
        };
        let (what, remedy) = match kind {
            Why::NotFinite => ("no finite number".to_owned(), "`gaps: true`"),
            Why::NotPositive(on) => (
                format!(
                    "no place on the log {} axis, being zero or negative",
                    on.letter()
                ),
                "`cut: true` on the axis",
            ),
            Why::Outside(on) => {
                let shared = if on == Direction::X { &axes.x } else { &axes.y };
                let values = of.iter().flat_map(|curve| &curve.readings);
                let values = values.map(|reading| coordinate(reading, on));
                (
                    format!(
                        "a place beyond the {} axis, which shows {}, while they go from {}",
                        on.letter(),
                        shown(shared),
                        range(values)
                    ),
                    "`cut: true` on the axis",
                )
            }
        };
        let names = names(of.iter().map(|curve| curve.name.as_str()));
        let have = if lost == 1 { "has" } else { "have" };
        say(format!(
            "{points} of {names} {have} {what}; {remedy} says that this is meant"
        ));
    }
    let bars = |curve: &&Curve| curve.series.error != ErrorStyle::None;
    let missing = |curve: &Curve| {
        curve
            .readings
            .iter()
            .filter(|r| r.std_error.is_nan())
            .count()
    };
    let of: Vec<&Curve> = partly
        .into_iter()
        .filter(bars)
        .filter(|c| missing(c) > 0)
        .collect();
    if !entry.gaps && !of.is_empty() {
        let count: usize = of.iter().map(|curve| missing(curve)).sum();
        let names = names(of.iter().map(|curve| curve.name.as_str()));
        say(format!(
            "{count} points of {names} have no standard error to draw; `gaps: true` says that this is meant"
        ));
    }
    warnings
}

/// Warnings of guides, marks and ticks that no axis has a place for.
/// `guides` are the paths of the panel's guides that were written.
pub fn of_axes(path: &str, axes: &PanelAxes, panel: &Panel, guides: &[String]) -> Vec<String> {
    let mut warnings = Vec::new();
    let sides = [
        (Direction::X, &panel.x, &axes.x),
        (Direction::Y, &panel.y, &axes.y),
    ];
    for (direction, own, shared) in sides {
        let letter = direction.letter();
        if is_cut(own, shared) {
            continue;
        }
        let mut miss = |at: String, value: f64| {
            if shared.scale.find(value).is_err() {
                let (value, shown) = (number::shortest(value), shown(shared));
                warnings.push(format!(
                    "{path}.{at}: {value} has no place on the {letter} axis, which shows {shown}"
                ));
            }
        };
        for (place, tick) in own.ticks.iter().flatten().enumerate() {
            miss(format!("{letter}.ticks.{place}"), *tick);
        }
        for (guide, at) in panel.guides.iter().zip(guides) {
            let at = at.clone();
            match (guide, direction) {
                (Guide::Vertical(line), Direction::X) => miss(at, line.at),
                (Guide::Horizontal(line), Direction::Y) => miss(at, line.at),
                (Guide::Point(point), Direction::X) => miss(at, point.x),
                (Guide::Point(point), Direction::Y) => miss(at, point.y),
                _ => {}
            }
        }
    }
    warnings
}

/// The author has said that something may be cut off.
fn is_cut(own: &Axis, shared: &SharedAxis) -> bool {
    let axis = &shared.axis;
    let within = axis.within.is_some() && axis.range.is_none() && axis.segments.is_empty();
    own.cut || axis.cut || within
}

fn coordinate(reading: &Reading, direction: Direction) -> f64 {
    match direction {
        Direction::X => reading.x,
        Direction::Y => reading.y,
    }
}

/// Why a point is not drawn. One beyond an end of the x axis may be shown as an arrow head.
fn why(reading: &Reading, entry: &Entry, curve: &Curve, axes: &PanelAxes) -> Option<Why> {
    let x = axes.x.scale.find(reading.x).err();
    let y = match entry.on_rows {
        true => None,
        false => axes.y.scale.find(reading.y).err(),
    };
    if [x, y].contains(&Some(Lost::NotFinite)) {
        return Some(Why::NotFinite);
    }
    let on = |lost: Lost, direction| match lost {
        Lost::NotPositive => Why::NotPositive(direction),
        Lost::NotFinite | Lost::Gap | Lost::Outside => Why::Outside(direction),
    };
    match (x, y) {
        (Some(Lost::Outside), None) if curve.series.beyond => None,
        (_, Some(lost)) => Some(on(lost, Direction::Y)),
        (Some(lost), None) => Some(on(lost, Direction::X)),
        (None, None) => None,
    }
}

/// Curves of which nothing is seen.
fn out_of_sight(curves: &[&Curve], entry: &Entry, axes: &PanelAxes) -> String {
    let readings = || curves.iter().flat_map(|curve| &curve.readings);
    let names = names(curves.iter().map(|curve| curve.name.as_str()));
    let mut words = match readings().count() {
        1 => format!("the only point of {names} is not shown"),
        count => format!("none of the {count} points of {names} is shown"),
    };
    let finite = |direction| readings().any(|r| coordinate(r, direction).is_finite());
    if !finite(Direction::X) || !(entry.on_rows || finite(Direction::Y)) {
        words.push_str(": there are no finite numbers");
    } else {
        for (direction, shared) in [(Direction::X, &axes.x), (Direction::Y, &axes.y)] {
            if direction == Direction::Y && entry.on_rows {
                continue;
            }
            let values = readings().map(|reading| coordinate(reading, direction));
            if values.clone().all(|value| shared.scale.find(value).is_ok()) {
                continue;
            }
            let _ = write!(
                words,
                "; {} goes from {}, where the axis shows {}",
                direction.letter(),
                range(values),
                shown(shared)
            );
        }
    }
    words.push_str("; `may_be_empty: true` says that this is meant");
    words
}

/// `0.08 to 5 and 45 to 175 (log)`.
fn shown(shared: &SharedAxis) -> String {
    let piece = |[low, high]: [f64; 2]| format!("{} to {}", short(low), short(high));
    let pieces = shared.scale.pieces().iter();
    let pieces: Vec<String> = pieces.map(|p| piece([p.low, p.high])).collect();
    let log = match shared.scale.kind() {
        ScaleKind::Linear => "",
        ScaleKind::Log => " (log)",
    };
    format!("{}{log}", pieces.join(" and "))
}

/// `0 to 20`, of those that are finite.
fn range(values: impl Iterator<Item = f64>) -> String {
    let finite = values.filter(|value| value.is_finite());
    let ends = finite.fold(None, |ends: Option<[f64; 2]>, value| {
        let [low, high] = ends.unwrap_or([value; 2]);
        Some([low.min(value), high.max(value)])
    });
    match ends {
        Some([low, high]) => format!("{} to {}", short(low), short(high)),
        None => "nothing to nothing".to_owned(),
    }
}

/// At most four digits: the same words on every machine, and no false precision.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded == 0.0 || (1e-4..1e6).contains(&rounded.abs()) {
        true => format!("{rounded}"),
        false => format!("{rounded:e}"),
    }
}

/// The first names, and how many more.
pub fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = Vec::new();
    for name in all {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let shown: Vec<String> = known
        .iter()
        .take(MOST_NAMES)
        .map(|n| format!("`{n}`"))
        .collect();
    match known.len().saturating_sub(MOST_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
