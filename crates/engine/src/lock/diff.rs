//! What changed from one lock to another, stage by stage.

use crate::base::digest::Digest;
use crate::lock::file::{Block, Lock, Record};
use crate::stage::key::Change;
use crate::stage::tolerance::Basis;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A stage that is not the same in both locks.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StageDiff {
    pub stage: String,
    /// The name that the stage had, if that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    pub presence: Presence,
    /// Params, inputs, code, kind.
    pub changes: Vec<Change>,
    pub outputs: Vec<OutputDiff>,
}

/// Which of the locks have the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    Both,
    Added,
    Removed,
}

/// An output with other bytes, or in another place.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OutputDiff {
    pub output: String,
    /// Where it is in the newer lock that has it.
    pub path: String,
    /// Where it was in the older lock, if that was elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    pub old: Option<Digest>,
    pub new: Option<Digest>,
    /// How the output compares that need not be the same bytes elsewhere, as the newer lock that has it says.
    #[serde(skip)]
    pub basis: Option<Basis>,
    /// Of the files, in which provenance may be embedded.
    #[serde(skip)]
    pub files: [Option<Digest>; 2],
}

impl OutputDiff {
    /// Whether the bytes are the same, in another place.
    pub fn is_move(&self) -> bool {
        self.old == self.new
    }
}

/// What is different in `new`, by stage id; a stage that is new or gone lists its outputs only, one
/// that has the key of a stage that is gone is that stage with another name.
pub fn diff(old: &Lock, new: &Lock) -> Vec<StageDiff> {
    let renamed = renamed(old, new);
    let old_names: BTreeSet<&String> = renamed.values().copied().collect();
    let ids: BTreeSet<&String> = old.stages.keys().chain(new.stages.keys()).collect();
    let one = |id: &String| {
        let renamed_from = renamed.get(id).copied();
        let (old, new) = (
            old.stages.get(renamed_from.unwrap_or(id)),
            new.stages.get(id),
        );
        let (presence, changes) = match (old, new) {
            (Some(old), Some(new)) => (Presence::Both, changes(old, new)),
            (None, _) => (Presence::Added, Vec::new()),
            (_, None) => (Presence::Removed, Vec::new()),
        };
        let outputs = outputs(old, new);
        let is_same = presence == Presence::Both && changes.is_empty() && outputs.is_empty();
        (!is_same || renamed_from.is_some()).then(|| StageDiff {
            stage: id.clone(),
            renamed_from: renamed_from.cloned(),
            presence,
            changes,
            outputs,
        })
    };
    let ids = ids.into_iter().filter(|id| !old_names.contains(id));
    ids.filter_map(one).collect()
}

/// Stages that only the newer lock has, each with one of the same key that only the older has.
fn renamed<'a>(old: &'a Lock, new: &'a Lock) -> BTreeMap<&'a String, &'a String> {
    let only = |of: &'a Lock, other: &'a Lock| {
        let stages = of.stages.iter();
        stages.filter(|(id, _)| !other.stages.contains_key(*id))
    };
    let mut gone: BTreeMap<Digest, Vec<&String>> = BTreeMap::new();
    for (id, block) in only(old, new) {
        gone.entry(block.key).or_default().push(id);
    }
    let names = only(new, old).filter_map(|(id, block)| {
        let ids = gone.get_mut(&block.key).filter(|ids| !ids.is_empty())?;
        Some((id, ids.remove(0)))
    });
    names.collect()
}

fn changes(old: &Block, new: &Block) -> Vec<Change> {
    match &new.parts {
        Some(parts) => old.changes(new.key, parts),
        None if old.key == new.key => Vec::new(),
        None => vec![Change::Key {
            old: old.key,
            new: new.key,
        }],
    }
}

fn outputs(old: Option<&Block>, new: Option<&Block>) -> Vec<OutputDiff> {
    let new_block = new.or(old);
    let record = |block: Option<&Block>, name: &String| block?.outputs.get(name).cloned();
    let blocks = old.into_iter().chain(new);
    let names: BTreeSet<&String> = blocks.flat_map(|block| block.outputs.keys()).collect();
    let one = |name: &String| {
        let (old, new) = (record(old, name), record(new, name));
        let digest = |record: &Option<Record>| record.as_ref().map(|record| record.digest);
        let (before, after) = (digest(&old), digest(&new));
        let files = [&old, &new].map(|record| record.as_ref().map(Record::file_digest));
        let moved_from = old.as_ref().zip(new.as_ref());
        let moved_from = moved_from.filter(|(old, new)| old.path != new.path);
        let moved_from = moved_from.map(|(old, _)| old.path.clone());
        (before != after || moved_from.is_some()).then(|| OutputDiff {
            output: name.clone(),
            path: new.or(old).map_or_else(String::new, |record| record.path),
            moved_from,
            old: before,
            new: after,
            basis: new_block.and_then(|block| block.basis.get(name).cloned()),
            files,
        })
    };
    names.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::key::KeyParts;
    use serde_json::json;

    fn lock(stages: &[(&str, i64, &str)]) -> Lock {
        let block = |(id, param, bytes): &(&str, i64, &str)| {
            let parts = KeyParts {
                params: BTreeMap::from([("p".into(), json!(param))]),
                ..KeyParts::default()
            };
            let record = Record {
                path: format!("figures/{id}.csv"),
                digest: Digest::of(bytes.as_bytes()),
                published: None,
            };
            let block = Block {
                key: Digest::of(format!("{id} {param}").as_bytes()),
                parts: Some(parts),
                outputs: BTreeMap::from([("csv".into(), record)]),
                basis: BTreeMap::new(),
            };
            (id.to_string(), block)
        };
        Lock {
            stages: stages.iter().map(block).collect(),
            rivals: BTreeMap::new(),
        }
    }

    #[test]
    fn stages_params_and_outputs_are_compared() {
        let old = lock(&[("a", 1, "x"), ("b", 1, "x"), ("c", 1, "x"), ("e", 1, "x")]);
        let new = lock(&[("a", 1, "x"), ("b", 2, "x"), ("c", 1, "y"), ("d", 1, "x")]);
        let found = diff(&old, &new);
        let shown: Vec<_> = found
            .iter()
            .map(|d| {
                (
                    d.stage.as_str(),
                    d.presence,
                    d.changes.len(),
                    d.outputs.len(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("b", Presence::Both, 1, 0),
                ("c", Presence::Both, 0, 1),
                ("d", Presence::Added, 0, 1),
                ("e", Presence::Removed, 0, 1),
            ]
        );
        assert_eq!(found[0].changes[0].to_string(), "param p: 1 -> 2");
        assert_eq!(found[3].outputs[0].path, "figures/e.csv");
        assert_eq!(found[3].outputs[0].new, None);
    }
}
