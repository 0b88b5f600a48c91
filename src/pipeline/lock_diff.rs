//! What changed from one lock to another, stage by stage.

use crate::pipeline::digest::Digest;
use crate::pipeline::key::Change;
use crate::pipeline::lock::{Block, Lock, Record};
use serde::Serialize;
use std::collections::BTreeSet;

/// A stage that is not the same in both locks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageDiff {
    pub stage: String,
    pub presence: Presence,
    /// Params, inputs, code, kind.
    pub changes: Vec<Change>,
    pub outputs: Vec<OutputDiff>,
}

/// Which of the locks have the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    Both,
    Added,
    Removed,
}

/// An output with other bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputDiff {
    pub output: String,
    /// Where it is in the newer lock that has it.
    pub path: String,
    pub old: Option<Digest>,
    pub new: Option<Digest>,
    /// Of the files, in which provenance may be embedded.
    #[serde(skip)]
    pub files: [Option<Digest>; 2],
}

/// What is different in `new`, by stage id; a stage that is new or gone lists its outputs only.
pub fn diff(old: &Lock, new: &Lock) -> Vec<StageDiff> {
    let ids: BTreeSet<&String> = old.stages.keys().chain(new.stages.keys()).collect();
    let one = |id: &String| {
        let (old, new) = (old.stages.get(id), new.stages.get(id));
        let (presence, changes) = match (old, new) {
            (Some(old), Some(new)) => (Presence::Both, old.parts.changes(&new.parts)),
            (None, _) => (Presence::Added, Vec::new()),
            (_, None) => (Presence::Removed, Vec::new()),
        };
        let outputs = outputs(old, new);
        let differs = presence != Presence::Both || !changes.is_empty() || !outputs.is_empty();
        differs.then(|| StageDiff {
            stage: id.clone(),
            presence,
            changes,
            outputs,
        })
    };
    ids.into_iter().filter_map(one).collect()
}

fn outputs(old: Option<&Block>, new: Option<&Block>) -> Vec<OutputDiff> {
    let record = |block: Option<&Block>, name: &String| block?.outputs.get(name).cloned();
    let blocks = old.into_iter().chain(new);
    let names: BTreeSet<&String> = blocks.flat_map(|block| block.outputs.keys()).collect();
    let one = |name: &String| {
        let (old, new) = (record(old, name), record(new, name));
        let digest = |record: &Option<Record>| record.as_ref().map(|record| record.digest);
        let (before, after) = (digest(&old), digest(&new));
        let files = [&old, &new].map(|record| record.as_ref().map(Record::file_digest));
        (before != after).then(|| OutputDiff {
            output: name.clone(),
            path: new.or(old).map_or_else(String::new, |record| record.path),
            old: before,
            new: after,
            files,
        })
    };
    names.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::key::KeyParts;
    use serde_json::json;
    use std::collections::BTreeMap;

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
                key: Digest::of(b""),
                parts,
                outputs: BTreeMap::from([("csv".into(), record)]),
            };
            (id.to_string(), block)
        };
        Lock {
            stages: stages.iter().map(block).collect(),
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
