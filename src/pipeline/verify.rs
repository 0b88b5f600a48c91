//! Compares the files that are there with what `pipeline.lock` records. Writes nothing, runs nothing.

use crate::pipeline::actions::Outputs;
use crate::pipeline::digest::Digest;
use crate::pipeline::error::Result;
use crate::pipeline::key::Change;
use crate::pipeline::lock::Record;
use crate::pipeline::orphans::orphans;
use crate::pipeline::plan::Context;
use crate::pipeline::publication::PUBLISHED;
use crate::pipeline::select::Selection;
use crate::pipeline::stage::Source;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Something that is not as recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The lock has no block for the stage.
    Unrecorded { stage: usize },
    /// pipeline.yaml, the code or an input no longer is what the lock was made from.
    Outdated { stage: usize, changes: Vec<Change> },
    /// An output file differs from its recorded digest, or is missing although it is published.
    Output {
        stage: usize,
        path: PathBuf,
        missing: bool,
    },
    /// The lock records the file as published by other code, or with another provenance.
    Publication { stage: usize, path: PathBuf },
    /// An object's bytes do not have the digest that its name claims.
    Object { path: PathBuf },
}

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub struct Verification {
    pub files: usize,
    pub objects: usize,
    pub findings: Vec<Finding>,
    /// Files among the published ones that no stage makes, where the whole pipeline was asked for.
    pub orphans: Vec<PathBuf>,
}

/// Verifies the selected stages and the whole store.
pub fn verify(context: &Context, selection: &Selection) -> Result<Verification> {
    context.check_inputs(selection)?;
    let lock = context.lock.get()?;
    let mut report = Verification::default();
    let mut recorded: BTreeMap<usize, Outputs> = BTreeMap::new();
    for &index in &selection.closure {
        let stage = &context.pipeline.stages[index];
        let Some(block) = lock.stages.get(&stage.id) else {
            report.findings.push(Finding::Unrecorded { stage: index });
            continue;
        };
        let digest = |(name, record): (&String, &Record)| (name.clone(), record.digest);
        recorded.insert(index, block.outputs.iter().map(digest).collect());
        if let Some(inputs) = context.input_digests(stage, |upstream| recorded.get(&upstream))? {
            let key = context.key(stage, inputs);
            // A block that was damaged may have the right key and say something else.
            let changes = context.changes(stage, block, &key);
            if key.digest() != block.key || !changes.is_empty() {
                report.findings.push(Finding::Outdated {
                    stage: index,
                    changes,
                });
            } else {
                for (name, path) in &stage.outputs {
                    let draft = context.draft(stage, &key, name, &recorded[&index]);
                    let published = block.outputs.get(name).and_then(|record| record.published);
                    if published.map(|p| p.key) != draft.map(|draft| draft.key) {
                        let path = path.clone();
                        let finding = Finding::Publication { stage: index, path };
                        report.findings.push(finding);
                    }
                }
            }
        }
        let files = stage
            .inputs
            .iter()
            .filter(|i| matches!(i.source, Source::File(_)))
            .count();
        report.files += files;
        for (name, path) in &stage.outputs {
            let record = block.outputs.get(name);
            let expected = record
                .filter(|record| *path == *record.path)
                .map(|record| record.file_digest());
            let found = Digest::of_file(&context.workspace.out.join(path))
                .ok()
                .map(|(d, _)| d);
            if found.is_none() && !path.starts_with(PUBLISHED) {
                continue;
            }
            report.files += 1;
            if found != expected || expected.is_none() {
                let (path, missing) = (path.clone(), found.is_none());
                report.findings.push(Finding::Output {
                    stage: index,
                    path,
                    missing,
                });
            }
        }
    }
    for (path, digest) in context.store.objects()? {
        // What has another name than an object is somebody else's, and no object that is damaged.
        if digest.is_none() {
            continue;
        }
        report.objects += 1;
        if Digest::of_file(&path).ok().map(|(found, _)| found) != digest {
            report.findings.push(Finding::Object { path });
        }
    }
    report.orphans = orphans(context, selection)?;
    Ok(report)
}
