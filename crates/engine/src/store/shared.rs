//! A store of objects that others may write to: a folder, also one of a network file system.
//!
//! An object is `objects/ab/REST`, named by the BLAKE3 digest of its bytes, as in the cache ([`super::content`]).
//! Nobody has to trust such a folder: who asks knows the digest, every object is hashed in a temporary file
//! before the cache takes it, and wrong, short, missing or too many bytes are the same as none. An object is
//! put there under a temporary name and renamed, so that two who put it at one time do no harm.
//!
//! What goes wrong there is kept for whoever tells it, once; a folder that fails three times is left alone.
//! Knows neither stages nor locks, so not which digests are the right ones.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, PROGRAM, Result};
use crate::base::files;
use crate::store::content::{Store, object_in};
use std::fs::{self, File};
use std::io::{ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// A larger object is taken for a lie: nothing says how large one is before all of it was read.
pub const MAX_BYTES: u64 = 16 << 30;
/// A folder that does not answer for so long is not there: a network file system may wait for ever.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so many failures nothing more is asked for.
const FAILURES: usize = 3;
/// How much is in memory while an object is copied.
const AT_ONCE: usize = 128 << 10;

/// A store that is shared.
pub struct SharedStore {
    root: PathBuf,
    troubles: Mutex<Troubles>,
}

/// What went wrong in a shared store.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// Objects that are not what their names say.
    pub wrong: Vec<PathBuf>,
    /// How often it could not be read, and what that said first.
    pub failures: usize,
    pub first: Option<Error>,
}

impl Troubles {
    /// Whether nothing more is asked for.
    pub fn is_given_up(&self) -> bool {
        self.failures >= FAILURES
    }
}

impl SharedStore {
    /// The store in a folder that is there.
    ///
    /// # Errors
    /// It is not there, is no folder, or does not answer within two seconds.
    pub fn open(root: &Path) -> Result<Self> {
        let error = |why: &str| {
            let shown = root.display();
            Err(Error::failed(format!("the store {shown} {why}")))
        };
        match look(root) {
            Ok((root, true)) => Ok(SharedStore {
                root,
                troubles: Mutex::default(),
            }),
            Ok((_, false)) => error("is no folder"),
            Err(e) if e.kind() == Io::NotFound => error("is not there"),
            Err(e) if e.kind() == Io::TimedOut => error("does not answer"),
            Err(e) => error(&format!("cannot be looked at: {e}")),
        }
    }

    /// As [`SharedStore::open`], for somebody who puts the first object there: the folder is made where
    /// the one above it is there.
    ///
    /// # Errors
    /// As [`SharedStore::open`], or it cannot be made.
    pub fn open_or_make(root: &Path) -> Result<Self> {
        if look(root).is_err_and(|e| e.kind() == Io::NotFound) {
            let error = |e| for_store(Error::io("make the store", root, &e));
            fs::create_dir(root).map_err(error)?;
        }
        SharedStore::open(root)
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What has gone wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.lock().clone()
    }

    /// Brings an object into the cache; its size, or `None` where the store does not have it, whole and right.
    ///
    /// # Errors
    /// The cache cannot be written, or the user has interrupted.
    pub fn fetch(
        &self,
        digest: Digest,
        into: &Store,
        cancelled: &AtomicBool,
    ) -> Result<Option<u64>> {
        if self.lock().is_given_up() {
            return Ok(None);
        }
        let object = object_in(&self.root, digest);
        let mut source = match open_plain(&object) {
            Ok(Some((source, size))) if size <= MAX_BYTES => source,
            Ok(Some(_)) => return Ok(self.is_wrong(object)),
            Ok(None) => return Ok(None),
            Err(e) => return Ok(self.has_failed(&object, &e)),
        };
        let scratch = into.scratch()?;
        let mut copy = files::scratch(&scratch, &[])?;
        let mut buffer = vec![0; AT_ONCE];
        let mut size = 0;
        loop {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::of(ErrorKind::Interrupted, "interrupted"));
            }
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(e) if e.kind() == Io::Interrupted => continue,
                Err(e) => return Ok(self.has_failed(&object, &e)),
            };
            size += count as u64;
            // It may have grown since it was opened.
            if size > MAX_BYTES {
                return Ok(self.is_wrong(object));
            }
            copy.write_all(&buffer[..count])
                .map_err(|e| Error::io("write", copy.path(), &e))?;
        }
        if Digest::of_file(copy.path())?.0 != digest {
            return Ok(self.is_wrong(object));
        }
        into.insert(copy.path())?;
        Ok(Some(size))
    }

    /// Puts an object of the cache there; its size, or `None` where it is there already: a file of that
    /// name and size or, for who is `paranoid`, with the right bytes.
    ///
    /// # Errors
    /// It is larger than anybody would fetch, or the store cannot be written.
    pub fn put(&self, digest: Digest, from: &Store, paranoid: bool) -> Result<Option<u64>> {
        let source = from.object(digest);
        let size = fs::metadata(&source).map_err(|e| Error::io("read", &source, &e))?;
        let size = size.len();
        if size > MAX_BYTES {
            let message =
                format!("{digest} has {size} bytes: nobody would fetch an object so large");
            return Err(Error::failed(message));
        }
        let object = object_in(&self.root, digest);
        if let Ok(Some((mut there, found))) = open_plain(&object)
            && found == size
            && (!paranoid || Digest::of_open(&mut there).is_ok_and(|(found, _)| found == digest))
        {
            return Ok(None);
        }
        // What is there and wrong is replaced: the rename puts the name on the right bytes.
        files::copy(&source, &object, digest).map_err(for_store)?;
        files::sync(&[object]).map_err(for_store)?;
        Ok(Some(size))
    }

    fn is_wrong(&self, object: PathBuf) -> Option<u64> {
        self.lock().wrong.push(object);
        None
    }

    fn has_failed(&self, object: &Path, error: &std::io::Error) -> Option<u64> {
        let mut troubles = self.lock();
        troubles.failures += 1;
        let error = || for_store(Error::io("read", object, error));
        troubles.first.get_or_insert_with(error);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A file and its size; `None` where there is none. What is no file counts as none: opening a pipe waits for
/// its writer.
fn open_plain(path: &Path) -> std::io::Result<Option<(File, u64)>> {
    let is_absent = |e: &std::io::Error| e.kind() == Io::NotFound;
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => {}
        Ok(_) => return Ok(None),
        Err(e) if is_absent(&e) => return Ok(None),
        Err(e) => return Err(e),
    }
    match File::open(path) {
        Ok(file) => {
            let size = file.metadata()?.len();
            Ok(Some((file, size)))
        }
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The hints of other errors are about the cache.
fn for_store(error: Error) -> Error {
    error.hint(format!(
        "the store must be a folder in which you may read and write, with space left; `{PROGRAM} push` sends only what is not there yet"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Both {
        _folder: tempfile::TempDir,
        shared: SharedStore,
        cache: Store,
        digest: Digest,
    }

    const CONTENT: &[u8] = b"some content of an object";
    static GO_ON: AtomicBool = AtomicBool::new(false);

    /// A store that has an object, and an empty cache.
    fn both() -> Both {
        let folder = tempfile::tempdir().unwrap();
        let full = Store::open(&folder.path().join("full"), false).unwrap();
        let file = folder.path().join("new");
        fs::write(&file, CONTENT).unwrap();
        let digest = full.insert(&file).unwrap();
        let shared = SharedStore::open_or_make(&folder.path().join("shared")).unwrap();
        let size = CONTENT.len() as u64;
        assert_eq!(shared.put(digest, &full, false).unwrap(), Some(size));
        assert_eq!(shared.put(digest, &full, false).unwrap(), None);
        let cache = Store::open(&folder.path().join("cache"), false).unwrap();
        Both {
            _folder: folder,
            shared,
            cache,
            digest,
        }
    }

    /// The files of the cache: nothing wrong stays, also not under a temporary name.
    fn files_of(cache: &Store) -> usize {
        let objects = cache.objects().unwrap().len();
        objects + fs::read_dir(cache.scratch().unwrap()).unwrap().count()
    }

    #[test]
    fn a_right_object_arrives_and_every_lie_is_a_miss() {
        let Both {
            shared,
            cache,
            digest,
            ..
        } = &both();
        let object = object_in(shared.root(), *digest);
        let fetch = || shared.fetch(*digest, cache, &GO_ON).unwrap();
        let lies: [(&str, &[u8]); 4] = [
            ("flipped", b"some content of an objecu"),
            ("truncated", &CONTENT[..7]),
            ("empty", b""),
            ("longer", b"some content of an object, and more"),
        ];
        for (n, (what, bytes)) in lies.into_iter().enumerate() {
            files::write(&object, bytes).unwrap();
            assert_eq!(fetch(), None, "{what}");
            assert_eq!(files_of(cache), 0, "{what}");
            assert_eq!(shared.troubles().wrong.len(), n + 1, "{what}");
        }
        // Larger than any: not one byte of it is read.
        fs::File::options()
            .write(true)
            .open(&object)
            .and_then(|file| file.set_len(MAX_BYTES + 1))
            .unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::remove_file(&object).unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::create_dir(&object).unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::remove_dir(&object).unwrap();
        assert_eq!(shared.troubles().wrong.len(), lies.len() + 1);
        assert_eq!(shared.troubles().failures, 0);
        files::write(&object, CONTENT).unwrap();
        assert_eq!(fetch(), Some(CONTENT.len() as u64));
        assert!(cache.holds(*digest));
        assert_eq!(files_of(cache), 1);
    }

    #[test]
    fn a_wrong_object_of_the_right_size_is_replaced_for_who_asks() {
        let Both {
            _folder: folder,
            shared,
            digest,
            ..
        } = &both();
        let full = Store::open(&folder.path().join("full"), false).unwrap();
        let object = object_in(shared.root(), *digest);
        files::write(&object, b"some content of an objecu").unwrap();
        assert_eq!(shared.put(*digest, &full, false).unwrap(), None);
        assert!(shared.put(*digest, &full, true).unwrap().is_some());
        assert_eq!(fs::read(&object).unwrap(), CONTENT);
        assert_eq!(shared.put(*digest, &full, true).unwrap(), None);
        files::write(&object, b"short").unwrap();
        assert!(shared.put(*digest, &full, false).unwrap().is_some());
        assert_eq!(fs::read(&object).unwrap(), CONTENT);
        let shard = fs::read_dir(object.parent().unwrap()).unwrap();
        assert_eq!(shard.count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_store_that_fails_is_given_up_after_three_times() {
        let Both {
            shared,
            cache,
            digest,
            ..
        } = &both();
        let object = object_in(shared.root(), *digest);
        let shard = object.parent().unwrap();
        // A file where the folder should be: so it fails for an administrator, too.
        fs::remove_dir_all(shard).unwrap();
        fs::write(shard, "").unwrap();
        for failures in 1..=3 {
            assert!(!shared.troubles().is_given_up());
            assert_eq!(shared.fetch(*digest, cache, &GO_ON).unwrap(), None);
            assert_eq!(shared.troubles().failures, failures);
        }
        assert!(shared.troubles().is_given_up());
        fs::remove_file(shard).unwrap();
        files::write(&object, CONTENT).unwrap();
        assert_eq!(shared.fetch(*digest, cache, &GO_ON).unwrap(), None);
        assert_eq!(shared.troubles().failures, 3);
        let first = shared.troubles().first.unwrap();
        assert!(first.message.contains("cannot read"), "{first}");
    }

    #[test]
    fn a_store_that_is_not_there_or_cannot_be_written_is_named() {
        let Both {
            _folder: folder,
            shared,
            digest,
            ..
        } = &both();
        let at = |name: &str| folder.path().join(name);
        let error = SharedStore::open(&at("typo")).err().unwrap();
        assert!(error.message.contains("typo is not there"), "{error}");
        let error = SharedStore::open_or_make(&at("typo/deep")).err().unwrap();
        assert!(error.message.contains("cannot make the store"), "{error}");
        fs::write(at("file"), "").unwrap();
        let error = SharedStore::open_or_make(&at("file")).err().unwrap();
        assert!(error.message.contains("is no folder"), "{error}");
        let object = object_in(shared.root(), *digest);
        fs::remove_file(&object).unwrap();
        let shard = object.parent().unwrap();
        fs::set_permissions(shard, fs::Permissions::from_mode(0o555)).unwrap();
        let full = Store::open(&at("full"), false).unwrap();
        // An administrator may write everywhere.
        if fs::write(shard.join("probe"), "").is_err() {
            let error = shared.put(*digest, &full, false).err().unwrap();
            let hint = error.hint.clone().unwrap_or_default();
            assert!(
                hint.contains("the store must be a folder"),
                "{error}: {hint}"
            );
        }
        fs::set_permissions(shard, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
