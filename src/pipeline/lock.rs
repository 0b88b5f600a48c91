//! `pipeline.lock`: what every stage was made of and what came out, committed with the results.
//!
//! It is an expectation that runs and verifications compare with, never a reason not to run.
//!
//! JSON, sorted. The code that stages of one kind were made by stands once, under a name of its kind
//! and a digest, and the stages refer to it: an edit of a source file changes one line of the table
//! and one of each stage. Stages that a partial run left behind refer to the older table.

use crate::pipeline::digest::{Digest, Encoder};
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files;
use crate::pipeline::key::KeyParts;
use crate::pipeline::publication::Publication;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const FORMAT: u64 = 3;
/// In format 1 each stage had its table of code, in format 2 no output had a publication; `diff` still
/// meets both in older revisions.
const INLINE_CODE: u64 = 1;

/// A larger file is refused: it is somebody else's, and takes ten times its size when it is read.
pub const MAX_BYTES: u64 = 32 << 20;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    pub stages: BTreeMap<String, Block>,
}

/// What is recorded of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub key: Digest,
    pub parts: KeyParts,
    pub outputs: BTreeMap<String, Record>,
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

impl Record {
    /// The digest of the file at `path`.
    pub fn file_digest(&self) -> Digest {
        self.published.map_or(self.digest, |file| file.digest)
    }

    /// Whether the same key gave other bytes in `new`: another artifact, another place for it, or the
    /// same artifact published as other bytes by the same code.
    pub fn contradicts(&self, new: &Record) -> bool {
        let publications = self.published.zip(new.published);
        self.path != new.path
            || self.digest != new.digest
            || publications.is_some_and(|(a, b)| a.key == b.key && a.digest != b.digest)
    }
}

/// Names of source files and locked dependencies with their digests and versions.
type Table = BTreeMap<String, String>;

/// The file's text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    #[serde(default)]
    code: BTreeMap<String, Table>,
    stages: BTreeMap<String, WrittenBlock>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBlock {
    key: Digest,
    kind: String,
    params: BTreeMap<String, Json>,
    inputs: BTreeMap<String, Digest>,
    code: WrittenCode,
    outputs: BTreeMap<String, Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenCode {
    Name(String),
    Inline(Table),
}

impl Lock {
    /// Reads the lock; one that does not exist yet is empty.
    pub fn read(path: &Path) -> Result<Lock> {
        read(path).map(|(lock, _)| lock)
    }

    /// Reads the lock's bytes; `shown` is its name in messages.
    pub fn parse(shown: &str, bytes: &[u8]) -> Result<Lock> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        let damaged = |why: String| Error::config(format!("{shown} cannot be read: {why}"));
        let written: Written = match serde_json::from_slice(bytes) {
            Ok(written) => written,
            // A newer file may look different everywhere but there.
            Err(e) => match serde_json::from_slice(bytes) {
                Ok(Version { format }) if format > FORMAT => return Err(newer(shown, format)),
                _ => return Err(damaged(e.to_string())),
            },
        };
        if written.format > FORMAT {
            return Err(newer(shown, written.format));
        }
        if written.format < INLINE_CODE {
            return Err(damaged("there never was a format 0".into()));
        }
        // A format that is older than what the file holds is a damaged number.
        let records = written
            .stages
            .values()
            .flat_map(|block| block.outputs.values());
        let is_published = records.into_iter().any(|record| record.published.is_some());
        if (written.format < FORMAT && is_published)
            || (written.format == INLINE_CODE && !written.code.is_empty())
        {
            let format = written.format;
            return Err(damaged(format!("it holds more than format {format} can")));
        }
        let tables = written.code.into_iter();
        let tables: BTreeMap<String, Arc<Table>> = tables
            .map(|(name, table)| (name, Arc::new(table)))
            .collect();
        let block = |(id, block): (String, WrittenBlock)| {
            let code = match block.code {
                WrittenCode::Inline(table) => Arc::new(table),
                WrittenCode::Name(name) => match tables.get(&name) {
                    Some(table) => table.clone(),
                    None => return Err(damaged(format!("{id}: there is no code `{name}`"))),
                },
            };
            let parts = KeyParts {
                kind: block.kind,
                params: block.params,
                inputs: block.inputs,
                code,
            };
            let (key, outputs) = (block.key, block.outputs);
            for record in outputs.values() {
                files::inside(&record.path)
                    .map_err(|why| damaged(format!("{id}: the path `{}` {why}", record.path)))?;
            }
            Ok((
                id,
                Block {
                    key,
                    parts,
                    outputs,
                },
            ))
        };
        let stages = written.stages.into_iter().map(block);
        Ok(Lock {
            stages: stages.collect::<Result<_>>()?,
        })
    }

    /// Writes the lock atomically; an equal file is left alone.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut code = BTreeMap::new();
        let stages = self.stages.iter().map(|(id, block)| {
            let Block {
                key,
                parts,
                outputs,
            } = block;
            let name = code_name(parts);
            let written = WrittenBlock {
                key: *key,
                kind: parts.kind.clone(),
                params: parts.params.clone(),
                inputs: parts.inputs.clone(),
                code: WrittenCode::Name(name.clone()),
                outputs: outputs.clone(),
            };
            code.entry(name).or_insert_with(|| (*parts.code).clone());
            (id.clone(), written)
        });
        let stages = stages.collect();
        let written = Written {
            format: FORMAT,
            code,
            stages,
        };
        let mut bytes = serde_json::to_vec_pretty(&written)
            .map_err(|e| Error::failed(format!("cannot write the lock: {e}")))?;
        bytes.push(b'\n');
        files::write(path, &bytes)
    }

    /// The block of a stage whose key is `key`.
    pub fn expected(&self, stage: &str, key: Digest) -> Option<&Block> {
        self.stages.get(stage).filter(|block| block.key == key)
    }
}

/// The lock and the digest of the file.
fn read(path: &Path) -> Result<(Lock, Option<Digest>)> {
    let bytes = match files::read_at_most(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Lock::default(), None)),
        Err(e) => return Err(Error::io("read", path, &e)),
    };
    // Only a damaged file can be restored; a newer one is reported as it is.
    let hint = "restore it with `git checkout pipeline.lock`, or delete it and run again";
    let lock = Lock::parse(&path.display().to_string(), &bytes);
    let lock = lock.map_err(|error| match error.hint {
        Some(_) => error,
        None => error.hint(hint),
    })?;
    Ok((lock, Some(Digest::of(&bytes))))
}

fn newer(shown: &str, found: u64) -> Error {
    let message = format!("{shown} has format {found}, this program knows {FORMAT}");
    Error::config(message).hint("update icl-repro")
}

/// What a table of code is called: by a kind that it belongs to, and what it says.
pub fn code_name(parts: &KeyParts) -> String {
    let mut encoder = Encoder::new("icl-repro code");
    for (name, version) in parts.code.iter() {
        encoder.text(name);
        encoder.text(version);
    }
    format!("{} {}", parts.kind, &encoder.finish().to_string()[..16])
}

/// A lock that is read when somebody asks for it: a run that finds everything as it was does not.
pub struct LockFile {
    path: PathBuf,
    lock: OnceLock<Result<(Lock, Option<Digest>)>>,
}

impl LockFile {
    /// The lock at `path`, which need not exist.
    pub fn at(path: PathBuf) -> Self {
        LockFile {
            path,
            lock: OnceLock::new(),
        }
    }

    /// An empty lock that no file holds.
    pub fn none() -> Self {
        LockFile {
            path: PathBuf::new(),
            lock: OnceLock::from(Ok((Lock::default(), None))),
        }
    }

    /// Reads it, once.
    pub fn get(&self) -> Result<&Lock> {
        let lock = self.lock.get_or_init(|| read(&self.path));
        lock.as_ref().map(|(lock, _)| lock).map_err(Clone::clone)
    }

    /// The file and what was in it when it was read; `None` when it was not, or is not there.
    pub fn read_from(&self) -> Option<(&Path, Digest)> {
        let (_, digest) = self.lock.get()?.as_ref().ok()?;
        Some((&self.path, (*digest)?))
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
            published: Some(Publication {
                key: Digest::of(b"p"),
                digest: Digest::of(b"b"),
            }),
        };
        let code = BTreeMap::from([("a.rs".to_owned(), "1".to_owned())]);
        let parts = KeyParts {
            kind: "k".into(),
            code: Arc::new(code),
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
        let newer = r#"{"format": 4, "new": true}"#;
        std::fs::write(&path, newer).unwrap();
        let error = Lock::read(&path).unwrap_err();
        assert!(error.message.contains("has format 4"), "{error}");
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
