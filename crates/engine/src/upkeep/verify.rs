//! Compares the files that are there with what `pipeline.lock` records. Writes nothing, runs nothing.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::base::line_ends;
use crate::lock::file::{Problem, Record};
use crate::lock::moves::{self, Blocks, Known, Move};
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::stage::key::Change;
use crate::stage::publication::PUBLISHED;
use crate::stage::stage::{Source, Stage};
use crate::stage::supplied::AbsentFile;
use crate::store::actions::Outputs;
use crate::upkeep::orphans::orphans;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Something that is not as recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The lock has no block for the stage.
    Unrecorded { stage: usize },
    /// What the lock says of the stage cannot be read.
    Unreadable { stage: usize, why: String },
    /// The lock's text says something that nothing here can read; `Problem` tells which stage it
    /// concerns, where that is none of the pipeline.
    Lock { problem: Problem },
    /// The lock records the stage under another name.
    Renamed { stage: usize, from: String },
    /// The lock records the output in another place.
    Moved {
        stage: usize,
        from: PathBuf,
        to: PathBuf,
    },
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
    /// The lock records another basis of comparison than pipeline.yaml declares.
    Basis { stage: usize },
    /// An object's bytes do not have the digest that its name claims.
    Object { path: PathBuf },
}

impl Finding {
    /// The stage that it is about, if it is one of the pipeline.
    pub fn stage(&self) -> Option<usize> {
        match self {
            Finding::Unrecorded { stage }
            | Finding::Unreadable { stage, .. }
            | Finding::Renamed { stage, .. }
            | Finding::Moved { stage, .. }
            | Finding::Outdated { stage, .. }
            | Finding::Output { stage, .. }
            | Finding::Basis { stage }
            | Finding::Publication { stage, .. } => Some(*stage),
            Finding::Lock { .. } | Finding::Object { .. } => None,
        }
    }
}

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub struct Verification {
    pub files: usize,
    pub objects: usize,
    /// Files that differ in their line ends alone.
    pub line_ends: Vec<PathBuf>,
    pub findings: Vec<Finding>,
    /// Stages of opt-in groups that nobody asked for, of which there is neither a line nor a file.
    pub not_run: BTreeSet<usize>,
    /// Recorded stages with outputs that stand for all within a tolerance of them.
    pub within: BTreeSet<usize>,
    /// Files that people supply themselves and that are not here, each with the recorded stages that could
    /// therefore not be made again.
    pub absent: Vec<(AbsentFile, BTreeSet<usize>)>,
    /// Files among the published ones that no stage makes, where the whole pipeline was asked for.
    pub orphans: Vec<PathBuf>,
}

/// Verifies the selected stages and the whole store.
///
/// A stage that nobody asked for may be unrecorded, if it has published nothing and no recorded stage
/// reads it. One that is recorded is held to its lines as any other.
///
/// # Errors
/// An input, the lock or the store cannot be read.
pub fn verify(context: &Context, selection: &Selection) -> Result<Verification> {
    context.check_inputs(selection)?;
    let lock = context.lock.get()?;
    let blocks = Blocks::new(lock, context.pipeline);
    let mut report = Verification::default();
    let selected = selection.closure.iter();
    let selected: BTreeSet<&String> = selected
        .map(|&index| &context.pipeline.stages[index].id)
        .collect();
    let is_selected = |id: &String| selected.contains(id);
    for problem in context.lock.problems()? {
        if !problem.stage.as_ref().is_some_and(is_selected) {
            let problem = problem.clone();
            report.findings.push(Finding::Lock { problem });
        }
    }
    let mut recorded: BTreeMap<usize, Outputs> = BTreeMap::new();
    for &index in &selection.closure {
        let stage = &context.pipeline.stages[index];
        let inputs = context.input_digests(stage, |upstream| recorded.get(&upstream))?;
        let key = inputs.map(|inputs| context.key(stage, inputs));
        let known = match &key {
            Some(key) => blocks.of(stage, key.digest()),
            None => lock.stages.get(&stage.id).map(Known::under_its_name),
        };
        let Some(Known {
            block,
            renamed_from,
        }) = known
        else {
            let problem = context.lock.problem_of(&stage.id);
            let may_lack = selection.unasked.contains(&index) && problem.is_none();
            if may_lack && !has_published(context, stage) {
                report.not_run.insert(index);
                continue;
            }
            report.findings.push(match problem {
                Some(why) => Finding::Unreadable {
                    stage: index,
                    why: why.to_owned(),
                },
                None => Finding::Unrecorded { stage: index },
            });
            continue;
        };
        if lock.rivals.contains_key(&stage.id) {
            // It has its own, but the file holds another beside it.
            let problems = context.lock.problems()?.iter();
            let own = problems.filter(|problem| problem.stage.as_ref() == Some(&stage.id));
            let own = own.map(|problem| Finding::Lock {
                problem: problem.clone(),
            });
            report.findings.extend(own);
        }
        if let Some(from) = renamed_from.map(str::to_owned) {
            report
                .findings
                .push(Finding::Renamed { stage: index, from });
        }
        let digest = |(name, record): (&String, &Record)| (name.clone(), record.digest);
        recorded.insert(index, block.outputs.iter().map(digest).collect());
        if !block.basis.is_empty() {
            report.within.insert(index);
        }
        let mut moved: Vec<Move> = Vec::new();
        if let Some(key) = key {
            if key.digest() == block.key {
                moved = moves::of_stage(stage, block);
            } else {
                let changes = context.changes(stage, block, &key);
                report
                    .line_ends
                    .extend(changed_line_ends(context, stage, &changes));
                report.findings.push(Finding::Outdated {
                    stage: index,
                    changes,
                });
            }
            if key.digest() == block.key {
                if block.basis != stage.compare {
                    report.findings.push(Finding::Basis { stage: index });
                }
                for (name, path) in &stage.outputs {
                    if renamed_from.is_some() || moved.iter().any(|m| m.output == *name) {
                        continue;
                    }
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
        report.files += files - context.absent_inputs(stage).len();
        for (name, path) in &stage.outputs {
            if let Some(Move { from, to, .. }) = moved.iter().find(|m| m.output == *name) {
                report.findings.push(Finding::Moved {
                    stage: index,
                    from: from.clone(),
                    to: to.clone(),
                });
                continue;
            }
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
                let file = context.workspace.out.join(&path);
                if expected.is_some_and(|expected| line_ends::were_changed(&file, expected)) {
                    report.line_ends.push(path.clone());
                }
                report.findings.push(Finding::Output {
                    stage: index,
                    path,
                    missing,
                });
            }
        }
    }
    // What a recorded stage was made from is recorded too, or something is amiss.
    for &index in selection.closure.iter().rev() {
        if !report.not_run.contains(&index) {
            for stage in context.pipeline.stages[index].upstream() {
                if report.not_run.remove(&stage) {
                    report.findings.push(Finding::Unrecorded { stage });
                }
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
    report.absent = absent(context.without(selection), &report.not_run);
    report.orphans = orphans(context, selection)?;
    Ok(report)
}

/// The absent files with the stages that they keep from running, but for those that never ran.
pub(crate) fn absent(
    without: BTreeMap<usize, BTreeMap<PathBuf, AbsentFile>>,
    not_run: &BTreeSet<usize>,
) -> Vec<(AbsentFile, BTreeSet<usize>)> {
    let mut found: BTreeMap<PathBuf, (AbsentFile, BTreeSet<usize>)> = BTreeMap::new();
    for (stage, files) in without {
        if not_run.contains(&stage) {
            continue;
        }
        for (path, file) in files {
            let (_, stages) = found.entry(path).or_insert((file, BTreeSet::new()));
            stages.insert(stage);
        }
    }
    found.into_values().collect()
}

/// Whether one of the files that a stage publishes is there.
fn has_published(context: &Context, stage: &Stage) -> bool {
    let mut paths = stage.outputs.iter().map(|(_, path)| path);
    paths.any(|path| path.starts_with(PUBLISHED) && context.workspace.out.join(path).exists())
}

/// Files of the repository among changed inputs that differ in their line ends alone.
fn changed_line_ends(context: &Context, stage: &Stage, changes: &[Change]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for change in changes {
        let Change::Input {
            role,
            old: Some(old),
            ..
        } = change
        else {
            continue;
        };
        let input = stage.inputs.iter().find(|i| i.key_name() == *role);
        if let Some(Source::File(path)) = input.map(|input| &input.source)
            && line_ends::were_changed(&context.workspace.root.join(path), *old)
        {
            found.push(path.clone());
        }
    }
    found
}
