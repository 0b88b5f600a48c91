//! What the cache of this machine has already goes into the store before the work begins: no task makes it again.

use crate::base::error::Result;
use crate::run::plan::Context;
use crate::shared::store::SharedStore;
use crate::store::actions::Outputs;
use crate::work::plan::TaskPlan;
use std::collections::BTreeMap;

impl TaskPlan {
    /// Puts into the store what the cache has of the plan's stages; `known` are their outputs.
    ///
    /// # Errors
    /// An input cannot be read, or the store does not take something.
    pub fn offer(
        &self,
        context: &Context,
        shared: &SharedStore,
        known: &BTreeMap<usize, Outputs>,
    ) -> Result<()> {
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
            let key = context.probe(stage, inputs).key;
            for &digest in outputs.values() {
                shared.put(digest, context.store, false)?;
            }
            shared.publish(&stage.id, &key, outputs, context.store)?;
        }
        Ok(())
    }
}
