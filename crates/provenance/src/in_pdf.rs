//! Provenance in a PDF file: an entry of the document information, added as an incremental update.
//!
//! An update is appended: the file from before is its beginning, byte for byte (ISO 32000-2, 7.5.6).
//! The JSON is written as a hexadecimal string, so that it cannot look like a part of the file.

use crate::carried::{Carried, NAME, Result, Unreadable};
use lopdf::{Dictionary, Document, IncrementalDocument, Object, StringFormat};

/// What ends a file, and each of its updates.
const END: &[u8] = b"%%EOF";

/// Appends the update.
pub fn embed(content: &[u8], json: &str) -> Result<Vec<u8>> {
    let document = load(content)?;
    let mut info = information(&document).cloned().unwrap_or_default();
    let json = Object::String(json.as_bytes().to_vec(), StringFormat::Hexadecimal);
    info.set(NAME, json);
    let mut update = IncrementalDocument::create_from(content.to_vec(), document);
    let info = update.new_document.add_object(info);
    update.new_document.trailer.set("Info", info);
    let mut file = Vec::new();
    update
        .save_to(&mut file)
        .map_err(|e| Unreadable(format!("the PDF cannot be written: {e}")))?;
    Ok(file)
}

/// Finds the entry, and cuts the update off.
pub fn take_apart(file: &[u8]) -> Result<Carried> {
    let document = load(file)?;
    let json = information(&document).and_then(|info| info.get(NAME.as_bytes()).ok());
    let json = json.and_then(|json| json.as_str().ok());
    let Some(json) = json else {
        return Ok(Carried {
            provenance: None,
            content: file.to_vec(),
        });
    };
    let provenance = Some(String::from_utf8_lossy(json).into_owned());
    let ends = file.windows(END.len()).enumerate();
    let ends = ends.filter(|(_, window)| *window == END);
    let ends: Vec<usize> = ends.map(|(at, _)| at + END.len()).collect();
    // Ours end with the mark itself; the line break behind it belongs to the update.
    let content = match ends[..] {
        [.., before, _] => file[..before].to_vec(),
        _ => file.to_vec(),
    };
    Ok(Carried {
        provenance,
        content,
    })
}

fn load(file: &[u8]) -> Result<Document> {
    Document::load_mem(file).map_err(|e| Unreadable(format!("no whole PDF: {e}")))
}

fn information(document: &Document) -> Option<&Dictionary> {
    let info = document.trailer.get(b"Info").ok()?;
    let (_, info) = document.dereference(info).ok()?;
    info.as_dict().ok()
}
