//! What a run takes from a shared store: the outputs of a stage whose key the lock knows, or somebody trusted.
//!
//! Where the lock knows a key it says which bytes these are, so nothing has to be believed of the store: any
//! mirror will do. Else the signers of `store.trust` are asked, each of them: where two say different things
//! nothing is taken. A stage whose key only a run tells ([`crate::run::watched`]) is looked for under the
//! key that its recorded looks give.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, PROGRAM, Result};
use crate::run::plan::Context;
use crate::shared::entry::Entry;
use crate::shared::store::{MAX_BYTES, SharedStore, Word};
use crate::stage::stage::Stage;
use crate::store::actions::Action;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Outputs by name, with how large an object is at most.
type Expected = BTreeMap<String, (Digest, u64)>;

impl Context<'_> {
    /// Brings what comes of this key into the cache, and records it there; `None` where there is no store,
    /// nobody whose word counts knows the key, or an output is not to be had.
    ///
    /// # Errors
    /// Two trusted signers disagree, the lock cannot be read, the cache cannot be written, or the user has
    /// interrupted.
    pub(crate) fn fetch(
        &self,
        stage: &Stage,
        key: Digest,
        cancelled: &AtomicBool,
    ) -> Result<Option<Action>> {
        let Some(shared) = self.shared else {
            return Ok(None);
        };
        let Some(expected) = self.expected_of(shared, stage, key)? else {
            return Ok(None);
        };
        for &(digest, most) in expected.values() {
            let is_here = self.store.holds(digest);
            if !is_here && shared.fetch(digest, most, self.store, cancelled)?.is_none() {
                return Ok(None);
            }
        }
        let outputs = expected
            .into_iter()
            .map(|(name, (digest, _))| (name, digest));
        let action = Action {
            stage: stage.id.clone(),
            // Nobody knows how long it took elsewhere.
            seconds: 0.0,
            outputs: outputs.collect(),
        };
        self.store.record(key, &action)?;
        Ok(Some(action))
    }

    /// The outputs that come of a key, by whoever is believed; `None` where nobody knows it.
    fn expected_of(
        &self,
        shared: &SharedStore,
        stage: &Stage,
        key: Digest,
    ) -> Result<Option<Expected>> {
        if let Some(block) = self.expected_under(stage, key)? {
            let recorded = stage.outputs.iter().map(|(name, _)| {
                let record = block.outputs.get(name)?;
                Some((name.clone(), (record.digest, MAX_BYTES)))
            });
            return Ok(recorded.collect());
        }
        let entry = self.word(shared, stage, key)?;
        Ok(entry.map(|entry| {
            let made = entry.outputs.into_iter();
            made.map(|(name, made)| (name, (made.digest, made.bytes)))
                .collect()
        }))
    }

    /// What the trusted signers say comes of a key; `None` where they say nothing, or speak of other outputs.
    ///
    /// # Errors
    /// Two of them disagree, or the cache cannot be written.
    pub(crate) fn word(
        &self,
        shared: &SharedStore,
        stage: &Stage,
        key: Digest,
    ) -> Result<Option<Entry>> {
        match shared.ask(key, self.store)? {
            Word::None => Ok(None),
            Word::One(entry) => {
                let is_whole = stage.outputs.len() == entry.outputs.len()
                    && stage
                        .outputs
                        .iter()
                        .all(|(name, _)| entry.outputs.contains_key(name));
                Ok(is_whole.then_some(entry))
            }
            Word::Disagree(both) => Err(disagreement(stage, key, &both)),
        }
    }
}

/// Two who are trusted say different things of one key: one of them is wrong, and nobody here knows which.
fn disagreement(stage: &Stage, key: Digest, [a, b]: &[(String, Entry); 2]) -> Error {
    let of = |entry: &Entry, name: &String| entry.outputs.get(name).map(|made| made.digest);
    let names = stage.outputs.iter().map(|(name, _)| name);
    let mut differing = names.filter(|name| of(&a.1, name) != of(&b.1, name));
    let first = differing.next().map_or(String::new(), |name| {
        let short = |entry| of(entry, name).map_or("nothing".to_owned(), |digest| digest.short());
        format!(
            ": of `{name}` the one says {}, the other {}",
            short(&a.1),
            short(&b.1)
        )
    });
    let message = format!(
        "{} and {} disagree on what comes of {} (key {}){first}",
        a.0,
        b.0,
        stage.id,
        key.short()
    );
    // Also where a variable or pipeline.yaml names the store.
    Error::of(ErrorKind::Differs, message).hint(format!(
        "nothing was taken: `{PROGRAM} run {} --store ''` makes it here and tells who is wrong",
        stage.id
    ))
}
