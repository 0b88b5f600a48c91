//! Digests of files, remembered by what the file system says of them.
//!
//! A file whose size, inode, modification and change times are those of an earlier look is not read
//! again. A file that changed within the last moments is never remembered: its times could not tell
//! a further change. `--paranoid` reads everything.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

const FORMAT: u64 = 1;

/// File systems stamp changes with the kernel's coarse clock: two changes this close can have one
/// stamp. (A tick is 1 to 10 ms on Linux.)
const SETTLED_NANOSECONDS: i128 = 50_000_000;

/// What the file system says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    inode: u64,
    modified: i64,
    modified_nanoseconds: i64,
    changed: i64,
    changed_nanoseconds: i64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Stamp {
            size: meta.size(),
            inode: meta.ino(),
            modified: meta.mtime(),
            modified_nanoseconds: meta.mtime_nsec(),
            changed: meta.ctime(),
            changed_nanoseconds: meta.ctime_nsec(),
        })
    }

    /// Whether a later change must show in the stamp.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else {
            return false;
        };
        let changed =
            i128::from(self.changed) * 1_000_000_000 + i128::from(self.changed_nanoseconds);
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - changed;
        // A stamp from the future (a clock that was set back) is not trusted either.
        age > SETTLED_NANOSECONDS
    }
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    format: u64,
    files: BTreeMap<PathBuf, (Stamp, Digest)>,
}

/// Digests of files.
pub struct FileDigests {
    /// Where they are kept between runs; `None` remembers nothing.
    path: Option<PathBuf>,
    files: Mutex<BTreeMap<PathBuf, (Stamp, Digest)>>,
}

impl FileDigests {
    /// Remembers in the file `path`. One that is damaged or of another format counts as empty: it
    /// only costs reading the files again.
    pub fn remembered_in(path: PathBuf) -> Self {
        let read =
            || -> Option<Remembered> { serde_json::from_slice(&std::fs::read(&path).ok()?).ok() };
        let known = read().filter(|known| known.format == FORMAT);
        let files = Mutex::new(known.map(|known| known.files).unwrap_or_default());
        FileDigests {
            path: Some(path),
            files,
        }
    }

    /// Remembers nothing: every file is read every time.
    pub fn paranoid() -> Self {
        FileDigests {
            path: None,
            files: Mutex::default(),
        }
    }

    /// The digest of a file's content.
    pub fn of(&self, path: &Path) -> Result<Digest> {
        if self.path.is_none() {
            return Digest::of_file(path).map(|(digest, _)| digest);
        }
        let before = Stamp::of(path);
        if let (Some(stamp), Some((known, digest))) = (before, self.files().get(path))
            && stamp == *known
        {
            return Ok(*digest);
        }
        let now = SystemTime::now();
        let (digest, _) = Digest::of_file(path)?;
        let after = Stamp::of(path);
        match after.filter(|stamp| Some(*stamp) == before && stamp.is_settled(now)) {
            Some(stamp) => self.files().insert(path.to_owned(), (stamp, digest)),
            None => self.files().remove(path),
        };
        Ok(digest)
    }

    /// Keeps what is remembered, for files that still exist.
    pub fn save(&self) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut files = self.files().clone();
        files.retain(|file, _| file.exists());
        let bytes = serde_json::to_vec(&Remembered {
            format: FORMAT,
            files,
        })
        .map_err(|e| Error::failed(format!("cannot keep the digests of files: {e}")))?;
        files::write(path, &bytes)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, (Stamp, Digest)>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose stamps lie in the past, as most files' do.
    fn old_file(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        let past = SystemTime::now() - std::time::Duration::from_secs(60);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(past))
            .unwrap();
    }

    #[test]
    fn a_change_is_noticed_also_when_size_and_time_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let digests = FileDigests::remembered_in(folder.path().join("stat.json"));
        for text in ["one", "two", "six"] {
            old_file(&path, text);
            // The change time is new, so the file is read although all else may be as before.
            assert_eq!(digests.of(&path).unwrap(), Digest::of(text.as_bytes()));
        }
    }

    #[test]
    fn a_remembered_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("file"), folder.path().join("stat.json"));
        std::fs::write(&path, "text").unwrap();
        let digests = FileDigests::remembered_in(kept.clone());
        // As if it had been looked at before, with another content behind the same stamp.
        let other = Digest::of(b"other");
        let stamp = Stamp::of(&path).unwrap();
        digests.files().insert(path.clone(), (stamp, other));
        assert_eq!(digests.of(&path).unwrap(), other);
        digests.save().unwrap();
        assert_eq!(FileDigests::remembered_in(kept).of(&path).unwrap(), other);
        assert_eq!(
            FileDigests::paranoid().of(&path).unwrap(),
            Digest::of(b"text")
        );
    }

    #[test]
    fn fresh_and_future_stamps_are_not_trusted() {
        let stamp = Stamp {
            size: 0,
            inode: 0,
            modified: 0,
            modified_nanoseconds: 0,
            changed: 1000,
            changed_nanoseconds: 0,
        };
        let at = |milliseconds| UNIX_EPOCH + std::time::Duration::from_millis(milliseconds);
        assert!(!stamp.is_settled(at(1_000_000)) && !stamp.is_settled(at(1_000_040)));
        assert!(!stamp.is_settled(at(500_000)) && stamp.is_settled(at(1_000_060)));
    }

    #[test]
    fn a_damaged_memory_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stat.json");
        std::fs::write(&path, "{\"format\": 1, \"fi").unwrap();
        assert!(FileDigests::remembered_in(path.clone()).of(&path).is_ok());
    }
}
