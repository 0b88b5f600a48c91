//! A shared store in a folder, also one of a network file system.
//!
//! A file is put there under a temporary name and renamed, so that two who put it at one time do no harm.

use crate::base::files;
use crate::shared::backend::{Backend, Failure, FailureKind, Listed};
use std::fs::{self, File};
use std::io::{ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// A folder that does not answer for so long is not there: a network file system may wait for ever.
const PATIENCE: Duration = Duration::from_secs(2);
/// So much is copied at a time.
const PIECE: usize = 1 << 18;

/// A folder with objects, entries and pins.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder, which is there.
    ///
    /// # Errors
    /// It is not there, is no folder, or does not answer within two seconds.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let shown = root.display();
        let unreachable = |why: &str| {
            let words = format!("the store {shown} {why}");
            Err(Failure::new(FailureKind::Unreachable, words))
        };
        match look(root) {
            Ok((root, true)) => Ok(Folder { root }),
            Ok((_, false)) => unreachable("is no folder"),
            Err(e) if e.kind() == Io::NotFound => unreachable("is not there"),
            Err(e) if e.kind() == Io::TimedOut => unreachable("does not answer"),
            Err(e) => unreachable(&format!("cannot be looked at: {e}")),
        }
    }

    /// As [`Folder::open`], for somebody who puts the first object there: the folder is made where the one
    /// above it is there.
    ///
    /// # Errors
    /// As [`Folder::open`], or it cannot be made.
    pub fn open_or_make(root: &Path) -> Result<Self, Failure> {
        if look(root).is_err_and(|e| e.kind() == Io::NotFound) {
            fs::create_dir(root).map_err(|e| failure("make the store", root, &e))?;
        }
        Folder::open(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

impl Backend for Folder {
    fn shown(&self) -> String {
        self.root.display().to_string()
    }

    fn look(&self, name: &str) -> Result<Option<Listed>, Failure> {
        let path = self.path(name);
        match fs::metadata(&path) {
            Ok(meta) => Ok(meta.is_file().then(|| listed(name.to_owned(), &meta))),
            Err(e) if e.kind() == Io::NotFound => Ok(None),
            Err(e) => Err(failure("read", &path, &e)),
        }
    }

    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure> {
        let path = self.path(name);
        let reading = |e: &std::io::Error| failure("read", &path, e);
        let too_large = || {
            let words = format!("{} has more than {most} bytes", path.display());
            Failure::new(FailureKind::TooLarge, words)
        };
        // What is no file counts as nothing: opening a pipe waits for its writer.
        match self.look(name)? {
            Some(found) if found.size > most => return Err(too_large()),
            Some(_) => {}
            None => return Ok(None),
        }
        let source = match File::open(&path) {
            Ok(source) => source,
            Err(e) if e.kind() == Io::NotFound => return Ok(None),
            Err(e) => return Err(reading(&e)),
        };
        let mut copy = File::create(to).map_err(|e| local("write", to, &e))?;
        // It may have grown since it was looked at.
        let source = source.take(most.saturating_add(1));
        let size = pour(source, &mut copy).map_err(|side| match side {
            Side::Source(e) => reading(&e),
            Side::Copy(e) => local("write", to, &e),
        })?;
        match size > most {
            true => Err(too_large()),
            false => Ok(Some(size)),
        }
    }

    fn put(&self, name: &str, from: &Path) -> Result<(), Failure> {
        let path = self.path(name);
        let writing = |e: &std::io::Error| failure("write", &path, e);
        let folder = path.parent().unwrap_or(&self.root);
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(|e| failure("make the folder", folder, &e))?;
        }
        let source = File::open(from).map_err(|e| local("read", from, &e))?;
        let mut temporary = files::beside(&path).map_err(|e| writing(&e))?;
        pour(source, temporary.as_file_mut()).map_err(|side| match side {
            Side::Source(e) => local("read", from, &e),
            Side::Copy(e) => writing(&e),
        })?;
        temporary.as_file().sync_all().map_err(|e| writing(&e))?;
        temporary.persist(&path).map_err(|e| writing(&e.error))?;
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        self.found(prefix, false)
    }

    fn unfinished(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        self.found(prefix, true)
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != Io::NotFound => Err(failure("remove", &path, &e)),
            _ => Ok(()),
        }
    }
}

impl Folder {
    /// The files below a prefix: those that are whole, or those that are on their way.
    fn found(&self, prefix: &str, temporary: bool) -> Result<Vec<Listed>, Failure> {
        let mut found = Vec::new();
        self.add(prefix.trim_end_matches('/'), temporary, &mut found)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Adds the files of a folder and those below it, by their names from the root; links are not followed.
    fn add(&self, name: &str, temporary: bool, found: &mut Vec<Listed>) -> Result<(), Failure> {
        let folder = self.path(name);
        let reading = |e: &std::io::Error| failure("list", &folder, e);
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == Io::NotFound => return Ok(()),
            entries => entries.map_err(|e| reading(&e))?,
        };
        for entry in entries {
            let entry = entry.map_err(|e| reading(&e))?;
            let below = entry.file_name();
            let is_temporary = files::is_temporary(&below);
            // A name that no program of ours gives.
            let Some(below) = below.to_str() else {
                continue;
            };
            let below = match name.is_empty() {
                true => below.to_owned(),
                false => format!("{name}/{below}"),
            };
            let meta = match entry.metadata() {
                Err(e) if e.kind() == Io::NotFound => continue,
                meta => meta.map_err(|e| reading(&e))?,
            };
            if meta.is_dir() {
                self.add(&below, temporary, found)?;
            } else if meta.is_file() && is_temporary == temporary {
                found.push(listed(below, &meta));
            }
        }
        Ok(())
    }
}

/// A file by its name; one from the future is new.
fn listed(name: String, meta: &fs::Metadata) -> Listed {
    let age = meta.modified().ok().and_then(|time| time.elapsed().ok());
    Listed {
        name,
        size: meta.len(),
        age_s: age.map_or(0, |age| age.as_secs()),
    }
}

/// Which of two files an error is of.
enum Side {
    Source(std::io::Error),
    Copy(std::io::Error),
}

/// Copies to the end; the number of bytes. [`std::io::copy`] does not say on which side it failed, and one of the two is
/// this machine's.
fn pour(mut source: impl Read, copy: &mut impl Write) -> Result<u64, Side> {
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(e) if e.kind() == Io::Interrupted => continue,
            Err(e) => return Err(Side::Source(e)),
        };
        copy.write_all(&piece[..count]).map_err(Side::Copy)?;
        size += count as u64;
    }
}

/// Where a path leads, and whether that is a folder.
fn look(path: &Path) -> std::io::Result<(PathBuf, bool)> {
    let (tell, told) = mpsc::channel();
    let asked = path.to_owned();
    // The thread outlives its question where the file system never answers.
    std::thread::spawn(move || {
        let found = fs::canonicalize(&asked).and_then(|found| {
            let is_folder = fs::metadata(&found)?.is_dir();
            Ok((found, is_folder))
        });
        tell.send(found)
    });
    let answer = told.recv_timeout(PATIENCE);
    answer.unwrap_or_else(|_| Err(Io::TimedOut.into()))
}

fn failure(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    let kind = match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => FailureKind::Denied,
        Io::StorageFull | Io::QuotaExceeded => FailureKind::Full,
        Io::TimedOut => FailureKind::Unreachable,
        _ => FailureKind::Other,
    };
    Failure::new(kind, format!("cannot {verb} {}: {error}", path.display()))
}

/// A failure of the file on this side.
fn local(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    let Failure { words, .. } = failure(verb, path, error);
    Failure::new(FailureKind::Local, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let failure = Folder::open(&at("typo")).unwrap_err();
        assert!(failure.words.ends_with("typo is not there"), "{failure:?}");
        let failure = Folder::open_or_make(&at("typo/deep")).unwrap_err();
        assert!(
            failure.words.contains("cannot make the store"),
            "{failure:?}"
        );
        fs::write(at("file"), "").unwrap();
        let failure = Folder::open_or_make(&at("file")).unwrap_err();
        assert!(failure.words.ends_with("file is no folder"), "{failure:?}");
        assert!(Folder::open_or_make(&at("new")).is_ok());
    }

    #[test]
    fn what_is_put_is_got_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::open(folder.path()).unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "four").unwrap();
        store.put("objects/ab/c", &from).unwrap();
        store.put("pins/x", &from).unwrap();
        let size = |name: &str| store.look(name).map(|found| found.map(|found| found.size));
        assert_eq!(size("objects/ab/c"), Ok(Some(4)));
        assert_eq!(size("objects/ab"), Ok(None));
        assert_eq!(store.get("objects/ab/c", &to, 4), Ok(Some(4)));
        assert_eq!(fs::read(&to).unwrap(), b"four");
        let failure = store.get("objects/ab/c", &to, 3).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert_eq!(store.get("objects/ab/d", &to, 4), Ok(None));
        let names = |prefix: &str| {
            let listed = store.list(prefix).unwrap().into_iter();
            listed.map(|found| found.name).collect::<Vec<_>>()
        };
        assert_eq!(names("objects/"), ["objects/ab/c"]);
        assert_eq!(names("nothing/"), [""; 0]);
        assert_eq!(store.unfinished("objects/"), Ok(Vec::new()));
        let left = format!("objects/ab/{}x1y2z3", files::TEMPORARY);
        fs::write(folder.path().join(&left), "tw").unwrap();
        assert_eq!(names("objects/"), ["objects/ab/c"]);
        let unfinished = store.unfinished("objects/").unwrap();
        assert_eq!(unfinished.len(), 1);
        assert_eq!((&unfinished[0].name, unfinished[0].size), (&left, 2));
        store.remove(&left).unwrap();
        assert_eq!(store.unfinished(""), Ok(Vec::new()));
        assert_eq!(names(""), ["from", "objects/ab/c", "pins/x", "to"]);
        store.remove("objects/ab/c").unwrap();
        store.remove("objects/ab/c").unwrap();
        assert_eq!(names("objects/"), [""; 0]);
    }

    // `/dev/full` takes no byte, as a disk without space: also for an administrator.
    #[test]
    fn a_failure_is_of_the_side_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::open(folder.path()).unwrap();
        let from = folder.path().join("from");
        fs::write(&from, "four").unwrap();
        store.put("objects/ab/c", &from).unwrap();
        let failure = store.get("objects/ab/c", Path::new("/dev/full"), 4);
        let failure = failure.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Local, "{failure:?}");
        assert!(
            failure.words.starts_with("cannot write /dev/full: "),
            "{failure:?}"
        );
        let nowhere = folder.path().join("gone/copy");
        let failure = store.get("objects/ab/c", &nowhere, 4).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Local, "{failure:?}");
        // A folder can be opened and not be read.
        for from in [folder.path().join("nothing"), folder.path().to_owned()] {
            let failure = store.put("objects/ab/d", &from).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Local, "{failure:?}");
        }
        fs::write(folder.path().join("objects/ef"), "no folder").unwrap();
        let failure = store.put("objects/ef/g", &folder.path().join("from"));
        assert_eq!(failure.unwrap_err().kind, FailureKind::Other);
        let full = pour(&b"four"[..], &mut File::create("/dev/full").unwrap());
        assert!(matches!(full, Err(Side::Copy(_))));
        let source = pour(File::open(folder.path()).unwrap(), &mut Vec::new());
        assert!(matches!(source, Err(Side::Source(_))));
    }
}
