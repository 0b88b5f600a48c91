//! Outputs that are what the lock records, in another place or under another stage's name.
//!
//! A key holds neither a stage's id nor a path, so a stage that was renamed has the key of a block whose
//! stage is gone, and an output that was moved has its recorded digest under another path. Neither is
//! a difference: the lock follows. What becomes of the old file stands in [`crate::run::leftover`].

use crate::base::digest::Digest;
use crate::lock::block::{Block, Lock};
use crate::resolve::stages::Pipeline;
use crate::stage::stage::Stage;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The blocks of a lock, as the stages of a pipeline find theirs.
pub struct Blocks<'a> {
    lock: &'a Lock,
    /// Ids that the pipeline does not have, by the keys of their blocks.
    gone: BTreeMap<Digest, Vec<&'a str>>,
}

/// The block of a stage.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub block: &'a Block,
    /// The stage's name when it was recorded, if that was another.
    pub renamed_from: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// A block that has the stage's name.
    pub fn under_its_name(block: &'a Block) -> Self {
        let renamed_from = None;
        Known {
            block,
            renamed_from,
        }
    }
}

impl<'a> Blocks<'a> {
    /// Those of a lock.
    pub fn new(lock: &'a Lock, pipeline: &Pipeline) -> Self {
        let mut gone: BTreeMap<Digest, Vec<&str>> = BTreeMap::new();
        if !lock.stages.is_empty() {
            let ids: BTreeSet<&str> = pipeline.stages.iter().map(|s| s.id.as_str()).collect();
            for (id, block) in &lock.stages {
                if !ids.contains(id.as_str()) {
                    gone.entry(block.key).or_default().push(id);
                }
            }
        }
        Blocks { lock, gone }
    }

    /// The block of a stage with this key; of several stages with one key that are gone, the one that
    /// shares most paths.
    pub fn of(&self, stage: &Stage, key: Digest) -> Option<Known<'a>> {
        let recorded = self.lock.stages.get(&stage.id);
        if let Some(block) = recorded.or_else(|| self.lock.expected(&stage.id, key)) {
            return Some(Known::under_its_name(block));
        }
        let shared = |id: &&&str| {
            let records = self.lock.stages[**id].outputs.values();
            let is_there = |path: &str| stage.outputs.iter().any(|(_, p)| p.as_os_str() == path);
            records.filter(|record| is_there(&record.path)).count()
        };
        // The last of equals is taken: in reverse that is the first.
        let id = *self.gone.get(&key)?.iter().rev().max_by_key(shared)?;
        Some(Known {
            block: &self.lock.stages[id],
            renamed_from: Some(id),
        })
    }
}

/// An output that is in another place than the lock records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub output: String,
    pub from: PathBuf,
    pub to: PathBuf,
    /// The digest of the file at the old place, as recorded.
    pub file: Digest,
}

/// The outputs of a stage that a block with the stage's key records elsewhere.
pub fn of_stage(stage: &Stage, block: &Block) -> Vec<Move> {
    let outputs = stage.outputs.iter();
    let moved = outputs.filter_map(|(name, to)| {
        let record = block.outputs.get(name)?;
        let from = PathBuf::from(&record.path);
        (from != *to).then(|| Move {
            output: name.clone(),
            from,
            to: to.clone(),
            file: record.file_digest(),
        })
    });
    moved.collect()
}
