//! Folders below the cache in which stages run apart from everything: made, and taken away again. What a process
//! that died has left of one is known by its lock being free.

use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::location::{is_plain_file, is_plain_folder};
use crate::store::cache_folder::{REBUILD, RUN_LOCK};
use crate::store::content::list;
use crate::store::workspace::{RunLock, Workspace};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A folder below the cache folder for one rebuild, removed when dropped.
pub(crate) struct Scratch {
    pub workspace: Workspace,
    /// What a process that died has left is told by its lock being free.
    held: Option<RunLock>,
    /// The cache folder and those above it that did not exist before, the innermost first.
    made: Vec<PathBuf>,
}

impl Scratch {
    pub fn new(workspace: &Workspace) -> Result<Scratch> {
        let cache = &workspace.cache;
        let missing = cache.ancestors().take_while(|folder| !folder.exists());
        let made = missing.map(Path::to_owned).collect();
        workspace.check_cache()?;
        files::create_folder(cache)?;
        for folder in abandoned(cache) {
            let _ = files::remove(&folder);
        }
        let folder = tempfile::Builder::new()
            .prefix(REBUILD)
            .tempdir_in(cache)
            .map_err(|e| Error::io("make a folder in", cache, &e))?
            .keep();
        let mut scratch = Scratch {
            workspace: Workspace::apart(workspace.root.clone(), folder.clone(), folder.join("out")),
            held: None,
            made,
        };
        scratch.held = Some(scratch.workspace.lock_for_run(false, |_| {})?);
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = files::remove(&self.workspace.cache);
        // Only if nothing else has come in.
        self.made
            .iter()
            .for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

/// What rebuilds that were killed have left below a cache folder.
pub(crate) fn abandoned(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    let is_abandoned = |entry: &fs::DirEntry| {
        let folder = entry.path();
        let is_named = entry.file_name().to_string_lossy().starts_with(REBUILD);
        let lock = folder.join(RUN_LOCK);
        let is_free = || File::open(&lock).is_ok_and(|lock| lock.try_lock().is_ok());
        // Of one that was hardly begun, or nearly gone, there are only folders.
        let is_ours = || (is_plain_file(&lock) && is_free()) || is_hollow(&folder);
        is_named && is_plain_folder(&folder) && is_ours()
    };
    let paths = entries.filter(is_abandoned).map(|entry| entry.path());
    paths.collect()
}

/// Whether there is nothing in a folder but folders.
fn is_hollow(folder: &Path) -> bool {
    let is_hollow = |path: &PathBuf| is_plain_folder(path) && is_hollow(path);
    list(folder).is_ok_and(|entries| entries.iter().all(is_hollow))
}
