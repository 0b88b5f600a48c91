//! Between the cache and a shared store: what the lock records is put there, or brought from there.
//!
//! Both go by the lock's digests alone. No stage runs, no file of the working tree is read or written, and
//! keys are not computed: what the lock records is right, whether or not it is what pipeline.yaml asks for now.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, PROGRAM, Result};
use crate::lock::file::Block;
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::store::actions::{Action, Outputs};
use crate::store::shared::SharedStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// What was put into a shared store, or brought from it.
#[derive(Debug, Default)]
pub struct Transfer {
    /// Stages that the lock records.
    pub stages: usize,
    /// Objects that were moved, and their bytes.
    pub objects: usize,
    pub bytes: u64,
    /// Objects that were where they should be already.
    pub there: usize,
    /// Recorded stages of which an output was not to be had.
    pub missing: BTreeSet<usize>,
    /// Selected stages that the lock does not record.
    pub unrecorded: BTreeSet<usize>,
}

/// Both ways.
pub struct Transferring<'a> {
    pub context: &'a Context<'a>,
    pub selection: &'a Selection,
    pub shared: &'a SharedStore,
    pub cancelled: &'a AtomicBool,
}

impl Transferring<'_> {
    /// Puts the objects that the lock records and the cache has into the store; `paranoid` reads what is there
    /// already. What the cache does not have is missing.
    ///
    /// # Errors
    /// The lock records none of the stages, the store cannot be written, or the user has interrupted.
    pub fn push(&self, paranoid: bool) -> Result<Transfer> {
        let store = self.context.store;
        let (mut transfer, blocks) = self.recorded("push")?;
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        for (index, block) in blocks {
            for record in block.outputs.values() {
                self.go_on()?;
                if !store.holds(record.digest) {
                    transfer.missing.insert(index);
                } else if seen.insert(record.digest) {
                    transfer.add(self.shared.put(record.digest, store, paranoid)?);
                }
            }
        }
        Ok(transfer)
    }

    /// Brings what the lock records into the cache, so that a run restores it. What the store does not have, or
    /// has wrong, is missing; a stage of which an output is missing stays to be run. Called under the run lock.
    ///
    /// # Errors
    /// The lock records none of the stages, the cache cannot be written, or the user has interrupted.
    pub fn pull(&self) -> Result<Transfer> {
        let store = self.context.store;
        let (mut transfer, blocks) = self.recorded("pull")?;
        for (index, block) in blocks {
            let mut outputs = Outputs::new();
            for (name, record) in &block.outputs {
                self.go_on()?;
                if store.holds(record.digest) {
                    transfer.there += 1;
                } else {
                    let fetched = self.shared.fetch(record.digest, store, self.cancelled)?;
                    if fetched.is_none() {
                        transfer.missing.insert(index);
                        continue;
                    }
                    transfer.add(fetched);
                }
                outputs.insert(name.clone(), record.digest);
            }
            let is_whole = outputs.len() == block.outputs.len();
            let cached = store.action(block.key);
            if is_whole && cached.is_none_or(|action| action.outputs != outputs) {
                let action = Action {
                    stage: self.context.pipeline.stages[index].id.clone(),
                    seconds: 0.0,
                    outputs,
                };
                store.record(block.key, &action)?;
            }
        }
        store.remember()?;
        Ok(transfer)
    }

    /// The blocks of the selected stages.
    fn recorded(&self, verb: &str) -> Result<(Transfer, BTreeMap<usize, &Block>)> {
        let lock = self.context.lock.get()?;
        let mut transfer = Transfer::default();
        let mut blocks = BTreeMap::new();
        for &index in &self.selection.closure {
            match lock.stages.get(&self.context.pipeline.stages[index].id) {
                Some(block) => drop(blocks.insert(index, block)),
                None => drop(transfer.unrecorded.insert(index)),
            }
        }
        transfer.stages = blocks.len();
        if blocks.is_empty() {
            let path = self.context.workspace.lock_path();
            let message = format!("{} records nothing to {verb}", path.display());
            let hint = format!("`{PROGRAM} run` with the same options writes it");
            return Err(Error::config(message).hint(hint));
        }
        Ok((transfer, blocks))
    }

    fn go_on(&self) -> Result<()> {
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::of(ErrorKind::Interrupted, "interrupted")
                .hint("what has arrived is kept: the same command goes on from there")),
            false => Ok(()),
        }
    }
}

impl Transfer {
    fn add(&mut self, moved: Option<u64>) {
        match moved {
            Some(bytes) => {
                self.objects += 1;
                self.bytes += bytes;
            }
            None => self.there += 1,
        }
    }
}
