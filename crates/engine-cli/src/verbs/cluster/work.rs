//! Verb `work`: one task of a plan, as a job of a cluster does it.

use crate::console::terminal::{self, count};
use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::pipeline::shared::{self, program_digest};
use crate::pipeline::workers;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::cluster::folder;
use clap::Args;
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::resolve::stages::Pipeline;
use retrace::run::event::Event;
use retrace::shared::store::SharedStore;
use retrace::work::notes::Notes;
use retrace::work::place::Place;
use retrace::work::plan::TaskPlan;
use retrace::work::worker::{Report, Worker};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct WorkArgs {
    /// The file plan.json that `plan` has written
    pub plan: PathBuf,
    /// The number of the task
    #[arg(required_unless_present_any = ["left", "failed"], conflicts_with_all = ["left", "failed"])]
    pub task: Option<usize>,
    /// Print the tasks of which the store lacks something, and do none
    #[arg(long, conflicts_with = "failed")]
    pub left: bool,
    /// Print the stages that have failed, and why; exit with 1 when there are any
    #[arg(long)]
    pub failed: bool,
    /// Threads [default: all cores]
    #[arg(short = 'j', value_name = "N", value_parser = workers::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
}

/// Does a task, or says what is left to do.
pub fn work(program: &Program, asked: &Scope, args: &WorkArgs) -> Result<u8> {
    let plan = TaskPlan::read(&args.plan)?;
    let path = std::path::absolute(&args.plan).map_err(|e| Error::io("use", &args.plan, &e))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let notes = Notes::new(folder);
    if args.failed {
        return failed(&notes);
    }
    let scope = &scope(asked, &plan)?;
    // What hints say must be typed as the plan means it, not as this task was started.
    Scope {
        directory: asked.directory.clone(),
        ..scope.clone()
    }
    .carry();
    let session = Session::open(program, scope)?;
    let root = &session.engine.workspace.root;
    let place = Place::new(root, asked.cache_dir.as_deref())?;
    let standing = session.engine.context_with(&place.store);
    let context = standing.with_own_cache(&place.workspace, &place.store);
    plan.check_program(&context, program_digest()?, session.engine.spec.1)?;
    if args.left {
        workers::listen("stopping")?;
        let shared = folder::store(&plan, root)?;
        let left = plan.left(&context, &shared, workers::cancelled())?;
        answered(&shared)?;
        let lines: String = left.iter().map(|task| format!("{task}\n")).collect();
        terminal::print(&lines);
        return Ok(exit::OK);
    }
    let Some(task) = args.task else {
        return Err(Error::config("no task is named"));
    };
    if let Some(check) = program.check {
        check()?;
    }
    workers::start(args.jobs)?;
    let shared = match folder::signing_store(&plan, folder, root) {
        Ok(shared) => shared,
        Err(error) if error.kind == ErrorKind::Failed => return Ok(again(&error)),
        Err(error) => return Err(error),
    };
    let pipeline = &session.engine.pipeline;
    let worker = Worker {
        context: &context,
        shared: &shared,
        plan: &plan,
        notes: &notes,
        observer: &|event| tell(pipeline, event),
        cancelled: workers::cancelled(),
    };
    let report = match worker.work(task) {
        // What goes wrong beside the stages, as where the disk is full, goes right elsewhere.
        Err(error) if error.kind == ErrorKind::Failed => return Ok(again(&error)),
        report => report?,
    };
    shared::tell(&shared);
    conclude(&session, &plan, &notes, task, &report)
}

/// The options that the plan stands for; others are the worker's own.
fn scope(given: &Scope, plan: &TaskPlan) -> Result<Scope> {
    let changed = [
        (given.profile.is_some(), "--profile"),
        (!given.sets.is_empty(), "--set"),
        (!given.groups.is_empty(), "--group"),
        (given.out.is_some(), "--out"),
    ];
    if let Some((_, option)) = changed.iter().find(|(is_given, _)| *is_given) {
        let error = Error::config(format!("{option} says nothing here: the plan does"));
        return Err(error.hint("make a plan with these options"));
    }
    Ok(Scope {
        directory: None,
        profile: plan.settings.profile.clone(),
        sets: plan.settings.sets.clone(),
        groups: Vec::new(),
        cache_dir: plan.settings.cache.as_ref().map(PathBuf::from),
        paranoid: given.paranoid,
        out: plan.settings.out.as_ref().map(PathBuf::from),
    })
}

/// An error that another try may not have.
fn again(error: &Error) -> u8 {
    terminal::report(error);
    exit::AGAIN
}

/// Refuses an answer that rests on a store that did not answer.
fn answered(shared: &SharedStore) -> Result<()> {
    match shared.troubles().first {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The stages that have failed.
fn failed(notes: &Notes) -> Result<u8> {
    let failures = notes.failures()?;
    for failed in &failures {
        terminal::print(&format!("{}: {}\n", failed.stage, failed.message));
    }
    Ok(match failures.is_empty() {
        true => exit::OK,
        false => exit::FAILED,
    })
}

/// A line for what a task does, in the log of its job.
fn tell(pipeline: &Pipeline, event: Event) {
    let id = |stage: usize| &pipeline.stages[stage].id;
    match event {
        Event::Started { stage, .. } => terminal::note(&format!("{}: runs", id(stage))),
        Event::Done { stage, seconds, .. } => {
            terminal::note(&format!("{}: ran ({seconds:.1} s)", id(stage)));
        }
        Event::Warned { stage, words } => {
            terminal::warn(&format!("{}: {words}", id(stage)));
        }
        Event::Failed { stage, error, .. } => {
            let message = format!("{}: {}", id(stage), error.message);
            terminal::report(&Error { message, ..error });
        }
        Event::Progress { .. } => {}
    }
}

/// Says how the task ended; the exit code tells a scheduler whether another try is of use.
fn conclude(
    session: &Session,
    plan: &TaskPlan,
    notes: &Notes,
    task: usize,
    report: &Report,
) -> Result<u8> {
    for (stage, why) in &report.not_run {
        terminal::line(&format!("{}: not run: {why} failed", session.id(*stage)));
    }
    for (stage, why) in &report.lost {
        terminal::line(&format!("{}: not made: {why}", session.id(*stage)));
    }
    let mut line = format!(
        "task {task}: {} ran, {} in the store already",
        count(report.ran.len(), "stage"),
        report.there.len()
    );
    for (number, what) in [
        (report.failed.len(), "failed"),
        (report.not_run.len(), "not run after a failure"),
        (report.lost.len(), "lost"),
    ] {
        if number > 0 {
            line += &format!(", {number} {what}");
        }
    }
    terminal::summary(&format!("{line}\n"));
    if report.lost.is_empty() {
        return Ok(match report.is_whole() {
            true => exit::OK,
            false => exit::FAILED,
        });
    }
    // Those before it were given up: nobody brings what it misses.
    if let Some(before) = plan.tasks[task]
        .after
        .iter()
        .find(|task| notes.is_lost(**task))
    {
        notes.lose(task, &format!("task {before} was given up\n"))?;
        return Ok(exit::FAILED);
    }
    Ok(exit::AGAIN)
}
