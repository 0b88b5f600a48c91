//! The key to the series: which entries it has, how large it is, and its drawing.
//!
//! Does not know where it stands, but for the corner of a given frame.

use crate::color::Color;
use crate::draw::canvas::{Anchor, Canvas};
use crate::draw::clip::{Rect, Spot};
use crate::draw::marks::marker;
use crate::figure::{Dash, ErrorStyle, Figure, Legend, Line, Position, Series};
use crate::font::{Font, MIDDLE};

/// Width of the sample of a line, and of a lone marker's place.
const SAMPLE: f64 = 17.0;
const LONE_MARKER: f64 = 8.0;
const SAMPLE_PAD: f64 = 3.5;
const COLUMN_GAP: f64 = 9.0;
const BOX_PAD: f64 = 3.0;
/// Distance of a corner legend from the frame.
const CORNER: f64 = 2.5;
/// Line height in ems.
const LEADING: f64 = 1.3;

/// The content of a legend, measured.
#[derive(Clone, Debug)]
pub struct LegendBox {
    entries: Vec<Series>,
    rows: usize,
    /// Widths of the columns.
    widths: Vec<f64>,
    sample: f64,
    size: f64,
    framed: bool,
    pad: f64,
}

impl LegendBox {
    /// `None` if there is nothing to list. Columns that the page is too narrow for are given up.
    pub fn new(figure: &Figure, legend: &Legend, font: &Font) -> Option<Self> {
        let entries: Vec<Series> = match legend.entries.is_empty() {
            true => figure.listed(),
            false => {
                let entries = legend.entries.iter();
                entries.filter(|s| !s.label.is_empty()).cloned().collect()
            }
        };
        if entries.is_empty() {
            return None;
        }
        let lines = |s: &Series| s.line.is_some() || s.error == ErrorStyle::Band;
        let sample = if entries.iter().any(lines) {
            SAMPLE
        } else {
            LONE_MARKER
        };
        let size = figure.small_pt();
        let outside = matches!(
            legend.position,
            Position::Above | Position::Below | Position::Right
        );
        let pad = if outside && !legend.frame {
            0.0
        } else {
            BOX_PAD
        };
        let mut key = Self {
            rows: 0,
            widths: Vec::new(),
            entries,
            sample,
            size,
            framed: legend.frame,
            pad,
        };
        let mut columns = legend.columns.clamp(1, key.entries.len());
        loop {
            key.rows = key.entries.len().div_ceil(columns);
            let width = |entry: &Series| sample + SAMPLE_PAD + font.width(&entry.label, size);
            let widest = |chunk: &[Series]| chunk.iter().map(width).fold(0.0, f64::max);
            key.widths = key.entries.chunks(key.rows).map(widest).collect();
            if columns == 1 || key.size().0 <= figure.width_pt {
                return Some(key);
            }
            columns -= 1;
        }
    }

    /// Labels in the order of the entries.
    pub fn labels(&self) -> Vec<&str> {
        self.entries
            .iter()
            .map(|entry| entry.label.as_str())
            .collect()
    }

    /// Width and height.
    pub fn size(&self) -> (f64, f64) {
        let gaps = COLUMN_GAP * (self.widths.len() - 1) as f64;
        let width = self.widths.iter().sum::<f64>() + gaps + 2.0 * self.pad;
        let height = self.rows as f64 * LEADING * self.size + 2.0 * self.pad;
        (width, height)
    }

    /// The top left corner of a legend in a corner of `frame`; `None` outside of frames.
    pub fn corner(&self, position: Position, frame: &Rect) -> Option<Spot> {
        let (width, height) = self.size();
        let (left, right) = (frame.left + CORNER, frame.right - CORNER - width);
        let (top, bottom) = (frame.top + CORNER, frame.bottom - CORNER - height);
        match position {
            Position::TopLeft => Some((left, top)),
            Position::TopRight => Some((right, top)),
            Position::BottomLeft => Some((left, bottom)),
            Position::BottomRight => Some((right, bottom)),
            Position::Above | Position::Below | Position::Right => None,
        }
    }

    /// Draws it with its top left corner at `at`; `ground` puts pale white behind.
    pub fn draw(&self, canvas: &mut Canvas, at: Spot, ground: bool) {
        let (width, height) = self.size();
        let around = Rect {
            left: at.0,
            top: at.1,
            right: at.0 + width,
            bottom: at.1 + height,
        };
        if ground {
            canvas.rect(&around, Color::WHITE, 0.92);
        }
        if self.framed {
            canvas.outline(&around.corners(), Color::new(0xB0, 0xB0, 0xB0), 0.5);
        }
        let mut left = at.0 + self.pad;
        for (chunk, width) in self.entries.chunks(self.rows).zip(&self.widths) {
            for (row, entry) in chunk.iter().enumerate() {
                let middle = at.1 + self.pad + (row as f64 + 0.5) * LEADING * self.size;
                self.sample(canvas, entry, (left, middle));
                let place = (left + self.sample + SAMPLE_PAD, middle + MIDDLE * self.size);
                canvas.text(&entry.label, place, self.size, Anchor::Start);
            }
            left += width + COLUMN_GAP;
        }
    }

    fn sample(&self, canvas: &mut Canvas, entry: &Series, at: Spot) {
        let (left, right, middle) = (at.0, at.0 + self.sample, at.1);
        let color = entry.color.0;
        if entry.error == ErrorStyle::Band {
            let band = Rect {
                left,
                right,
                top: middle - 0.3 * self.size,
                bottom: middle + 0.3 * self.size,
            };
            canvas.rect(&band, color, 0.2);
        }
        if let Some(line) = entry.line {
            canvas.line(&[(left, middle), (right, middle)], color, line);
        }
        let center = (0.5 * (left + right), middle);
        if entry.error == ErrorStyle::Bars {
            let line = Line {
                width: 0.7,
                dash: Dash::Solid,
            };
            let reach = 0.42 * self.size;
            canvas.line(
                &[(center.0, middle - reach), (center.0, middle + reach)],
                color,
                line,
            );
        }
        if entry.error == ErrorStyle::BarsAlongX {
            let line = Line {
                width: 0.7,
                dash: Dash::Solid,
            };
            let reach = (0.6 * self.size).min(0.5 * self.sample);
            let ends = [(center.0 - reach, middle), (center.0 + reach, middle)];
            canvas.line(&ends, color, line);
        }
        if let Some(shape) = &entry.marker {
            marker(canvas, shape, center, color);
        }
    }
}
