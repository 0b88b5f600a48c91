//! The content store (digest -> bytes), and beside it the action cache and the digests of files.
//!
//! What an entry of the action cache promises is believed only after its objects were looked at:
//! read, or found as the file system left them when they were last read ([`crate::store::stat`]).
//!
//! # What a power cut can do
//!
//! A stage that does nothing takes less than a millisecond, a sync of a disk several; so stages do not
//! wait for the disk. An object gets its name by a rename when its content is complete, and its stage is
//! recorded right after that: a process that is killed loses neither, since both are the kernel's by
//! then. They are synced in groups, objects first ([`Store::sync`]), whenever there is
//! `WORTH_A_SYNC` of work to lose; what took less the kernel writes within half a minute.
//!
//! A power cut before that may leave an object that is empty, a line of the action cache that is cut
//! short, or one whose objects are missing. None is taken for a result: lines have checksums, and since
//! nothing that was remembered of files outlives a start of the machine, every object is read and
//! compared with its name before it is used again. What was lost is made again. Where a start of the
//! machine cannot be told, every run ends with a sync of all that it wrote. Copies in the working tree
//! are compared with their digests in the same way; logs are for people.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::location::{is_plain_file, is_plain_folder};
use crate::store::actions::{Action, Actions};
use crate::store::stat::{FileDigests, Stamp, knows_starts};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A power cut takes no more work than this, and that of the stages that run.
const WORTH_A_SYNC: Duration = Duration::from_secs(1);

/// Both caches, below one folder.
pub struct Store {
    root: PathBuf,
    digests: FileDigests,
    actions: Actions,
    made: OnceLock<BTreeSet<Digest>>,
    unsynced: Mutex<Unsynced>,
}

/// What was written since the last sync.
#[derive(Default)]
struct Unsynced {
    files: Vec<PathBuf>,
    work: Duration,
}

impl Store {
    /// Opens the caches below `root`; nothing is made until something is written. `paranoid` reads
    /// every file each time instead of trusting what the file system says of it.
    pub fn open(root: &Path, paranoid: bool) -> Result<Self> {
        let digests = match paranoid {
            true => FileDigests::paranoid(),
            false => FileDigests::remembered_in(root.join("stat")),
        };
        Ok(Store {
            root: root.to_owned(),
            digests,
            actions: Actions::open(root.join("actions.log"))?,
            made: OnceLock::new(),
            unsynced: Mutex::default(),
        })
    }

    /// See [`FileDigests::settled_after`].
    pub fn settled_after(mut self, settled: Duration) -> Self {
        self.digests = self.digests.settled_after(settled);
        self
    }

    /// The digest of any file, remembered where that is safe.
    pub fn digest_of(&self, path: &Path) -> Result<Digest> {
        self.digests.of(path)
    }

    /// The digest of a file that is no link.
    pub(crate) fn digest_of_plain(&self, path: &Path) -> Option<Digest> {
        self.digests.of_plain(path)
    }

    /// Forgets what is remembered of a file whose bytes turned out to be others.
    pub(crate) fn distrust(&self, path: &Path) {
        self.digests.distrust(path);
    }

    /// Keeps what is remembered of files for the next run.
    pub(crate) fn remember(&self) -> Result<()> {
        if !knows_starts() {
            self.sync()?;
        }
        self.digests.save()
    }

    /// Every file whose digest was asked for, with its stamp; `None` when one has none that tells a
    /// further change.
    pub(crate) fn used_files(&self) -> Option<Vec<(PathBuf, Stamp)>> {
        self.digests.used()
    }

    /// Where an object with this digest is, if it is there.
    pub fn object(&self, digest: Digest) -> PathBuf {
        object_in(&self.root, digest)
    }

    /// The folder of what is not whole yet.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let folder = self.root.join("scratch");
        files::create_folder(&folder)?;
        Ok(folder)
    }

    /// Whether the object is there and its bytes have its digest.
    pub fn holds(&self, digest: Digest) -> bool {
        self.digest_of(&self.object(digest))
            .is_ok_and(|found| found == digest)
    }

    /// Moves a file into the store, under the digest of its content.
    pub fn insert(&self, file: &Path) -> Result<Digest> {
        let (digest, _) = Digest::of_file(file)?;
        let object = self.object(digest);
        if self.holds(digest) {
            return Ok(digest);
        }
        let shard = object.parent().unwrap_or(&self.root);
        for path in [shard, &object] {
            if path.is_symlink() {
                return Err(files::is_link(path, "written"));
            }
        }
        files::create_folder(shard)?;
        files::make_read_only(file)?;
        // Replaces a damaged object of the same name.
        fs::rename(file, &object).map_err(|e| Error::io("keep", file, &e))?;
        self.unsynced().files.push(object);
        Ok(digest)
    }

    /// Keeps a copy of a file that has this digest; nothing where the object is there.
    pub(crate) fn insert_copy(&self, file: &Path, digest: Digest) -> Result<()> {
        if self.holds(digest) {
            return Ok(());
        }
        let copy = self
            .scratch()?
            .join(format!("{}{digest}", files::TEMPORARY));
        files::copy(file, &copy, digest)?;
        self.insert(&copy).map(drop)
    }

    /// Puts a copy of an object where users see it.
    pub(crate) fn copy_to(&self, digest: Digest, target: &Path) -> Result<()> {
        let object = self.object(digest);
        // A disk can lose bits and leave the times: then only the copy tells, and the next look is at
        // the bytes.
        files::copy(&object, target, digest).inspect_err(|_| self.distrust(&object))?;
        if !knows_starts() {
            self.unsynced().files.push(target.to_owned());
        }
        Ok(())
    }

    /// The recorded outputs of a key.
    pub fn action(&self, key: Digest) -> Option<Action> {
        self.actions.get(key)
    }

    /// Records what a stage with this key made.
    pub fn record(&self, key: Digest, action: &Action) -> Result<()> {
        self.actions.record(key, action)?;
        let work = {
            let mut unsynced = self.unsynced();
            unsynced.work += Duration::try_from_secs_f64(action.seconds).unwrap_or_default();
            unsynced.work
        };
        match work < WORTH_A_SYNC {
            true => Ok(()),
            false => self.sync(),
        }
    }

    /// Makes everything durable that was written: first objects, then what promises them.
    pub fn sync(&self) -> Result<()> {
        let Unsynced { files, .. } = std::mem::take(&mut *self.unsynced());
        files::sync(&files)?;
        self.actions.sync()
    }

    /// The outputs of a key when all of them are in the store, whole.
    pub fn cached(&self, key: Digest) -> Option<Action> {
        self.action(key)
            .filter(|action| action.outputs.values().all(|&digest| self.holds(digest)))
    }

    /// Every result in the action cache, the oldest first.
    pub fn results(&self) -> Vec<(Digest, Action)> {
        self.actions.all()
    }

    /// Whether bytes with this digest were made here, as far as results were recorded when the store
    /// was opened.
    pub(crate) fn has_made(&self, digest: Digest) -> bool {
        let made = self.made.get_or_init(|| {
            let results = self.results().into_iter();
            results
                .flat_map(|(_, action)| action.outputs.into_values())
                .collect()
        });
        made.contains(&digest)
    }

    /// Whether a file of [`Store::objects`] was put there by this program: it is recorded, or its bytes
    /// are those that its name promises.
    pub fn is_ours(&self, object: &Path, digest: Digest) -> bool {
        let has_its_bytes = || Digest::of_file(object).is_ok_and(|(found, _)| found == digest);
        self.has_made(digest) || has_its_bytes()
    }

    /// Drops results from the action cache.
    pub(crate) fn forget(&self, keys: &BTreeSet<Digest>) -> Result<()> {
        self.actions.forget(keys)
    }

    /// The action cache.
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Everything below `objects/`: files with the digest that their name claims; a link, and what has
    /// another name, has none, and no link is followed.
    pub fn objects(&self) -> Result<Vec<(PathBuf, Option<Digest>)>> {
        let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
        let mut found = Vec::new();
        let objects = self.root.join("objects");
        if !is_plain_folder(&objects) {
            return Ok(found);
        }
        for shard in list(&objects)? {
            let first = name(&shard).unwrap_or_default();
            if first.len() != 2 || !is_plain_folder(&shard) {
                found.push((shard, None));
                continue;
            }
            for path in list(&shard)? {
                let text = first.clone() + &name(&path).unwrap_or_default();
                let digest = digest_of_name(&text).filter(|_| is_plain_file(&path));
                found.push((path, digest));
            }
        }
        Ok(found)
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an object with this digest is below a folder of objects.
pub(crate) fn object_in(root: &Path, digest: Digest) -> PathBuf {
    let text = digest.to_string();
    let mut path = PathBuf::with_capacity(root.as_os_str().len() + text.len() + 12);
    path.push(root);
    path.push("objects");
    path.push(&text[..2]);
    path.push(&text[2..]);
    path
}

/// The digest that a name is, written as this program writes it.
pub(crate) fn digest_of_name(name: &str) -> Option<Digest> {
    let digest = Digest::try_from(name).ok()?;
    (digest.to_string() == name).then_some(digest)
}

/// The files and folders in a folder, sorted; none when it does not exist.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |e: std::io::Error| Error::io("list", folder, &e);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io(e)),
    };
    let paths = entries.map(|entry| Ok(entry.map_err(io)?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_object_is_noticed_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        let put = || {
            let file = folder.path().join("new");
            fs::write(&file, b"content").unwrap();
            store.insert(&file).unwrap()
        };
        let digest = put();
        assert!(store.holds(digest));
        let object = store.object(digest);
        files::write(&object, b"contenu").unwrap();
        assert!(!store.holds(digest));
        assert_eq!(put(), digest);
        assert!(store.holds(digest));
        assert_eq!(store.objects().unwrap(), [(object, Some(digest))]);
    }
}
