//! A figure's description becomes a page: frames, ticks and words around what `marks` draws.
//!
//! Does not know which file formats the page ends up in.

use crate::color::Color;
use crate::draw::axes::{PanelAxes, resolve};
use crate::draw::canvas::{Anchor, Canvas};
use crate::draw::clip::Rect;
use crate::draw::layout::{MINOR_TICK, PanelPlace, TICK, place};
use crate::draw::legend::LegendBox;
use crate::draw::marks;
use crate::draw::ticks::Ticks;
use crate::error::ReportError;
use crate::figure::{Dash, Figure, Line, Panel};
use crate::font::{Font, MIDDLE};

const SPINE: Line = Line {
    width: 0.6,
    dash: Dash::Solid,
};
const MINOR: Line = Line {
    width: 0.45,
    ..SPINE
};
const GRID: Color = Color::new(0xE4, 0xE4, 0xE4);
/// Line height of tick labels with several lines, in ems.
const LEADING: f64 = 1.15;
/// Half the width and height of the strokes that mark a broken axis.
const BREAK: (f64, f64) = (2.4, 1.4);

/// A drawn page. Its SVG has text that needs the font, and units of its own: `export` makes files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    pub svg: String,
    /// Hundredths of a point, so that equal sizes compare equal.
    size: (u32, u32),
}

impl Drawing {
    /// A page of this size in points, from what a [`Canvas`] wrote.
    pub fn new(svg: String, width_pt: f64, height_pt: f64) -> Drawing {
        let hundredths = |points: f64| (points * 100.0).round() as u32;
        Drawing {
            svg,
            size: (hundredths(width_pt), hundredths(height_pt)),
        }
    }

    pub fn width_pt(&self) -> f64 {
        f64::from(self.size.0) / 100.0
    }

    pub fn height_pt(&self) -> f64 {
        f64::from(self.size.1) / 100.0
    }
}

/// Draws `figure`. Points that no axis has a place for are left out (`axes::lost_points` names
/// them).
///
/// Errors: sizes or ranges that cannot be drawn.
pub fn draw(figure: &Figure, font: &Font) -> Result<Drawing, ReportError> {
    check(figure)?;
    let axes = resolve(figure)?;
    let legend = figure.legend.as_ref();
    let key = legend.and_then(|legend| LegendBox::new(figure, legend, font));
    let page = place(figure, &axes, font, key.as_ref())?;
    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, figure.width_pt, figure.height_pt, font);
    let whole = Rect {
        left: 0.0,
        top: 0.0,
        right: figure.width_pt,
        bottom: figure.height_pt,
    };
    canvas.rect(&whole, Color::WHITE, 1.0);
    for ((panel, axes), place) in figure.panels.iter().zip(&axes).zip(&page.panels) {
        grid(&mut canvas, axes, place);
        marks::curves(&mut canvas, panel, axes, &place.frame);
        frame(&mut canvas, axes, place);
        marks::points(&mut canvas, panel, axes, &place.frame, page.tick_size);
        words(
            &mut canvas,
            panel,
            axes,
            place,
            (figure.font_pt, page.tick_size),
        );
    }
    if let (Some(key), Some(legend)) = (&key, legend) {
        let inside = page.panels.get(legend.panel).or(page.panels.first());
        let corner = inside.and_then(|place| key.corner(legend.position, &place.frame));
        match (corner, page.legend) {
            (Some(at), _) => key.draw(&mut canvas, at, true),
            (None, Some(at)) => key.draw(&mut canvas, at, false),
            (None, None) => {}
        }
    }
    canvas.finish()?;
    Ok(Drawing::new(svg, figure.width_pt, figure.height_pt))
}

fn check(figure: &Figure) -> Result<(), ReportError> {
    let layout = &figure.layout;
    let named = [
        ("width_pt", figure.width_pt, 10.0, 2000.0),
        ("height_pt", figure.height_pt, 10.0, 2000.0),
        ("font_pt", figure.font_pt, 2.0, 72.0),
        ("layout.gap_pt", layout.gap_pt, 0.0, 500.0),
    ];
    let ratios = |name: &'static str, ratios: &[f64]| {
        let ratios: Vec<_> = ratios
            .iter()
            .map(|ratio| (name, *ratio, 1e-2, 1e2))
            .collect();
        ratios
    };
    let named = named.into_iter();
    let named = named.chain(ratios("layout.heights", &layout.heights));
    for (place, value, low, high) in named.chain(ratios("layout.widths", &layout.widths)) {
        if !(low..=high).contains(&value) {
            return Err(ReportError::Figure {
                place: place.to_string(),
                problem: format!("is {value}: it must be from {low} to {high}"),
            });
        }
    }
    Ok(())
}

fn grid(canvas: &mut Canvas, axes: &PanelAxes, place: &PanelPlace) {
    let frame = &place.frame;
    for rect in marks::tiles_of(axes, frame) {
        for tick in place.x.major.iter().filter(|_| axes.x.axis.grid) {
            let x = frame.left + tick.at * frame.width();
            if rect.left <= x && x <= rect.right {
                canvas.line(&[(x, rect.top), (x, rect.bottom)], GRID, MINOR);
            }
        }
        for tick in place.y.major.iter().filter(|_| axes.y.axis.grid) {
            let y = frame.bottom - tick.at * frame.height();
            if rect.top <= y && y <= rect.bottom {
                canvas.line(&[(rect.left, y), (rect.right, y)], GRID, MINOR);
            }
        }
    }
}

/// Spines and ticks. Where an axis is broken, the spines along it are interrupted and marked.
fn frame(canvas: &mut Canvas, axes: &PanelAxes, place: &PanelPlace) {
    let frame = &place.frame;
    let black = Color::BLACK;
    let x_at = |fraction: f64| frame.left + fraction * frame.width();
    let y_at = |fraction: f64| frame.bottom - fraction * frame.height();
    // Half a spine further: square corners.
    let over = 0.5 * SPINE.width;
    let end = |fraction: f64| match fraction {
        f if f <= 0.0 => -over,
        f if f >= 1.0 => over,
        _ => 0.0,
    };
    for piece in axes.x.scale.pieces() {
        let (from, to) = (
            x_at(piece.start) + end(piece.start),
            x_at(piece.end) + end(piece.end),
        );
        for y in [frame.top, frame.bottom] {
            canvas.line(&[(from, y), (to, y)], black, SPINE);
            for (fraction, x) in [(piece.start, from), (piece.end, to)] {
                if fraction > 0.0 && fraction < 1.0 {
                    let (dx, dy) = (BREAK.1, BREAK.0);
                    canvas.line(&[(x - dx, y + dy), (x + dx, y - dy)], black, SPINE);
                }
            }
        }
    }
    for piece in axes.y.scale.pieces() {
        let (from, to) = (
            y_at(piece.start) - end(piece.start),
            y_at(piece.end) - end(piece.end),
        );
        for x in [frame.left, frame.right] {
            canvas.line(&[(x, from), (x, to)], black, SPINE);
            for (fraction, y) in [(piece.start, from), (piece.end, to)] {
                if fraction > 0.0 && fraction < 1.0 {
                    let (dx, dy) = BREAK;
                    canvas.line(&[(x - dx, y + dy), (x + dx, y - dy)], black, SPINE);
                }
            }
        }
    }
    let major = |ticks: &Ticks| -> Vec<(f64, f64, Line)> {
        let minor = ticks.minor.iter().map(|at| (*at, MINOR_TICK, MINOR));
        let major = ticks.major.iter().map(|tick| (tick.at, TICK, SPINE));
        minor.chain(major).collect()
    };
    for (at, length, line) in major(&place.x) {
        let x = x_at(at);
        canvas.line(
            &[(x, frame.bottom), (x, frame.bottom + length)],
            black,
            line,
        );
    }
    for (at, length, line) in major(&place.y) {
        let y = y_at(at);
        canvas.line(&[(frame.left, y), (frame.left - length, y)], black, line);
    }
}

fn words(
    canvas: &mut Canvas,
    panel: &Panel,
    axes: &PanelAxes,
    place: &PanelPlace,
    sizes: (f64, f64),
) {
    let frame = &place.frame;
    let (size, tick_size) = sizes;
    let (center, middle) = (
        0.5 * (frame.left + frame.right),
        0.5 * (frame.top + frame.bottom),
    );
    if axes.x.labelled {
        for tick in &place.x.major {
            let at = (frame.left + tick.at * frame.width(), place.x_ticks);
            canvas.text(&tick.label, at, tick_size, Anchor::Middle);
        }
        let words = &axes.x.axis.label;
        let size = fit(canvas.font(), words, size, 1.15 * frame.width());
        canvas.text(words, (center, place.x_label), size, Anchor::Middle);
    }
    if axes.y.labelled {
        for tick in &place.y.major {
            let y = frame.bottom - tick.at * frame.height() + MIDDLE * tick_size;
            let extra = tick.label.lines().count().saturating_sub(1);
            let top = y - 0.5 * extra as f64 * LEADING * tick_size;
            for (at, line) in tick.label.lines().enumerate() {
                let y = top + at as f64 * LEADING * tick_size;
                canvas.text(line, (place.y_ticks, y), tick_size, Anchor::End);
            }
        }
        let words = &axes.y.axis.label;
        let size = fit(canvas.font(), words, size, 1.05 * frame.height());
        canvas.text_upwards(words, (place.y_label, middle), size);
    }
    let size = fit(canvas.font(), &panel.title, size, frame.width());
    canvas.text(&panel.title, (center, place.title), size, Anchor::Middle);
}

/// The size at which `words` are no longer than `room`, within what can be read.
fn fit(font: &Font, words: &str, size: f64, room: f64) -> f64 {
    let width = font.width(words, size);
    if width > room {
        size * (room / width).max(0.6)
    } else {
        size
    }
}
