//! What a run means for the lock: which outputs equal it, which differ under an unchanged key, and
//! which blocks are written.

use crate::pipeline::error::{ErrorKind, Result};
use crate::pipeline::lock::{Block, Record};
use crate::pipeline::resolve::Stage;
use crate::pipeline::run::{Finished, Outcome, Progressing, Run, Summary};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Compares with the lock and brings it up to date.
pub fn settle(run: &Run, done: &Progressing) -> Result<Summary> {
    let context = run.context;
    let recorded = context.lock.get()?;
    let mut summary = Summary {
        skipped: done.untaken(),
        interrupted: run.cancelled.load(Ordering::Relaxed),
        ..Summary::default()
    };
    for (&index, error) in &done.failed {
        if error.kind == ErrorKind::Interrupted {
            summary.skipped += 1;
        } else {
            summary.failed.push((index, error.clone()));
        }
    }
    let mut written = BTreeMap::new();
    // Stages whose results rest on bytes that the lock does not expect.
    let mut tainted = BTreeSet::new();
    for (&index, finished) in &done.finished {
        match finished.outcome {
            Outcome::Fresh => summary.fresh += 1,
            Outcome::Restored => summary.restored += 1,
            Outcome::Ran => summary.ran += 1,
        }
        let stage = &context.pipeline.stages[index];
        let block = block(stage, finished);
        summary.outputs += block.outputs.len();
        let expected = recorded.stages.get(&stage.id);
        let equal = |name: &String| {
            expected.is_some_and(|old| old.outputs.get(name) == block.outputs.get(name))
        };
        summary.outputs_equal += block.outputs.keys().filter(|name| equal(name)).count();
        if expected.is_some_and(|old| old.key == block.key && old.outputs != block.outputs) {
            let names = block
                .outputs
                .keys()
                .filter(|name| !equal(name))
                .cloned()
                .collect();
            summary.differing.push((index, names));
            tainted.insert(index);
        } else if stage.upstream().iter().any(|u| tainted.contains(u)) {
            tainted.insert(index);
        }
        let is_right = run.options.accept || !tainted.contains(&index);
        if is_right && expected != Some(&block) {
            written.insert(stage.id.clone(), block);
        }
    }
    let mut gone: Vec<&String> = Vec::new();
    if run.selection.closure.len() == context.pipeline.stages.len() {
        let stages = context.pipeline.stages.iter();
        let ids: BTreeSet<&String> = stages.map(|stage| &stage.id).collect();
        gone.extend(recorded.stages.keys().filter(|id| !ids.contains(id)));
    }
    if !written.is_empty() || !gone.is_empty() {
        let mut lock = recorded.clone();
        gone.into_iter().for_each(|id| drop(lock.stages.remove(id)));
        lock.stages.append(&mut written);
        lock.write(&context.workspace.lock_path())?;
        summary.wrote_lock = true;
    }
    Ok(summary)
}

fn block(stage: &Stage, finished: &Finished) -> Block {
    let record = |(name, path): &(String, PathBuf)| {
        let path = path.to_string_lossy().into_owned();
        (
            name.clone(),
            Record {
                path,
                digest: finished.outputs[name],
            },
        )
    };
    Block {
        key: finished.key.digest(),
        parts: finished.key.parts(),
        outputs: stage.outputs.iter().map(record).collect(),
    }
}
