//! The section of a page that compares, and its place in the page.
//!
//! Plain data in, HTML out; what is text is escaped by the template engine.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use retrace::base::error::{Error, Result};
use serde::Serialize;
use serde_json::Value as Json;

/// What the section says.
#[derive(Debug, Default, Serialize)]
pub struct Section {
    /// The other version, as it is called in legends.
    pub name: String,
    /// Both in a sentence.
    pub old: String,
    pub new: String,
    pub differing: usize,
    pub shared: usize,
    /// How many figures have curves of it.
    pub figures: usize,
    /// What could not be compared, or is left out.
    pub notes: Vec<String>,
    pub values: Vec<[String; 4]>,
    /// Of the verdicts, in a line; empty where there are none.
    pub summary: String,
    pub verdicts: Vec<[String; 4]>,
    pub tables: Vec<Differing>,
}

/// A table with cells that differ.
#[derive(Debug, Serialize)]
pub struct Differing {
    pub path: String,
    pub words: String,
    pub rows: Vec<[String; 5]>,
    /// Cells that differ and are not among the rows.
    pub more: usize,
}

/// Where the template of the page wants the section, and a link to it.
const PLACE: &str = "<!--against-->";
const LINK: &str = "<!--against-link-->";

/// What only a page that compares has.
const MARK: &str = "id=\"against-data\"";

/// Whether a page compares: it may be replaced by one that does.
pub fn is_compared(page: &[u8]) -> bool {
    page.windows(MARK.len())
        .any(|bytes| bytes == MARK.as_bytes())
}

/// The page with the section; `data` are the curves for its script.
///
/// # Errors
/// The page has no place for it, since its template has none.
pub fn insert(page: &str, section: &Section, data: &Json) -> Result<String> {
    let (before, after) = page.split_once(PLACE).ok_or_else(|| {
        Error::failed(format!("the page has no place for a comparison: its template lacks {PLACE}"))
            .hint("put that line where it should stand, and `{program} report` again; that of this program has it")
    })?;
    let html = html(section, data)?;
    let link = "<li><a href=\"#against\">Compared</a></li>";
    Ok(before.replacen(LINK, link, 1) + &html + after)
}

fn html(section: &Section, data: &Json) -> Result<String> {
    let failed = |e: minijinja::Error| Error::failed(format!("the comparison: {e:#}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let template = include_str!("section.html");
    environment
        .add_template("section", template)
        .map_err(failed)?;
    let template = environment.get_template("section").map_err(failed)?;
    let (c, data) = (Value::from(Serde(section)), Value::from(Serde(data)));
    template.render(context! { c, data }).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAGE: &str =
        "<nav><!--against-link--></nav><main><!--against--><p>the rest</p></main><!--against-->";

    #[test]
    fn the_section_stands_in_its_place_and_what_is_text_stays_text() {
        let hostile = "</script><script>alert('x')</script>";
        let section = Section {
            name: hostile.to_owned(),
            notes: vec![hostile.to_owned()],
            summary: "1 of 2 verdicts turned".to_owned(),
            verdicts: vec![["c", "holds -> fails", "1", "2"].map(str::to_owned)],
            values: vec![["noise_var", "0.1", "0.2", hostile].map(str::to_owned)],
            tables: vec![Differing {
                path: "figures/tables/errors.csv".to_owned(),
                words: "3 cells differ".to_owned(),
                rows: vec![["a", "b", "1", "2", "+1"].map(str::to_owned)],
                more: 2,
            }],
            ..Section::default()
        };
        let page = insert(PAGE, &section, &json!({"name": hostile})).unwrap();
        assert!(page.starts_with("<nav><li><a href=\"#against\">"));
        assert!(
            page.ends_with("<p>the rest</p></main><!--against-->"),
            "{page}"
        );
        for words in [
            "holds -&gt; fails",
            "errors.csv</code>: 3 cells differ",
            "2 more cells",
            "noise_var",
        ] {
            assert!(page.contains(words), "{words}\n{page}");
        }
        assert!(
            !page.contains("<script>") && page.matches("</script>").count() == 1,
            "{page}"
        );
        assert!(is_compared(page.as_bytes()) && !is_compared(PAGE.as_bytes()));
    }

    #[test]
    fn a_page_without_a_place_is_refused() {
        let error = insert("<main></main>", &Section::default(), &json!({})).unwrap_err();
        assert!(error.to_string().contains(PLACE));
    }
}
