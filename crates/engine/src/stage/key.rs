//! The cache key of a stage: a list of parts that is hashed, printed, recorded and compared.
//!
//! There is no second list: what `explain` shows is what the digest covers. No stage id, path,
//! time, host or environment can enter, because no part holds one.

use crate::base::digest::{Digest, Encoder};
use crate::stage::{by_id, look};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Enters every key: raise it when the meaning of keys or the engine's contract with stages changes.
pub const FORMAT: u64 = 1;

/// One step on the way to a parameter: a key of a mapping or a position in a list.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(u64),
}

/// All code that can affect the outputs of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    digest: String,
    parts: Arc<BTreeMap<String, String>>,
}

impl Code {
    /// `digest` covers all of the code and is what counts; `parts` says for people what it is made of:
    /// names of files and dependencies with digests or versions, such as `crate libm` and `0.2.16`.
    pub fn new(
        digest: impl Into<String>,
        parts: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Code {
            digest: digest.into(),
            parts: Arc::new(parts.into_iter().collect()),
        }
    }

    /// What covers all of the code.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it is made of, for people.
    pub fn parts(&self) -> &BTreeMap<String, String> {
        &self.parts
    }

    /// Adds it to something that is hashed.
    pub fn enter(&self, encoder: &mut Encoder) {
        encoder.text(&self.digest);
    }
}

/// All that a stage's outputs depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    kind: String,
    params: Arc<Json>,
    inputs: Vec<(String, Digest)>,
    code: Arc<Code>,
    digest: Digest,
}

/// The parts of a key as text and JSON, by name: what the lock records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyParts {
    pub kind: String,
    pub params: BTreeMap<String, Json>,
    pub inputs: BTreeMap<String, Digest>,
    /// Stages of one kind share it.
    pub code: Arc<BTreeMap<String, String>>,
}

impl Key {
    /// Makes a key. `params` is the fully resolved, typed value (floats are JSON floats also when
    /// whole); `inputs` are pairs of role and content digest, in any order.
    pub fn new(
        kind: &str,
        params: Arc<Json>,
        mut inputs: Vec<(String, Digest)>,
        code: &Arc<Code>,
    ) -> Self {
        inputs.sort();
        let mut key = Key {
            kind: kind.to_owned(),
            params,
            inputs,
            code: code.clone(),
            digest: Digest::of(b""),
        };
        key.digest = key.encode();
        key
    }

    /// The inputs by role, sorted.
    pub fn inputs(&self) -> &[(String, Digest)] {
        &self.inputs
    }

    /// The digest under which the action cache files the outputs.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What covers the code that the stage's kind reaches.
    pub fn code(&self) -> &str {
        &self.code.digest
    }

    fn encode(&self) -> Digest {
        let mut e = Encoder::new("retrace stage key");
        e.word(FORMAT);
        e.text(&self.kind);
        let (place, mut count) = (e.later(), 0);
        leaves(&self.params, &mut Vec::new(), &mut |path, value| {
            count += 1;
            e.word(path.len() as u64);
            for step in path {
                match step {
                    Step::Key(key) => {
                        e.tag(0);
                        e.text(key);
                    }
                    Step::Index(index) => {
                        e.tag(1);
                        e.word(*index);
                    }
                }
            }
            encode_leaf(&mut e, value);
        });
        e.fill(place, count);
        e.word(self.inputs.len() as u64);
        for (role, digest) in &self.inputs {
            e.text(role);
            e.bytes(digest.as_bytes());
        }
        self.code.enter(&mut e);
        e.finish()
    }

    /// The parts by name, for people and for the lock.
    pub fn parts(&self) -> KeyParts {
        let mut params = BTreeMap::new();
        leaves(&self.params, &mut Vec::new(), &mut |path, value| {
            let steps = path.iter().map(|step| match step {
                Step::Key(key) => (*key).to_owned(),
                Step::Index(index) => index.to_string(),
            });
            params.insert(steps.collect::<Vec<_>>().join("."), value.clone());
        });
        KeyParts {
            kind: self.kind.clone(),
            params,
            inputs: self.inputs.iter().cloned().collect(),
            code: self.code.parts.clone(),
        }
    }
}

/// Visits every parameter that has none below it: what is hashed and what is shown.
fn leaves<'a>(
    value: &'a Json,
    path: &mut Vec<Step<'a>>,
    visit: &mut impl FnMut(&[Step<'a>], &'a Json),
) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            // A map keeps its keys sorted, so the order in the file does not count.
            for (key, value) in map {
                path.push(Step::Key(key));
                leaves(value, path, visit);
                path.pop();
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                path.push(Step::Index(index as u64));
                leaves(value, path, visit);
                path.pop();
            }
        }
        leaf => visit(path, leaf),
    }
}

/// Tags: 0 null, 1 false, 2 true, 3 unsigned, 4 negative, 5 float (its bits), 6 text, 7 empty list,
/// 8 empty mapping.
fn encode_leaf(e: &mut Encoder, value: &Json) {
    match value {
        Json::Null => e.tag(0),
        Json::Bool(b) => e.tag(1 + u8::from(*b)),
        Json::Number(number) => {
            if let Some(u) = number.as_u64() {
                e.tag(3);
                e.word(u);
            } else if let Some(i) = number.as_i64() {
                e.tag(4);
                e.word(i.cast_unsigned());
            } else {
                e.tag(5);
                // Without serde_json's `arbitrary_precision` every other number is an f64.
                e.word(number.as_f64().unwrap_or(f64::NAN).to_bits());
            }
        }
        Json::String(text) => {
            e.tag(6);
            e.text(text);
        }
        Json::Array(_) => e.tag(7),
        Json::Object(_) => e.tag(8),
    }
}

/// A difference between two sets of key parts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "part", rename_all = "kebab-case")]
pub enum Change {
    /// A parameter, as JSON; `None` where it does not exist.
    Param {
        name: String,
        old: Option<Json>,
        new: Option<Json>,
    },
    /// The content behind a role.
    Input {
        role: String,
        /// The file, or the stage and output, that it now comes from; where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        old: Option<Digest>,
        new: Option<Digest>,
    },
    /// A source module or a locked dependency; with neither, all code of a stage of which none was
    /// recorded.
    Code {
        name: String,
        old: Option<String>,
        new: Option<String>,
    },
    /// The kind of the stage.
    Kind { old: String, new: String },
    /// The key, of which is not known what it was made of.
    Key { old: Digest, new: Digest },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        fn show<T: ToString>(value: &Option<T>) -> String {
            value.as_ref().map_or("absent".into(), T::to_string)
        }
        let words = |d: Digest| look::state_words(d).map_or_else(|| d.short(), str::to_owned);
        let short = |d: &Option<Digest>| show(&d.map(words));
        match self {
            Change::Param { name, old, new } => {
                write!(f, "param {name}: {} -> {}", show(old), show(new))
            }
            Change::Input {
                role,
                from,
                old,
                new,
            } => {
                let from = from
                    .as_ref()
                    .map_or(String::new(), |from| format!(" ({from})"));
                write!(f, "input {role}{from}: {} -> {}", short(old), short(new))
            }
            Change::Code {
                old: None,
                new: None,
                ..
            } => write!(f, "code: not recorded"),
            Change::Code {
                name, old: None, ..
            } => write!(f, "code {name}: now reached"),
            Change::Code {
                name, new: None, ..
            } => write!(f, "code {name}: no longer reached"),
            Change::Code { name, .. } => write!(f, "code {name}: changed"),
            Change::Kind { old, new } => write!(f, "kind: {old} -> {new}"),
            Change::Key { old, new } => {
                let (old, new) = (old.short(), new.short());
                write!(
                    f,
                    "key: {old} -> {new}; what the old one was made of is not recorded"
                )
            }
        }
    }
}

impl KeyParts {
    /// What is different in `new`, params first, then inputs, then code.
    pub fn changes(&self, new: &KeyParts) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.kind != new.kind {
            changes.push(Change::Kind {
                old: self.kind.clone(),
                new: new.kind.clone(),
            });
        }
        let [before, after] = by_id::named([&self.params, &new.params]);
        for (name, old, new) in differing(&before, &after) {
            changes.push(Change::Param { name, old, new });
        }
        for (role, old, new) in differing(&self.inputs, &new.inputs) {
            let from = None;
            changes.push(Change::Input {
                role,
                from,
                old,
                new,
            });
        }
        if self.code.is_empty() && !new.code.is_empty() {
            let (name, old, new) = (String::new(), None, None);
            changes.push(Change::Code { name, old, new });
        } else if !Arc::ptr_eq(&self.code, &new.code) {
            for (name, old, new) in differing(&self.code, &new.code) {
                changes.push(Change::Code { name, old, new });
            }
        }
        changes
    }
}

type Differing<V> = Vec<(String, Option<V>, Option<V>)>;

fn differing<V: Clone + PartialEq>(
    old: &BTreeMap<String, V>,
    new: &BTreeMap<String, V>,
) -> Differing<V> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| (name.clone(), old.get(name).cloned(), new.get(name).cloned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(params: Json) -> Digest {
        let inputs = vec![("r".into(), Digest::of(b"x"))];
        Key::new("k", Arc::new(params), inputs, &no_code()).digest()
    }

    fn no_code() -> Arc<Code> {
        Arc::new(Code::new("", []))
    }

    #[test]
    fn the_encoding_is_pinned() {
        // A change here means that every cache and lock of every user is void: raise FORMAT.
        let params = json!({"a": 1, "b": 1.0, "c": [true, null, "t", -2, [], {}]});
        let code = Arc::new(Code::new("1", []));
        let inputs = vec![("r".into(), Digest::of(b"x"))];
        let key = Key::new("k", Arc::new(params), inputs, &code);
        assert_eq!(key.digest().short(), "aa3b7027d947");
    }

    #[test]
    fn types_and_structure_count() {
        let different = [
            json!({"a": 1}),
            json!({"a": 1.0}),
            json!({"a": "1"}),
            json!({"a": true}),
            json!({"a": [1]}),
            json!({"a": {"0": 1}}),
            json!({"a.0": 1}),
            json!({"a": null}),
            json!({"a": []}),
            json!({"a": {}}),
            json!({}),
            json!({"a": -0.0}),
            json!({"a": 0.0}),
        ];
        let digests: std::collections::BTreeSet<Digest> = different.into_iter().map(key).collect();
        assert_eq!(digests.len(), 13);
        assert_eq!(key(json!({"a": 1, "b": 2})), key(json!({"b": 2, "a": 1})));
    }

    #[test]
    fn changes_name_what_changed() {
        let parts = |param: i64, input: &str| {
            let inputs = vec![("r".into(), Digest::of(input.as_bytes()))];
            Key::new("k", Arc::new(json!({"a": param})), inputs, &no_code()).parts()
        };
        let (old, new) = (parts(1, "x"), parts(2, "y"));
        let shown: Vec<String> = old.changes(&new).iter().map(Change::to_string).collect();
        assert_eq!(shown[0], "param a: 1 -> 2");
        assert!(shown[1].starts_with("input r: "));
        assert!(old.changes(&old).is_empty());
    }
}
