//! Where a worker works: a cache of its own, which goes away with it unless somebody has named it.

use crate::base::error::{Error, Result};
use crate::store::content::Store;
use crate::store::workspace::{RunLock, Workspace};
use std::path::{Path, PathBuf};

/// The folders of a worker, and the cache there.
pub struct Place {
    pub workspace: Workspace,
    pub store: Store,
    _held: RunLock,
    _temporary: Option<tempfile::TempDir>,
}

impl Place {
    /// Makes the folders for a worker on the repository at `root`: in `cache` where that is named, else where the
    /// system keeps temporary files.
    ///
    /// # Errors
    /// The folder cannot be made, is no cache of this repository, or another worker has it.
    pub fn new(root: &Path, cache: Option<&Path>) -> Result<Self> {
        let (cache, temporary): (PathBuf, _) = match cache {
            Some(cache) => {
                let absolute = std::path::absolute(cache);
                (absolute.map_err(|e| Error::io("use", cache, &e))?, None)
            }
            None => {
                let folder = std::env::temp_dir();
                let made = tempfile::Builder::new().prefix("retrace-work-").tempdir();
                let made = made.map_err(|e| {
                    let error = Error::io("make a folder in", &folder, &e);
                    error.hint("name another place with TMPDIR, or a cache with --cache-dir DIR")
                })?;
                (made.path().to_owned(), Some(made))
            }
        };
        let out = cache.join("out");
        let workspace = Workspace::apart(root.to_owned(), cache, out);
        let held = workspace.lock_for_run(false, |_| {})?;
        let store = Store::open(&workspace.cache, false)?;
        Ok(Place {
            workspace,
            store,
            _held: held,
            _temporary: temporary,
        })
    }
}
