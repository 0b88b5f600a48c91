//! Verb `status`, and what `run --dry-run` prints.

use crate::answers::answer;
use crate::answers::input::AbsentInput;
use crate::answers::status::{StageState, StageStatus, Status};
use crate::console::items::{Fold, fold, starred};
use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::Args;
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::run::plan::{Plan, Reason, State};
use retrace::stage::key::Change;
use retrace::store::history;
use retrace::upkeep::orphans::orphans;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Stage ids, globs, groups or output paths; none means everything but opt-in groups
    pub targets: Vec<String>,
    /// Show the stages of opt-in groups too
    #[arg(long, conflicts_with_all = ["targets", "groups"])]
    pub all: bool,
    /// Exit with 6 when anything is not fresh
    #[arg(long)]
    pub exit_code: bool,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// Says which stages are fresh and which are not.
pub fn status(session: &Session, args: &StatusArgs) -> Result<u8> {
    let selection = match args.all {
        true => session.engine.pipeline.everything()?,
        false => session.select(&args.targets)?,
    };
    let all_fresh = print_plan(session, &selection, false, args.json)?;
    Ok(if args.exit_code && !all_fresh {
        exit::STALE
    } else {
        exit::OK
    })
}

/// Prints the state of every selected stage, of a run that makes everything or only what the lock does not know;
/// returns whether all are fresh.
pub fn print_plan(
    session: &Session,
    selection: &Selection,
    as_recorded: bool,
    json: bool,
) -> Result<bool> {
    let status = look(session, selection, as_recorded)?;
    terminal::print(&match json {
        true => answer::text(&status)?,
        false => {
            let left_out = session.engine.pipeline.left_out(selection);
            text(&status, left_out.as_deref())
        }
    });
    Ok(status.all_fresh)
}

/// The state of every selected stage.
fn look(session: &Session, selection: &Selection, as_recorded: bool) -> Result<Status> {
    let context = session.context()?;
    let plan = match as_recorded {
        true => context.plan_as_recorded(selection)?,
        false => context.plan(selection)?,
    };
    let orphans = orphans(&context, selection)?;
    let past = history::read(&session.engine.workspace.history_path())?;
    let durations = history::Durations::of(&past);
    let of_stage = |(&stage, state): (&usize, &State)| {
        let mut said = describe(session, &plan, stage, state);
        if said.state == StageState::Stale {
            said.estimated_seconds = durations.last(&said.stage);
        }
        said
    };
    let stages: Vec<StageStatus> = plan.states.iter().map(of_stage).collect();
    Ok(Status {
        all_fresh: stages.iter().all(|said| said.state == StageState::Fresh),
        stages,
        left_out: left_out(session, selection),
        orphans: shown(&orphans),
        absent: plan.absent.iter().map(AbsentInput::of).collect(),
    })
}

/// The stages of opt-in groups that nobody asked for.
pub fn left_out(session: &Session, selection: &Selection) -> Vec<String> {
    let stages = selection.unasked.difference(&selection.closure);
    stages.map(|&stage| session.id(stage).to_owned()).collect()
}

/// Paths as they are shown.
pub fn shown(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

/// A line for each file that no stage makes.
pub fn named(orphans: &[String]) -> String {
    let line = |path: &String| {
        let what = terminal::paint(terminal::CARE, "no stage makes it");
        format!("{path}: {what}\n")
    };
    orphans.iter().map(line).collect()
}

/// What is said of a stage, but how long it took.
pub fn describe(session: &Session, plan: &Plan, stage: usize, state: &State) -> StageStatus {
    let mut line = StageStatus {
        stage: session.id(stage).to_owned(),
        state: StageState::Stale,
        why: String::new(),
        chain: Vec::new(),
        changes: Vec::new(),
        of_many: String::new(),
        moved: Vec::new(),
        estimated_seconds: None,
    };
    match state {
        State::Fresh => line.state = StageState::Fresh,
        State::Recorded => line.state = StageState::Recorded,
        State::Restore(paths) => {
            let exists = |path: &PathBuf| session.engine.workspace.out.join(path).exists();
            let moves = plan.moved.get(&stage).map_or(&[][..], |m| &m.outputs);
            // A published file names the stage that it is from.
            let renamed = plan
                .moved
                .get(&stage)
                .is_some_and(|m| m.renamed_from.is_some());
            let is_moved = |path: &PathBuf| renamed || moves.iter().any(|m| m.to == *path);
            let edited = paths.iter().any(exists);
            line.state = match paths.iter().all(is_moved) {
                true => StageState::Moved,
                false if edited => StageState::Modified,
                false => StageState::Missing,
            };
            let files = shown(paths).join(", ");
            line.why = format!("{files} (in the cache: run restores)");
            // Each has files of its own.
            line.of_many = "its files (in the cache: run restores)".to_owned();
        }
        State::Stale(reason) => {
            line.why = reason.to_string();
            if let Reason::Changed(changes) = reason {
                line.changes.clone_from(changes);
            }
        }
        State::Absent(absent) => {
            line.state = StageState::Absent;
            line.why = absent.words();
        }
        State::Waits(_) | State::Needed(_) => {
            let chain = plan.chain(stage);
            let others = chain[1..].iter();
            line.chain = others.map(|&s| session.id(s).to_owned()).collect();
            let others = line.chain.join(" <- ");
            line.why = match state {
                State::Needed(_) => format!("read by {others}, if that runs"),
                _ => format!("after {others}"),
            };
            if let Some(reason) = plan.root_reason(&chain) {
                line.why += &format!(" ({reason})");
            }
        }
    }
    if let Some(moved) = plan.moved.get(&stage) {
        let places = moved.outputs.iter();
        let places = places.map(|m| format!("{} moved to {}", m.from.display(), m.to.display()));
        let name = moved.renamed_from.iter();
        let name = name.map(|old| format!("recorded as {old}"));
        for words in name.chain(places) {
            line.why += &format!("; {words}");
            line.moved.push(words);
        }
    }
    if line.of_many.is_empty() || !line.moved.is_empty() {
        line.of_many = starred(&line.why);
    }
    line
}

/// Where there are more lines, stages of a matrix of which the same is said share one: a screen holds few
/// more.
const APART: usize = 40;

/// A line as it is printed: of one stage, or of several of a matrix.
struct Line<'a> {
    stage: String,
    state: StageState,
    why: String,
    changes: &'a [Change],
}

/// What is printed of stages, `apart` or with those of a matrix together.
fn lines<'a>(stages: &'a [StageStatus], apart: bool) -> Vec<Line<'a>> {
    if apart {
        let one = |said: &'a StageStatus| Line {
            stage: said.stage.clone(),
            state: said.state,
            why: said.why.clone(),
            changes: &said.changes,
        };
        return stages.iter().map(one).collect();
    }
    let folds = fold(
        stages
            .iter()
            .map(|said| (&*said.stage, (said.state, said.of_many.clone()))),
    );
    let one = |fold: Fold<(StageState, String)>| {
        let (state, why) = fold.same;
        let why = match fold.members[..] {
            [only] => stages[only].why.clone(),
            _ => why,
        };
        Line {
            stage: fold.shown,
            state,
            why,
            changes: &[],
        }
    };
    folds.into_iter().map(one).collect()
}

fn text(status: &Status, left_out: Option<&str>) -> String {
    let stages = &status.stages;
    let is_done = |state| matches!(state, StageState::Fresh | StageState::Recorded);
    let is_shown = |state: StageState| !is_done(state) || !terminal::is_quiet();
    let number = stages.iter().filter(|said| is_shown(said.state)).count();
    let apart = terminal::is_verbose() || number <= APART;
    let mut shown = lines(stages, apart);
    shown.retain(|line| is_shown(line.state));
    let width = shown.iter().map(|line| line.stage.len()).max().unwrap_or(0);
    let mut text = named(&status.orphans);
    for file in &status.absent {
        text += &format!("input not here: {}\n", file.line);
    }
    for Line {
        stage,
        state,
        why,
        changes,
    } in &shown
    {
        let style = match state {
            StageState::Fresh | StageState::Recorded => terminal::GOOD,
            StageState::Stale => terminal::CARE,
            _ => terminal::ASIDE,
        };
        let in_full = terminal::is_verbose() && !changes.is_empty();
        let why = if in_full { "changed:" } else { why };
        let state = terminal::paint(style, &format!("{state:8}"));
        text += format!("{state}  {stage:width$}  {why}").trim_end();
        text.push('\n');
        for change in changes.iter().filter(|_| in_full) {
            text += &format!("{:10}  {change}\n", "");
        }
    }
    if !apart && !terminal::is_quiet() && shown.len() < stages.len() {
        text += "stages of one matrix share a line: --verbose has one for each\n";
    }
    if terminal::is_quiet() {
        return text;
    }
    let number = |wanted: &dyn Fn(&&StageStatus) -> bool| stages.iter().filter(wanted).count();
    let fresh = number(&|line| line.state == StageState::Fresh);
    text += &format!("{}: {fresh} fresh", count(stages.len(), "stage"));
    let restore = number(&|line| line.state.is_restored());
    let stale = number(&|line| line.state == StageState::Stale && line.chain.is_empty());
    let waits = number(&|line| !line.chain.is_empty());
    let absent = number(&|line| line.state == StageState::Absent);
    let recorded = number(&|line| line.state == StageState::Recorded);
    let rest = [
        (recorded, "as the lock records them"),
        (absent, "without an input that is not here"),
        (restore, "to restore"),
        (stale, "to run"),
        (
            waits,
            "to run unless a stage before them ends with the same bytes",
        ),
    ];
    for (number, words) in rest.into_iter().filter(|(number, _)| *number > 0) {
        text += &format!(", {number} {words}");
    }
    let known: Vec<f64> = stages.iter().filter_map(|l| l.estimated_seconds).collect();
    if !known.is_empty() {
        let seconds = known.iter().sum::<f64>();
        text += &format!("; {} took {seconds:.1} s", count(known.len(), "stage"));
        text += " when last run, one after the other";
    }
    if let Some(words) = left_out {
        text += &format!("; {words}");
    }
    text.push('\n');
    text
}
