//! Verb `run`.

use crate::answers::answer;
use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::scope::Scope;
use crate::pipeline::session::{self, Session};
use crate::pipeline::shared::{ForRun, Location, StoreArgs};
use crate::pipeline::workers;
use crate::program::description::Program;
use crate::program::exit;
use crate::progress::display::Display;
use crate::verbs::cluster::executor::{self, Executor};
use crate::verbs::cluster::plan::{MINUTES, minutes};
use crate::verbs::{ended, status};
use clap::Args;
use retrace::base::error::{Error, ErrorKind, PROGRAM, Result};
use retrace::lock::moves::Move;
use retrace::resolve::select::Selection;
use retrace::resolve::stages::Pipeline;
use retrace::run::event::{Event, Outcome};
use retrace::run::leftover::Left;
use retrace::run::plan::Context;
use retrace::run::schedule::{Options, Run, check_writable};
use retrace::run::settle::Summary;
use retrace::run::tolerant::Compared;
use retrace::store::actions::Outputs;
use retrace::store::history::{self, PastRun, PastStage};
use retrace::store::variation;
use retrace::store::workspace::{Outputs as Place, Workspace};
use retrace::upkeep::confirm::{Confirmed, Question};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Stage ids, globs, groups or output paths; none means everything but opt-in groups
    pub targets: Vec<String>,
    /// Run the targets although they are fresh
    #[arg(long)]
    pub force: bool,
    /// Only say what would run, and why
    #[arg(long)]
    pub dry_run: bool,
    /// Run the targets alone; what they read must be made already
    #[arg(long, conflicts_with = "downstream")]
    pub single_item: bool,
    /// Run also what depends on the targets
    #[arg(long)]
    pub downstream: bool,
    /// Threads of the one pool, and stages at a time, as far as more of them help [default: all cores]
    #[arg(short = 'j', value_name = "N", value_parser = workers::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Make only what the lock does not know, and what that must read; where it has a stage's key, its digests stand
    #[arg(long, conflicts_with_all = ["single_item", "accept"])]
    pub as_recorded: bool,
    /// After a failure, go on with stages that do not depend on it
    #[arg(long)]
    pub keep_going: bool,
    /// Record outputs that differ from the lock under an unchanged key
    #[arg(long)]
    pub accept: bool,
    /// Fail instead of waiting while another run is going on
    #[arg(long)]
    pub no_wait: bool,
    /// Print a JSON object instead of the summary: what became of the stages; with --dry-run that of `status`
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub store: StoreArgs,
    /// End with exit code 2 where no store is named, and with 1 where it is not there or fails: once it was given up, no
    /// more stages are begun
    #[arg(long)]
    pub store_required: bool,
    /// Who makes what is stale; a cluster gets and gives everything through the shared store
    #[arg(long, value_enum, value_name = "WHO", default_value_t = Executor::Local)]
    pub executor: Executor,
    /// With --executor slurm: about how many minutes a task should take
    #[arg(long, value_name = "N", default_value_t = MINUTES, value_parser = minutes)]
    pub minutes: f64,
}

impl RunArgs {
    /// Refuses options that mean nothing where a cluster does the work.
    fn check_for_cluster(&self) -> Result<()> {
        let given = [
            (self.force, "--force"),
            (self.single_item, "--single-item"),
            (self.as_recorded, "--as-recorded"),
            (self.accept, "--accept"),
        ];
        match given.iter().find(|(is_given, _)| *is_given) {
            None => Ok(()),
            Some((_, option)) => {
                let error = Error::config(format!("{option} is for a run on this machine alone"));
                Err(error.hint("leave out --executor slurm, or the other option"))
            }
        }
    }

    /// A plain run of one target.
    pub fn of(target: &str, no_wait: bool) -> RunArgs {
        RunArgs {
            targets: vec![target.to_owned()],
            force: false,
            dry_run: false,
            single_item: false,
            downstream: false,
            jobs: None,
            as_recorded: false,
            keep_going: false,
            accept: false,
            no_wait,
            json: false,
            store: StoreArgs::default(),
            store_required: false,
            executor: Executor::Local,
            minutes: MINUTES,
        }
    }
}

/// Brings targets up to date.
pub fn run(program: &Program, scope: &Scope, args: &RunArgs) -> Result<u8> {
    let (workspace, settings) = session::locate(program, scope)?;
    // A target may be a path from the working directory: elsewhere the same words ask for another.
    let mut asked = args.targets.clone();
    if !asked.is_empty() {
        asked.extend(std::env::current_dir().map(|folder| folder.display().to_string()));
    }
    let question = Question {
        program: program.sources.program(),
        workspace: &workspace,
        settings: &settings,
        targets: &asked,
        groups: &scope.groups,
        downstream: args.downstream,
    };
    let on_cluster = args.executor == Executor::Slurm;
    if on_cluster {
        args.check_for_cluster()?;
    }
    // Also where nothing is looked for: a name that leads nowhere is said.
    let open =
        |location: Option<&Location>| ForRun::open(location, &workspace.root, args.store_required);
    let store = match args.store.named() {
        // What a cluster is to fill need not be there yet: who plans its work makes it.
        _ if on_cluster => Some(ForRun::none(args.store_required)),
        Some(folder @ Location::Folder(_)) if !args.dry_run => Some(open(Some(&folder))?),
        _ => None,
    };
    let usual = !(args.force || args.single_item || args.as_recorded);
    let plain = usual && !(args.dry_run || scope.paranoid);
    // The short answer names no stage.
    if plain
        && !terminal::is_verbose()
        && let Some(code) = shortcut(&question, args.json)?
    {
        return Ok(code);
    }
    let session = Session::open(program, scope)?;
    let mut selection = session.select(&args.targets)?;
    if args.downstream {
        selection = session.engine.pipeline.with_downstream(selection);
    }
    if args.dry_run {
        if args.store.location(&session).is_some() {
            terminal::note("the store is not asked: what it has is shown as not run here");
        }
        status::print_plan(&session, &selection, args.as_recorded, args.json)?;
        return Ok(exit::OK);
    }
    let mut store = match store {
        Some(store) => store,
        None => open(args.store.location(&session).as_ref())?,
    };
    let held = session
        .engine
        .workspace
        .lock_for_run(!args.no_wait, |holder| {
            terminal::note(&format!(
                "{holder}: waiting for it to end (Ctrl-C gives up)"
            ));
        })?;
    variation::record(&session.engine.workspace, &settings)?;
    let mut missing = None;
    if on_cluster {
        let location = args.store.required_location(&session)?;
        let wanted = (scope, args.minutes);
        if let Some(executed) = executor::execute(&session, &selection, &location, wanted)? {
            missing = executed.missing();
            store.found(executed.store);
            selection = executed.selection;
        }
    }
    let context = Context {
        shared: store.store.as_ref(),
        ..session.context()?
    };
    let mut given = BTreeMap::new();
    if args.single_item {
        given = inputs_of_targets(&session, &context, &selection)?;
        selection.closure = selection.targets.clone();
    }
    let options = Options {
        workers: workers::count(args.jobs),
        force: args.force,
        keep_going: args.keep_going,
        as_recorded: args.as_recorded,
        accept: args.accept,
        variation: None,
    };
    let past = session.engine.workspace.history_path();
    let ended = Mutex::new(BTreeMap::new());
    let display = OnceLock::new();
    let pipeline = &session.engine.pipeline;
    let recorder = Recorder::new(pipeline);
    let summary = Run {
        context: &context,
        options: &options,
        selection: &selection,
        given: &given,
        prepare: &|| {
            check_writable(&context)?;
            let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = Display::new(pipeline, &past, &selection, &ended, options.workers)?;
            display.get_or_init(|| shown);
            workers::start(args.jobs)
        },
        observer: &|event| {
            recorder.hear(&event);
            match display.get() {
                Some(display) => display.show(event),
                // Nothing but what is fresh or stands as recorded comes before the display.
                None => {
                    if let Event::Done { stage, outcome, .. } = event {
                        let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                        ended.insert(stage, outcome);
                        let state = match outcome {
                            Outcome::Recorded => "as recorded",
                            _ => "fresh",
                        };
                        let state = terminal::paint(terminal::GOOD, state);
                        terminal::detail(&format!("{} {state}", pipeline.stages[stage].id));
                    }
                }
            }
        },
        cancelled: workers::cancelled(),
    }
    .execute();
    if let Some(display) = display.get() {
        display.finish();
    }
    let concluded = store.conclude();
    let summary = summary?;
    let (line, mut code) = conclude(&session, args, &summary);
    if code == exit::OK {
        let failed = concluded.as_ref().err().map(|error| exit::code(error.kind));
        code = failed.or(missing).unwrap_or(exit::OK);
    }
    let past = recorder.into_run(line, code, summary.seconds);
    history::append(&session.engine.workspace.history_path(), &past)?;
    if args.json {
        let ended = ended::of_run(&session, &summary, &past, args.accept);
        terminal::print(&answer::text(&ended)?);
    }
    if plain && missing.is_none() && session.is_current()? {
        question.keep(
            &summary,
            &context,
            std::slice::from_ref(&session.engine.spec),
        )?;
    }
    drop(held);
    concluded.map(|()| code)
}

/// Ends a run that an earlier one has answered already.
fn shortcut(question: &Question, json: bool) -> Result<Option<u8>> {
    let started = SystemTime::now();
    let Some(Confirmed {
        stages,
        outputs,
        left_out,
    }) = question.answer()
    else {
        return Ok(None);
    };
    let workspace = question.workspace;
    // Whoever else is running may be about to change the answer.
    let Ok(_held) = workspace.lock_for_run(false, |_| {}) else {
        return Ok(None);
    };
    let summary = Summary {
        fresh: stages,
        outputs,
        outputs_equal: outputs,
        left_out,
        ..Summary::default()
    };
    variation::record(workspace, question.settings)?;
    let line = line(workspace, &summary);
    if !json {
        print_line(workspace, &line);
    }
    let seconds = started
        .elapsed()
        .map_or(0.0, |elapsed| elapsed.as_secs_f64());
    let past = past_run(started, seconds, line, exit::OK, Vec::new());
    history::append(&workspace.history_path(), &past)?;
    if json {
        let ended = ended::plain(workspace, &summary, &past);
        terminal::print(&answer::text(&ended)?);
    }
    Ok(Some(exit::OK))
}

/// The outputs that single targets read from other stages, which must all be made.
fn inputs_of_targets(
    session: &Session,
    context: &Context,
    selection: &Selection,
) -> Result<BTreeMap<usize, Outputs>> {
    let plan = context.plan(selection)?;
    for &target in &selection.targets {
        for needed in context.needs(&session.engine.pipeline.stages[target]) {
            if !plan.known.contains_key(&needed) && !selection.targets.contains(&needed) {
                let (target, needed) = (session.id(target), session.id(needed));
                let message =
                    format!("{target} alone cannot run: what it reads from {needed} is stale");
                return Err(Error::config(message).hint(format!(
                    "`{PROGRAM} run {needed}` first, or without --single-item"
                )));
            }
        }
    }
    Ok(plan.known)
}

/// Takes down what happens to each stage, for the log of runs.
struct Recorder<'a> {
    pipeline: &'a Pipeline,
    started: SystemTime,
    reasons: Mutex<BTreeMap<usize, String>>,
    stages: Mutex<Vec<PastStage>>,
}

impl<'a> Recorder<'a> {
    fn new(pipeline: &'a Pipeline) -> Self {
        Recorder {
            pipeline,
            started: SystemTime::now(),
            reasons: Mutex::default(),
            stages: Mutex::default(),
        }
    }

    fn hear(&self, event: &Event) {
        let (stage, outcome, seconds, error) = match event {
            Event::Started { stage, reason } => {
                let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
                reasons.insert(*stage, reason.to_string());
                return;
            }
            Event::Progress { .. } | Event::Warned { .. } => return,
            Event::Done {
                outcome: Outcome::Fresh | Outcome::Recorded,
                ..
            } => return,
            Event::Done {
                stage,
                outcome: Outcome::Restored,
                seconds,
            } => (*stage, "restored", *seconds, None),
            Event::Done {
                stage,
                outcome: Outcome::Fetched,
                seconds,
            } => (*stage, "fetched", *seconds, None),
            Event::Done {
                stage,
                outcome: Outcome::Ran,
                seconds,
            } => (*stage, "ran", *seconds, None),
            Event::Failed { stage, error, .. } => (*stage, "failed", 0.0, Some(error.to_string())),
        };
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = reasons.remove(&stage).unwrap_or_default();
        let past = PastStage {
            stage: self.pipeline.stages[stage].id.clone(),
            outcome: outcome.to_owned(),
            reason: error.unwrap_or(reason),
            seconds,
        };
        self.stages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(past);
    }

    fn into_run(self, summary: String, exit_code: u8, seconds: f64) -> PastRun {
        let stages = self.stages.into_inner();
        let stages = stages.unwrap_or_else(PoisonError::into_inner);
        past_run(self.started, seconds, summary, exit_code, stages)
    }
}

fn past_run(
    started: SystemTime,
    seconds: f64,
    summary: String,
    exit_code: u8,
    stages: Vec<PastStage>,
) -> PastRun {
    let since = started.duration_since(UNIX_EPOCH);
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|a| a.to_string_lossy().into_owned());
    PastRun {
        started: since.map_or(0, |since| since.as_secs()),
        seconds,
        command: arguments.collect::<Vec<_>>().join(" "),
        summary,
        exit_code,
        stages,
    }
}

/// Says what happened; returns the summary in one line and the exit code.
fn conclude(session: &Session, args: &RunArgs, summary: &Summary) -> (String, u8) {
    if let Some(error) = &summary.refused {
        terminal::report(error);
    } else if summary.as_recorded > 0 {
        for file in &summary.absent {
            terminal::note(&format!("input not here: {}", file.line()));
        }
    }
    for (stage, compared) in &summary.compared {
        terminal::line(&format!("{}: {}", session.id(*stage), in_words(compared)));
    }
    for (stage, outputs) in &summary.differing {
        let id = session.id(*stage);
        let names = outputs.join(", ");
        let end = if args.accept {
            "recorded (--accept)"
        } else {
            "the lock was left alone"
        };
        let differs = terminal::paint(terminal::BAD, "the same key gave other bytes");
        terminal::line(&format!(
            "{id}: {differs} than the lock records ({names}); {end}"
        ));
    }
    if !summary.differing.is_empty() && !args.accept {
        let hint = terminal::paint(terminal::ASIDE, "hint:");
        terminal::line(&format!(
            "  {hint} `{}` names the files; `--accept` records the new bytes",
            typed::command("verify")
        ));
    }
    for (stage, old) in &summary.renamed {
        terminal::note(&format!(
            "{}: the lock recorded it as {old}",
            session.id(*stage)
        ));
    }
    for (stage, moved, left) in &summary.moved {
        tell_move(session.id(*stage), moved, left);
    }
    let line = line(&session.engine.workspace, summary);
    if !args.json {
        print_line(&session.engine.workspace, &line);
    }
    let code = if summary.interrupted {
        terminal::note("interrupted: what is finished is kept");
        exit::INTERRUPTED
    } else if summary
        .failed
        .iter()
        .any(|(_, error)| error.kind != ErrorKind::Differs)
    {
        exit::FAILED
    } else if !summary.failed.is_empty() || (!summary.differing.is_empty() && !args.accept) {
        exit::DIFFERS
    } else {
        exit::OK
    };
    (line, code)
}

/// How far an output is from what is recorded.
pub fn in_words(compared: &Compared) -> String {
    let output = &compared.output;
    match &compared.outcome {
        Ok(words) => {
            let words = terminal::paint(terminal::GOOD, words);
            format!("{output} is {words}; the recorded bytes stay")
        }
        Err(why) => {
            let not = terminal::paint(terminal::BAD, "not within tolerance");
            format!("{output} is {not}: {why}")
        }
    }
}

/// Says where an output was, and what became of the file there.
fn tell_move(id: &str, moved: &Move, left: &Left) {
    let (from, to) = (moved.from.display(), moved.to.display());
    let moved = format!("{id}: {from} moved to {to}");
    match left {
        Left::Removed => terminal::note(&format!("{moved}; the old file is removed")),
        Left::Nothing => terminal::note(&moved),
        Left::Kept(why) => terminal::warn(&format!("{moved}; the old file is left: {why}")),
    }
}

/// What was made or confirmed, and how much of it is as recorded.
fn made_line(workspace: &Workspace, summary: &Summary, total: usize) -> String {
    let mut line = format!("{}: {} fresh", count(total, "stage"), summary.fresh);
    if summary.restored > 0 {
        line += &format!(", {} restored", summary.restored);
    }
    if summary.fetched > 0 {
        line += &format!(", {} from the store", summary.fetched);
    }
    if summary.ran > 0 {
        line += &format!(", {} ran ({:.1} s)", summary.ran, summary.seconds);
    }
    if !summary.failed.is_empty() {
        line += &format!(", {} failed", summary.failed.len());
    }
    if summary.skipped > 0 {
        line += &format!(", {} not reached", summary.skipped);
    }
    let which = if workspace.publishes() {
        "the committed lock"
    } else {
        "the lock"
    };
    let (equal, outputs) = (summary.outputs_equal, summary.outputs);
    let new = summary.outputs_new;
    // Nothing was expected of them, so that none equals it says nothing.
    if new > 0 && new == outputs {
        let outputs = count(outputs, "output");
        line += &format!("; {outputs}, of which {which} knew nothing");
    } else {
        line += &format!("; {equal} of {outputs} outputs equal {which}");
        if new > 0 {
            line += &format!(", {new} new to it");
        }
    }
    if summary.outputs_within > 0 {
        line += &format!(", {} within a tolerance", summary.outputs_within);
    }
    if summary.outputs_moved > 0 {
        line += &format!(", {} moved", summary.outputs_moved);
    }
    line
}

/// The summary in one line.
fn line(workspace: &Workspace, summary: &Summary) -> String {
    let made = summary.fresh + summary.restored + summary.fetched + summary.ran;
    let total = made + summary.failed.len() + summary.skipped;
    let stand = match summary.unmade {
        0 => None,
        1 => Some("1 stage stands as the lock records it".to_owned()),
        more => Some(format!("{more} stages stand as the lock records them")),
    };
    let made = (total > 0 || stand.is_none()).then(|| made_line(workspace, summary, total));
    let parts: Vec<String> = made.into_iter().chain(stand).collect();
    let mut line = parts.join("; ");
    if summary.as_recorded > 0 {
        let stages = count(summary.as_recorded, "stage");
        line += &format!("; {stages} left as recorded: an input is not here");
    }
    if summary.wrote_lock {
        line += match workspace.outputs() {
            Place::Committed => "; the lock is brought up to date",
            Place::Variant => {
                "; the variation's own lock is brought up to date, pipeline.lock stays as it was"
            }
            Place::Named { .. } => {
                "; the lock beside the outputs is brought up to date, that of the repository stays as it was"
            }
        };
    }
    if let Some(words) = &summary.left_out {
        line += &format!("; {words}");
    }
    line
}

fn print_line(workspace: &Workspace, line: &str) {
    let place = match workspace.publishes() {
        true => String::new(),
        false => format!("outputs are in {}\n", workspace.out.display()),
    };
    terminal::summary(&format!("{line}\n{place}"));
}
