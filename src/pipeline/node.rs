//! A YAML document as a tree in which every value and every key knows its place.
//!
//! Anything found wrong later, after profiles, matrices and types, can still be reported with line
//! and column. Knows YAML, not stages.

use crate::pipeline::error::{Error, Place, Result};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// A mapping key and where it stands.
#[derive(Clone, Debug)]
pub struct Key {
    pub place: Place,
    pub text: String,
}

/// The value of a node. Mappings keep the order of the file.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A larger file is refused before it is parsed.
pub const MAX_BYTES: usize = 4 << 20;
/// Deeper nesting is refused: the tree is walked recursively.
const MAX_DEPTH: usize = 40;
/// More nodes than this, after aliases are expanded, are refused.
const MAX_NODES: usize = 200_000;

impl Node {
    /// Parses a document; `source` is the name that places show.
    ///
    /// Duplicate keys are errors, aliases are expanded within fixed limits, and only YAML 1.2
    /// booleans are booleans.
    pub fn parse(source: &str, text: &str) -> Result<Node> {
        if text.len() > MAX_BYTES {
            let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
            return Err(Error::config(message).at(&Place::whole(source)));
        }
        let options = serde_yaml::options! {
            budget: serde_yaml::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 1 },
            strict_booleans: true,
            with_snippet: false,
        };
        let spanned: Spanned =
            serde_yaml::from_str_with_options(text, options).map_err(|error| {
                let place = match error.location() {
                    Some(at) => Place::file(&source.into(), at.line(), at.column()),
                    None => Place::whole(source),
                };
                let text = error.without_snippet().to_string();
                // The place is printed in front; the library says it again at the end.
                let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
                Error::config(message).at(&place)
            })?;
        Ok(spanned.into_node(&source.into()))
    }

    /// What kind of value this is, for messages.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Int(i) => format!("the number {i}"),
            Value::Float(x) => format!("the number {x}"),
            Value::Text(s) => format!("the text `{s}`"),
            Value::List(_) => "a list".into(),
            Value::Map(entries) if entries.is_empty() => "an empty mapping".into(),
            Value::Map(entries) => {
                let keys: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
                format!("a mapping of `{}`", keys.join("`, `"))
            }
        }
    }

    fn wrong_type(&self, what: &str, expected: &str) -> Error {
        Error::config(format!(
            "{what} must be {expected}, not {}",
            self.describe()
        ))
        .at(&self.place)
    }

    /// The entries of a mapping; an empty value counts as an empty mapping.
    pub fn entries(&self, what: &str) -> Result<&[(Key, Node)]> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(&[]),
            _ => Err(self.wrong_type(what, "a mapping")),
        }
    }

    /// The items of a list.
    pub fn items(&self, what: &str) -> Result<&[Node]> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.wrong_type(what, "a list")),
        }
    }

    /// The text of a string.
    pub fn text(&self, what: &str) -> Result<&str> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type(what, "text")),
        }
    }

    /// A scalar as text; `None` for lists, mappings and nothing.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.value {
            Value::Bool(b) => Some(b.to_string()),
            Value::Int(i) => Some(i.to_string()),
            Value::Float(x) => Some(x.to_string()),
            Value::Text(s) => Some(s.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value under a dotted path of keys and list positions.
    pub fn get_path(&self, path: &str) -> Option<&Node> {
        path.split('.')
            .try_fold(self, |node, step| match &node.value {
                Value::List(items) => items.get(step.parse::<usize>().ok()?),
                _ => node.get(step),
            })
    }

    /// Puts `value` at a dotted path, making mappings on the way.
    pub fn set_path(&mut self, path: &str, value: Node) -> Result<()> {
        let mut node = self;
        for step in path.split('.') {
            if matches!(node.value, Value::Null) {
                node.value = Value::Map(Vec::new());
            }
            let described = node.describe();
            node = match &mut node.value {
                Value::List(items) => {
                    let index = step.parse::<usize>().ok();
                    index.and_then(|i| items.get_mut(i)).ok_or_else(|| {
                        Error::config(format!("`{path}`: the list has no item `{step}`"))
                            .at(&value.place)
                    })?
                }
                Value::Map(entries) => {
                    let index = entries.iter().position(|(k, _)| k.text == step);
                    let index = index.unwrap_or_else(|| {
                        let key = Key {
                            place: value.place.clone(),
                            text: step.to_owned(),
                        };
                        let empty = Node {
                            place: value.place.clone(),
                            value: Value::Null,
                        };
                        entries.push((key, empty));
                        entries.len() - 1
                    });
                    &mut entries[index].1
                }
                _ => {
                    let message = format!("`{path}`: there is no `{step}` below {described}");
                    return Err(Error::config(message).at(&value.place));
                }
            };
        }
        *node = value;
        Ok(())
    }
}

/// A raw value with the parser's location, before the source's name is known.
struct Spanned(serde_yaml::Location, Raw);

enum Raw {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned>),
    Map(Vec<(serde_yaml::Location, String, Spanned)>),
}

impl Spanned {
    fn into_node(self, source: &Arc<str>) -> Node {
        let place = |at: serde_yaml::Location| Place::file(source, at.line(), at.column());
        let value = match self.1 {
            Raw::Null => Value::Null,
            Raw::Bool(b) => Value::Bool(b),
            Raw::Int(i) => Value::Int(i),
            Raw::Float(x) => Value::Float(x),
            Raw::Text(s) => Value::Text(s),
            Raw::List(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| item.into_node(source))
                    .collect(),
            ),
            Raw::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(at, text, value)| {
                        (
                            Key {
                                place: place(at),
                                text,
                            },
                            value.into_node(source),
                        )
                    })
                    .collect(),
            ),
        };
        Node {
            place: place(self.0),
            value,
        }
    }
}

impl<'de> Deserialize<'de> for Spanned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<Raw>::deserialize(deserializer)?;
        Ok(Spanned(spanned.referenced, spanned.value))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> std::result::Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> std::result::Result<Raw, D::Error> {
        Raw::deserialize(inner)
    }

    fn visit_bool<E>(self, b: bool) -> std::result::Result<Raw, E> {
        Ok(Raw::Bool(b))
    }

    fn visit_i64<E>(self, i: i64) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(i.into()))
    }

    fn visit_u64<E>(self, i: u64) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(i.into()))
    }

    fn visit_i128<E>(self, i: i128) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(i))
    }

    fn visit_f64<E>(self, x: f64) -> std::result::Result<Raw, E> {
        Ok(Raw::Float(x))
    }

    fn visit_str<E>(self, s: &str) -> std::result::Result<Raw, E> {
        Ok(Raw::Text(s.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<serde_yaml::Spanned<String>>()? {
            entries.push((key.referenced, key.value, map.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_keys_know_their_places() {
        let node = Node::parse("p.yaml", "a: 1\nb:\n  - x\n  - {c: 2.5}\n").unwrap();
        let c = node.get_path("b.1.c").unwrap();
        assert_eq!(c.place.to_string(), "p.yaml:4:9");
        assert!(matches!(c.value, Value::Float(x) if x == 2.5));
        let entries = node.entries("document").unwrap();
        assert_eq!(entries[1].0.place.to_string(), "p.yaml:2:1");
    }

    #[test]
    fn a_duplicate_key_is_an_error_with_its_place() {
        let error = Node::parse("p.yaml", "a: 1\nb: 2\na: 3\n").unwrap_err();
        assert!(error.to_string().starts_with("p.yaml:3:1: "), "{error}");
        assert!(error.message.contains("duplicate"), "{error}");
    }

    #[test]
    fn hostile_documents_end_in_a_message() {
        let deep = "[".repeat(100_000);
        assert!(Node::parse("p", &deep).is_err());
        let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (name, of) in [
            ("b", "a"),
            ("c", "b"),
            ("d", "c"),
            ("e", "d"),
            ("f", "e"),
            ("g", "f"),
        ] {
            let list = vec![format!("*{of}"); 9].join(", ");
            bomb.push_str(&format!("{name}: &{name} [{list}]\n"));
        }
        assert!(Node::parse("p", &bomb).is_err());
        assert!(Node::parse("p", "a: [1, 2").is_err());
        assert!(Node::parse("p", "\u{0}").is_err());
    }

    #[test]
    fn yaml_1_1_booleans_are_text() {
        let node = Node::parse("p", "a: no\nb: true\n").unwrap();
        assert!(matches!(&node.get("a").unwrap().value, Value::Text(s) if s == "no"));
        assert!(matches!(node.get("b").unwrap().value, Value::Bool(true)));
    }
}
