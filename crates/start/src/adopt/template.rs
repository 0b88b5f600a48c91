//! `${...}` in a dvc.yaml, replaced by values.

use retrace::yaml::node::{Node, Value};
use std::collections::BTreeSet;

/// Values by name; what was added last hides what has the same name.
#[derive(Clone, Debug, Default)]
pub struct Values {
    known: Vec<(String, Node)>,
    /// Names that were replaced.
    pub used: BTreeSet<String>,
}

impl Values {
    /// Adds a value.
    pub fn add(&mut self, name: &str, value: Node) {
        self.known.push((name.to_owned(), value));
    }

    fn find(&self, path: &str) -> Option<&Node> {
        // `a[0].b` is `a.0.b`.
        let path = path.trim().replace('[', ".").replace(']', "");
        let (first, rest) = path.split_once('.').unwrap_or((&path, ""));
        let (_, node) = self.known.iter().rev().find(|(name, _)| name == first)?;
        match rest {
            "" => Some(node),
            rest => node.get_path(rest),
        }
    }

    /// A text with values in it.
    ///
    /// # Errors
    /// A name that there is not, or one of a list or a mapping.
    pub fn fill(&mut self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('\\') {
                filled += before;
                filled += "${";
                rest = &rest[at + 2..];
                continue;
            }
            filled += &rest[..at];
            let after = &rest[at + 2..];
            let end = after
                .find('}')
                .ok_or_else(|| format!("`{text}`: `${{` without `}}`"))?;
            let name = after[..end].trim();
            let value = self.find(name);
            let value = value.ok_or_else(|| format!("there is no value `{name}`"))?;
            let words = value.scalar_text().ok_or_else(|| {
                format!(
                    "`{name}` is {}: only single values can be put into a text",
                    value.describe()
                )
            })?;
            filled += &words;
            self.used.insert(name.to_owned());
            rest = &after[end + 1..];
        }
        filled += rest;
        Ok(filled)
    }

    /// The value that a text stands for as a whole, such as `${models}`; else the node itself.
    ///
    /// # Errors
    /// A name that there is not.
    pub fn whole(&mut self, node: &Node) -> Result<Node, String> {
        let Value::Text(text) = &node.value else {
            return Ok(node.clone());
        };
        let name = text
            .strip_prefix("${")
            .and_then(|text| text.strip_suffix('}'));
        let Some(name) = name.filter(|name| !name.contains('$')) else {
            return Ok(node.clone());
        };
        let value = self.find(name).cloned();
        let value = value.ok_or_else(|| format!("there is no value `{}`", name.trim()))?;
        self.used.insert(name.trim().to_owned());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_values() {
        let node = Node::parse("v", "{a: {b: [1, 0.5]}, c: x}").unwrap();
        let mut values = Values::default();
        for (key, value) in node.entries("v").unwrap() {
            values.add(&key.text, value.clone());
        }
        assert_eq!(values.fill("--n ${a.b[1]} ${ c }").unwrap(), "--n 0.5 x");
        assert_eq!(values.fill("\\${c} $c").unwrap(), "${c} $c");
        for (text, words) in [
            ("${d}", "no value `d`"),
            ("${a}", "a mapping of `b`"),
            ("${a", "without `}`"),
        ] {
            let error = values.fill(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        values.add("c", Node::parse("v", "y").unwrap());
        assert_eq!(values.fill("${c}").unwrap(), "y");
        let whole = values
            .whole(&Node::parse("v", "\"${a.b}\"").unwrap())
            .unwrap();
        assert_eq!(whole.items("b").unwrap().len(), 2);
    }
}
