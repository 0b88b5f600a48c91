//! Rows of small grey images with a word under each: prompts whose examples are images.
//!
//! Knows nothing of where pixels come from or what the words mean.

use crate::color::Color;
use crate::draw::canvas::Anchor;
use crate::draw::canvas::Canvas;
use crate::draw::clip::Rect;
use crate::draw::figure::Drawing;
use crate::error::ReportError;
use crate::figure::{Dash, Line};
use crate::font::{ASCENT, DESCENT, Font};

/// Lengths are in points.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRows {
    pub width_pt: f64,
    pub font_pt: f64,
    pub rows: Vec<ImageRow>,
}

/// Words above, then images from left to right; the last one stands apart.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRow {
    pub title: String,
    pub images: Vec<Image>,
}

/// Darkness of each pixel in [0, 1], row by row; as many rows as the pixels fill.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub columns: usize,
    pub pixels: Vec<f64>,
    pub words: String,
}

/// Free border of the page, and space between rows.
const BORDER: f64 = 3.0;
const BETWEEN: f64 = 7.0;
/// Space between images, as a share of their width; before the last it is this much more.
const GAP: f64 = 0.16;
const APART: f64 = 0.5;
/// A pixel reaches under the next one: no white line between dark neighbours.
const OVERLAP: f64 = 0.1;

const FRAME: Line = Line {
    width: 0.5,
    dash: Dash::Solid,
};
const EDGE: Color = Color::new(0x9A, 0x9A, 0x9A);

/// Draws all rows, the page as high as they need.
///
/// # Errors
/// No images, or a size that cannot be drawn.
pub fn draw(rows: &ImageRows, font: &Font) -> Result<Drawing, ReportError> {
    let wrong = |place: &str, problem: String| ReportError::Figure {
        place: place.to_owned(),
        problem,
    };
    for (name, value, low, high) in [
        ("width_pt", rows.width_pt, 20.0, 2000.0),
        ("font_pt", rows.font_pt, 2.0, 72.0),
    ] {
        if !(low..=high).contains(&value) {
            let problem = format!("is {value}: it must be from {low} to {high}");
            return Err(wrong(name, problem));
        }
    }
    let most = rows.rows.iter().map(|row| row.images.len()).max();
    let most = most.filter(|&most| most > 0);
    let most = most.ok_or_else(|| wrong("rows", "have no images".to_owned()))?;
    // All images are as wide as the longest row allows.
    let shares = most as f64 + GAP * (most - 1) as f64 + if most > 1 { APART } else { 0.0 };
    let side = (rows.width_pt - 2.0 * BORDER) / shares;
    let size = rows.font_pt;
    let line = (ASCENT + DESCENT) * size;
    let above = line + 1.5;
    let below = line + 1.0;
    let heights: Vec<f64> = rows
        .rows
        .iter()
        .map(|row| above + row.height(side) + below)
        .collect();
    let gaps = BETWEEN * (rows.rows.len() - 1) as f64;
    let height = 2.0 * BORDER + heights.iter().sum::<f64>() + gaps;

    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, rows.width_pt, height, font);
    let page = Rect {
        left: 0.0,
        top: 0.0,
        right: rows.width_pt,
        bottom: height,
    };
    canvas.rect(&page, Color::WHITE, 1.0);
    let mut top = BORDER;
    for (row, height) in rows.rows.iter().zip(&heights) {
        canvas.text(
            &row.title,
            (BORDER, top + ASCENT * size),
            size,
            Anchor::Start,
        );
        for (place, image) in row.images.iter().enumerate() {
            let last = place > 0 && place + 1 == row.images.len();
            let before = place as f64 * (1.0 + GAP) + if last { APART } else { 0.0 };
            let frame = Rect {
                left: BORDER + before * side,
                right: BORDER + before * side + side,
                top: top + above,
                bottom: top + above + image.height(side),
            };
            image.draw(&mut canvas, &frame);
            let color = if last { Color::BLACK } else { EDGE };
            canvas.outline(
                &frame.corners(),
                color,
                if last { 1.0 } else { FRAME.width },
            );
            let middle = 0.5 * (frame.left + frame.right);
            let words = (middle, frame.bottom + 1.0 + ASCENT * size);
            canvas.text(&image.words, words, size, Anchor::Middle);
        }
        top += height + BETWEEN;
    }
    canvas.finish()?;
    Ok(Drawing::new(svg, rows.width_pt, height))
}

impl ImageRow {
    fn height(&self, side: f64) -> f64 {
        self.images
            .iter()
            .fold(0.0, |most, image| f64::max(most, image.height(side)))
    }
}

impl Image {
    fn height(&self, side: f64) -> f64 {
        let columns = self.columns.max(1);
        side * self.pixels.len().div_ceil(columns) as f64 / columns as f64
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Rect) {
        let columns = self.columns.max(1);
        let pixel = frame.width() / columns as f64;
        for (at, &darkness) in self.pixels.iter().enumerate() {
            let grey = (255.0 * (1.0 - darkness.clamp(0.0, 1.0))).round() as u8;
            if grey == u8::MAX {
                continue;
            }
            let left = frame.left + (at % columns) as f64 * pixel;
            let top = frame.top + (at / columns) as f64 * pixel;
            let cell = Rect {
                left,
                top,
                right: (left + pixel + OVERLAP).min(frame.right),
                bottom: (top + pixel + OVERLAP).min(frame.bottom),
            };
            canvas.rect(&cell, Color::new(grey, grey, grey), 1.0);
        }
    }
}
