//! Provenance in an SVG file: a `<metadata>` element, the first in the root element.

use crate::carried::{Carried, NAME, Result, Unreadable};
use resvg::usvg::roxmltree::{Document, Node};

/// The XML name space of the element.
const NAMESPACE: &str = "urn:retrace:provenance";

/// Adds the element.
pub fn embed(content: &[u8], json: &str) -> Result<Vec<u8>> {
    let text = utf8(content)?;
    let document = parse(text)?;
    let first = document.root_element().first_child();
    let first = first.ok_or_else(|| Unreadable("the SVG is empty".into()))?;
    let at = first.range().start;
    let json = json.replace('&', "&amp;").replace('<', "&lt;");
    let json = json.replace('>', "&gt;");
    let element =
        format!("<metadata><p:{NAME} xmlns:p=\"{NAMESPACE}\">{json}</p:{NAME}></metadata>");
    Ok([&text[..at], &element, &text[at..]].concat().into_bytes())
}

/// Finds the element and removes it.
pub fn take_apart(file: &[u8]) -> Result<Carried> {
    let text = utf8(file)?;
    let document = parse(text)?;
    let ours = |node: &Node| node.has_tag_name((NAMESPACE, NAME));
    let Some(found) = document.descendants().find(ours) else {
        return Ok(Carried {
            provenance: None,
            content: file.to_vec(),
        });
    };
    let around = found
        .parent()
        .filter(|node| node.tag_name().name() == "metadata" && node.children().count() == 1);
    let range = around.unwrap_or(found).range();
    Ok(Carried {
        provenance: Some(found.text().unwrap_or_default().to_owned()),
        content: [&file[..range.start], &file[range.end..]].concat(),
    })
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Unreadable("it is not UTF-8".into()))
}

fn parse(text: &str) -> Result<Document<'_>> {
    let document = Document::parse(text).map_err(|e| Unreadable(format!("no whole XML: {e}")))?;
    if document.root_element().tag_name().name() == "svg" {
        Ok(document)
    } else {
        Err(Unreadable("its root element is not `svg`".into()))
    }
}
