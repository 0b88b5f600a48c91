//! The content store (digest -> bytes) and the action cache (key -> output digests).
//!
//! An entry of the action cache says: a stage with this key once made these outputs on this machine.
//! Whether the bytes are still there and still right is asked of the store each time.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files;
use crate::pipeline::key::KeyParts;
use crate::pipeline::stat::FileDigests;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Output names with the digests of their contents.
pub type Outputs = BTreeMap<String, Digest>;

/// What the action cache records of a stage that ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The stage that made the outputs, for people: the key does not hold it.
    pub stage: String,
    pub outputs: Outputs,
    /// What the key was made of, to explain later runs.
    pub parts: KeyParts,
    /// How long the stage took, in seconds: for estimates only.
    pub seconds: f64,
}

/// Both caches, below one folder.
pub struct Store {
    root: PathBuf,
    digests: FileDigests,
}

impl Store {
    /// Opens the caches below `root`; nothing is made until something is written. `paranoid` reads
    /// every file each time instead of trusting what the file system says of it.
    pub fn new(root: &Path, paranoid: bool) -> Self {
        let digests = match paranoid {
            true => FileDigests::paranoid(),
            false => FileDigests::remembered_in(root.join("stat.json")),
        };
        Store {
            root: root.to_owned(),
            digests,
        }
    }

    /// The digest of any file, remembered where that is safe.
    pub fn digest_of(&self, path: &Path) -> Result<Digest> {
        self.digests.of(path)
    }

    /// Keeps what is remembered of files for the next run.
    pub fn remember(&self) -> Result<()> {
        self.digests.save()
    }

    fn sharded(&self, folder: &str, digest: Digest) -> PathBuf {
        let text = digest.to_string();
        self.root.join(folder).join(&text[..2]).join(&text[2..])
    }

    /// Where an object with this digest is, if it is there.
    pub fn object(&self, digest: Digest) -> PathBuf {
        self.sharded("objects", digest)
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
        files::create_folder(object.parent().unwrap_or(&self.root))?;
        files::make_read_only(file)?;
        let io = |e: std::io::Error| Error::io("keep", file, &e);
        fs::File::open(file)
            .and_then(|f| f.sync_all())
            .map_err(io)?;
        // Replaces a damaged object of the same name.
        fs::rename(file, &object).map_err(io)?;
        Ok(digest)
    }

    /// The recorded outputs of a key, if its entry can be read.
    pub fn action(&self, key: Digest) -> Option<Action> {
        // A damaged entry is as good as none: the stage runs again and writes a new one.
        serde_json::from_slice(&fs::read(self.sharded("actions", key)).ok()?).ok()
    }

    /// Records what a stage with this key made.
    pub fn record(&self, key: Digest, action: &Action) -> Result<()> {
        let path = self.sharded("actions", key);
        let bytes = serde_json::to_vec_pretty(action)
            .map_err(|e| Error::failed(format!("cannot record the result: {e}")))?;
        files::write(&path, &bytes)
    }

    /// The outputs of a key when all of them are in the store, whole.
    pub fn cached(&self, key: Digest) -> Option<Action> {
        self.action(key)
            .filter(|action| action.outputs.values().all(|&digest| self.holds(digest)))
    }

    /// Every object file with the digest that its name claims; a foreign file has none.
    pub fn objects(&self) -> Result<Vec<(PathBuf, Option<Digest>)>> {
        self.sharded_files("objects")
    }

    /// Every entry of the action cache with the key that its name claims.
    pub fn action_files(&self) -> Result<Vec<(PathBuf, Option<Digest>)>> {
        self.sharded_files("actions")
    }

    fn sharded_files(&self, folder: &str) -> Result<Vec<(PathBuf, Option<Digest>)>> {
        let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
        let mut found = Vec::new();
        for shard in list(&self.root.join(folder))? {
            for path in list(&shard)? {
                let text = name(&shard).unwrap_or_default() + &name(&path).unwrap_or_default();
                found.push((path, Digest::try_from(text).ok()));
            }
        }
        Ok(found)
    }
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
        let store = Store::new(folder.path(), false);
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
