//! The page of the report: plain data and templates in, one HTML file out.
//!
//! Knows nothing of stages, and loads nothing: styles, scripts and pictures are handed in. What is text
//! is escaped by the template engine; styles and scripts are refused if they could end their element.

use crate::report::error::ReportError;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

/// The most that a page may weigh.
pub const MOST_BYTES: usize = 5_000_000;

/// What stands around the data.
pub struct Parts<'a> {
    pub template: &'a str,
    pub style: &'a str,
    /// The page's own script.
    pub script: &'a str,
    /// The charting library.
    pub charts: &'a str,
}

/// The whole page; `data` is what the template names `page`.
///
/// # Errors
/// A template that does not fit the data, a script that would end its element, or too many bytes.
pub fn render(parts: &Parts, data: &impl Serialize) -> Result<String, ReportError> {
    let failed = |message: String| ReportError::Backend {
        step: "the page",
        message,
    };
    for (name, text, end) in [
        ("style", parts.style, "</style"),
        ("script", parts.script, "</script"),
        ("charts", parts.charts, "</script"),
    ] {
        if text.to_ascii_lowercase().contains(end) || text.contains("<!--") {
            return Err(failed(format!("{name} holds `{end}` or `<!--`")));
        }
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment
        .add_template("page", parts.template)
        .map_err(|e| failed(format!("{e:#}")))?;
    let raw = |text: &str| Value::from_safe_string(text.to_owned());
    let page = environment
        .get_template("page")
        .and_then(|template| {
            template.render(context! {
                page => Value::from_serialize(data),
                style => raw(parts.style),
                script => raw(parts.script),
                charts => raw(parts.charts),
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
