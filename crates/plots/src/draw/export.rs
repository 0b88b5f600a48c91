//! From the drawn page to the files that a reader gets: SVG, PDF, PNG.
//!
//! Knows nothing of what is on the page. Text becomes outlines in SVG and PNG and stays text,
//! with the font embedded, in PDF. There is no date, id or path in any of them.

use crate::draw::canvas::UNITS;
use crate::draw::figure::Drawing;
use crate::error::ReportError;
use crate::font::Font;
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings, geom};
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::{tiny_skia, usvg};
use std::fmt;

/// Dots per inch that print well.
pub const DEFAULT_DPI: f64 = 300.0;

/// A picture of more dots than this is a mistake in its size or dpi.
const MOST_DOTS: f64 = 2e8;

/// A self-contained SVG, sized in points, with text as outlines.
pub fn svg(drawing: &Drawing, font: &Font) -> Result<String, ReportError> {
    let tree = parse(drawing, font)?;
    let options = usvg::WriteOptions {
        coordinates_precision: 3,
        indent: usvg::Indent::None,
        ..usvg::WriteOptions::default()
    };
    let text = tree.to_string(&options);
    // usvg writes the size in the drawing's units, and no viewBox.
    let (_, body) = text.split_once('>').ok_or_else(|| ReportError::Backend {
        step: "usvg",
        message: "wrote no svg element".to_string(),
    })?;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}pt\" height=\"{}pt\" viewBox=\"0 0 {} {}\">{body}\n",
        drawing.width_pt(),
        drawing.height_pt(),
        tree.size().width(),
        tree.size().height(),
    ))
}

/// A PNG on white at so many dots per inch.
pub fn png(drawing: &Drawing, font: &Font, dpi: f64) -> Result<Vec<u8>, ReportError> {
    let failed = |message: &str| ReportError::Backend {
        step: "resvg",
        message: message.to_string(),
    };
    let (width, height) = (
        drawing.width_pt() * dpi / 72.0,
        drawing.height_pt() * dpi / 72.0,
    );
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_DOTS) {
        return Err(failed(&format!(
            "cannot draw {width:.0} x {height:.0} dots"
        )));
    }
    let tree = parse(drawing, font)?;
    let mut dots = tiny_skia::Pixmap::new(width.round() as u32, height.round() as u32)
        .ok_or_else(|| failed("cannot allocate the picture"))?;
    dots.fill(tiny_skia::Color::WHITE);
    let scale = (dpi / 72.0 / UNITS) as f32;
    resvg::render(
        &tree,
        tiny_skia::Transform::from_scale(scale, scale),
        &mut dots.as_mut(),
    );
    dots.encode_png().map_err(|e| failed(&e.to_string()))
}

/// A PDF of one page, with selectable text.
pub fn pdf(drawing: &Drawing, font: &Font) -> Result<Vec<u8>, ReportError> {
    let failed = |message: String| ReportError::Backend {
        step: "krilla",
        message,
    };
    let tree = parse(drawing, font)?;
    let size = geom::Size::from_wh(drawing.width_pt() as f32, drawing.height_pt() as f32)
        .ok_or_else(|| failed("refuses the page size".to_string()))?;
    // XMP metadata would carry an instance id; the document needs none.
    let mut document = Document::new_with(SerializeSettings {
        xmp_metadata: false,
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface
        .draw_svg(&tree, size, SvgSettings::default())
        .ok_or_else(|| failed("cannot draw the page".to_string()))?;
    surface.finish();
    page.finish();
    document.finish().map_err(|e| failed(format!("{e:?}")))
}

/// A character that the font has no glyph for, and the words that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingGlyph {
    pub character: char,
    pub words: String,
}

impl fmt::Display for MissingGlyph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (character, words) = (self.character, &self.words);
        let code = u32::from(character);
        write!(
            f,
            "the font has no glyph for `{character}` (U+{code:04X}) in `{words}`; \
             `missing_glyphs: true` says that a box will do"
        )
    }
}

/// Every character on the page that is drawn as a box, once for each words that it stands in.
pub fn missing_glyphs(drawing: &Drawing, font: &Font) -> Result<Vec<MissingGlyph>, ReportError> {
    let mut missing = Vec::new();
    find_missing(parse(drawing, font)?.root(), &mut missing);
    Ok(missing)
}

fn find_missing(group: &usvg::Group, missing: &mut Vec<MissingGlyph>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => find_missing(group, missing),
            usvg::Node::Text(text) => {
                let words: String = text.chunks().iter().map(usvg::TextChunk::text).collect();
                let glyphs = text.layouted().iter();
                let glyphs = glyphs.flat_map(|span| &span.positioned_glyphs);
                // Glyph 0 is the box of a font.
                for character in glyphs
                    .filter(|glyph| glyph.id.0 == 0)
                    .flat_map(|glyph| glyph.text.chars())
                {
                    let words = words.clone();
                    let found = MissingGlyph { character, words };
                    if !missing.contains(&found) {
                        missing.push(found);
                    }
                }
            }
            usvg::Node::Path(_) | usvg::Node::Image(_) => {}
        }
    }
}

fn parse(drawing: &Drawing, font: &Font) -> Result<usvg::Tree, ReportError> {
    usvg::Tree::from_str(&drawing.svg, &font.usvg_options()).map_err(|e| ReportError::Backend {
        step: "usvg",
        message: e.to_string(),
    })
}
