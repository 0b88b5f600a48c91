//! What CITATION.cff says of the work: title, version, licence, authors, day of release.
//!
//! Reads the few fields that a package of the results needs. Does not check the file against the
//! format's schema.

use retrace::base::error::{Error, Place, Result};
use retrace::yaml::node::{Node, Value};

/// The file's name, below the root.
pub const FILE: &str = "CITATION.cff";

/// Who made what, and under which licence.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    pub title: String,
    pub version: String,
    /// An SPDX identifier.
    pub license: String,
    pub authors: Vec<Author>,
    pub released: Option<String>,
    /// Title and identifier of the work that is reproduced.
    pub reproduces: Option<(String, String)>,
}

/// A person or an organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    pub name: String,
    pub is_person: bool,
}

impl Citation {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Citation> {
        let root = Node::parse(FILE, text)?;
        let need = |key: &str| {
            text_of(&root, key).ok_or_else(|| {
                Error::config(format!("`{key}` is missing"))
                    .at(&Place::whole(FILE))
                    .hint("CITATION.cff names title, version, license and authors")
            })
        };
        let authors = items(&root, "authors").iter().filter_map(author).collect();
        let reproduces = root.get("preferred-citation").and_then(|work| {
            let identifier = items(work, "identifiers").first()?;
            Some((text_of(work, "title")?, text_of(identifier, "value")?))
        });
        Ok(Citation {
            title: need("title")?,
            version: need("version")?,
            license: need("license")?,
            authors,
            released: text_of(&root, "date-released"),
            reproduces,
        })
    }
}

fn author(node: &Node) -> Option<Author> {
    if let Some(name) = text_of(node, "name") {
        let is_person = false;
        return Some(Author { name, is_person });
    }
    let names = [text_of(node, "given-names"), text_of(node, "family-names")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let is_person = true;
    (!name.is_empty()).then_some(Author { name, is_person })
}

fn text_of(node: &Node, key: &str) -> Option<String> {
    match &node.get(key)?.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    match node.get(key).map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_organisations_are_told_apart() {
        let text = "title: t\nversion: 1.0.0\nlicense: MIT\nauthors:\n  - name: They\n  - {given-names: A, family-names: B}\n";
        let citation = Citation::parse(text).unwrap();
        let found: Vec<(&str, bool)> = citation
            .authors
            .iter()
            .map(|a| (a.name.as_str(), a.is_person))
            .collect();
        assert_eq!(found, [("They", false), ("A B", true)]);
        assert_eq!((citation.released, citation.reproduces), (None, None));
        let error = Citation::parse("title: t\nversion: 1.0.0\n").unwrap_err();
        assert!(error.message.contains("license"), "{error}");
    }
}
