//! What the cache of this machine has already goes into the store before the work begins: no task makes it again.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::run::plan::Context;
use crate::shared::at_once::{self, Progress};
use crate::shared::store::SharedStore;
use crate::stage::key::Key;
use crate::store::actions::Outputs;
use crate::work::plan::TaskPlan;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

impl TaskPlan {
    /// Puts into the store what the cache has of the plan's stages, several at a time; `known` are their outputs.
    ///
    /// # Errors
    /// An input cannot be read, the store does not take something, or the user has interrupted.
    pub fn offer(
        &self,
        context: &Context,
        shared: &SharedStore,
        known: &BTreeMap<usize, Outputs>,
        cancelled: &AtomicBool,
        observer: Progress,
    ) -> Result<()> {
        let mut entries: Vec<(&str, Key, &Outputs)> = Vec::new();
        for index in self.members(context)?.into_iter().flatten() {
            let stage = &context.pipeline.stages[index];
            let Some(outputs) = known.get(&index) else {
                continue;
            };
            let Some(inputs) = context.input_digests(stage, |before| known.get(&before))? else {
                continue;
            };
            if stage.job.is_watched() {
                context.teach(shared, stage, &context.key_of(stage, inputs.clone()))?;
            }
            entries.push((&stage.id, context.probe(stage, inputs).key, outputs));
        }
        let objects = entries.iter().flat_map(|(.., outputs)| outputs.values());
        let objects: BTreeSet<Digest> = objects.copied().collect();
        let objects: Vec<Digest> = objects.into_iter().collect();
        at_once::each(&objects, cancelled, observer, |&digest| {
            shared.put(digest, context.store, false)
        })?;
        // What an entry names is there before it.
        at_once::each(&entries, cancelled, &|_, _| {}, |(id, key, outputs)| {
            shared.publish(id, key, outputs, context.store)
        })?;
        Ok(())
    }
}
