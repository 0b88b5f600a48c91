//! Runs stages from an empty cache, in scratch space, and compares what comes out with the lock.
//!
//! Writes neither the lock nor outputs nor the cache: all it makes is in a folder of its own below
//! the cache folder, which goes away with it. Does not look into files: it says which differ and
//! where both versions are.

use crate::base::digest::Digest;
use crate::base::error::{Error, PROGRAM, Result};
use crate::lock::file::{Block, Lock, LockFile, Record};
use crate::lock::moves::{self, Blocks, Move};
use crate::resolve::select::Selection;
use crate::run::event::{Event, Observer};
use crate::run::plan::{Context, Reason};
use crate::run::schedule::{Options, Run};
use crate::run::tolerant::Compared;
use crate::shared::store::SharedStore;
use crate::stage::key::Change;
use crate::stage::stage::{Source, Stage};
use crate::stage::supplied::AbsentFile;
use crate::store::content::Store;
use crate::upkeep::sample::Sample;
use crate::upkeep::scratch::Scratch;
use crate::upkeep::verify::absent;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// What a rebuild found. Its files live as long as it does.
pub struct Rebuild {
    /// Stages that ran.
    pub stages: usize,
    /// Their outputs, and how many of them equal the lock.
    pub outputs: usize,
    pub equal: usize,
    /// How many are within their tolerance.
    pub within: usize,
    /// What was not the recorded bytes, and how far it is from them.
    pub compared: Vec<(usize, Compared)>,
    /// In the order of the pipeline, so that roots come first.
    pub mismatches: Vec<Mismatch>,
    pub failed: Vec<(usize, Error)>,
    /// Stages not reached, because of a failure or an interrupt.
    pub skipped: usize,
    /// Stages of a sample that could not be made by themselves: what they read is not to be had.
    pub unreadable: usize,
    pub interrupted: bool,
    pub seconds: f64,
    /// Files that people supply themselves and that are not here, each with the stages that therefore did
    /// not run.
    pub absent: Vec<(AbsentFile, BTreeSet<usize>)>,
    _scratch: Scratch,
}

/// A stage that is not as the lock records it.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub stage: usize,
    pub cause: Cause,
    /// Params, code and files that are not those of the lock.
    pub changes: Vec<Change>,
    /// Outputs with other bytes.
    pub outputs: Vec<Output>,
    /// The name under which the lock records the stage, if that is another.
    pub renamed_from: Option<String>,
    /// Outputs with the recorded bytes that the lock records elsewhere.
    pub moved: Vec<Move>,
}

/// Where a mismatch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The lock has no block for the stage.
    Unrecorded,
    /// What it reads from other stages already differs: from this stage on.
    Upstream { root: usize },
    /// What it reads is as this stage makes it and as the lock records it there, but the stage itself
    /// was recorded with something older.
    RecordedBefore { upstream: usize },
    /// Its inputs from other stages are the same; its params, code or files are not.
    Changed,
    /// Everything is the same but the stage's name, or the places of outputs.
    Moved,
    /// Everything it is made of is the same.
    SameKey,
}

/// An output whose bytes are not those of the lock.
#[derive(Clone, Debug)]
pub struct Output {
    pub name: String,
    pub path: PathBuf,
    /// `None` when the lock has no such output.
    pub expected: Option<Digest>,
    pub found: Digest,
    /// A file with the expected bytes, where there still is one.
    pub expected_file: Option<PathBuf>,
    pub found_file: PathBuf,
}

/// How many stages at a time, who hears of it, and what stops it.
pub struct Rebuilder<'a> {
    pub workers: usize,
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

/// A part of the stages, each by itself, in place of all; what they read and is not here may come from a shared store.
#[derive(Clone, Copy)]
pub struct Audit<'a> {
    pub sample: Sample,
    pub shared: Option<&'a SharedStore>,
}

/// Runs the selected stages with all they need, and compares. Failed stages are in the result.
///
/// # Errors
/// The lock records nothing, an input is not here, or scratch space cannot be made.
pub fn rebuild(context: &Context, selection: &Selection, how: &Rebuilder) -> Result<Rebuild> {
    rebuild_part(context, selection, None, how)
}

/// As [`rebuild`], for a sample of the stages where one is asked for.
///
/// # Errors
/// As [`rebuild`]; or nothing can be drawn from.
pub fn rebuild_part(
    context: &Context,
    selection: &Selection,
    audit: Option<Audit>,
    how: &Rebuilder,
) -> Result<Rebuild> {
    let recorded = context.lock.get()?;
    if recorded.stages.is_empty() {
        let path = context.workspace.lock_path();
        let message = format!("{} records nothing to compare with", path.display());
        return Err(Error::config(message).hint(format!("`{PROGRAM} run` writes it")));
    }
    context.check_inputs(selection)?;
    let without = context.without(selection);
    let runs = |stage: &usize| !without.contains_key(stage);
    let able = |stages: &BTreeSet<usize>| stages.iter().copied().filter(runs).collect();
    let selection = &Selection {
        targets: able(&selection.targets),
        closure: able(&selection.closure),
        unasked: selection.unasked.clone(),
    };
    if selection.targets.is_empty()
        && let Some(error) = nothing_left(&without)
    {
        return Err(error);
    }
    let scratch = Scratch::new(context.workspace)?;
    let store = Store::open(&scratch.workspace.cache, true)?;
    let none = LockFile::none();
    let inner = Context {
        workspace: &scratch.workspace,
        kinds: context.kinds,
        pipeline: context.pipeline,
        lock: &none,
        // Says why a stage is not as recorded.
        baseline: context.lock,
        store: &store,
        // What is made again must be made.
        shared: None,
        publisher: context.publisher,
        inspector: context.inspector,
        standing: Some(context),
    };
    let options = Options {
        workers: how.workers,
        force: false,
        // The more is compared, the more the report says.
        keep_going: true,
        as_recorded: false,
        accept: false,
        variation: None,
    };
    let sampled = audit.map(|Audit { sample, shared }| {
        sample.draw([context, &inner], selection, shared, how.cancelled)
    });
    let sampled = sampled.transpose()?;
    let (selection, given) = match &sampled {
        Some(sampled) => (&sampled.selection, sampled.given.clone()),
        None => (selection, BTreeMap::new()),
    };
    let unreadable = sampled.as_ref().map_or(0, |sampled| sampled.unreadable);
    let summary = Run {
        context: &inner,
        options: &options,
        selection,
        given: &given,
        prepare: &|| Ok(()),
        observer: &|event| (how.observer)(of_rebuild(event)),
        cancelled: how.cancelled,
    }
    .execute()?;
    let made = Lock::read(&scratch.workspace.lock_path())?;
    let mut rebuild = Rebuild {
        stages: made.stages.len(),
        outputs: 0,
        equal: 0,
        within: 0,
        compared: summary.compared,
        mismatches: Vec::new(),
        failed: summary.failed,
        skipped: summary.skipped,
        unreadable,
        interrupted: summary.interrupted,
        seconds: summary.seconds,
        absent: absent(without, &BTreeSet::new()),
        _scratch: scratch,
    };
    rebuild.compare(context, selection, [recorded, &made], &store);
    Ok(rebuild)
}

/// The error where every target needs a file that is not here.
fn nothing_left(without: &BTreeMap<usize, BTreeMap<PathBuf, AbsentFile>>) -> Option<Error> {
    let files: BTreeMap<&PathBuf, &AbsentFile> = without.values().flatten().collect();
    let lines: Vec<String> = files
        .values()
        .map(|file| format!("\n  {}", file.line()))
        .collect();
    let message = format!("nothing can be made again: not here{}", lines.concat());
    (!files.is_empty()).then(|| Error::config(message).hint("get them, then type this again"))
}

/// Scratch logs go away with the scratch folder, and every stage runs because it was asked to.
fn of_rebuild(event: Event) -> Event {
    match event {
        Event::Started {
            stage,
            reason: Reason::NotRunHere,
        } => Event::Started {
            stage,
            reason: Reason::Compared,
        },
        Event::Failed { stage, error, .. } => Event::Failed {
            stage,
            error,
            log: None,
        },
        event => event,
    }
}

impl Rebuild {
    fn compare(
        &mut self,
        context: &Context,
        selection: &Selection,
        [recorded, made]: [&Lock; 2],
        store: &Store,
    ) {
        // For each stage with other inputs from upstream, the first stage where that starts.
        let blocks = Blocks::new(recorded, context.pipeline);
        let mut roots: BTreeMap<usize, usize> = BTreeMap::new();
        // Stages that made other bytes.
        let mut other: BTreeSet<usize> = BTreeSet::new();
        for &index in &selection.closure {
            let stage = &context.pipeline.stages[index];
            let Some(new) = made.stages.get(&stage.id) else {
                continue;
            };
            self.outputs += new.outputs.len();
            let known = blocks.of(stage, new.key);
            let old = known.map(|known| known.block);
            let renamed_from = known.and_then(|known| known.renamed_from);
            let outputs = differing(context, store, old, new);
            if !outputs.is_empty() {
                other.insert(index);
            }
            let differs = |name: &String| outputs.iter().any(|output| output.name == *name);
            let within = new.basis.keys().filter(|name| !differs(name)).count();
            self.within += within;
            self.equal += new.outputs.len() - outputs.len() - within;
            let Some(old) = old else {
                self.mismatches.push(Mismatch {
                    stage: index,
                    cause: Cause::Unrecorded,
                    changes: Vec::new(),
                    outputs,
                    renamed_from: None,
                    moved: Vec::new(),
                });
                continue;
            };
            let mut moved = match old.key == new.key {
                true => moves::of_stage(stage, old),
                false => Vec::new(),
            };
            moved.retain(|m| outputs.iter().all(|output| output.name != m.output));
            let (upstream, changes) = sort_changes(
                stage,
                new.parts
                    .as_ref()
                    .map_or_else(Vec::new, |parts| old.changes(new.key, parts)),
            );
            let root = upstream.iter().map(|u| *roots.get(u).unwrap_or(u)).min();
            roots.extend(root.map(|root| (index, root)));
            let cause = match root {
                Some(root) if other.contains(&root) => Cause::Upstream { root },
                Some(upstream) => Cause::RecordedBefore { upstream },
                None if !changes.is_empty() => Cause::Changed,
                None if outputs.is_empty() => Cause::Moved,
                None => Cause::SameKey,
            };
            // Other inputs that give the same bytes are the fault of the stage that makes them.
            let own = matches!(cause, Cause::Changed | Cause::RecordedBefore { .. });
            let elsewhere = renamed_from.is_some() || !moved.is_empty();
            if !outputs.is_empty() || own || !changes.is_empty() || elsewhere {
                self.mismatches.push(Mismatch {
                    stage: index,
                    cause,
                    changes,
                    outputs,
                    renamed_from: renamed_from.map(str::to_owned),
                    moved,
                });
            }
        }
    }
}

/// The outputs of a stage that are not as recorded.
fn differing(context: &Context, store: &Store, old: Option<&Block>, new: &Block) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (name, record) in &new.outputs {
        let old = old.and_then(|block| block.outputs.get(name));
        if old.is_some_and(|old| !old.contradicts(record)) {
            continue;
        }
        // Where the artifact is as recorded, it is what was published that is not.
        let is_artifact = old.is_none_or(|old| old.digest != record.digest);
        let digest_of = |record: &Record| match is_artifact {
            true => record.digest,
            false => record.file_digest(),
        };
        let expected = old.map(digest_of);
        let found = digest_of(record);
        let expected_file = old.and_then(|old| {
            let in_place = context.workspace.out.join(&old.path);
            let digest = digest_of(old);
            let places = [in_place, context.store.object(digest)];
            let is_expected =
                |file: &PathBuf| Digest::of_file(file).is_ok_and(|(d, _)| d == digest);
            places.into_iter().find(is_expected)
        });
        outputs.push(Output {
            name: name.clone(),
            path: PathBuf::from(&record.path),
            expected,
            found,
            expected_file,
            found_file: store.object(found),
        });
    }
    outputs
}

/// Takes changes apart: the stages whose outputs are read in another version, and all others.
fn sort_changes(stage: &Stage, changes: Vec<Change>) -> (Vec<usize>, Vec<Change>) {
    let mut upstream = Vec::new();
    let mut own = Vec::new();
    for change in changes {
        let reads = |role: &String| {
            let input = stage.inputs.iter().find(|i| i.key_name() == *role)?;
            match (&change, &input.source) {
                // A role that is new or gone is a change of pipeline.yaml.
                (Change::Input { old: Some(_), .. }, Source::Output { stage, .. }) => Some(*stage),
                _ => None,
            }
        };
        let from = match &change {
            Change::Input { role, .. } => reads(role),
            _ => None,
        };
        match from {
            Some(stage) => upstream.push(stage),
            None => own.push(change),
        }
    }
    (upstream, own)
}
