//! What stands as the lock records it, though this machine has not made it: for a run that makes only what the
//! lock does not know.
//!
//! A stage whose key the lock has needs no bytes: its digests say what it came to, so the keys of those that read it
//! are known. Bytes are asked for by a stage that must run: from the store, from the committed file, else of the
//! stage that makes them. Does not look at whether a result can be made again: what makes everything does.

use crate::base::error::Result;
use crate::run::event::Outcome;
use crate::run::execute::Finished;
use crate::run::plan::Context;
use crate::stage::key::Key;
use crate::stage::publication::{PUBLISHED, Publication};
use crate::stage::stage::{Source, Stage};
use crate::store::actions::Outputs;
use std::collections::BTreeSet;

impl Context<'_> {
    /// The stage as the lock records it; `None` where the lock has it with another key, in other places or not at
    /// all, or where a file of it is not what is recorded. One that is not published may be missing, if no stage
    /// reads what is recorded of it.
    ///
    /// # Errors
    /// The lock cannot be read.
    pub(crate) fn as_recorded(&self, index: usize, key: &Key) -> Result<Option<Finished>> {
        let stage = &self.pipeline.stages[index];
        let block = self.lock.get()?.stages.get(&stage.id);
        let Some(block) = block.filter(|block| block.key == key.digest()) else {
            return Ok(None);
        };
        let digests = block.outputs.iter();
        let outputs: Outputs = digests
            .map(|(name, record)| (name.clone(), record.digest))
            .collect();
        if outputs.len() != stage.outputs.len() {
            return Ok(None);
        }
        let stands = stage.outputs.iter().all(|(name, path)| {
            let Some(record) = block.outputs.get(name) else {
                return false;
            };
            let file = self.workspace.out.join(path);
            let is_as_recorded = match file.symlink_metadata() {
                Ok(_) => self.store.digest_of_plain(&file) == Some(record.file_digest()),
                Err(_) => !path.starts_with(PUBLISHED) && !self.pipeline.is_shown(index),
            };
            // What would be written into the file today is what was: else it is published anew.
            let draft = || self.draft(stage, key, name, &outputs);
            let publication = |p: Publication| p.key;
            path.as_os_str() == &*record.path
                && is_as_recorded
                && draft().map(|draft| draft.key) == record.published.map(publication)
        });
        let published = block.outputs.iter();
        let published = published.filter_map(|(name, r)| Some((name.clone(), r.published?)));
        Ok(stands.then(|| Finished {
            key: key.clone(),
            published: published.collect(),
            outputs,
            outcome: Outcome::Recorded,
            compared: Vec::new(),
        }))
    }

    /// Of these stages, which stand as recorded, those that must run because a stage reads bytes of them that are
    /// not here; what lies in place is kept in the store.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) fn missing_makers<'o>(
        &self,
        stage: &Stage,
        standing: &BTreeSet<usize>,
        known: impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Result<BTreeSet<usize>> {
        let mut makers = BTreeSet::new();
        for input in &stage.inputs {
            if let Source::Output { stage, output } = &input.source
                && standing.contains(stage)
                && let Some(&digest) = known(*stage).and_then(|made| made.get(output))
                && !self.keep_content(*stage, output, digest)?
            {
                makers.insert(*stage);
            }
        }
        Ok(makers)
    }
}
