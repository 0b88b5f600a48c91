//! What a run takes from a shared store: the outputs of a stage whose key the lock knows.
//!
//! The lock says which bytes these are, so nothing has to be believed of the store: any mirror will do. For a
//! key that no lock knows nothing is asked for.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::run::plan::Context;
use crate::stage::stage::Stage;
use crate::store::actions::{Action, Outputs};
use std::sync::atomic::AtomicBool;

impl Context<'_> {
    /// Brings the outputs that the lock records under this key into the cache, and records them there; `None`
    /// where there is no store, the lock does not know the key, or an output is not to be had.
    ///
    /// # Errors
    /// The lock cannot be read, the cache cannot be written, or the user has interrupted.
    pub(crate) fn fetch(
        &self,
        stage: &Stage,
        key: Digest,
        cancelled: &AtomicBool,
    ) -> Result<Option<Action>> {
        let Some(shared) = self.shared else {
            return Ok(None);
        };
        let Some(block) = self.expected_under(stage, key)? else {
            return Ok(None);
        };
        let recorded = stage.outputs.iter().map(|(name, _)| {
            let record = block.outputs.get(name)?;
            Some((name.clone(), record.digest))
        });
        let Some(outputs) = recorded.collect::<Option<Outputs>>() else {
            return Ok(None);
        };
        for &digest in outputs.values() {
            if !self.store.holds(digest) && shared.fetch(digest, self.store, cancelled)?.is_none() {
                return Ok(None);
            }
        }
        let action = Action {
            stage: stage.id.clone(),
            // Nobody knows how long it took elsewhere.
            seconds: 0.0,
            outputs,
        };
        self.store.record(key, &action)?;
        Ok(Some(action))
    }
}
