//! What a figure does not show, said in its SVG: `<desc class="warning">`, one for each, at the start.
//!
//! A figure of which there is nothing to say has none, and the bytes that it would have without this
//! module. Does not know who reads them.

use crate::error::ReportError;
use resvg::usvg::roxmltree::{Document, Node};

const CLASS: &str = "warning";

/// The SVG with the warnings behind its first tag.
pub fn embed(svg: &str, warnings: &[String]) -> String {
    let Some((tag, body)) = svg.split_once('>') else {
        return svg.to_owned();
    };
    let mut text = format!("{tag}>");
    for warning in warnings {
        // XML has no way to write a control character.
        let plain = warning
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c });
        let plain: String = plain.collect();
        let plain = plain.replace('&', "&amp;").replace('<', "&lt;");
        let plain = plain.replace('>', "&gt;");
        text.push_str(&format!("<desc class=\"{CLASS}\">{plain}</desc>"));
    }
    text + body
}

/// The warnings that an SVG carries.
///
/// # Errors
/// What is no XML.
pub fn read(svg: &str) -> Result<Vec<String>, ReportError> {
    let document = Document::parse(svg).map_err(|e| ReportError::Backend {
        step: "roxmltree",
        message: e.to_string(),
    })?;
    let ours = |node: &Node| node.has_tag_name("desc") && node.attribute("class") == Some(CLASS);
    let found = document.root_element().children().filter(ours);
    let words = found.map(|node| node.text().unwrap_or_default().to_owned());
    Ok(words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1pt\"><path/></svg>\n";

    #[test]
    fn what_is_embedded_reads_back_and_nothing_changes_nothing() {
        assert_eq!(embed(SVG, &[]), SVG);
        assert_eq!(read(SVG).unwrap(), Vec::<String>::new());
        let hostile = "`</desc><script>` & \u{7} \u{2212}θ₀";
        let warnings = ["a".to_owned(), hostile.to_owned()];
        let svg = embed(SVG, &warnings);
        assert!(!svg.contains("<script>"));
        let back = read(&svg).unwrap();
        assert_eq!(back, [warnings[0].clone(), hostile.replace('\u{7}', " ")]);
    }
}
