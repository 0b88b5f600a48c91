//! What a shared store knows of the stages of a plan: outputs by stage, each asked for once.
//!
//! From the first stages on: the outputs of those before a stage give its inputs, these its key, and the key is
//! what the store is asked for. So a stage whose inputs came out as they were is known without running, whatever
//! ran before it. Runs nothing.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::run::plan::Context;
use crate::shared::at_once;
use crate::shared::store::{MAX_BYTES, SharedStore, object};
use crate::stage::key::Key;
use crate::stage::stage::{Source, Stage};
use crate::store::actions::Outputs;
use crate::work::plan::TaskPlan;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

/// Looks stages up, in the order in which they can run.
pub struct Walk<'a> {
    pub context: &'a Context<'a>,
    pub shared: &'a SharedStore,
    pub cancelled: &'a AtomicBool,
    /// The outputs that are known.
    known: BTreeMap<usize, Outputs>,
    /// Of these, those that the lock alone says: the store may not have them.
    unseen: BTreeSet<usize>,
}

/// What is known of a stage.
pub(crate) enum Found {
    /// The outputs of a stage before it are not known.
    NoInputs,
    /// Its inputs are, and nothing is known to have come of them.
    Nothing,
    /// Its outputs.
    Outputs,
}

impl<'a> Walk<'a> {
    /// A walk that knows nothing but what cannot run here and is recorded; `planned` are the stages of the plan.
    ///
    /// # Errors
    /// The lock or an input cannot be read.
    pub fn new(
        context: &'a Context<'a>,
        shared: &'a SharedStore,
        cancelled: &'a AtomicBool,
        planned: &BTreeSet<usize>,
    ) -> Result<Self> {
        let mut walk = Walk {
            context,
            shared,
            cancelled,
            known: BTreeMap::new(),
            unseen: BTreeSet::new(),
        };
        // A plan leaves out what cannot run where it was made, but not what reads of that.
        let selection = context.pipeline.closure_of(planned.clone());
        if selection.closure.len() > planned.len() {
            let absences = context.absences(&selection)?;
            for &stage in selection.closure.difference(planned) {
                let expected = absences.expected(stage);
                walk.known
                    .extend(expected.map(|outputs| (stage, outputs.clone())));
            }
            for &stage in planned {
                context.adopt(&context.pipeline.stages[stage], &absences)?;
            }
        }
        Ok(walk)
    }

    /// The outputs that are known.
    pub(crate) fn known(&self) -> &BTreeMap<usize, Outputs> {
        &self.known
    }

    /// Takes down what a stage has made.
    pub(crate) fn learn(&mut self, stage: usize, outputs: Outputs) {
        self.known.insert(stage, outputs);
        self.unseen.remove(&stage);
    }

    /// Finds out what came of a stage, where that is known. The stages before it were looked up before.
    ///
    /// # Errors
    /// A file or the cache cannot be read, trusted signers disagree, or the user has interrupted.
    pub(crate) fn look_up(&mut self, index: usize) -> Result<Found> {
        if self.known.contains_key(&index) {
            return Ok(Found::Outputs);
        }
        let context = self.context;
        let stage = &context.pipeline.stages[index];
        self.bring_recorded(stage)?;
        let inputs = context.input_digests(stage, |before| self.known.get(&before))?;
        let Some(inputs) = inputs else {
            return Ok(Found::NoInputs);
        };
        for key in self.keys(stage, &inputs)? {
            if let Some((outputs, is_seen)) = self.of_key(stage, &key)? {
                self.known.insert(index, outputs);
                if !is_seen {
                    self.unseen.insert(index);
                }
                return Ok(Found::Outputs);
            }
        }
        Ok(Found::Nothing)
    }

    /// Whether the store has what came of a stage, so that nobody need run it.
    ///
    /// # Errors
    /// As `Walk::look_up`.
    pub fn is_there(&mut self, index: usize) -> Result<bool> {
        if !matches!(self.look_up(index)?, Found::Outputs) {
            return Ok(false);
        }
        // Who signed an entry has put its objects there before.
        if !self.unseen.contains(&index) {
            return Ok(true);
        }
        Ok(self.known[&index].values().all(|&digest| self.has(digest)))
    }

    /// Whether the store has an object: not, where it does not say.
    fn has(&self, digest: Digest) -> bool {
        let found = self.shared.backend().look(&object(digest));
        found.is_ok_and(|found| found.is_some())
    }

    /// The keys that a stage with these inputs may have: one, or of a watched stage one for each known set of looks.
    fn keys(&self, stage: &Stage, inputs: &[(String, Digest)]) -> Result<Vec<Key>> {
        let context = self.context;
        if !stage.job.is_watched() {
            return Ok(vec![context.key_of(stage, inputs.to_vec())]);
        }
        let base = context.key_of(stage, inputs.to_vec()).digest();
        context.learn_from(self.shared, stage, base, self.cancelled)?;
        Ok(context.watched_keys(stage, inputs))
    }

    /// What comes of a key, by the lock or by a trusted signer, and whether somebody has seen it in the store.
    fn of_key(&self, stage: &Stage, key: &Key) -> Result<Option<(Outputs, bool)>> {
        let context = self.context;
        if let Some(block) = context.expected_under(stage, key.digest())? {
            let output =
                |(name, _): &(String, _)| Some((name.clone(), block.outputs.get(name)?.digest));
            let outputs: Option<Outputs> = stage.outputs.iter().map(output).collect();
            return Ok(outputs.map(|outputs| (outputs, false)));
        }
        let entry = context.word(self.shared, stage, key.digest())?;
        Ok(entry.map(|entry| (entry.digests(), true)))
    }

    /// Brings what a stage reads as recorded and a stage of the plan has made: only what is here counts as made.
    fn bring_recorded(&self, stage: &Stage) -> Result<()> {
        for input in &stage.inputs {
            if let Source::Recorded { stage, output } = &input.source
                && let Some(digest) = self.known.get(stage).and_then(|made| made.get(output))
            {
                self.bring(*digest)?;
            }
        }
        Ok(())
    }

    /// Brings an object into the cache; whether it is there.
    pub(crate) fn bring(&self, digest: Digest) -> Result<bool> {
        let store = self.context.store;
        if store.holds(digest) {
            return Ok(true);
        }
        let fetched = self
            .shared
            .fetch(digest, MAX_BYTES, store, self.cancelled)?;
        Ok(fetched.is_some())
    }
}

impl TaskPlan {
    /// The tasks of which the store lacks something: those that are worth to be submitted, in their order.
    ///
    /// # Errors
    /// As [`Walk::new`] and [`Walk::is_there`].
    pub fn left(
        &self,
        context: &Context,
        shared: &SharedStore,
        cancelled: &AtomicBool,
    ) -> Result<Vec<usize>> {
        let lacking = self.lacking(context, shared, cancelled)?;
        let tasks = self.members(context)?.into_iter().enumerate();
        let is_left =
            |(_, stages): &(usize, Vec<usize>)| stages.iter().any(|s| lacking.contains(s));
        Ok(tasks.filter(is_left).map(|(task, _)| task).collect())
    }

    /// The stages that the store lacks.
    ///
    /// # Errors
    /// As [`Walk::new`] and [`Walk::is_there`].
    pub fn lacking(
        &self,
        context: &Context,
        shared: &SharedStore,
        cancelled: &AtomicBool,
    ) -> Result<BTreeSet<usize>> {
        let planned = self.members(context)?.into_iter().flatten();
        let planned: BTreeSet<usize> = planned.collect();
        let mut walk = Walk::new(context, shared, cancelled, &planned)?;
        let mut lacking = BTreeSet::new();
        for &stage in &planned {
            if !matches!(walk.look_up(stage)?, Found::Outputs) {
                lacking.insert(stage);
            }
        }
        // One stage's objects tell nothing of another's: they are looked at several at a time.
        let unseen: Vec<usize> = planned.intersection(&walk.unseen).copied().collect();
        let digests = unseen.iter().flat_map(|stage| walk.known[stage].values());
        let digests: BTreeSet<Digest> = digests.copied().collect();
        let digests: Vec<Digest> = digests.into_iter().collect();
        let there = at_once::each(&digests, cancelled, &|_, _| {}, |&digest| {
            Ok(walk.has(digest))
        })?;
        let there: BTreeMap<Digest, bool> = digests.into_iter().zip(there).collect();
        let lacks = |stage: &usize| !walk.known[stage].values().all(|digest| there[digest]);
        lacking.extend(unseen.into_iter().filter(lacks));
        Ok(lacking)
    }
}
