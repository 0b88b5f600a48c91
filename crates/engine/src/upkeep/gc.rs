//! What the cache can do without.
//!
//! Results that a lock records are kept, always. Other results (of earlier parameters or code) are
//! kept as long as the cache is within its limit, the latest longest. Objects that no result needs and
//! what killed runs left go. Only files go that were made and recorded here; what is beside them is
//! somebody else's, and is named.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::base::files;
use crate::base::location::{is_plain_file, is_plain_folder};
use crate::lock::file::Lock;
use crate::store::content::{Store, list};
use crate::store::workspace::{LOCK_FILE, Workspace};
use crate::upkeep::scratch::abandoned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What would be removed.
#[derive(Debug, Default)]
pub struct GcPlan {
    /// Results: the stage, the key, and the bytes that only they need.
    results: Vec<(String, Digest, u64)>,
    /// Objects of these results.
    objects: Vec<PathBuf>,
    /// Files and folders that no result needs.
    loose: Vec<PathBuf>,
    /// What is among them and was not made here: it stays.
    pub foreign: Vec<PathBuf>,
    pub loose_files: usize,
    pub loose_bytes: u64,
    pub kept_bytes: u64,
}

/// Decides what to remove so that at most `limit` bytes of objects stay, as far as locks allow.
pub fn plan(workspace: &Workspace, store: &Store, limit: Option<u64>) -> Result<GcPlan> {
    let mut plan = GcPlan::default();
    let locked = locked_keys(workspace)?;
    let mut results = store.results();
    // First those of a lock, then the latest first.
    results.reverse();
    results.sort_by_key(|(key, _)| !locked.contains(key));
    let sizes = object_sizes(store, &mut plan)?;
    let mut kept: BTreeSet<Digest> = BTreeSet::new();
    let mut removed: BTreeSet<Digest> = BTreeSet::new();
    for (key, action) in results {
        let digests: BTreeSet<Digest> = action.outputs.values().copied().collect();
        let new = digests
            .difference(&kept)
            .filter_map(|digest| sizes.get(digest));
        let bytes: u64 = new.map(|(_, size)| size).sum();
        if locked.contains(&key) || limit.is_none_or(|limit| plan.kept_bytes + bytes <= limit) {
            plan.kept_bytes += bytes;
            kept.extend(digests);
        } else {
            plan.results.push((action.stage, key, bytes));
            removed.extend(digests);
        }
    }
    for (digest, (path, _)) in sizes {
        if removed.contains(&digest) && !kept.contains(&digest) {
            plan.objects.push(path);
        } else if kept.contains(&digest) {
            continue;
        } else if store.is_ours(&path, digest) {
            plan.add_loose(path);
        } else {
            plan.foreign.push(path);
        }
    }
    let scratch = workspace.scratch();
    for path in list(&workspace.cache.join("scratch"))? {
        match scratch.contains(&path) {
            true => plan.add_loose(path),
            false => plan.foreign.push(path),
        }
    }
    for path in abandoned(&workspace.cache) {
        plan.add_loose(path);
    }
    Ok(plan)
}

/// The keys that the repository's lock and the locks of its variants record.
fn locked_keys(workspace: &Workspace) -> Result<BTreeSet<Digest>> {
    let mut folders = vec![workspace.root.clone(), workspace.out.clone()];
    let variants = list(&workspace.variants())?.into_iter();
    folders.extend(variants.filter(|variant| is_plain_folder(variant)));
    let mut keys = BTreeSet::new();
    for folder in folders {
        let lock = Lock::read(&folder.join(LOCK_FILE))?;
        for block in lock.stages.values() {
            keys.insert(block.key);
            let published = block.outputs.values().filter_map(|record| record.published);
            keys.extend(published.map(|publication| publication.key));
        }
    }
    Ok(keys)
}

/// Every object with its path and size; what is none is foreign.
fn object_sizes(store: &Store, plan: &mut GcPlan) -> Result<BTreeMap<Digest, (PathBuf, u64)>> {
    let mut sizes = BTreeMap::new();
    for (path, digest) in store.objects()? {
        let size = std::fs::metadata(&path).map(|meta| meta.len());
        match (digest, size) {
            (Some(digest), Ok(size)) => {
                sizes.insert(digest, (path, size));
            }
            _ => plan.foreign.push(path),
        }
    }
    Ok(sizes)
}

impl GcPlan {
    fn add_loose(&mut self, path: PathBuf) {
        self.loose_files += 1;
        self.loose_bytes += size_of(&path);
        self.loose.push(path);
    }

    /// Results to remove by stage: how many, and how many bytes only they need.
    pub fn by_stage(&self) -> Vec<(String, usize, u64)> {
        let mut stages: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for (stage, _, bytes) in &self.results {
            let (count, total) = stages.entry(stage).or_default();
            *count += 1;
            *total += bytes;
        }
        let own = |(stage, (count, bytes)): (&str, (usize, u64))| (stage.to_owned(), count, bytes);
        stages.into_iter().map(own).collect()
    }

    /// Bytes that would be free.
    pub fn freed(&self) -> u64 {
        let objects: u64 = self.objects.iter().map(|path| size_of(path)).sum();
        objects + self.loose_bytes
    }

    /// Removes; entries before their objects, so that no entry ever lacks one.
    pub fn execute(&self, store: &Store) -> Result<()> {
        let keys: BTreeSet<Digest> = self.results.iter().map(|(_, key, _)| *key).collect();
        store.forget(&keys)?;
        for path in self.objects.iter().chain(&self.loose) {
            // It was looked at a moment ago.
            if is_plain_file(path) || is_plain_folder(path) {
                files::remove(path)?;
            }
        }
        Ok(())
    }
}

fn size_of(path: &Path) -> u64 {
    match list(path) {
        Ok(inside) if is_plain_folder(path) => inside.iter().map(|path| size_of(path)).sum(),
        _ => path.symlink_metadata().map_or(0, |meta| meta.len()),
    }
}
