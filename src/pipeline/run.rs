//! Runs the stages that must run, several at a time, and records what came out.
//!
//! Each worker takes the first stage whose inputs are ready. A stage works in a scratch folder; its
//! outputs go to the store first and from there to where the user sees them. The number of workers
//! changes the order of events, never a byte.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, ErrorKind, Result};
use crate::pipeline::files;
use crate::pipeline::key::Key;
use crate::pipeline::kind::{Io, Progress};
use crate::pipeline::lock::{Block, Record};
use crate::pipeline::plan::{Context, Reason};
use crate::pipeline::resolve::{Source, Stage};
use crate::pipeline::select::Selection;
use crate::pipeline::store::{Action, Outputs};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stages at a time.
    pub workers: usize,
    /// Run the targets although they are fresh.
    pub force: bool,
    /// Go on with stages that do not depend on a failed one.
    pub keep_going: bool,
    /// Record outputs that differ under an unchanged key, instead of reporting them.
    pub accept: bool,
}

/// What happens during a run.
#[derive(Clone, Debug)]
pub enum Event {
    Started {
        stage: usize,
        reason: Reason,
    },
    Progress {
        stage: usize,
        progress: Progress,
    },
    Done {
        stage: usize,
        outcome: Outcome,
        seconds: f64,
    },
    Failed {
        stage: usize,
        error: Error,
        log: Option<PathBuf>,
    },
}

/// How a stage ended that has its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fresh,
    Restored,
    Ran,
}

/// Hears the events, from several threads.
pub type Observer<'a> = &'a (dyn Fn(Event) + Sync);

/// What a run did.
#[derive(Debug, Default)]
pub struct Summary {
    pub fresh: usize,
    pub restored: usize,
    pub ran: usize,
    /// Stages that failed, with their errors.
    pub failed: Vec<(usize, Error)>,
    /// Stages not reached, because of a failure or an interrupt.
    pub skipped: usize,
    /// Stages that made other bytes under the key that the lock records.
    pub differing: Vec<(usize, Vec<String>)>,
    /// Outputs made or confirmed, and how many of them equal the lock.
    pub outputs: usize,
    pub outputs_equal: usize,
    pub interrupted: bool,
    pub seconds: f64,
}

/// A stage that has its outputs.
struct Finished {
    key: Key,
    outputs: Outputs,
    outcome: Outcome,
}

/// What the workers share.
struct Progressing {
    waiting: BTreeSet<usize>,
    running: usize,
    finished: BTreeMap<usize, Finished>,
    failed: BTreeMap<usize, Error>,
}

/// A run over the selected stages.
pub struct Run<'a> {
    pub context: &'a Context<'a>,
    pub options: &'a Options,
    pub selection: &'a Selection,
    /// Outputs of stages outside the selection that it reads from.
    pub given: &'a BTreeMap<usize, Outputs>,
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

impl Run<'_> {
    /// Runs, then brings the lock up to date. Failed stages are in the summary, not an error.
    pub fn execute(&self) -> Result<Summary> {
        let start = Instant::now();
        let shared = Mutex::new(Progressing {
            waiting: self.selection.closure.clone(),
            running: 0,
            finished: BTreeMap::new(),
            failed: BTreeMap::new(),
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..self.options.workers.max(1) {
                scope.spawn(|| self.work(&shared, &changed));
            }
        });
        let done = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut summary = self.settle(&done)?;
        self.context.store.remember()?;
        summary.seconds = start.elapsed().as_secs_f64();
        Ok(summary)
    }

    fn work(&self, shared: &Mutex<Progressing>, changed: &Condvar) {
        let mut state = lock(shared);
        loop {
            if self.should_stop(&state) {
                return;
            }
            let Some(index) = self.next_ready(&mut state) else {
                if state.running == 0 {
                    // Nothing runs and nothing can: the rest waits for failed stages.
                    return;
                }
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.running += 1;
            let stage = &self.context.pipeline.stages[index];
            let known = stage
                .upstream()
                .into_iter()
                .filter_map(|u| {
                    let finished = state.finished.get(&u).map(|finished| &finished.outputs);
                    Some((u, finished.or(self.given.get(&u))?.clone()))
                })
                .collect();
            drop(state);
            let result = self.bring_up_to_date(index, stage, &known);
            state = lock(shared);
            state.running -= 1;
            match result {
                Ok(finished) => {
                    state.finished.insert(index, finished);
                }
                Err(error) => {
                    state.failed.insert(index, error);
                }
            }
            changed.notify_all();
        }
    }

    fn should_stop(&self, state: &Progressing) -> bool {
        let failed = !state.failed.is_empty() && !self.options.keep_going;
        failed || state.waiting.is_empty() || self.cancelled.load(Ordering::Relaxed)
    }

    fn next_ready(&self, state: &mut Progressing) -> Option<usize> {
        let stages = &self.context.pipeline.stages;
        let ready = |index: &usize| {
            stages[*index]
                .upstream()
                .iter()
                .all(|u| state.finished.contains_key(u) || self.given.contains_key(u))
        };
        let index = state.waiting.iter().copied().find(ready)?;
        state.waiting.remove(&index);
        Some(index)
    }

    /// Confirms, restores or runs a stage whose inputs are there.
    fn bring_up_to_date(
        &self,
        index: usize,
        stage: &Stage,
        known: &BTreeMap<usize, Outputs>,
    ) -> Result<Finished> {
        let start = Instant::now();
        let result = self.try_stage(index, stage, known);
        match &result {
            Ok(finished) => {
                let seconds = start.elapsed().as_secs_f64();
                (self.observer)(Event::Done {
                    stage: index,
                    outcome: finished.outcome,
                    seconds,
                });
            }
            Err(error) => {
                let log = self.context.workspace.log_path(&stage.id);
                let log = log.is_file().then_some(log);
                (self.observer)(Event::Failed {
                    stage: index,
                    error: error.clone(),
                    log,
                });
            }
        }
        result
    }

    fn try_stage(
        &self,
        index: usize,
        stage: &Stage,
        known: &BTreeMap<usize, Outputs>,
    ) -> Result<Finished> {
        let context = self.context;
        let inputs = context
            .input_digests(stage, known)?
            .ok_or_else(|| Error::failed("an input has no digest"))?;
        let probe = context.probe(stage, inputs.clone());
        let forced = self.options.force && self.selection.targets.contains(&index);
        if let (Some(action), false) = (&probe.cached, forced) {
            let moved = context.out_of_place(stage, &action.outputs);
            let outcome = if moved.is_empty() {
                Outcome::Fresh
            } else {
                Outcome::Restored
            };
            self.publish(stage, &action.outputs, &moved)?;
            return Ok(Finished {
                key: probe.key,
                outputs: action.outputs.clone(),
                outcome,
            });
        }
        let reason = if probe.cached.is_some() {
            Reason::Forced
        } else {
            context.reason(stage, &probe.key)
        };
        (self.observer)(Event::Started {
            stage: index,
            reason,
        });
        let start = Instant::now();
        let outputs = self.run_job(index, stage, known, &inputs)?;
        let action = Action {
            stage: stage.id.clone(),
            outputs: outputs.clone(),
            parts: probe.key.parts(),
            seconds: start.elapsed().as_secs_f64(),
        };
        context.store.record(probe.key.digest(), &action)?;
        self.publish(stage, &outputs, &context.out_of_place(stage, &outputs))?;
        Ok(Finished {
            key: probe.key,
            outputs,
            outcome: Outcome::Ran,
        })
    }

    /// Runs the job in a scratch folder and moves what it declares into the store.
    fn run_job(
        &self,
        index: usize,
        stage: &Stage,
        known: &BTreeMap<usize, Outputs>,
        digests: &[(String, Digest)],
    ) -> Result<Outputs> {
        let context = self.context;
        let scratch_root = context.workspace.cache.join("scratch");
        files::create_folder(&scratch_root)?;
        let scratch = tempfile::Builder::new()
            .prefix(&format!("{}-", stage.id))
            .tempdir_in(&scratch_root)
            .map_err(|e| Error::io("make a folder in", &scratch_root, &e))?;
        let mut files: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
        for input in &stage.inputs {
            let path = match &input.source {
                Source::File(path) => context.input_file(path)?,
                Source::Output { stage, output } => {
                    let digest = known.get(stage).and_then(|outputs| outputs.get(output));
                    let digest = digest.ok_or_else(|| Error::failed("an input has no digest"))?;
                    context.store.object(*digest)
                }
            };
            files
                .entry(input.role.clone())
                .or_default()
                .push((input.label.clone(), path));
        }
        let report = |progress| {
            (self.observer)(Event::Progress {
                stage: index,
                progress,
            })
        };
        let io = Io::new(
            files.clone(),
            scratch.path().to_owned(),
            self.cancelled,
            &report,
        );
        let result = catch_unwind(AssertUnwindSafe(|| stage.job.run(&io)))
            .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let mut log = io.take_log();
        if let Err(error) = &result {
            log.push_str(&format!("failed: {error}\n"));
        }
        files::write(&context.workspace.log_path(&stage.id), log.as_bytes())?;
        result?;
        self.check_inputs_unchanged(stage, &files, digests)?;
        collect(scratch.path(), stage, context)
    }

    /// An input that changed while the stage ran makes its result worthless.
    fn check_inputs_unchanged(
        &self,
        stage: &Stage,
        files: &BTreeMap<String, Vec<(String, PathBuf)>>,
        digests: &[(String, Digest)],
    ) -> Result<()> {
        for input in &stage.inputs {
            let file = files[&input.role]
                .iter()
                .find(|(label, _)| *label == input.label);
            let Some((_, path)) = file else { continue };
            let name = input.key_name();
            let before = digests
                .iter()
                .find(|(role, _)| *role == name)
                .map(|(_, digest)| *digest);
            if Some(Digest::of_file(path)?.0) != before {
                let message = format!("the input `{name}` changed while the stage ran");
                return Err(Error::failed(message).hint("nothing was recorded: run again"));
            }
        }
        Ok(())
    }

    fn publish(&self, stage: &Stage, outputs: &Outputs, moved: &[PathBuf]) -> Result<()> {
        let context = self.context;
        for (name, path) in stage
            .outputs
            .iter()
            .filter(|(_, path)| moved.contains(path))
        {
            let target = context.workspace.out.join(path);
            refuse_links(&context.workspace.out, path)?;
            files::copy(&context.store.object(outputs[name]), &target, outputs[name])?;
        }
        Ok(())
    }

    /// Compares with the lock and brings it up to date.
    fn settle(&self, done: &Progressing) -> Result<Summary> {
        let context = self.context;
        let mut summary = Summary {
            skipped: done.waiting.len(),
            interrupted: self.cancelled.load(Ordering::Relaxed),
            ..Summary::default()
        };
        for (&index, error) in &done.failed {
            if error.kind == ErrorKind::Interrupted {
                summary.skipped += 1;
            } else {
                summary.failed.push((index, error.clone()));
            }
        }
        let mut lock = context.lock.clone();
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
            let expected = context.lock.stages.get(&stage.id);
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
            if self.options.accept || !tainted.contains(&index) {
                lock.stages.insert(stage.id.clone(), block);
            }
        }
        if self.selection.closure.len() == context.pipeline.stages.len() {
            let ids: BTreeSet<&str> = context
                .pipeline
                .stages
                .iter()
                .map(|stage| stage.id.as_str())
                .collect();
            lock.stages.retain(|id, _| ids.contains(id.as_str()));
        }
        if lock != *context.lock {
            lock.write(&context.workspace.lock_path())?;
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
            },
        )
    };
    Block {
        key: finished.key.digest(),
        parts: finished.key.parts(),
        outputs: stage.outputs.iter().map(record).collect(),
    }
}

/// Moves the declared outputs into the store; a missing or undeclared file fails the stage.
fn collect(scratch: &Path, stage: &Stage, context: &Context) -> Result<Outputs> {
    let io = |e: std::io::Error| Error::io("list", scratch, &e);
    for entry in std::fs::read_dir(scratch).map_err(io)? {
        let name = entry
            .map_err(io)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !stage.outputs.iter().any(|(output, _)| *output == name) {
            return Err(Error::failed(format!(
                "the stage wrote an undeclared output `{name}`"
            )));
        }
    }
    let mut outputs = Outputs::new();
    for (name, _) in &stage.outputs {
        let file = scratch.join(name);
        if !file.is_file() {
            return Err(Error::failed(format!(
                "the stage did not write its output `{name}`"
            )));
        }
        outputs.insert(name.clone(), context.store.insert(&file)?);
    }
    Ok(outputs)
}

/// A link on the way to an output could lead out of the folder that receives outputs.
fn refuse_links(out: &Path, path: &Path) -> Result<()> {
    let folders = path
        .parent()
        .map(|p| p.ancestors().collect::<Vec<_>>())
        .unwrap_or_default();
    for folder in folders {
        if out.join(folder).is_symlink() && !folder.as_os_str().is_empty() {
            let message = format!(
                "{} is a symbolic link: nothing was written",
                folder.display()
            );
            return Err(Error::failed(message).hint("put a real folder there"));
        }
    }
    Ok(())
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Error::failed(format!("the stage panicked: {text}")).hint("this is a bug: please report it")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that a lock that a run changes can be written, before anything runs.
pub fn check_writable(context: &Context) -> Result<()> {
    files::create_folder(&context.workspace.out)?;
    tempfile::tempfile_in(&context.workspace.out)
        .map(drop)
        .map_err(|e| Error::io("write in", &context.workspace.out, &e))
}
