//! `pipeline.lock`: what every stage was made of and what came out, committed with the results.
//!
//! It is an expectation that runs and verifications compare with, never a reason not to run.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files;
use crate::pipeline::key::KeyParts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const FORMAT: u64 = 1;

/// The whole file: JSON, sorted, one block for each stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub format: u64,
    pub stages: BTreeMap<String, Block>,
}

/// What is recorded of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    pub key: Digest,
    #[serde(flatten)]
    pub parts: KeyParts,
    pub outputs: BTreeMap<String, Record>,
}

/// What is recorded of an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub path: String,
    pub digest: Digest,
}

impl Default for Lock {
    fn default() -> Self {
        Lock {
            format: FORMAT,
            stages: BTreeMap::new(),
        }
    }
}

impl Lock {
    /// Reads the lock; one that does not exist yet is empty.
    pub fn read(path: &Path) -> Result<Lock> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Lock::default()),
            Err(e) => return Err(Error::io("read", path, &e)),
        };
        // Only a damaged file can be restored; a newer one is reported as it is.
        Lock::parse(&path.display().to_string(), &bytes).map_err(|error| match error.hint {
            Some(_) => error,
            None => error
                .hint("restore it with `git checkout pipeline.lock`, or delete it and run again"),
        })
    }

    /// Reads the lock's bytes; `shown` is its name in messages.
    pub fn parse(shown: &str, bytes: &[u8]) -> Result<Lock> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        // The version comes first: a newer file may look different everywhere else.
        let damaged = |e: serde_json::Error| Error::config(format!("{shown} cannot be read: {e}"));
        let version: Version = serde_json::from_slice(bytes).map_err(damaged)?;
        if version.format != FORMAT {
            let found = version.format;
            let message = format!("{shown} has format {found}, this program knows {FORMAT}");
            return Err(Error::config(message).hint("update icl-repro"));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// Writes the lock atomically; an equal file is left alone.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::failed(format!("cannot write the lock: {e}")))?;
        bytes.push(b'\n');
        files::write(path, &bytes)
    }

    /// The block of a stage whose key is `key`.
    pub fn expected(&self, stage: &str, key: Digest) -> Option<&Block> {
        self.stages.get(stage).filter(|block| block.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_and_a_foreign_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline.lock");
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        let mut lock = Lock::default();
        let record = Record {
            path: "figures/a".into(),
            digest: Digest::of(b"a"),
        };
        let parts = KeyParts {
            kind: "k".into(),
            ..KeyParts::default()
        };
        let outputs = BTreeMap::from([("a".to_owned(), record)]);
        lock.stages.insert(
            "s".into(),
            Block {
                key: Digest::of(b"k"),
                parts,
                outputs,
            },
        );
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), lock);
        std::fs::write(&path, r#"{"format": 2, "new": true}"#).unwrap();
        let error = Lock::read(&path).unwrap_err();
        assert!(error.message.contains("has format 2"), "{error}");
        std::fs::write(&path, "{").unwrap();
        assert!(
            Lock::read(&path)
                .unwrap_err()
                .hint
                .unwrap()
                .contains("git checkout")
        );
    }
}
