//! Strokes, areas and words on a page in points, through plotters' SVG backend.
//!
//! Knows nothing of figures. plotters has whole coordinates only, so the page is drawn larger.

use crate::color::Color;
use crate::draw::clip::{Rect, Spot};
use crate::error::ReportError;
use crate::figure::{Dash, Line};
use crate::font::Font;
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle,
};

/// Whole units in a point: 0.05 pt is finer than a 1200 dpi printer.
pub const UNITS: f64 = 20.0;

/// plotters writes its font size divided by this.
const PLOTTERS_SIZE: f64 = 1.24;

/// plotters lifts bottom-anchored text by half an ex, which usvg takes as a quarter of the size.
const PLOTTERS_LIFT: f64 = 0.25;

/// Which end of the words stands at the given place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
    font: &'a Font,
    /// The first thing that went wrong; the rest is then not drawn.
    failure: Option<String>,
}

impl<'a> Canvas<'a> {
    /// Draws into `buffer`, which is complete after `finish`.
    pub fn new(buffer: &'a mut String, width: f64, height: f64, font: &'a Font) -> Self {
        let size = (units(width).max(1) as u32, units(height).max(1) as u32);
        Self {
            backend: SVGBackend::with_string(buffer, size),
            font,
            failure: None,
        }
    }

    pub fn font(&self) -> &'a Font {
        self.font
    }

    pub fn finish(mut self) -> Result<(), ReportError> {
        let done = self.backend.present().map_err(|e| e.to_string());
        self.keep(done);
        match self.failure {
            None => Ok(()),
            Some(message) => Err(ReportError::Backend {
                step: "plotters",
                message,
            }),
        }
    }

    /// A line through `spots`, dashed along its length.
    pub fn line(&mut self, spots: &[Spot], color: Color, line: Line) {
        let width = line.width.clamp(0.05, 50.0);
        let pattern: &[f64] = match line.dash {
            Dash::Solid => return self.stroke(spots, color, width),
            Dash::Dashed => &[3.7, 1.8],
            Dash::Dotted => &[1.0, 1.6],
            Dash::DashDot => &[5.5, 1.6, 1.0, 1.6],
            Dash::DashDotDot => &[5.5, 1.6, 1.0, 1.6, 1.0, 1.6],
        };
        for dash in dashes(spots, pattern, width.max(0.5)) {
            self.stroke(&dash, color, width);
        }
    }

    /// A filled area with straight edges.
    pub fn area(&mut self, spots: &[Spot], color: Color, opacity: f64) {
        if spots.len() > 2 {
            let style = shape(color, opacity, 0.0, true);
            let done = self.backend.fill_polygon(spots.iter().map(spot), &style);
            let done = done.map_err(|e| e.to_string());
            self.keep(done);
        }
    }

    /// The edge of an area.
    pub fn outline(&mut self, spots: &[Spot], color: Color, width: f64) {
        // One edge drawn twice gives the last corner a join too.
        let closed: Vec<Spot> = spots.iter().chain(spots.iter().take(2)).copied().collect();
        self.stroke(&closed, color, width);
    }

    /// A disc, or a ring of `width` within the radius.
    pub fn circle(&mut self, center: Spot, radius: f64, color: Color, ring: Option<f64>) {
        let width = ring.unwrap_or(0.0);
        let style = shape(color, 1.0, width, ring.is_none());
        let radius = units(radius - 0.5 * width).max(1) as u32;
        let done = self
            .backend
            .draw_circle(spot(&center), radius, &style, ring.is_none());
        let done = done.map_err(|e| e.to_string());
        self.keep(done);
    }

    pub fn rect(&mut self, rect: &Rect, color: Color, opacity: f64) {
        self.area(&rect.corners(), color, opacity);
    }

    /// Words on the base line through `at`.
    pub fn text(&mut self, words: &str, at: Spot, size: f64, anchor: Anchor) {
        self.write(
            words,
            (at.0, at.1 + PLOTTERS_LIFT * size),
            size,
            anchor,
            false,
        );
    }

    /// Words that read upwards, their base line at `at.0`, their middle at `at.1`.
    pub fn text_upwards(&mut self, words: &str, at: Spot, size: f64) {
        let at = (at.0 + PLOTTERS_LIFT * size, at.1);
        self.write(words, at, size, Anchor::Middle, true);
    }

    fn write(&mut self, words: &str, at: Spot, size: f64, anchor: Anchor, upwards: bool) {
        if words.trim().is_empty() {
            return;
        }
        // XML has no way to write a control character.
        let words: String = words
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let family = FontFamily::Name(self.font.name());
        let size = size * UNITS * PLOTTERS_SIZE;
        let transform = match upwards {
            true => FontTransform::Rotate270,
            false => FontTransform::None,
        };
        let font = FontDesc::new(family, size, FontStyle::Normal).transform(transform);
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let black = paint(Color::BLACK, 1.0);
        let style = TextStyle::from(font)
            .color(&black)
            .pos(Pos::new(h_pos, VPos::Bottom));
        let done = self.backend.draw_text(&words, &style, spot(&at));
        let done = done.map_err(|e| e.to_string());
        self.keep(done);
    }

    fn stroke(&mut self, spots: &[Spot], color: Color, width: f64) {
        let mut places: Vec<(i32, i32)> = spots.iter().map(spot).collect();
        places.dedup();
        if places.len() > 1 {
            let style = shape(color, 1.0, width, false);
            let done = self.backend.draw_path(places, &style);
            let done = done.map_err(|e| e.to_string());
            self.keep(done);
        }
    }

    fn keep(&mut self, done: Result<(), String>) {
        if let (Err(message), None) = (done, &self.failure) {
            self.failure = Some(message);
        }
    }
}

/// The drawn stretches of a dashed line; `pattern` is on, off, .. in line widths.
fn dashes(spots: &[Spot], pattern: &[f64], width: f64) -> Vec<Vec<Spot>> {
    let mut parts: Vec<Vec<Spot>> = Vec::new();
    let mut current: Vec<Spot> = spots.first().copied().into_iter().collect();
    let (mut at, mut left) = (0, pattern[0] * width);
    for pair in spots.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = libm::hypot(to.0 - from.0, to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let share = done / length;
            let here = (
                from.0 + share * (to.0 - from.0),
                from.1 + share * (to.1 - from.1),
            );
            if at % 2 == 0 {
                current.push(here);
                parts.push(std::mem::take(&mut current));
            } else {
                current = vec![here];
            }
            at = (at + 1) % pattern.len();
            left = pattern[at] * width;
        }
        left -= length - done;
        if at % 2 == 0 {
            current.push(to);
        }
    }
    parts.extend((current.len() > 1).then_some(current));
    parts
}

fn shape(color: Color, opacity: f64, width: f64, filled: bool) -> ShapeStyle {
    ShapeStyle {
        color: paint(color, opacity),
        filled,
        stroke_width: units(width).max(1) as u32,
    }
}

fn paint(color: Color, opacity: f64) -> RGBAColor {
    RGBAColor(color.red, color.green, color.blue, opacity)
}

fn spot(spot: &Spot) -> (i32, i32) {
    (units(spot.0), units(spot.1))
}

fn units(points: f64) -> i32 {
    (points * UNITS).round() as i32
}
