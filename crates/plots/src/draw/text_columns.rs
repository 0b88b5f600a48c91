//! Columns of short texts with a mark each: prompts whose examples are words.
//!
//! Knows nothing of what the texts are.

use crate::color::Color;
use crate::draw::canvas::{Anchor, Canvas};
use crate::draw::clip::Rect;
use crate::draw::figure::Drawing;
use crate::error::ReportError;
use crate::figure::{Dash, Line};
use crate::font::{ASCENT, DESCENT, Font};

/// Lengths are in points.
#[derive(Clone, Debug, PartialEq)]
pub struct TextColumns {
    pub width_pt: f64,
    pub font_pt: f64,
    pub columns: Vec<TextColumn>,
}

/// A title above, rows, one row apart in a frame, and notes below. What is too long for a line is broken
/// between words.
#[derive(Clone, Debug, PartialEq)]
pub struct TextColumn {
    pub title: String,
    pub rows: Vec<Marked>,
    pub last: Marked,
    /// Words above the notes; both are written smaller.
    pub above_notes: String,
    pub notes: Vec<Marked>,
}

/// A text from the left, and its mark at the right edge; in notes the mark stands before the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Marked {
    pub text: String,
    pub mark: String,
}

/// Free border of the page, and space between columns.
const BORDER: f64 = 3.0;
const BETWEEN: f64 = 14.0;
/// Space between lines, above the framed row and above the notes, in ems.
const LEADING: f64 = 0.2;
const APART: f64 = 0.7;
/// From the frame to what it holds.
const PADDING: f64 = 2.5;
/// Size of notes, of the other texts'.
const SMALLER: f64 = 0.85;
/// Between a text and its mark, in ems.
const GAP: f64 = 0.6;
/// Further lines of a text begin so many ems to the right.
const INDENT: f64 = 1.0;

const RULE: Line = Line {
    width: 0.4,
    dash: Dash::Solid,
};
const RULE_COLOR: Color = Color::new(0xC8, 0xC8, 0xC8);

/// Where a column stands, and how its lines do.
struct Place<'a> {
    font: &'a Font,
    size: f64,
    left: f64,
    right: f64,
}

/// Draws all columns, the page as high as the longest needs; framed rows and notes stand side by side.
///
/// # Errors
/// No columns, or a size that cannot be drawn.
pub fn draw(figure: &TextColumns, font: &Font) -> Result<Drawing, ReportError> {
    let wrong = |place: &str, problem: String| ReportError::Figure {
        place: place.to_owned(),
        problem,
    };
    for (name, value, low, high) in [
        ("width_pt", figure.width_pt, 20.0, 2000.0),
        ("font_pt", figure.font_pt, 2.0, 72.0),
    ] {
        if !(low..=high).contains(&value) {
            let problem = format!("is {value}: it must be from {low} to {high}");
            return Err(wrong(name, problem));
        }
    }
    let n = figure.columns.len();
    if n == 0 {
        return Err(wrong("columns", "are none".to_owned()));
    }
    let size = figure.font_pt;
    let width = (figure.width_pt - 2.0 * BORDER - BETWEEN * (n - 1) as f64) / n as f64;
    let least = 2.0 * PADDING + 6.0 * size;
    if width < least {
        let problem = format!("leaves {width:.0} points a column: at least {least:.0} are needed");
        return Err(wrong("width_pt", problem));
    }
    let places: Vec<Place> = (0..n)
        .map(|column| {
            let left = BORDER + column as f64 * (width + BETWEEN);
            let right = left + width;
            Place {
                font,
                size,
                left,
                right,
            }
        })
        .collect();
    let each = || places.iter().zip(&figure.columns);
    let most = |height: &dyn Fn(&Place, &TextColumn) -> f64| {
        each().fold(0.0, |most, (place, column)| {
            f64::max(most, height(place, column))
        })
    };
    let titles = most(&|place, column| place.title(column).len() as f64 * place.line());
    let rows = most(&|place, column| place.rows(column).iter().map(|row| row.1).sum());
    let last = most(&|place, column| place.height(&column.last));
    let notes = most(&|place, column| {
        let small = place.smaller();
        small.notes(column).len() as f64 * small.line()
    });
    let apart = APART * size;

    let title_top = BORDER;
    let row_top = title_top + titles + 0.4 * size;
    let last_top = row_top + rows + apart;
    let note_top = last_top + last + PADDING + apart;
    let height = note_top + notes + BORDER;

    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, figure.width_pt, height, font);
    let page = Rect {
        left: 0.0,
        top: 0.0,
        right: figure.width_pt,
        bottom: height,
    };
    canvas.rect(&page, Color::WHITE, 1.0);
    for (place, column) in each() {
        // Titles stand on the rule, however many lines they have.
        let lines = place.title(column);
        let mut top = title_top + titles - lines.len() as f64 * place.line();
        for line in &lines {
            place.write(&mut canvas, line, place.left, top, Anchor::Start);
            top += place.line();
        }
        let rule = row_top - 0.2 * size;
        canvas.line(&[(place.left, rule), (place.right, rule)], RULE_COLOR, RULE);
        let mut top = row_top;
        for (row, height) in place.rows(column) {
            place.marked(&mut canvas, row, top);
            top += height;
        }
        place.marked(&mut canvas, &column.last, last_top);
        let frame = Rect {
            left: place.left,
            right: place.right,
            top: last_top - PADDING,
            bottom: last_top + last + PADDING - LEADING * size,
        };
        canvas.outline(&frame.corners(), Color::BLACK, 0.8);
        let (small, mut top) = (place.smaller(), note_top);
        for (mark, left, line) in small.notes(column) {
            small.write(&mut canvas, mark, small.text_left(), top, Anchor::Start);
            small.write(&mut canvas, &line, left, top, Anchor::Start);
            top += small.line();
        }
    }
    canvas.finish()?;
    Ok(Drawing::new(svg, figure.width_pt, height))
}

impl Place<'_> {
    fn line(&self) -> f64 {
        (ASCENT + DESCENT + LEADING) * self.size
    }

    fn smaller(&self) -> Place<'_> {
        Place {
            size: SMALLER * self.size,
            ..*self
        }
    }

    fn text_left(&self) -> f64 {
        self.left + PADDING
    }

    fn title(&self, column: &TextColumn) -> Vec<String> {
        broken(&column.title, self.right - self.left, |text| {
            self.width(text)
        })
    }

    fn width(&self, text: &str) -> f64 {
        self.font.width(text, self.size)
    }

    /// One line where the text fits; else all are as narrow as the indented ones.
    fn lines(&self, row: &Marked) -> Vec<String> {
        let room = self.right
            - self.left
            - 2.0 * PADDING
            - self.width(&row.mark)
            - (GAP + INDENT) * self.size;
        match self.width(&row.text) <= room + INDENT * self.size {
            true => vec![row.text.clone()],
            false => broken(&row.text, room, |text| self.width(text)),
        }
    }

    fn height(&self, row: &Marked) -> f64 {
        self.lines(row).len() as f64 * self.line()
    }

    fn rows<'a>(&self, column: &'a TextColumn) -> Vec<(&'a Marked, f64)> {
        let rows = column.rows.iter();
        rows.map(|row| (row, self.height(row))).collect()
    }

    /// Lines above notes and of notes: the mark of those that have one, where the words begin, and the words.
    fn notes<'a>(&self, column: &'a TextColumn) -> Vec<(&'a str, f64, String)> {
        let lines = |mark, left: f64, words| {
            let room = self.right - PADDING - left;
            let lines = broken(words, room, |text| self.width(text)).into_iter();
            let marked = |(at, line)| (if at == 0 { mark } else { "" }, left, line);
            lines.enumerate().map(marked).collect::<Vec<_>>()
        };
        let left = self.text_left();
        let beside = left + (1.0 + GAP) * self.size;
        let mut all = lines("", left, &column.above_notes);
        for note in &column.notes {
            all.extend(lines(&note.mark, beside, &note.text));
        }
        all
    }

    /// The text, further lines a little to the right, and the mark on its last line.
    fn marked(&self, canvas: &mut Canvas, row: &Marked, top: f64) {
        let mut top = top;
        let lines = self.lines(row);
        for (at, line) in lines.iter().enumerate() {
            let left = self.text_left() + if at == 0 { 0.0 } else { INDENT * self.size };
            self.write(canvas, line, left, top, Anchor::Start);
            if at + 1 == lines.len() {
                self.write(canvas, &row.mark, self.right - PADDING, top, Anchor::End);
            }
            top += self.line();
        }
    }

    fn write(&self, canvas: &mut Canvas, words: &str, x: f64, top: f64, anchor: Anchor) {
        canvas.text(words, (x, top + ASCENT * self.size), self.size, anchor);
    }
}

/// Lines of a text no wider than `room`, as far as its words are; a longer word stands alone and is cut into
/// as many letters as fit.
fn broken(text: &str, room: f64, width: impl Fn(&str) -> f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        if width(&longer) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            let mut longer = line.clone();
            longer.push(letter);
            if width(&longer) > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_long_words_in_letters() {
        let width = |text: &str| text.chars().count() as f64;
        let broken = |text| broken(text, 8.0, width);
        assert_eq!(broken("one"), ["one"]);
        assert_eq!(broken("one two three"), ["one two", "three"]);
        assert_eq!(broken("a constitution b"), ["a", "constitu", "tion b"]);
        assert_eq!(broken(""), [""]);
        assert_eq!(super::broken("ab", 0.5, width), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let font = include_bytes!("../../../../data/fonts/DejaVuSans.ttf");
        let font = Font::from_bytes(font).unwrap();
        let row = |text: &str, mark: &str| Marked {
            text: text.into(),
            mark: mark.into(),
        };
        let column = TextColumn {
            title: "title".into(),
            rows: vec![row("Deutschland", "A")],
            last: row("Sverige", "?"),
            above_notes: "notes".into(),
            notes: vec![row("German", "A")],
        };
        let told = |width_pt, n| {
            let figure = TextColumns {
                width_pt,
                font_pt: 8.0,
                columns: vec![column.clone(); n],
            };
            let drawn = draw(&figure, &font);
            drawn.map(|_| ()).map_err(|e| e.to_string())
        };
        assert_eq!(told(486.0, 4), Ok(()));
        let wrong = |width_pt, n| told(width_pt, n).unwrap_err();
        assert!(
            wrong(486.0, 0).contains("`columns` are none"),
            "{}",
            wrong(486.0, 0)
        );
        assert!(
            wrong(486.0, 9).contains("`width_pt` leaves 41 points a column: at least 53"),
            "{}",
            wrong(486.0, 9)
        );
        assert!(
            wrong(f64::NAN, 1).contains("`width_pt` is NaN"),
            "{}",
            wrong(f64::NAN, 1)
        );
    }
}
