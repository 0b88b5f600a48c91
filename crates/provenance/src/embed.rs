//! Provenance inside files: puts a line of JSON into an SVG, PNG, PDF or Parquet file, and finds it
//! again in any copy.
//!
//! Embedding adds and changes nothing else: the file without its provenance is the file from before,
//! byte for byte, and [`embed`] makes sure of that. The JSON is pure ASCII, so that no format's idea
//! of text can change it. Knows nothing of what the JSON says.

use crate::carried::{Carried, Result, Unreadable};
use crate::in_parquet;
use crate::in_pdf;
use crate::in_png;
use crate::in_svg;
use std::path::Path;

/// Where the code digest of whoever embeds starts.
pub const SOURCE: &str = file!();

/// A file format that can carry provenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Svg,
    Png,
    Pdf,
    Parquet,
}

impl Format {
    /// The format that a file's name promises.
    pub fn of_name(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "svg" => Some(Format::Svg),
            "png" => Some(Format::Png),
            "pdf" => Some(Format::Pdf),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }

    /// The format that a file's first bytes show, whatever its name.
    pub fn of_bytes(bytes: &[u8]) -> Option<Format> {
        let text = bytes.trim_ascii_start();
        if bytes.starts_with(in_png::SIGNATURE) {
            Some(Format::Png)
        } else if bytes.starts_with(b"%PDF-") {
            Some(Format::Pdf)
        } else if bytes.starts_with(b"PAR1") {
            Some(Format::Parquet)
        } else if text.starts_with(b"<svg") || text.starts_with(b"<?xml") {
            Some(Format::Svg)
        } else {
            None
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Svg => "SVG",
            Format::Png => "PNG",
            Format::Pdf => "PDF",
            Format::Parquet => "Parquet",
        }
    }
}

/// The file with `json` in it.
///
/// # Errors
///
/// When `content` is no file of the format, or already carries provenance.
pub fn embed(format: Format, content: &[u8], json: &str) -> Result<Vec<u8>> {
    let json = ascii(json);
    if take_apart(format, content)?.provenance.is_some() {
        return Err(Unreadable("it carries provenance already".into()));
    }
    let file = match format {
        Format::Svg => in_svg::embed(content, &json),
        Format::Png => in_png::embed(content, &json),
        Format::Pdf => in_pdf::embed(content, &json),
        Format::Parquet => in_parquet::embed(content, &json),
    }?;
    let back = take_apart(format, &file)?;
    if back.provenance.as_deref() == Some(&json) && back.content == content {
        Ok(file)
    } else {
        let name = format.name();
        Err(Unreadable(format!(
            "this {name} file cannot carry provenance"
        )))
    }
}

/// Finds the provenance in a file, and gives the file without it.
pub fn take_apart(format: Format, file: &[u8]) -> Result<Carried> {
    match format {
        Format::Svg => in_svg::take_apart(file),
        Format::Png => in_png::take_apart(file),
        Format::Pdf => in_pdf::take_apart(file),
        Format::Parquet => in_parquet::take_apart(file),
    }
}

/// JSON with every other character escaped: outside ASCII there are only characters of strings.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                text += &format!("\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_back() {
        let value = serde_json::json!({"θ₀": "a\u{1F600}\"\\"});
        let text = ascii(&value.to_string());
        assert!(text.is_ascii());
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, value);
    }
}
