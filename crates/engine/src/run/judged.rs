//! What the cache answers is judged before a byte of it is put in place.
//!
//! The action cache is a file of one machine: a line of it may be wrong, or forged by whoever may write
//! there. Where the lock knows a key, only the recorded digests are put in place, and an answer with others
//! is as good as none. What lies in place already is left as it is: a run that made other bytes than the
//! lock records has said so, and `--accept` records them without making them again.
//!
//! Knows nothing of a key that no lock has: for that the cache of this machine is believed.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::lock::file::Block;
use crate::run::plan::Context;
use crate::stage::stage::Stage;
use crate::store::actions::Outputs;

impl Context<'_> {
    /// The block that says what comes of a stage with this key: of its own lock, else of the repository's.
    ///
    /// # Errors
    /// A lock cannot be read.
    pub(crate) fn expected_under(&self, stage: &Stage, key: Digest) -> Result<Option<&Block>> {
        match self.lock.under(&stage.id, key)? {
            Some(block) => Ok(Some(block)),
            None => self.baseline.under(&stage.id, key),
        }
    }

    /// Whether a lock knows this key and says that other bytes come of it.
    ///
    /// # Errors
    /// A lock cannot be read.
    pub(crate) fn contradicts_lock(
        &self,
        stage: &Stage,
        key: Digest,
        outputs: &Outputs,
    ) -> Result<bool> {
        let Some(block) = self.expected_under(stage, key)? else {
            return Ok(false);
        };
        let is_recorded = |(name, digest): (&String, &Digest)| {
            let record = block.outputs.get(name);
            record.is_some_and(|record| record.digest == *digest)
        };
        Ok(!outputs.iter().all(is_recorded))
    }

    /// Whether the lock records another file for this output under the key of a publication.
    pub(crate) fn contradicts_publication(
        &self,
        stage: &Stage,
        output: &str,
        key: Digest,
        file: Digest,
    ) -> bool {
        // Whoever writes has read the lock before.
        let Ok(lock) = self.lock.get() else {
            return false;
        };
        let block = lock.stages.get(&stage.id);
        let record = block.and_then(|block| block.outputs.get(output));
        let published = record.and_then(|record| record.published);
        published.is_some_and(|published| published.key == key && published.digest != file)
    }
}
