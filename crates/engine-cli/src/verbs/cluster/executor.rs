//! `run --executor slurm`: what is stale is made on a cluster, and the run takes it from the shared store.
//!
//! Plans into the cache folder, submits, waits, and says what did not come. Nothing here writes outputs or the lock: the
//! run that follows does, over the stages that the store has by then.

use crate::console::terminal::{self, count};
use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::pipeline::shared::Location;
use crate::pipeline::workers;
use crate::program::exit;
use crate::progress::bar::Bar;
use crate::verbs::cluster::folder::{self, Wanted};
use crate::verbs::cluster::plan;
use crate::verbs::cluster::queue::Queue;
use clap::ValueEnum;
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::resolve::select::Selection;
use retrace::run::plan::State;
use retrace::shared::store::SharedStore;
use retrace::work::notes::Notes;
use retrace::work::plan::TaskPlan;
use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Executor {
    /// This machine
    Local,
    /// A cluster that Slurm runs, over the shared store
    Slurm,
}

/// What came of it.
pub struct Executed {
    pub store: SharedStore,
    /// What is left of the selection: the stages that the store has, or the cache.
    pub selection: Selection,
    /// How many stages did not come.
    missing: usize,
    /// Whether one of them made other bytes than the lock records.
    differs: bool,
}

impl Executed {
    /// The exit code of a run whose own end is good, where stages did not come.
    pub fn missing(&self) -> Option<u8> {
        let code = match self.differs {
            true => exit::DIFFERS,
            false => exit::FAILED,
        };
        (self.missing > 0).then_some(code)
    }
}

/// How long to wait between two questions to Slurm.
const INTERVAL: Duration = Duration::from_secs(2);
/// So often it may not answer one after the other: a controller that is started anew is away for a minute.
const UNANSWERED: usize = 60;

/// So much of a log is shown.
const LAST_LINES: usize = 5;

/// Makes the stale stages of a selection on a cluster; called under the run lock. `None` where nothing is stale.
///
/// # Errors
/// Something cannot be planned or submitted, Slurm does not answer, or the user has interrupted.
pub fn execute(
    session: &Session,
    selection: &Selection,
    location: &Location,
    wanted: (&Scope, f64),
) -> Result<Option<Executed>> {
    let context = session.context()?;
    let now = context.plan(selection)?;
    let is_here = |state: &State| matches!(state, State::Fresh | State::Restore(_));
    if now.states.values().all(is_here) {
        return Ok(None);
    }
    let workspace = &session.engine.workspace;
    let folder = workspace.cluster();
    let (scope, minutes) = wanted;
    let wanted = Wanted {
        scope,
        location,
        minutes,
    };
    let plan = folder::make(session, &context, selection, &folder, &wanted)?;
    plan::write_slurm(&plan, &workspace.root, &folder, session.program.name)?;
    let shared = folder::signing_store(&plan, &folder, &workspace.root)?;
    let notes = Notes::new(&folder);
    let logs = folder.join("logs");
    workers::listen("cancelling the jobs")?;
    let bar = Bar::new();
    let observer = |done, of| bar.show(done, of);
    let offered = plan.offer(
        &context,
        &shared,
        &now.known,
        workers::cancelled(),
        &observer,
    );
    bar.finish();
    offered?;
    if let Some(queue) = Queue::submit(&folder)? {
        terminal::note(&format!(
            "submitted as {} of Slurm, with logs in {}",
            count(queue.jobs().len(), "job array"),
            logs.display()
        ));
        wait(&queue)?;
    }
    let lacking = plan.lacking(&context, &shared, workers::cancelled())?;
    let differs = report(&plan, &notes, session, &lacking, &logs)?;
    let left = without(session, selection, &lacking);
    Ok(Some(Executed {
        store: folder::store(&plan, &workspace.root)?,
        missing: selection.closure.len() - left.closure.len(),
        selection: left,
        differs,
    }))
}

/// Waits until all jobs have ended; who interrupts cancels them.
fn wait(queue: &Queue) -> Result<()> {
    let bar = Bar::new();
    let mut unanswered = 0;
    let mut all = 0;
    loop {
        if workers::cancelled().load(Ordering::Relaxed) {
            bar.finish();
            queue.cancel()?;
            let error = Error::of(
                ErrorKind::Interrupted,
                "interrupted: the jobs are cancelled",
            );
            return Err(
                error.hint("what is finished is in the store: the same command does the rest")
            );
        }
        match queue.unfinished() {
            Ok(0) => break,
            Ok(unfinished) => {
                unanswered = 0;
                all = all.max(unfinished);
                bar.show(all - unfinished, all);
            }
            Err(error) if unanswered == UNANSWERED => {
                bar.finish();
                return Err(error
                    .hint("the jobs go on: the same command takes what they have made by then"));
            }
            Err(_) => unanswered += 1,
        }
        // Slurm tells nobody by itself.
        std::thread::park_timeout(INTERVAL);
    }
    bar.finish();
    Ok(())
}

/// Says what failed, and what else did not come; whether a stage made other bytes than the lock records.
fn report(
    plan: &TaskPlan,
    notes: &Notes,
    session: &Session,
    lacking: &BTreeSet<usize>,
    logs: &Path,
) -> Result<bool> {
    let failures = notes.failures()?;
    for failed in &failures {
        let mut error = Error::failed(format!("{}: {}", failed.stage, failed.message));
        error.hint = failed.hint.clone();
        terminal::report(&error);
        if !failed.log.is_empty() {
            terminal::detail(failed.log.trim_end());
        }
    }
    let mut told: BTreeSet<&str> = failures.iter().map(|failed| &*failed.stage).collect();
    for task in (0..plan.tasks.len()).filter(|task| notes.is_lost(*task)) {
        let stages = &plan.tasks[task].stages;
        terminal::warn(&format!(
            "task {task} was given up, with {}",
            stages.join(", ")
        ));
        told.extend(stages.iter().map(|stage| &**stage));
    }
    let others = lacking.iter().copied();
    let others = others.filter(|stage| !told.contains(session.id(*stage)));
    let (silent, others): (Vec<usize>, Vec<usize>) = others.partition(|stage| {
        let before = session.engine.pipeline.stages[*stage].before();
        !before.iter().any(|before| lacking.contains(before))
    });
    for stage in silent {
        tell_silence(session.id(stage), logs);
    }
    if !others.is_empty() {
        terminal::note(&format!(
            "{} not made: what they read was not made",
            count(others.len(), "stage")
        ));
    }
    Ok(failures.iter().any(|failed| failed.differs))
}

/// Says of a stage that had all it reads that its job ended without it, and what was last written there.
fn tell_silence(stage: &str, logs: &Path) {
    let error = Error::failed(format!("{stage}: its job ended without it"));
    terminal::report(&error.hint(
        "somebody cancelled it, or the site ended it for its memory or time (`resources:` in pipeline.yaml asks for more); the same command does the rest",
    ));
    let begun = format!("{stage}: runs");
    let of_stage = |entry: std::io::Result<DirEntry>| {
        let path = entry.ok()?.path();
        let text = std::fs::read_to_string(&path).ok()?;
        let written = path.metadata().ok()?.modified().ok()?;
        let is = text.lines().any(|line| line == begun);
        is.then_some((written, path, text))
    };
    let logs = std::fs::read_dir(logs).into_iter().flatten();
    let last = logs
        .filter_map(of_stage)
        .max_by_key(|(written, ..)| *written);
    if let Some((_, path, text)) = last {
        let lines: Vec<&str> = text.lines().collect();
        let end = &lines[lines.len().saturating_sub(LAST_LINES)..];
        terminal::note(&format!("{}:\n{}", path.display(), end.join("\n")));
    }
}

/// A selection without stages that did not come, and what depends on them.
fn without(session: &Session, selection: &Selection, lacking: &BTreeSet<usize>) -> Selection {
    let mut gone = lacking.clone();
    for &index in &selection.closure {
        let stage = &session.engine.pipeline.stages[index];
        if stage.before().iter().any(|before| gone.contains(before)) {
            gone.insert(index);
        }
    }
    Selection {
        targets: selection.targets.difference(&gone).copied().collect(),
        closure: selection.closure.difference(&gone).copied().collect(),
        unasked: selection.unasked.clone(),
    }
}
