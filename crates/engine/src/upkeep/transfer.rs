//! Between the cache and a shared store: what the lock records is put there, or brought from there.
//!
//! Both go by the lock's digests. No stage runs, and no file of the working tree is written. Where what is put
//! there is signed, the keys are computed: a signer speaks only of keys that this program computes now.

use crate::base::digest::Digest;
use crate::base::error::{Error, PROGRAM, Result};
use crate::lock::file::Block;
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::shared::at_once::{self, Progress};
use crate::shared::store::{MAX_BYTES, SharedStore};
use crate::stage::key::Key;
use crate::store::actions::{Action, Outputs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

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
    /// Entries that were signed and put there.
    pub entries: usize,
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
    /// Hears how many objects and entries of how many are done.
    pub observer: Progress<'a>,
}

impl Transferring<'_> {
    /// Puts the objects that the lock records and the cache has into the store, then the entries, where the
    /// store signs; `paranoid` reads what is there already. What the cache does not have is missing.
    ///
    /// # Errors
    /// The lock records none of the stages, the store cannot be written, or the user has interrupted.
    pub fn push(&self, paranoid: bool) -> Result<Transfer> {
        let store = self.context.store;
        let (mut transfer, blocks) = self.recorded("push")?;
        let mut objects: BTreeSet<Digest> = BTreeSet::new();
        for (&index, block) in &blocks {
            for record in block.outputs.values() {
                match store.holds(record.digest) {
                    true => drop(objects.insert(record.digest)),
                    false => drop(transfer.missing.insert(index)),
                }
            }
        }
        let objects: Vec<Digest> = objects.into_iter().collect();
        for moved in self.each(&objects, |&digest| self.shared.put(digest, store, paranoid))? {
            transfer.add(moved);
        }
        let spoken: Vec<Statement> = match self.shared.signs() {
            true => self.statements(&blocks)?,
            false => Vec::new(),
        };
        let is_put = self.each(&spoken, |(index, key, outputs)| {
            let stage = &self.context.pipeline.stages[*index];
            self.shared.publish(&stage.id, key, outputs, store)
        })?;
        transfer.entries = is_put.into_iter().filter(|&is_put| is_put).count();
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
        let recorded = blocks.values().flat_map(|block| block.outputs.values());
        let recorded: BTreeSet<Digest> = recorded.map(|record| record.digest).collect();
        let (here, absent): (Vec<Digest>, Vec<Digest>) = recorded
            .into_iter()
            .partition(|&digest| store.holds(digest));
        transfer.there = here.len();
        let fetch = |&digest: &Digest| self.shared.fetch(digest, MAX_BYTES, store, self.cancelled);
        let fetched = self.each(&absent, fetch)?;
        let mut lost = BTreeSet::new();
        for (digest, moved) in absent.into_iter().zip(fetched) {
            match moved {
                Some(_) => transfer.add(moved),
                None => drop(lost.insert(digest)),
            }
        }
        for (index, block) in blocks {
            let outputs: Outputs = block
                .outputs
                .iter()
                .map(|(name, record)| (name.clone(), record.digest))
                .collect();
            if outputs.values().any(|digest| lost.contains(digest)) {
                transfer.missing.insert(index);
                continue;
            }
            let cached = store.action(block.key);
            if cached.is_none_or(|action| action.outputs != outputs) {
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
            let hint = format!("`{PROGRAM} run` writes it");
            return Err(Error::config(message).hint(hint));
        }
        Ok((transfer, blocks))
    }

    /// What may be said of the recorded stages: of those whose recorded key is the one that they have now, and
    /// of which the cache holds what the lock records.
    fn statements(&self, blocks: &BTreeMap<usize, &Block>) -> Result<Vec<Statement>> {
        let context = self.context;
        let known = context.plan(self.selection)?.known;
        let mut statements = Vec::new();
        for (&index, block) in blocks {
            let stage = &context.pipeline.stages[index];
            let Some(outputs) = known.get(&index) else {
                continue;
            };
            let Some(inputs) = context.input_digests(stage, |before| known.get(&before))? else {
                continue;
            };
            let key = context.probe(stage, inputs).key;
            let is_recorded = |(name, digest): (&String, &Digest)| {
                let record = block.outputs.get(name);
                record.is_some_and(|record| record.digest == *digest)
            };
            if key.digest() == block.key && outputs.iter().all(is_recorded) {
                statements.push((index, key, outputs.clone()));
            }
        }
        Ok(statements)
    }

    fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        at_once::each(items, self.cancelled, self.observer, work)
    }
}

/// A stage, the key that it has, and what came of it.
type Statement = (usize, Key, Outputs);

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
