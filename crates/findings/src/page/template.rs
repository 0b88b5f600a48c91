//! The page of the report: plain data and templates in, one HTML file out.
//!
//! Knows nothing of stages, and loads nothing: styles, scripts and pictures are handed in. What is text
//! is escaped by the template engine; styles and scripts are refused if they could end their element.

use crate::page::glossary::Glossary;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use plots::error::ReportError;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The most that a page may weigh.
pub const MOST_BYTES: usize = 9_000_000;

/// What stands around the data.
pub struct Parts<'a> {
    pub template: &'a str,
    pub style: &'a str,
    /// The page's own script.
    pub script: &'a str,
    /// The charting library.
    pub charts: &'a str,
    /// The script of the page's widget, or nothing.
    pub widget: &'a str,
}

/// The whole page; `data` is what the template names `page`, and its filter `terms` links the glossary's.
///
/// # Errors
/// A template that does not fit the data, a script that would end its element, or too many bytes.
pub fn render(
    parts: &Parts,
    data: &impl Serialize,
    glossary: &Arc<Glossary>,
) -> Result<String, ReportError> {
    let failed = |message: String| ReportError::Backend {
        step: "the page",
        message,
    };
    for (name, text, end) in [
        ("style", parts.style, "</style"),
        ("script", parts.script, "</script"),
        ("charts", parts.charts, "</script"),
        ("widget_script", parts.widget, "</script"),
    ] {
        if text.to_ascii_lowercase().contains(end) || text.contains("<!--") {
            return Err(failed(format!("{name} holds `{end}` or `<!--`")));
        }
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("short", short);
    let glossary = Arc::clone(glossary);
    environment.add_filter("terms", move |text: String| {
        Value::from_safe_string(glossary.linked(&text))
    });
    environment
        .add_template("page", parts.template)
        .map_err(|e| failed(format!("{e:#}")))?;
    let raw = |text: &str| Value::from_safe_string(text.to_owned());
    let page = environment
        .get_template("page")
        .and_then(|template| {
            template.render(context! {
                page => Value::from(Serde(data)),
                style => raw(parts.style),
                script => raw(parts.script),
                charts => raw(parts.charts),
                widget_script => raw(parts.widget),
                script_sources => raw(&sources(&[parts.charts, parts.script, parts.widget])),
            })
        })
        .map_err(|e| failed(format!("{e:#}")))?;
    match page.len() {
        size if size > MOST_BYTES => Err(failed(format!(
            "has {size} bytes, more than the {MOST_BYTES} that it may have"
        ))),
        _ => Ok(page),
    }
}

/// What a Content-Security-Policy says of scripts: that these may run, and no others (`script-src` of CSP Level 3).
fn sources(scripts: &[&str]) -> String {
    let scripts = scripts.iter().filter(|script| !script.is_empty());
    // A browser reads the page with its line ends made one, before it hashes.
    let digest = |script: &&str| Sha256::digest(script.replace("\r\n", "\n"));
    let sources =
        scripts.map(|script| format!("'sha256-{}'", BASE64_STANDARD.encode(digest(script))));
    sources.collect::<Vec<_>>().join(" ")
}

/// `value` to six digits: more than a screen shows, less than a file has.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A number to five digits; any other text as it is.
fn short(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && text.contains(['.', 'e']) => {
            let rounded = format!("{number:.4e}").parse().unwrap_or(number);
            match rounded == 0.0 || (1e-5..1e7).contains(&f64::abs(rounded)) {
                true => rounded.to_string(),
                false => format!("{rounded:e}"),
            }
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_words_stay() {
        let cases = [
            ("0.3455124262151019", "0.34551"),
            ("3.2e24", "3.2e24"),
            ("-0.000001234567", "-1.2346e-6"),
            ("12", "12"),
            ("theta0", "theta0"),
            ("", ""),
        ];
        for (text, wanted) in cases {
            assert_eq!(short(text), wanted);
        }
    }

    #[test]
    fn text_is_escaped_scripts_cannot_end_and_bytes_repeat() {
        let parts = Parts {
            template: "<p>{{ page }}</p><script>{{ page | tojson }}</script><style>{{ style }}</style>",
            style: "p > b {}",
            script: "",
            charts: "",
            widget: "",
        };
        let hostile = "</p><script>alert('&')</script>";
        let page = render(&parts, &hostile, &Arc::default()).unwrap();
        assert!(page.matches("<script>").count() == 1 && page.matches("</script>").count() == 1);
        assert!(page.contains("<style>p > b {}</style>") && !page.contains("alert('"));
        assert_eq!(page, render(&parts, &hostile, &Arc::default()).unwrap());
        let wrong = Parts {
            script: "a = '</SCRIPT>'",
            ..parts
        };
        assert!(
            render(&wrong, &"", &Arc::default())
                .unwrap_err()
                .to_string()
                .contains("</script")
        );
    }

    #[test]
    fn scripts_are_allowed_by_their_digests() {
        // `printf a | openssl dgst -sha256 -binary | base64`
        let a = "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='";
        assert_eq!(sources(&["a", "", "a"]), format!("{a} {a}"));
        assert_eq!(sources(&["b\r\n"]), sources(&["b\n"]));
    }

    #[test]
    fn a_page_that_is_too_heavy_is_refused() {
        let template = "x".repeat(MOST_BYTES + 1);
        let parts = Parts {
            template: &template,
            style: "",
            script: "",
            charts: "",
            widget: "",
        };
        let error = render(&parts, &"", &Arc::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("9000001 bytes"), "{error}");
    }
}
