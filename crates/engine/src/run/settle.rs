//! What a run means for the lock: which outputs equal it, which differ under an unchanged key, and
//! which blocks are written.

use crate::base::error::{Error, ErrorKind, Result};
use crate::lock::file::{Block, Record};
use crate::lock::moves::{self, Blocks, Move};
use crate::resolve::select::Selection;
use crate::run::event::Outcome;
use crate::run::execute::Finished;
use crate::run::leftover::{self, Left, Uses};
use crate::run::plan::Context;
use crate::run::tolerant::Compared;
use crate::stage::stage::Stage;
use crate::stage::supplied::AbsentFile;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What a run did.
#[derive(Debug, Default)]
pub struct Summary {
    pub fresh: usize,
    pub restored: usize,
    /// Stages whose outputs came from a shared store.
    pub fetched: usize,
    pub ran: usize,
    /// Stages that failed, with their errors.
    pub failed: Vec<(usize, Error)>,
    /// Stages not reached, because of a failure, an interrupt, or a required store that was given up.
    pub skipped: usize,
    /// Stages that made other bytes under the key that the lock records.
    pub differing: Vec<(usize, Vec<String>)>,
    /// Outputs made or confirmed, and how many of them equal the lock.
    pub outputs: usize,
    pub outputs_equal: usize,
    /// Of the others, those that are as recorded, and that stand for all within a tolerance of them.
    pub outputs_within: usize,
    /// What stages made that was not the recorded bytes, and how far it is from them.
    pub compared: Vec<(usize, Compared)>,
    /// Of the others, those that are what the lock recorded elsewhere or under another name.
    pub outputs_moved: usize,
    /// Of the others, those of which the lock records nothing.
    pub outputs_new: usize,
    /// Stages that the lock recorded under another name.
    pub renamed: Vec<(usize, String)>,
    /// Outputs that the lock recorded elsewhere, and what became of the files there.
    pub moved: Vec<(usize, Move, Left)>,
    /// The stages of opt-in groups that were not asked for, in words.
    pub left_out: Option<String>,
    /// Files that people supply themselves, that stages of the selection read, and that are not here.
    pub absent: Vec<AbsentFile>,
    /// Why targets did not run without them, where a run goes on after failures.
    pub refused: Option<Error>,
    /// Whether stages are among it that found what they read, also what is not there.
    pub watched: bool,
    /// Stages that could not run without them, and that nothing needed to.
    pub as_recorded: usize,
    /// Stages of which nothing was made because the lock knows what comes of them.
    pub unmade: usize,
    pub wrote_lock: bool,
    pub interrupted: bool,
    pub seconds: f64,
}

/// A run that has ended, to be compared with the lock.
pub struct Settlement<'a> {
    pub context: &'a Context<'a>,
    pub selection: &'a Selection,
    /// Record outputs that differ under an unchanged key.
    pub accept: bool,
    pub finished: &'a BTreeMap<usize, Finished>,
    pub failed: &'a BTreeMap<usize, Error>,
    /// Stages that were not reached.
    pub untaken: usize,
    pub interrupted: bool,
}

impl Settlement<'_> {
    /// Compares with the lock and brings it up to date.
    pub fn settle(&self) -> Result<Summary> {
        let context = self.context;
        let recorded = context.lock.get()?;
        let mut summary = Summary {
            skipped: self.untaken,
            interrupted: self.interrupted,
            left_out: context.pipeline.left_out(self.selection),
            ..Summary::default()
        };
        for (&index, error) in self.failed {
            if error.kind == ErrorKind::Interrupted {
                summary.skipped += 1;
            } else {
                summary.failed.push((index, error.clone()));
            }
        }
        let blocks = Blocks::new(recorded, context.pipeline);
        let mut written = BTreeMap::new();
        let mut moving: Vec<(usize, Move)> = Vec::new();
        let mut gone: BTreeSet<String> = BTreeSet::new();
        let mut held: BTreeSet<&str> = BTreeSet::new();
        // Stages whose results rest on bytes that the lock does not expect.
        let mut tainted = BTreeSet::new();
        for (&index, finished) in self.finished {
            match finished.outcome {
                Outcome::Fresh => summary.fresh += 1,
                Outcome::Recorded => summary.unmade += 1,
                Outcome::Restored => summary.restored += 1,
                Outcome::Fetched => summary.fetched += 1,
                Outcome::Ran => summary.ran += 1,
            }
            let stage = &context.pipeline.stages[index];
            summary.watched |= stage.job.is_watched();
            let block = block(stage, finished);
            // What was not looked at is not counted.
            let is_seen = finished.outcome != Outcome::Recorded;
            if is_seen {
                summary.outputs += block.outputs.len();
            }
            let known = blocks.of(stage, block.key);
            let expected = known.map(|known| known.block);
            let renamed_from = known.and_then(|known| known.renamed_from);
            let equal = |name: &String| {
                expected.is_some_and(|old| old.outputs.get(name) == block.outputs.get(name))
            };
            let is_new =
                |name: &&String| expected.is_none_or(|old| !old.outputs.contains_key(*name));
            if is_seen {
                summary.outputs_new += block.outputs.keys().filter(is_new).count();
            }
            let contradicts = |name: &String| match expected.map(|old| old.outputs.get(name)) {
                Some(Some(old)) => old.contradicts(&block.outputs[name]),
                _ => true,
            };
            let (within, equal_bytes): (Vec<&String>, Vec<&String>) = block
                .outputs
                .keys()
                .filter(|name| is_seen && equal(name))
                .partition(|name| block.basis.contains_key(*name));
            summary.outputs_equal += equal_bytes.len();
            summary.outputs_within += within.len();
            let compared = finished.compared.iter();
            summary
                .compared
                .extend(compared.map(|c| (index, c.clone())));
            let same_key = expected.is_some_and(|old| old.key == block.key);
            let names = block.outputs.keys().filter(|name| contradicts(name));
            let names: Vec<String> = names.cloned().collect();
            let is_smaller = expected.is_some_and(|old| old.outputs.len() != block.outputs.len());
            if same_key && (!names.is_empty() || is_smaller) {
                summary.differing.push((index, names));
                tainted.insert(index);
            } else if stage.upstream().iter().any(|u| tainted.contains(u)) {
                tainted.insert(index);
            }
            let is_right = self.accept || !tainted.contains(&index);
            if !is_right {
                // What it should have been stays known, under the name that it had.
                held.extend(renamed_from);
                continue;
            }
            if let Some(old) = expected {
                let same = |name: &String| {
                    let new = &block.outputs[name];
                    let old = old.outputs.get(name).filter(|old| old.digest == new.digest);
                    old.is_some_and(|old| renamed_from.is_some() || old.path != new.path)
                };
                let moved = block
                    .outputs
                    .keys()
                    .filter(|name| !equal(name) && same(name));
                summary.outputs_moved += moved.count();
                let moves = moves::of_stage(stage, old).into_iter();
                // Bytes that are others are no move: the old file is not what this run replaced.
                moving.extend(moves.filter(|m| same(&m.output)).map(|m| (index, m)));
            }
            if let Some(old) = renamed_from {
                summary.renamed.push((index, old.to_owned()));
                gone.insert(old.to_owned());
            }
            let has_line = recorded.stages.contains_key(&stage.id);
            if !has_line || expected != Some(&block) {
                written.insert(stage.id.clone(), block);
            }
        }
        // A stage that has not run may be one of those that are gone, with another name.
        if self.selection.is_whole(context.pipeline) && self.failed.is_empty() && self.untaken == 0
        {
            let stages = context.pipeline.stages.iter();
            let ids: BTreeSet<&String> = stages.map(|stage| &stage.id).collect();
            let others = recorded.stages.keys().filter(|id| !ids.contains(id));
            gone.extend(others.filter(|id| !held.contains(id.as_str())).cloned());
        }
        // Before the lock forgets where they were: a run that is cut short here does it again.
        let uses = (!moving.is_empty()).then(|| Uses::of(context));
        for ((index, moved), uses) in moving.into_iter().zip(uses.iter().cycle()) {
            let left = leftover::clear(&moved, context, uses);
            summary.moved.push((index, moved, left));
        }
        let mends = !context.lock.problems()?.is_empty();
        let leaves_alone = !summary.differing.is_empty() && !self.accept;
        if !written.is_empty() || !gone.is_empty() || (mends && !leaves_alone) {
            let mut lock = recorded.clone();
            lock.rivals.clear();
            gone.iter().for_each(|id| drop(lock.stages.remove(id)));
            lock.stages.append(&mut written);
            lock.write(&context.workspace.lock_path())?;
            summary.wrote_lock = true;
        }
        Ok(summary)
    }
}

fn block(stage: &Stage, finished: &Finished) -> Block {
    let record = |(name, path): &(String, PathBuf)| {
        let path = path.to_string_lossy().into_owned();
        (
            name.clone(),
            Record {
                path,
                digest: finished.outputs[name],
                published: finished.published.get(name).copied(),
            },
        )
    };
    Block {
        key: finished.key.digest(),
        parts: Some(finished.key.parts()),
        outputs: stage.outputs.iter().map(record).collect(),
        basis: stage.compare.clone(),
    }
}
