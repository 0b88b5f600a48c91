//! `pipeline.lock`: the key of every stage and what came out, committed with the results; beside it
//! `pipeline.keys`, what the keys were made of.
//!
//! It is an expectation that runs and verifications compare with, never a reason not to run. A line
//! that cannot be read leaves one stage without expectation, and the rest as it is; how they are written
//! stands in [`crate::lock::text`] and [`crate::lock::keys`].

use crate::base::digest::Digest;
use crate::base::error::{Error, PROGRAM, Result};
use crate::base::files;
use crate::lock::block::{Salvaged, Unreadable};
use crate::lock::keys;
use crate::lock::text::{self, FORMAT};
use crate::store::workspace::{KEYS_FILE, SPEC_FILE};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use crate::lock::block::{Block, Lock, Problem, Record, code_name};

/// A larger file is refused: it is somebody else's, and takes some times its size when it is read. The lock of
/// 100,000 stages with two published outputs each has 70 MB.
pub const MAX_BYTES: u64 = 256 << 20;

/// More problems than these are counted, not listed.
const LISTED: usize = 8;

impl Lock {
    /// Reads the lock; one that does not exist yet is empty.
    ///
    /// # Errors
    /// Any part of it cannot be read: for who must know all that is recorded.
    pub fn read(path: &Path) -> Result<Lock> {
        let (lock, problems, _) = read(path)?;
        whole(&path.display().to_string(), (lock, problems))
    }

    /// Reads the lock's bytes; `shown` is its name in messages.
    ///
    /// # Errors
    /// Any part of it cannot be read.
    pub fn parse(shown: &str, bytes: &[u8]) -> Result<Lock> {
        whole(shown, Lock::salvage(shown, bytes)?)
    }

    /// Reads what can be read of the lock's bytes, and what is wrong with the rest; `shown` is its name
    /// in messages.
    ///
    /// # Errors
    /// A newer format, or nothing of it can be read.
    pub fn salvage(shown: &str, bytes: &[u8]) -> Result<Salvaged> {
        text::read(bytes).map_err(|why| match why {
            Unreadable::Newer(found) => {
                let message =
                    format!("{shown} has format {found}, this program knows {FORMAT}");
                Error::config(message).hint(format!("update {PROGRAM}"))
            }
            Unreadable::Damaged(why) => Error::config(format!("{shown} cannot be read: {why}")),
            Unreadable::Unmerged(why) => {
                let message = format!("{shown} cannot be read: git could not merge it, and {why}");
                Error::config(message).hint(
                    format!("take one side with `git checkout --ours pipeline.lock` or `--theirs`, then `{PROGRAM} run` records what the merge comes to"),
                )
            }
        })
    }

    /// Adds what the bytes of a [`KEYS_FILE`] say of the keys.
    pub fn explain(&mut self, bytes: &[u8]) {
        keys::add(self, bytes);
    }

    /// Writes the lock atomically, and beside it what its keys are made of; equal files are left alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let keys = keys::write(self)
            .map_err(|e| Error::failed(format!("cannot write {KEYS_FILE}: {e}")))?;
        // First what explains: a run that is cut short between them leaves keys that no line has.
        files::write(&path.with_file_name(KEYS_FILE), &keys)?;
        files::write(path, &text::write(self))
    }
}

fn whole(shown: &str, (lock, problems): Salvaged) -> Result<Lock> {
    match problems.first() {
        None => Ok(lock),
        Some(problem) => {
            let error = Error::config(format!("it cannot be read whole: {}", problem.text(shown)));
            Err(error.hint(format!("`{PROGRAM} run` writes it anew")))
        }
    }
}

/// The lock, what is wrong with its text, and the digest of the file.
fn read(path: &Path) -> Result<(Lock, Vec<Problem>, Option<Digest>)> {
    let bytes = match files::read_at_most(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(e) => return Err(Error::io("read", path, &e)),
    };
    // Only a damaged file can be restored; a newer one is reported as it is. This command works also
    // while git calls the file unmerged.
    let is_committed = path.with_file_name(SPEC_FILE).is_file();
    let hint = match is_committed {
        true => "restore it with `git checkout HEAD -- pipeline.lock`, or delete it and run again",
        false => "delete it and run again",
    };
    let salvaged = Lock::salvage(&path.display().to_string(), &bytes);
    let (mut lock, problems) = salvaged.map_err(|error| match error.hint {
        Some(_) => error,
        None => error.hint(hint),
    })?;
    // Without it the lock is what it is, less explained.
    if let Ok(keys) = files::read_at_most(&path.with_file_name(KEYS_FILE), MAX_BYTES) {
        lock.explain(&keys);
    }
    Ok((lock, problems, Some(Digest::of(&bytes))))
}

/// What to tell of the problems of a lock: each, those of stages with one reason together.
pub fn warnings(shown: &str, problems: &[Problem]) -> Vec<String> {
    let mut of_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for problem in problems {
        let stages = of_reason.entry(&problem.why).or_default();
        stages.extend(problem.stage.as_deref());
    }
    let mut texts = Vec::new();
    for problem in problems {
        let stages = of_reason.get_mut(problem.why.as_str()).map(std::mem::take);
        match stages.unwrap_or_default().as_slice() {
            [] if problem.stage.is_some() => {}
            [] | [_] => texts.push(problem.text(shown)),
            many => {
                let names = many[..many.len().min(LISTED)].join(", ");
                let more = match many.len().saturating_sub(LISTED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let why = &problem.why;
                texts.push(format!("{shown}: {names}{more} are not recorded: {why}"));
            }
        }
    }
    let more = texts.len().saturating_sub(LISTED);
    texts.truncate(LISTED);
    if more > 0 {
        texts.push(format!("{shown}: and {more} more"));
    }
    texts
}

/// A lock that is read when somebody asks for it: a run that finds everything as it was does not.
pub struct LockFile {
    path: PathBuf,
    /// Hears once what is wrong with the text.
    hear: fn(&str),
    lock: OnceLock<Result<Found>>,
}

/// A lock that was read.
#[derive(Default)]
struct Found {
    lock: Lock,
    problems: Vec<Problem>,
    digest: Option<Digest>,
    /// A stage of each key.
    ids: OnceLock<BTreeMap<Digest, String>>,
    /// Where any output is.
    paths: OnceLock<BTreeSet<String>>,
    /// Why stages are not recorded: the first of several reasons.
    reasons: OnceLock<BTreeMap<String, String>>,
}

impl LockFile {
    /// The lock at `path`, which need not exist.
    pub fn at(path: PathBuf) -> Self {
        LockFile {
            path,
            hear: |_| {},
            lock: OnceLock::new(),
        }
    }

    /// Tells `hear` what of the lock cannot be read, when it is read.
    pub fn telling(mut self, hear: fn(&str)) -> Self {
        self.hear = hear;
        self
    }

    /// An empty lock that no file holds.
    pub fn none() -> Self {
        LockFile {
            lock: OnceLock::from(Ok(Found::default())),
            ..LockFile::at(PathBuf::new())
        }
    }

    /// Reads it, once, as far as it can be read.
    ///
    /// # Errors
    /// A newer format, or nothing of it can be read.
    pub fn get(&self) -> Result<&Lock> {
        self.found().map(|found| &found.lock)
    }

    /// The block that has this key: the stage's own, else that of any stage, for a key holds no name.
    ///
    /// # Errors
    /// As [`LockFile::get`].
    pub fn under(&self, stage: &str, key: Digest) -> Result<Option<&Block>> {
        let Found { lock, ids, .. } = self.found()?;
        if let Some(block) = lock.expected(stage, key) {
            return Ok(Some(block));
        }
        let ids = ids.get_or_init(|| {
            let blocks = lock.stages.iter();
            blocks.map(|(id, block)| (block.key, id.clone())).collect()
        });
        Ok(ids.get(&key).and_then(|id| lock.stages.get(id)))
    }

    /// Whether an output of any stage is recorded at this path.
    ///
    /// # Errors
    /// As [`LockFile::get`].
    pub fn has_path(&self, path: &str) -> Result<bool> {
        let Found { lock, paths, .. } = self.found()?;
        let paths = paths.get_or_init(|| {
            let records = lock
                .stages
                .values()
                .flat_map(|block| block.outputs.values());
            records.map(|record| record.path.clone()).collect()
        });
        Ok(paths.contains(path))
    }

    /// What of it cannot be read.
    ///
    /// # Errors
    /// As [`LockFile::get`].
    pub fn problems(&self) -> Result<&[Problem]> {
        self.found().map(|found| &*found.problems)
    }

    /// Why a stage is not recorded, if the text is to blame.
    pub fn problem_of(&self, stage: &str) -> Option<&str> {
        let Found {
            problems, reasons, ..
        } = self.found().ok()?;
        let reasons = reasons.get_or_init(|| {
            let of_stage = |p: &Problem| Some((p.stage.clone()?, p.why.clone()));
            // The last of equals is taken: in reverse that is the first.
            problems.iter().rev().filter_map(of_stage).collect()
        });
        reasons.get(stage).map(String::as_str)
    }

    /// The file and what was in it when it was read; `None` when it was not, or is not there.
    pub fn read_from(&self) -> Option<(&Path, Digest)> {
        let found = self.lock.get()?.as_ref().ok()?;
        Some((&self.path, found.digest?))
    }

    fn found(&self) -> Result<&Found> {
        let found = self.lock.get_or_init(|| {
            let (lock, problems, digest) = read(&self.path)?;
            let name = self.path.file_name().unwrap_or_default().to_string_lossy();
            warnings(&name, &problems)
                .iter()
                .for_each(|text| (self.hear)(text));
            Ok(Found {
                lock,
                problems,
                digest,
                ids: OnceLock::new(),
                paths: OnceLock::new(),
                reasons: OnceLock::new(),
            })
        });
        found.as_ref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::key::KeyParts;
    use crate::stage::publication::Publication;
    use std::sync::Arc;

    #[test]
    fn a_lock_reads_back_and_a_foreign_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline.lock");
        // As in a repository.
        std::fs::write(folder.path().join(SPEC_FILE), "").unwrap();
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
                parts: Some(parts),
                outputs,
                basis: BTreeMap::new(),
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
