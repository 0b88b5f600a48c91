//! Writes a drawing as the three pictures that every kind of figure has. Does not know what is drawn.

use crate::exchange::failed::failed;
use plots::draw::export;
use plots::draw::figure::Drawing;
use plots::font::Font;
use plots::warnings;
use retrace::base::error::Result;
use retrace::stage::kind::Io;

/// Outputs `svg`, `pdf` and `png`. What is `warned` of is said, and stands in the SVG; so do glyphs that the font lacks, unless
/// `missing_glyphs` says that they are meant.
///
/// # Errors
/// A drawing that cannot be exported, and files that cannot be written.
pub fn write_drawing(
    io: &Io,
    drawing: &Drawing,
    font: &Font,
    dpi: f64,
    missing_glyphs: bool,
    mut warned: Vec<String>,
) -> Result<()> {
    if !missing_glyphs {
        let lacks = export::missing_glyphs(drawing, font).map_err(failed)?;
        warned.extend(lacks.iter().map(ToString::to_string));
    }
    warned.iter().for_each(|words| io.warn(words));
    let svg = export::svg(drawing, font).map_err(failed)?;
    io.write("svg", warnings::embed(&svg, &warned).as_bytes())?;
    io.write("pdf", &export::pdf(drawing, font).map_err(failed)?)?;
    io.write("png", &export::png(drawing, font, dpi).map_err(failed)?)
}
