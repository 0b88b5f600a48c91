//! Stages that read what no input names: their keys.
//!
//! What such a stage looks at is known when it has run. Its key is that of its params and inputs (its *base*)
//! and of every look, with what was found. Under the base the store keeps which looks earlier runs took, so
//! that the key of the next run can be computed before it runs: a constructive trace with discovered
//! dependencies (Mokhov, Mitchell, Peyton Jones 2018, as in Shake). The lock's parts of a key tell the same,
//! where this machine has never run the stage.
//!
//! What is guaranteed: where some earlier run took a set of looks, and all that it looked at is now as it was
//! then, a program that depends on nothing else takes the same looks again and makes the same outputs, for
//! what it looks at next depends on what it has seen so far. A program that depends on something else (the
//! time, a race, a file outside) is not repeatable, and no key can tell.
//!
//! Does not know how looks are found: the kind tells.

use crate::base::digest::{Digest, Encoder};
use crate::base::error::{Error, Result};
use crate::lock::file::Block;
use crate::run::plan::{Context, Probe};
use crate::shared::entry::Made;
use crate::shared::store::SharedStore;
use crate::stage::io::Repository;
use crate::stage::key::Key;
use crate::stage::kind::read;
use crate::stage::look::{self, Look};
use crate::stage::stage::{OUTPUT_FOLDERS, Stage};
use crate::store::actions::{Action, Outputs};
use crate::store::workspace::{KEYS_FILE, LOCK_FILE};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Sets of looks that are kept of a stage, the latest first: so far back a return finds its results.
const KEPT: usize = 32;
/// The name under which they are recorded.
const LOOKS: &str = "looks";

type Looks = BTreeSet<Look>;

/// A moment on the clock of a file system.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Moment([i64; 2]);

impl Moment {
    /// When a file or folder last changed.
    pub fn of(path: &Path) -> Option<Moment> {
        let meta = path.metadata().ok()?;
        Some(Moment([meta.ctime(), meta.ctime_nsec()]))
    }
}

impl Context<'_> {
    /// The repository, as a watched stage may see it.
    pub(crate) fn repository(&self) -> Repository {
        let root = &self.workspace.root;
        let standing = &self.standing().workspace;
        let mut made: Vec<PathBuf> = OUTPUT_FOLDERS
            .iter()
            .chain(&[LOCK_FILE, KEYS_FILE])
            .flat_map(|name| [root.join(name), standing.out.join(name)])
            .collect();
        made.push(standing.cache.clone());
        made.push(self.workspace.cache.clone());
        made.dedup();
        let root = root.clone();
        Repository { root, made }
    }

    /// The key of a watched stage by a set of looks, as everything is now.
    fn key_by(&self, stage: &Stage, inputs: &[(String, Digest)], looks: &Looks) -> Key {
        let made = match looks.iter().any(|look| matches!(look, Look::Names(_))) {
            true => self.repository().made,
            false => Vec::new(),
        };
        let found = |look: &Look| (look.key_name(), self.found(stage, look, &made));
        let all = inputs.iter().cloned().chain(looks.iter().map(found));
        self.key_of(stage, all.collect())
    }

    /// What a look finds now.
    fn found(&self, stage: &Stage, look: &Look, made: &[PathBuf]) -> Digest {
        let root = &self.workspace.root;
        match look {
            Look::Outside(name) => stage.job.outside(root, name).unwrap_or_else(look::absent),
            Look::Names(path) => look::names(&inside(root, path), made),
            Look::At(path) => {
                let path = inside(root, path);
                match path.metadata() {
                    Ok(meta) if meta.is_dir() => look::folder(),
                    Ok(meta) if meta.is_file() => {
                        let digest = self.store.digest_of(&path);
                        digest.unwrap_or_else(|_| look::unreadable())
                    }
                    Ok(_) => look::unreadable(),
                    Err(_) => look::absent(),
                }
            }
        }
    }

    /// The key of a watched stage as its recorded block would have it: by the looks that the block names.
    pub(crate) fn recorded_key(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Key {
        let block = self.recorded(stage).ok().flatten();
        match block.and_then(looks_of) {
            Some(looks) => self.key_by(stage, &inputs, &looks),
            None => self.key_of(stage, inputs),
        }
    }

    /// The key of a watched stage, and what the caches have for it: the first of the known sets of looks that
    /// finds a result; where none does, the set that explains most.
    pub(crate) fn probe_watched(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Probe {
        let base = self.key_of(stage, inputs.clone());
        let block = self.recorded(stage).ok().flatten();
        let recorded = block.and_then(looks_of);
        let sets = recorded.into_iter().chain(self.looks(base.digest()));
        let mut first = None;
        for looks in sets {
            let probe = self.probe_key(stage, self.key_by(stage, &inputs, &looks));
            // All that it looked at is as the lock records it: no other set has a say.
            let is_recorded = block.is_some_and(|block| block.key == probe.key.digest());
            if probe.cached.is_some() || is_recorded {
                return probe;
            }
            first.get_or_insert(probe);
        }
        first.unwrap_or_else(|| self.probe_key(stage, base))
    }

    /// The key of a watched stage that ran from `since` on and took these looks; they are kept for the next
    /// time.
    ///
    /// # Errors
    /// Something changed since then: the result is of neither state.
    pub(crate) fn key_after(
        &self,
        stage: &Stage,
        inputs: &[(String, Digest)],
        looks: Looks,
        since: Option<Moment>,
    ) -> Result<Key> {
        let root = &self.workspace.root;
        for look in &looks {
            let path = match look {
                Look::At(path) => inside(root, path),
                Look::Names(_) | Look::Outside(_) => continue,
            };
            if path.is_file() && since.is_some_and(|since| Moment::of(&path) > Some(since)) {
                let message = format!("{} changed while the stage ran", look.words());
                return Err(Error::failed(message).hint("nothing was recorded: run again"));
            }
        }
        let key = self.key_by(stage, inputs, &looks);
        let base = self.key_of(stage, inputs.to_vec()).digest();
        let mut sets = self.looks(base);
        sets.retain(|set| *set != looks);
        sets.insert(0, looks);
        sets.truncate(KEPT);
        self.keep_looks(stage, base, &sets)?;
        Ok(key)
    }

    /// The keys that a watched stage may have: by the recorded set of looks, then by those that are kept.
    pub(crate) fn watched_keys(&self, stage: &Stage, inputs: &[(String, Digest)]) -> Vec<Key> {
        let base = self.key_of(stage, inputs.to_vec());
        let block = self.recorded(stage).ok().flatten();
        let recorded = block.and_then(looks_of);
        let sets = recorded.into_iter().chain(self.looks(base.digest()));
        sets.map(|looks| self.key_by(stage, inputs, &looks))
            .collect()
    }

    /// Learns from a shared store what trusted signers have seen a watched stage look at. That tells which keys are
    /// worth asking for and no more: a set of looks that is made up finds no result.
    pub(crate) fn learn_from(
        &self,
        shared: &SharedStore,
        stage: &Stage,
        base: Digest,
        cancelled: &AtomicBool,
    ) -> Result<()> {
        for (signer, _) in shared.trust().signers() {
            let entry = shared.entry(of_base(base), signer, self.store)?;
            let Some(Made { digest, bytes }) = entry.and_then(|e| e.outputs.get(LOOKS).copied())
            else {
                continue;
            };
            if self.store.holds(digest)
                || shared
                    .fetch(digest, bytes, self.store, cancelled)?
                    .is_some()
            {
                self.learn_looks(stage, base, &sets_in(&self.store.object(digest)))?;
            }
        }
        Ok(())
    }

    /// Puts what is known of the looks of a watched stage into a shared store, where that signs.
    pub(crate) fn teach(&self, shared: &SharedStore, stage: &Stage, base: &Key) -> Result<()> {
        let at = of_base(base.digest());
        if let Some(action) = self.store.cached(at) {
            for &digest in action.outputs.values() {
                shared.put(digest, self.store, false)?;
            }
            shared.publish_as(at, &stage.id, base.code(), &action.outputs, self.store)?;
        }
        Ok(())
    }

    /// Keeps sets of looks that were taken elsewhere, behind those that were taken here.
    fn learn_looks(&self, stage: &Stage, base: Digest, names: &[Vec<String>]) -> Result<()> {
        let read =
            |names: &Vec<String>| names.iter().filter_map(|n| Look::of_key_name(n)).collect();
        let mut sets = self.looks(base);
        let before = sets.len();
        for looks in names.iter().map(read) {
            if !sets.contains(&looks) {
                sets.push(looks);
            }
        }
        sets.truncate(KEPT);
        match sets.len() > before {
            true => self.keep_looks(stage, base, &sets),
            false => Ok(()),
        }
    }

    /// The sets of looks that are kept under a base, the latest first.
    fn looks(&self, base: Digest) -> Vec<Looks> {
        let action = self.store.cached(of_base(base));
        let object = action.and_then(|action| action.outputs.get(LOOKS).copied());
        let sets = object.map_or_else(Vec::new, |object| sets_in(&self.store.object(object)));
        let looks =
            |names: Vec<String>| names.iter().filter_map(|n| Look::of_key_name(n)).collect();
        sets.into_iter().map(looks).collect()
    }

    fn keep_looks(&self, stage: &Stage, base: Digest, sets: &[Looks]) -> Result<()> {
        let names = |looks: &Looks| looks.iter().map(Look::key_name).collect();
        let names: Vec<Vec<String>> = sets.iter().map(names).collect();
        let text = serde_json::to_vec(&names)
            .map_err(|e| Error::failed(format!("cannot record what was looked at: {e}")))?;
        let digest = self.insert(&text)?;
        let action = Action {
            stage: stage.id.clone(),
            seconds: 0.0,
            outputs: Outputs::from([(LOOKS.to_owned(), digest)]),
        };
        self.store.record(of_base(base), &action)
    }
}

/// A path below the root; the root itself is `.`.
fn inside(root: &Path, path: &str) -> PathBuf {
    match path {
        "." => root.to_owned(),
        path => root.join(path),
    }
}

/// The sets of looks in a file, by the names of the looks; none where it is no such file.
fn sets_in(file: &Path) -> Vec<Vec<String>> {
    let bytes = read(file).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Where the looks of a base are recorded.
fn of_base(base: Digest) -> Digest {
    let mut encoder = Encoder::new("retrace looks");
    encoder.bytes(base.as_bytes());
    encoder.finish()
}

/// The looks that a recorded key is made of; `None` where that is not known.
fn looks_of(block: &Block) -> Option<Looks> {
    let inputs = &block.parts.as_ref()?.inputs;
    Some(
        inputs
            .keys()
            .filter_map(|name| Look::of_key_name(name))
            .collect(),
    )
}
