//! What a lock holds: of every stage what it was made of and what came out. Does not know how that is
//! written down.

use crate::base::digest::{Digest, Encoder};
use crate::stage::key::{Change, KeyParts};
use crate::stage::publication::Publication;
use crate::stage::tolerance::Basis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole lock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    pub stages: BTreeMap<String, Block>,
    /// Stages of which the text says two things or more, one block for each: none of them is recorded,
    /// but a stage that has the key of one is.
    pub rivals: BTreeMap<String, Vec<Block>>,
}

/// What is recorded of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub key: Digest,
    /// Where that is known.
    pub parts: Option<KeyParts>,
    pub outputs: BTreeMap<String, Record>,
    /// How outputs compare that need not be the same bytes elsewhere.
    pub basis: BTreeMap<String, Basis>,
}

/// What is recorded of an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub path: String,
    /// Of the artifact, which other stages read.
    pub digest: Digest,
    /// The file at `path`, where provenance was embedded in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Publication>,
}

impl Block {
    /// What is different in a key with these parts.
    pub fn changes(&self, key: Digest, parts: &KeyParts) -> Vec<Change> {
        match &self.parts {
            Some(old) => {
                let mut changes = old.changes(parts);
                // A key holds no name of a file: under the same key its code is the same, whatever it was called.
                if self.key == key {
                    changes.retain(|change| !matches!(change, Change::Code { .. }));
                }
                changes
            }
            None if self.key == key => Vec::new(),
            None => vec![Change::Key {
                old: self.key,
                new: key,
            }],
        }
    }
}

impl Record {
    /// The digest of the file at `path`.
    pub fn file_digest(&self) -> Digest {
        self.published.map_or(self.digest, |file| file.digest)
    }

    /// Whether the same key gave other bytes in `new`: another artifact, or the same artifact
    /// published as other bytes by the same code. The same bytes in another place are no others.
    pub fn contradicts(&self, new: &Record) -> bool {
        let publications = self.published.zip(new.published);
        self.digest != new.digest
            || publications.is_some_and(|(a, b)| a.key == b.key && a.digest != b.digest)
    }
}

impl Lock {
    /// The block of a stage whose key is `key`.
    pub fn expected(&self, stage: &str, key: Digest) -> Option<&Block> {
        let rivals = self.rivals.get(stage).into_iter().flatten();
        self.stages
            .get(stage)
            .into_iter()
            .chain(rivals)
            .find(|block| block.key == key)
    }
}

/// Something in a lock that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The stage that counts as not recorded because of it.
    pub stage: Option<String>,
    /// Where it starts in the file, where that is known.
    pub line: Option<usize>,
    /// In words that stand for themselves.
    pub why: String,
}

impl Problem {
    /// In a line of text; `shown` is the file's name.
    pub fn text(&self, shown: &str) -> String {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        match &self.stage {
            Some(stage) => format!("{shown}{line}: `{stage}` is not recorded: {}", self.why),
            None => format!("{shown}{line}: {}", self.why),
        }
    }
}

/// Why a text is no lock at all.
#[derive(Debug)]
pub enum Unreadable {
    /// A newer program wrote it, in this format.
    Newer(u64),
    /// What is wrong.
    Damaged(String),
    /// The same, of a text that git could not merge.
    Unmerged(String),
}

/// A lock, and what of its text says nothing.
pub type Salvaged = (Lock, Vec<Problem>);

/// Whether a line can hold it as an id or a name.
pub fn is_word(text: &str) -> bool {
    let is_other = |c: char| c.is_whitespace() || c.is_control() || c == '=';
    !text.is_empty() && !text.starts_with('#') && !text.contains(is_other)
}

/// What a table of code is called: by a kind that it belongs to, and what it says.
pub fn code_name(parts: &KeyParts) -> String {
    let mut encoder = Encoder::new("retrace code");
    for (name, version) in parts.code.iter() {
        encoder.text(name);
        encoder.text(version);
    }
    format!("{} {}", parts.kind, &encoder.finish().to_string()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Parts of a key whose code stands in `file`.
    fn parts(file: &str, digest: &str) -> KeyParts {
        KeyParts {
            code: Arc::new([(file.to_owned(), digest.to_owned())].into()),
            ..KeyParts::default()
        }
    }

    #[test]
    fn code_that_moved_is_a_change_under_another_key_alone() {
        let block = Block {
            key: Digest::of(b"key"),
            parts: Some(parts("crates/a/fit.rs", "0123")),
            outputs: BTreeMap::new(),
            basis: BTreeMap::new(),
        };
        let moved = parts("crates/b/fit.rs", "0123");
        assert_eq!(block.changes(block.key, &moved), []);
        assert_eq!(block.changes(Digest::of(b"other"), &moved).len(), 2);
        let mut renamed = moved.clone();
        renamed.kind = "other".to_owned();
        let changes = block.changes(block.key, &renamed);
        assert!(matches!(changes[..], [Change::Kind { .. }]), "{changes:?}");
    }
}
