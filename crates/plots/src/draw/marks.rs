//! Curves, error bars, bands, markers and guides inside one frame.
//!
//! Knows nothing of tick labels or legends. Bands lie under lines, lines under markers, of all
//! series: a hollow marker then hides every line behind it.

use crate::color::Color;
use crate::draw::axes::PanelAxes;
use crate::draw::canvas::{Anchor, Canvas};
use crate::draw::clip::{Rect, Spot, polygon, polyline, segment};
use crate::figure::{
    Dash, ErrorStyle, Fill, Guide, GuidePoint, Line, Marker, Panel, Point, Series, Shape, Side,
};
use crate::font::{ASCENT, DESCENT, Font, MIDDLE};
use crate::scale::{Lost, Piece};

const BAND_OPACITY: f64 = 0.2;
const BAR_WIDTH: f64 = 0.7;
/// Half the length of the bar's ends.
const BAR_CAP: f64 = 1.3;
const HOLLOW_EDGE: f64 = 0.8;
/// Width of the strokes of a cross and a plus.
const STROKE: f64 = 0.8;
/// Length of an arrow head, and its distance from the frame.
const ARROW: f64 = 3.4;
const ARROW_PAD: f64 = 1.2;

/// One unbroken part of a frame, of which a broken axis has several.
#[derive(Clone, Copy, Debug)]
struct Tile<'a> {
    axes: &'a PanelAxes,
    frame: &'a Rect,
    x: &'a Piece,
    y: &'a Piece,
    rect: Rect,
}

impl Tile<'_> {
    /// Where a value pair would lie if the tile went on for ever.
    fn spot(&self, x: f64, y: f64) -> Option<Spot> {
        let x = self.axes.x.scale.extend(self.x, x)?;
        let y = self.axes.y.scale.extend(self.y, y)?;
        let frame = self.frame;
        Some((
            frame.left + x * frame.width(),
            frame.bottom - y * frame.height(),
        ))
    }

    /// Where the end of an error bar lies: below every log axis if it is not positive.
    fn bar_end(&self, x: f64, y: f64) -> Option<Spot> {
        let (x, _) = self.spot(x, self.y.low)?;
        match self.spot(self.axes.x.scale.pieces()[0].low, y) {
            Some((_, y)) => Some((x, y)),
            None if y.is_nan() || y == f64::INFINITY => None,
            None => Some((x, self.frame.bottom + 1e6)),
        }
    }

    /// Where the left end of a bar along x lies: left of every log axis if it is not positive.
    fn bar_left(&self, x: f64, y: f64) -> Option<Spot> {
        match self.spot(x, y) {
            Some(spot) => Some(spot),
            None if x.is_nan() => None,
            None => {
                let (_, y) = self.spot(self.x.low, y)?;
                Some((self.frame.left - 1e6, y))
            }
        }
    }
}

/// The rectangles that a frame consists of: one, unless an axis is broken.
pub fn tiles_of(axes: &PanelAxes, frame: &Rect) -> Vec<Rect> {
    tiles(axes, frame).iter().map(|tile| tile.rect).collect()
}

/// Draws what the frame's spines lie over: straight guides, bands and lines.
pub fn curves(canvas: &mut Canvas, panel: &Panel, axes: &PanelAxes, frame: &Rect) {
    let tiles = tiles(axes, frame);
    for guide in &panel.guides {
        let (values, color, line) = match guide {
            Guide::Vertical(guide) => ((Some(guide.at), None), guide.color, guide.line),
            Guide::Horizontal(guide) => ((None, Some(guide.at)), guide.color, guide.line),
            Guide::Point(_) => continue,
        };
        for tile in &tiles {
            let ends = match values {
                (Some(x), _) => (tile.spot(x, tile.y.low), tile.spot(x, tile.y.high)),
                (_, y) => {
                    let y = y.unwrap_or(f64::NAN);
                    (tile.spot(tile.x.low, y), tile.spot(tile.x.high, y))
                }
            };
            for part in polyline(&[ends.0, ends.1], &tile.rect) {
                canvas.line(&part, color, line);
            }
        }
    }
    for series in panel.series.iter().filter(|s| s.error == ErrorStyle::Band) {
        tiles.iter().for_each(|tile| band(canvas, series, tile));
    }
    for series in &panel.series {
        let Some(line) = series.line else { continue };
        for tile in &tiles {
            for part in polyline(&path(series, tile), &tile.rect) {
                canvas.line(&part, series.color.0, line);
            }
        }
    }
}

/// Draws what lies over the spines: error bars, markers and notes. A marker on the frame's edge
/// is whole.
pub fn points(canvas: &mut Canvas, panel: &Panel, axes: &PanelAxes, frame: &Rect, size: f64) {
    let tiles = tiles(axes, frame);
    for series in &panel.series {
        let every = series.every.max(1);
        for point in series.points.iter().step_by(every) {
            for tile in &tiles {
                match series.error {
                    ErrorStyle::Bars => bar(canvas, series, point, tile),
                    ErrorStyle::BarsAlongX => bar_along_x(canvas, series, point, tile),
                    ErrorStyle::None | ErrorStyle::Band => {}
                }
            }
            if let (Some(shape), Some(at)) = (series.marker, inside(axes, frame, point.x, point.y))
            {
                marker(canvas, &shape, at, series.color.0);
            }
            if series.beyond {
                arrow(canvas, series.color.0, point, axes, frame);
            }
        }
    }
    for guide in &panel.guides {
        match guide {
            Guide::Point(guide) => {
                if let Some(at) = inside(axes, frame, guide.x, guide.y) {
                    marked(canvas, guide, at, size);
                }
            }
            Guide::Vertical(guide) => {
                if let Ok((_, x)) = axes.x.scale.find(guide.at) {
                    let x = frame.left + x * frame.width();
                    let (top, bottom) = (frame.top + 2.0 + ASCENT * size, frame.bottom - 4.0);
                    let sides = [(x + 2.5, Anchor::Start), (x - 2.5, Anchor::End)];
                    let places: Vec<(Spot, Anchor)> = [top, bottom]
                        .iter()
                        .flat_map(|y| sides.map(|(x, anchor)| ((x, *y), anchor)))
                        .collect();
                    free_note(canvas, &guide.label, &places, panel, &tiles, size);
                }
            }
            Guide::Horizontal(guide) => {
                if let Ok((_, y)) = axes.y.scale.find(guide.at) {
                    let y = frame.bottom - y * frame.height();
                    let heights = [y - 3.0, y + 2.0 + ASCENT * size];
                    let (left, right) = (frame.left + 3.0, frame.right - 3.0);
                    let ends = [(right, Anchor::End), (left, Anchor::Start)];
                    let places: Vec<(Spot, Anchor)> = ends
                        .iter()
                        .flat_map(|(x, anchor)| heights.map(|y| ((*x, y), *anchor)))
                        .collect();
                    free_note(canvas, &guide.label, &places, panel, &tiles, size);
                }
            }
        }
    }
}

/// An arrow head at the left or right edge for a point beyond it.
fn arrow(canvas: &mut Canvas, color: Color, point: &Point, axes: &PanelAxes, frame: &Rect) {
    let (x, y) = (axes.x.scale.find(point.x), axes.y.scale.find(point.y));
    let (Err(Lost::Outside), Ok((_, y))) = (x, y) else {
        return;
    };
    let y = frame.bottom - y * frame.height();
    let (tip, back) = match point.x < axes.x.scale.pieces()[0].low {
        true => (frame.left + ARROW_PAD, ARROW),
        false => (frame.right - ARROW_PAD, -ARROW),
    };
    let head = [
        (tip + back, y - 0.6 * ARROW),
        (tip, y),
        (tip + back, y + 0.6 * ARROW),
    ];
    canvas.area(&head, color, 1.0);
}

/// One marker, as in a frame or a legend.
pub fn marker(canvas: &mut Canvas, marker: &Marker, at: Spot, color: Color) {
    let radius = 0.5 * marker.size.clamp(0.2, 100.0);
    let open = marker.fill != Fill::Filled;
    let edge = HOLLOW_EDGE.min(0.6 * radius);
    if let Some(strokes) = strokes(marker.shape) {
        let line = Line {
            width: STROKE,
            dash: Dash::Solid,
        };
        for (x, y) in strokes.map(|(x, y)| (x * radius, y * radius)) {
            let ends = [(at.0 - x, at.1 - y), (at.0 + x, at.1 + y)];
            canvas.line(&ends, color, line);
        }
        return;
    }
    let Some(corners) = corners(marker.shape) else {
        if open {
            canvas.circle(at, radius, Color::WHITE, None);
        }
        if marker.fill == Fill::Half {
            let reach = radius - 0.5 * edge;
            canvas.area(&left_half_disc(at, reach), color, 1.0);
        }
        return canvas.circle(at, radius, color, open.then_some(edge));
    };
    // The edge's outer half would make a hollow marker larger than a filled one.
    let reach = if open { radius - 0.5 * edge } else { radius };
    let place = |corner: &Spot| (at.0 + corner.0 * reach, at.1 + corner.1 * reach);
    let spots: Vec<Spot> = corners.iter().map(place).collect();
    match marker.fill {
        Fill::Filled => canvas.area(&spots, color, 1.0),
        Fill::Hollow | Fill::Half => {
            canvas.area(&spots, Color::WHITE, 1.0);
            if marker.fill == Fill::Half {
                canvas.area(&left_of(&spots, at.0), color, 1.0);
            }
            canvas.outline(&spots, color, edge);
        }
    }
}

fn left_half_disc(center: Spot, radius: f64) -> Vec<Spot> {
    // At the size of a marker nobody sees corners of 15 degrees.
    let angle = |at: i32| std::f64::consts::PI * f64::from(at) / 12.0;
    let spot = |at: i32| {
        let (x, y) = (libm::sin(angle(at)), libm::cos(angle(at)));
        (center.0 - radius * x, center.1 - radius * y)
    };
    (0..=12).map(spot).collect()
}

/// What of a polygon lies left of a vertical line.
fn left_of(spots: &[Spot], x: f64) -> Vec<Spot> {
    let mut kept = Vec::new();
    for (at, &from) in spots.iter().enumerate() {
        let to = spots[(at + 1) % spots.len()];
        if from.0 <= x {
            kept.push(from);
        }
        if (from.0 - x) * (to.0 - x) < 0.0 {
            let share = (x - from.0) / (to.0 - from.0);
            kept.push((x, from.1 + share * (to.1 - from.1)));
        }
    }
    kept
}

/// Ends of the strokes through the middle, for a radius of 1, of shapes without an area.
fn strokes(shape: Shape) -> Option<[Spot; 2]> {
    match shape {
        Shape::Cross => Some([(0.75, 0.75), (0.75, -0.75)]),
        Shape::Plus => Some([(1.0, 0.0), (0.0, 1.0)]),
        _ => None,
    }
}

/// Corners for a radius of 1, scaled to look as large as the circle.
fn corners(shape: Shape) -> Option<Vec<Spot>> {
    // Regular, from the top, clockwise; `dent` is the radius of the odd corners.
    let around = |count: usize, radius: f64, dent: f64| -> Vec<Spot> {
        (0..count)
            .map(|at| {
                let angle = std::f64::consts::TAU * at as f64 / count as f64;
                let radius = if at % 2 == 1 { radius * dent } else { radius };
                (radius * libm::sin(angle), -radius * libm::cos(angle))
            })
            .collect()
    };
    let turned = |spots: Vec<Spot>| spots.iter().map(|(x, y)| (-x, -y)).collect();
    match shape {
        Shape::Circle | Shape::Cross | Shape::Plus => None,
        Shape::Square => Some(vec![
            (-0.89, -0.89),
            (0.89, -0.89),
            (0.89, 0.89),
            (-0.89, 0.89),
        ]),
        Shape::Triangle => Some(around(3, 1.25, 1.0)),
        Shape::TriangleDown => Some(turned(around(3, 1.25, 1.0))),
        Shape::Diamond => Some(around(4, 1.25, 1.0)),
        Shape::Star => Some(around(10, 1.2, 0.42)),
    }
}

fn tiles<'a>(axes: &'a PanelAxes, frame: &'a Rect) -> Vec<Tile<'a>> {
    let mut tiles = Vec::new();
    for y in axes.y.scale.pieces() {
        for x in axes.x.scale.pieces() {
            let rect = Rect {
                left: frame.left + x.start * frame.width(),
                right: frame.left + x.end * frame.width(),
                top: frame.bottom - y.end * frame.height(),
                bottom: frame.bottom - y.start * frame.height(),
            };
            tiles.push(Tile {
                axes,
                frame,
                x,
                y,
                rect,
            });
        }
    }
    tiles
}

fn inside(axes: &PanelAxes, frame: &Rect, x: f64, y: f64) -> Option<Spot> {
    let (_, x) = axes.x.scale.find(x).ok()?;
    let (_, y) = axes.y.scale.find(y).ok()?;
    Some((
        frame.left + x * frame.width(),
        frame.bottom - y * frame.height(),
    ))
}

fn band(canvas: &mut Canvas, series: &Series, tile: &Tile) {
    // A point without a place interrupts the band as it does the line.
    let mut edges: (Vec<Spot>, Vec<Spot>) = Default::default();
    let ends = |point: &Point| {
        let error = point.error.unwrap_or(0.0).abs();
        tile.spot(point.x, point.y)?;
        let low = tile.bar_end(point.x, point.y - error)?;
        Some((low, tile.bar_end(point.x, point.y + error)?))
    };
    let found = series.points.iter().map(ends).chain([None]);
    for point in found {
        if let Some((low, high)) = point {
            edges.0.push(low);
            edges.1.push(high);
            continue;
        }
        let (mut around, back) = std::mem::take(&mut edges);
        around.extend(back.into_iter().rev());
        canvas.area(&polygon(&around, &tile.rect), series.color.0, BAND_OPACITY);
    }
}

fn bar(canvas: &mut Canvas, series: &Series, point: &Point, tile: &Tile) {
    let Some(error) = point.error.map(f64::abs) else {
        return;
    };
    if tile.spot(point.x, point.y).is_none() {
        return;
    }
    let low = tile.bar_end(point.x, point.y - error);
    let high = tile.bar_end(point.x, point.y + error);
    let (Some(low), Some(high)) = (low, high) else {
        return;
    };
    let line = Line {
        width: BAR_WIDTH,
        dash: Dash::Solid,
    };
    let caps = [low, high].map(|(x, y)| ((x - BAR_CAP, y), (x + BAR_CAP, y)));
    for (from, to) in [(low, high), caps[0], caps[1]] {
        if let Some((from, to)) = segment(from, to, &tile.rect) {
            canvas.line(&[from, to], series.color.0, line);
        }
    }
}

fn bar_along_x(canvas: &mut Canvas, series: &Series, point: &Point, tile: &Tile) {
    let Some(error) = point.error.map(f64::abs) else {
        return;
    };
    if tile.spot(point.x, point.y).is_none() {
        return;
    }
    let low = tile.bar_left(point.x - error, point.y);
    let (Some(low), Some(high)) = (low, tile.spot(point.x + error, point.y)) else {
        return;
    };
    let line = Line {
        width: BAR_WIDTH,
        dash: Dash::Solid,
    };
    let caps = [low, high].map(|(x, y)| ((x, y - BAR_CAP), (x, y + BAR_CAP)));
    for (from, to) in [(low, high), caps[0], caps[1]] {
        if let Some((from, to)) = segment(from, to, &tile.rect) {
            canvas.line(&[from, to], series.color.0, line);
        }
    }
}

fn marked(canvas: &mut Canvas, guide: &GuidePoint, at: Spot, size: f64) {
    marker(canvas, &guide.marker, at, guide.color);
    let away = 0.5 * guide.marker.size.clamp(0.2, 100.0) + 2.0;
    let (x, y) = at;
    let (left, right) = (x - away, x + away);
    let (above, level) = (y - away - DESCENT * size, y + MIDDLE * size);
    let below = y + away + ASCENT * size;
    let (at, anchor) = match guide.side {
        Side::Above => ((x, above), Anchor::Middle),
        Side::Below => ((x, below), Anchor::Middle),
        Side::Left => ((left, level), Anchor::End),
        Side::Right => ((right, level), Anchor::Start),
        Side::AboveLeft => ((left, above), Anchor::End),
        Side::AboveRight => ((right, above), Anchor::Start),
        Side::BelowLeft => ((left, below), Anchor::End),
        Side::BelowRight => ((right, below), Anchor::Start),
    };
    note(canvas, &guide.label, at, size, anchor);
}

/// Words at the first of `places` that fewest curves cross, inside the frame if one is.
fn free_note(
    canvas: &mut Canvas,
    words: &str,
    places: &[(Spot, Anchor)],
    panel: &Panel,
    tiles: &[Tile],
    size: f64,
) {
    let crossed = |(at, anchor): &(Spot, Anchor)| {
        let ground = ground(canvas.font(), words, *at, size, *anchor);
        let out = tiles.iter().all(|tile| !tile.rect.contains(&ground));
        let mut count = if out { 1_000_000 } else { 0 };
        for tile in tiles {
            for series in panel
                .series
                .iter()
                .filter(|s| s.line.is_some() || s.marker.is_some())
            {
                count += polyline(&path(series, tile), &ground).len();
            }
        }
        count
    };
    if let Some((at, anchor)) = places.iter().min_by_key(|place| crossed(place)) {
        note(canvas, words, *at, size, *anchor);
    }
}

/// Words on a pale ground.
fn note(canvas: &mut Canvas, words: &str, at: Spot, size: f64, anchor: Anchor) {
    if !words.is_empty() {
        let ground = ground(canvas.font(), words, at, size, anchor);
        canvas.rect(&ground, Color::WHITE, 0.75);
        canvas.text(words, at, size, anchor);
    }
}

fn ground(font: &Font, words: &str, at: Spot, size: f64, anchor: Anchor) -> Rect {
    let width = font.width(words, size);
    let left = match anchor {
        Anchor::Start => at.0,
        Anchor::Middle => at.0 - 0.5 * width,
        Anchor::End => at.0 - width,
    };
    Rect {
        left: left - 1.0,
        right: left + width + 1.0,
        top: at.1 - ASCENT * size,
        bottom: at.1 + DESCENT * size,
    }
}

fn path(series: &Series, tile: &Tile) -> Vec<Option<Spot>> {
    let spots = series
        .points
        .iter()
        .map(|point| tile.spot(point.x, point.y));
    spots.collect()
}
