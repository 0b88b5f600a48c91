//! A YAML document as a tree in which every value and every key knows its place.
//!
//! Anything found wrong later, after profiles, matrices and types, can still be reported with line
//! and column. The text of a `--set` is a node too: it stays as it was typed until its type is known.
//! Knows neither stages nor types.

use crate::base::error::{Error, Place, Result};
use crate::yaml::decimal;
use crate::yaml::text::{self, Raw, Spanned};
use std::sync::Arc;

pub use crate::yaml::text::MAX_BYTES;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    /// Of the text of an option, what YAML makes of it, if it makes something of it.
    pub value: Value,
    /// The text of an option.
    written: Option<Arc<str>>,
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

/// How YAML writes that there is nothing.
const NOTHING: [&str; 5] = ["", "~", "null", "Null", "NULL"];
/// A path of more steps is refused: it would nest values deeper than a file may.
const MAX_STEPS: usize = 40;

impl Node {
    /// A value at a place.
    pub fn new(place: Place, value: Value) -> Self {
        Node {
            place,
            value,
            written: None,
        }
    }

    /// Parses a document; `source` is the name that places show.
    ///
    /// Duplicate keys are errors, aliases are expanded within fixed limits, and only YAML 1.2
    /// booleans are booleans.
    pub fn parse(source: &str, text: &str) -> Result<Node> {
        let spanned = text::read(source, text)?;
        Ok(Node::of(spanned, &source.into()))
    }

    /// The text of an option. What it means is decided by who reads it: a text is taken as it
    /// stands, anything else as [`Node::as_yaml`] says.
    pub fn written(place: Place, text: &str) -> Node {
        let mut node = Node::new(place, Value::Text(text.to_owned()));
        node.written = Some(text.into());
        if let Ok(yaml) = node.as_yaml() {
            node.value = yaml.value;
        }
        node
    }

    /// The text of an option, where the node is one.
    pub fn as_written(&self) -> Option<&str> {
        self.written.as_deref()
    }

    /// Whether nothing is written here.
    pub fn is_nothing(&self) -> bool {
        match self.as_written() {
            Some(text) => NOTHING.contains(&text.trim()),
            None => matches!(self.value, Value::Null),
        }
    }

    /// What YAML makes of the text of an option. Nothing of it gets lost: what would be a comment or
    /// folded blanks of a text is text. Any other node is itself.
    ///
    /// # Errors
    /// It begins like a list, a mapping or a quoted text and is none.
    pub fn as_yaml(&self) -> Result<Node> {
        let Some(text) = &self.written else {
            return Ok(self.clone());
        };
        let trimmed = text.trim();
        // Lines and columns inside an option help nobody.
        let mut node = Node::parse(&self.place.source, text).map_err(|error| Error {
            place: Some(self.place.clone()),
            ..error
        })?;
        let has_comment = || {
            trimmed
                .split([' ', '\t', '\n'])
                .any(|word| word.starts_with('#'))
        };
        let is_whole = match &node.value {
            Value::List(_) | Value::Map(_) => true,
            Value::Text(read) => read == trimmed || trimmed.starts_with(['"', '\'', '|', '>']),
            Value::Null => NOTHING.contains(&trimmed),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => !has_comment(),
        };
        if !is_whole {
            node.value = Value::Text(text.to_string());
        }
        node.move_to(&self.place);
        Ok(node)
    }

    fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.place = place.clone();
                value.move_to(place);
            }),
            _ => {}
        }
    }

    fn of(Spanned(at, raw): Spanned, source: &Arc<str>) -> Node {
        let entry = |(at, text, value): (_, String, Spanned)| {
            let place = place(at, source);
            (Key { place, text }, Node::of(value, source))
        };
        let value = match raw {
            Raw::Null => Value::Null,
            Raw::Bool(b) => Value::Bool(b),
            Raw::Int(i) => Value::Int(i),
            Raw::Float(x) => Value::Float(x),
            Raw::Text(s) => Value::Text(s),
            Raw::List(items) => {
                Value::List(items.into_iter().map(|i| Node::of(i, source)).collect())
            }
            Raw::Map(entries) => Value::Map(entries.into_iter().map(entry).collect()),
        };
        Node::new(place(at, source), value)
    }

    /// What kind of value this is, for messages.
    pub fn describe(&self) -> String {
        if let Some(text) = self.as_written() {
            return format!("`{text}`");
        }
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Int(i) => format!("the number {i}"),
            Value::Float(x) => format!("the number {}", decimal::text(*x)),
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

    /// A scalar as text; `None` for lists, mappings and nothing. A number has one text, however it is
    /// written.
    pub fn scalar_text(&self) -> Option<String> {
        if let Some(text) = self.as_written() {
            return Some(text.to_owned());
        }
        match &self.value {
            Value::Bool(b) => Some(b.to_string()),
            Value::Int(i) => Some(i.to_string()),
            Value::Float(x) => Some(decimal::text(*x)),
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

    /// The value under a dotted path of keys and list positions. A key may have dots of its own.
    pub fn get_path(&self, path: &str) -> Option<&Node> {
        let mut node = self;
        let mut rest = Some(path);
        while let Some(path) = rest {
            let (step, after) = node.step(path);
            node = match &node.value {
                Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => node.get(step)?,
            };
            rest = after;
        }
        Some(node)
    }

    /// The first step of a path below this node, and what is left: the longest key that is there,
    /// else all before the first dot.
    fn step<'p>(&self, path: &'p str) -> (&'p str, Option<&'p str>) {
        let after = |key: &str| {
            let rest = path.strip_prefix(key)?;
            (rest.is_empty() || rest.starts_with('.')).then_some(key.len())
        };
        let longest = match &self.value {
            Value::Map(entries) => entries.iter().filter_map(|(key, _)| after(&key.text)).max(),
            _ => None,
        };
        let end = longest.or_else(|| path.find('.')).unwrap_or(path.len());
        (&path[..end], path.get(end + 1..))
    }

    /// Puts `value` at a dotted path, making mappings on the way.
    pub fn set_path(&mut self, path: &str, value: Node) -> Result<()> {
        if path.split('.').nth(MAX_STEPS).is_some() {
            let message = format!("`{path}`: a path has at most {MAX_STEPS} steps");
            return Err(Error::config(message).at(&value.place));
        }
        let mut node = self;
        let mut rest = Some(path);
        while let Some(ahead) = rest {
            if matches!(node.value, Value::Null) {
                node.value = Value::Map(Vec::new());
            }
            // From here on it is what YAML made of it.
            node.written = None;
            let described = node.describe();
            let (step, after) = node.step(ahead);
            node = match &mut node.value {
                Value::List(items) => {
                    let (index, count) = (step.parse::<usize>().ok(), items.len());
                    index.and_then(|i| items.get_mut(i)).ok_or_else(|| {
                        let message = format!("`{path}`: the list has no item `{step}`");
                        let error = Error::config(message).at(&value.place);
                        error.hint(match count {
                            0 => "the list is empty".to_owned(),
                            count => format!("its items are 0 to {}", count - 1),
                        })
                    })?
                }
                Value::Map(entries) => {
                    let index = entries.iter().position(|(k, _)| k.text == step);
                    let index = index.unwrap_or_else(|| {
                        let key = Key {
                            place: value.place.clone(),
                            text: step.to_owned(),
                        };
                        let empty = Node::new(value.place.clone(), Value::Null);
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
            rest = after;
        }
        *node = value;
        Ok(())
    }
}

fn place(at: serde_yaml::Location, source: &Arc<str>) -> Place {
    Place::file(source, at.line(), at.column())
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
    fn nothing_of_an_option_gets_lost() {
        let read = |text: &str| Node::written(Place::whole("--set"), text).value;
        for text in [
            "ZS #1", "#FF0000", "007", "1_000", "a\nb", "5 # five", "a: b: c",
        ] {
            assert!(
                matches!(read(text), Value::Text(read) if read == text),
                "{text}"
            );
        }
        assert!(matches!(read(" 7 "), Value::Int(7)));
        assert!(matches!(read("null"), Value::Null));
        assert!(matches!(read("\"a # b\" # c"), Value::Text(read) if read == "a # b"));
        assert!(matches!(read("[1, 2] # two"), Value::List(items) if items.len() == 2));
    }

    #[test]
    fn a_key_may_have_dots() {
        let mut node = Node::parse("p", "a: {x.y: 1, x: {z: 2}}\n").unwrap();
        assert!(matches!(
            node.get_path("a.x.y").unwrap().value,
            Value::Int(1)
        ));
        assert!(matches!(
            node.get_path("a.x.z").unwrap().value,
            Value::Int(2)
        ));
        node.set_path("a.x.y", Node::parse("p", "3").unwrap())
            .unwrap();
        assert!(matches!(
            node.get_path("a.x.y").unwrap().value,
            Value::Int(3)
        ));
        assert!(node.get_path("a.x.y.z").is_none() && node.get_path("").is_none());
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
