//! Reads YAML into values with locations, and says in our words what is wrong with a document.
//!
//! The only place that knows the library. Numbers that YAML 1.2 has no spelling for (`010`, `1_000`)
//! stay the text that was written: who wants a number refuses them, who wants a text has it whole.

use crate::base::error::{Error, Place, Result};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Location, MessageFormatter, UserMessageFormatter};
use std::fmt;

/// A larger file is refused before it is parsed.
pub const MAX_BYTES: usize = 4 << 20;
/// Deeper nesting is refused: the tree is walked recursively.
const MAX_DEPTH: usize = 40;
/// More nodes than this, after aliases are expanded, are refused.
const MAX_NODES: usize = 200_000;

/// A value with its location, before the source's name is known.
pub struct Spanned(pub Location, pub Raw);

/// What YAML can say.
pub enum Raw {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned>),
    Map(Vec<(Location, String, Spanned)>),
}

/// Parses a document; `source` is the name that places show.
///
/// # Errors
/// It is too large or too deep, or no YAML; with the place.
pub fn read(source: &str, text: &str) -> Result<Spanned> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(Error::config(message).at(&Place::whole(source)));
    }
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 1 },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let place = match error.location() {
            Some(at) => Place::file(&source.into(), at.line(), at.column()),
            None => Place::whole(source),
        };
        told(error.without_snippet()).at(&place)
    })
}

/// What the library found, without its own words: it speaks to programmers.
fn told(error: &serde_yaml::Error) -> Error {
    use serde_yaml::Error as Found;
    let (message, hint) = match error {
        Found::DuplicateMappingKey { key, .. } => {
            let key = key
                .as_ref()
                .map_or(String::new(), |key| format!(" `{key}`"));
            let message = format!("the key{key} is a duplicate: it stands in this mapping already");
            (message, Some("take one of the two away"))
        }
        Found::NullIntoString { .. } => (
            "a key must be text, not nothing".into(),
            Some("write it in quotes"),
        ),
        Found::Eof { .. } => ("the text ends too early".into(), None),
        Found::MultipleDocuments { .. } => (
            "a second document begins here".into(),
            Some("take the line `---` away"),
        ),
        Found::Unexpected { .. } => (
            "a key must be one text, not a list or a mapping".into(),
            Some("write it in quotes"),
        ),
        Found::MergeValueNotMapOrSeqOfMaps { .. } => {
            ("`<<` takes a mapping or a list of mappings".into(), None)
        }
        Found::InvalidBinaryBase64 { .. } | Found::BinaryNotUtf8 { .. } => {
            ("what `!!binary` marks is no text".into(), None)
        }
        Found::TaggedScalarCannotDeserializeIntoString { .. }
        | Found::InvalidScalar { .. }
        | Found::InvalidBooleanStrict { .. }
        | Found::UnsupportedTag { .. }
        | Found::TaggedEnumMismatch { .. } => (
            "the value is not what its tag says".into(),
            Some("take the tag, the word after `!`, away"),
        ),
        Found::NonFiniteFloat { value, .. } => (format!("`{value}` is not a finite number"), None),
        Found::UnknownAnchor { .. } => (
            "there is no anchor of that name above".into(),
            Some("a text that begins with `*` or `&` stands in quotes"),
        ),
        Found::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias stands inside of what it names".into(), None)
        }
        Found::AliasReplayCounterOverflow { .. }
        | Found::AliasReplayLimitExceeded { .. }
        | Found::AliasExpansionLimitExceeded { .. }
        | Found::AliasReplayStackDepthExceeded { .. } => {
            ("the aliases make too much of this file".into(), None)
        }
        Found::Budget { breach, .. } => (limit(breach), None),
        Found::AliasError { error, .. } => return told(error),
        _ => plain(error),
    };
    let error = Error::config(message);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn limit(breach: &BudgetBreach) -> String {
    match breach {
        BudgetBreach::Depth { .. } => format!("the values nest deeper than {MAX_DEPTH}"),
        BudgetBreach::Nodes { .. } => format!("the file has more than {MAX_NODES} values"),
        BudgetBreach::Documents { .. } => "a second document begins here".into(),
        BudgetBreach::SequenceUnbalanced => "a list or mapping is not closed".into(),
        BudgetBreach::MergeKeys { .. } => "the file has too many merge keys `<<`".into(),
        BudgetBreach::Aliases { .. }
        | BudgetBreach::Anchors { .. }
        | BudgetBreach::AliasAnchorRatio { .. }
        | BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. } => {
            "the anchors and aliases make too much of this file".into()
        }
        _ => "the file is too large".into(),
    }
}

/// The words about the document's grammar: those are about YAML itself. With a hint where the cause is
/// nearly always the same.
fn plain(error: &serde_yaml::Error) -> (String, Option<&'static str>) {
    let text = UserMessageFormatter.format_message(error);
    // The place is printed in front; the library says it again at the end.
    let text = text.split(" at line ").next().unwrap_or(&text);
    let text = text.split(" at byte ").next().unwrap_or(text);
    let hint = if text.starts_with("mapping values are not allowed") {
        Some("a text with `: ` in it stands in quotes; the keys of a mapping begin in one column")
    } else if text.starts_with("unexpected character") || text.contains("anchor or alias") {
        Some("a text that begins with one of @ ` % & * ! | > stands in quotes")
    } else if text.contains("tabs") {
        Some("indent with blanks")
    } else if text.starts_with("while parsing a block") {
        Some("the items of a list, and the keys of a mapping, begin in one column")
    } else {
        None
    };
    (text.to_owned(), hint)
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
