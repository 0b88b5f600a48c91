//! A part of the recorded stages, to be made again by themselves: an audit that costs a part of a whole rebuild.
//!
//! Which stages these are follows from their keys and a seed alone, so that two who audit with one seed make the
//! same, and who fills a store cannot know which will be made. Each reads what the lock records of those before it.

use crate::base::digest::Encoder;
use crate::base::error::{Error, PROGRAM, Result};
use crate::lock::moves::Blocks;
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::shared::store::{MAX_BYTES, SharedStore};
use crate::stage::stage::Source;
use crate::store::actions::Outputs;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

/// How many of the stages, and which.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Above 0, at most 1.
    pub fraction: f64,
    pub seed: u64,
}

/// The stages that are made again.
pub(crate) struct Sampled {
    pub selection: Selection,
    /// The recorded outputs of stages that they read.
    pub given: BTreeMap<usize, Outputs>,
    /// How many are left out because what they read is not to be had.
    pub unreadable: usize,
}

impl Sample {
    /// Draws from a selection. `from` is whose lock counts, `into` has the cache in which the stages will be made: what
    /// they read is put there.
    ///
    /// # Errors
    /// The lock records none of the stages with the key that it has now, or a file cannot be read or written.
    pub(crate) fn draw(
        &self,
        [from, into]: [&Context; 2],
        selection: &Selection,
        shared: Option<&SharedStore>,
        cancelled: &AtomicBool,
    ) -> Result<Sampled> {
        let pipeline = from.pipeline;
        let blocks = Blocks::new(from.lock.get()?, pipeline);
        let mut given: BTreeMap<usize, Outputs> = BTreeMap::new();
        let mut drawn = Vec::new();
        for &index in &selection.closure {
            let stage = &pipeline.stages[index];
            let Some(inputs) = from.input_digests(stage, |before| given.get(&before))? else {
                continue;
            };
            let key = from.key(stage, inputs).digest();
            let known = blocks.of(stage, key).map(|known| known.block);
            let Some(block) = known.filter(|block| block.key == key) else {
                continue;
            };
            let outputs = block.outputs.iter();
            given.insert(index, outputs.map(|(n, r)| (n.clone(), r.digest)).collect());
            let mut encoder = Encoder::new("retrace sample");
            encoder.word(self.seed);
            encoder.bytes(key.as_bytes());
            drawn.push((encoder.finish(), index));
        }
        if drawn.is_empty() {
            let message = "the lock records none of these stages with the key that it has now";
            return Err(
                Error::config(message).hint(format!("`{PROGRAM} run` brings it up to date"))
            );
        }
        drawn.sort_unstable();
        // At least one, for a fraction of a few stages is one, too.
        let wanted = (self.fraction * drawn.len() as f64).ceil().max(1.0) as usize;
        let drawn = drawn.into_iter().take(wanted).map(|(_, index)| index);
        let drawn: BTreeSet<usize> = drawn.collect();
        let mut targets = BTreeSet::new();
        for &index in &drawn {
            let mut is_readable = true;
            for input in &pipeline.stages[index].inputs {
                if let Source::Output { stage, output } = &input.source
                    && !targets.contains(stage)
                    && let Some(digest) = given.get(stage).and_then(|made| made.get(output))
                {
                    if from.store.holds(*digest) {
                        into.store
                            .insert_copy(&from.store.object(*digest), *digest)?;
                    }
                    is_readable &= into.keep_content(*stage, output, *digest)?
                        || match shared {
                            Some(shared) => shared
                                .fetch(*digest, MAX_BYTES, into.store, cancelled)?
                                .is_some(),
                            None => false,
                        };
                }
            }
            if is_readable {
                targets.insert(index);
            }
        }
        // What is made again is read as it comes out.
        given.retain(|stage, _| !targets.contains(stage));
        Ok(Sampled {
            unreadable: drawn.len() - targets.len(),
            selection: Selection {
                closure: targets.clone(),
                targets,
                unasked: BTreeSet::new(),
            },
            given,
        })
    }
}
