//! Verb `status`, and what `run --dry-run` prints.

use crate::console::items::{Fold, fold, starred};
use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::Args;
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::run::plan::{Plan, Reason, State};
use retrace::stage::supplied::AbsentFile;
use retrace::store::history;
use retrace::upkeep::orphans::orphans;
use serde::Serialize;
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

/// What is said of a stage.
#[derive(Serialize)]
struct Line<'a> {
    stage: &'a str,
    /// `fresh`, `stale` (it runs), `modified`, `missing` or `moved` (its files; the cache has them), `absent`
    /// (it cannot run: an input is not here).
    state: &'static str,
    /// In words; empty when fresh.
    why: String,
    /// For a stage that is stale through others: these, the root cause last.
    chain: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<serde_json::Value>,
    /// The same in words.
    #[serde(skip)]
    said: Vec<String>,
    /// Why, where it is said of several stages of a matrix.
    #[serde(skip)]
    of_many: String,
    /// Where the lock records it, if that is elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<String>,
    /// How long it took when it last ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_seconds: Option<f64>,
}

/// Says which stages are fresh and which are not.
pub fn status(session: &Session, args: &StatusArgs) -> Result<u8> {
    let selection = match args.all {
        true => session.engine.pipeline.everything()?,
        false => session.select(&args.targets)?,
    };
    let all_fresh = print_plan(session, &selection, args.json)?;
    Ok(if args.exit_code && !all_fresh {
        exit::STALE
    } else {
        exit::OK
    })
}

/// Prints the state of every selected stage; returns whether all are fresh.
pub fn print_plan(session: &Session, selection: &Selection, json: bool) -> Result<bool> {
    let context = session.context()?;
    let plan = context.plan(selection)?;
    let orphans = orphans(&context, selection)?;
    let past = history::read(&session.engine.workspace.history_path())?;
    let durations = history::Durations::of(&past);
    let mut lines = Vec::with_capacity(plan.states.len());
    for (&stage, state) in &plan.states {
        let mut line = describe(session, &plan, stage, state);
        if line.state == "stale" {
            line.estimated_seconds = durations.last(line.stage);
        }
        lines.push(line);
    }
    let all_fresh = lines.iter().all(|line| line.state == "fresh");
    let absent = plan.absent.iter();
    let absent: Vec<String> = absent
        .map(|file| format!("input not here: {}", file.line()))
        .collect();
    if json {
        let left_out = selection.unasked.difference(&selection.closure);
        let json = serde_json::json!({
            "all_fresh": all_fresh,
            "stages": lines,
            "left_out": left_out.map(|&stage| session.id(stage)).collect::<Vec<&str>>(),
            "orphans": orphans,
            "absent": plan.absent.iter().map(of_file).collect::<Vec<_>>(),
        });
        terminal::print(&format!("{json:#}\n"));
    } else {
        let left_out = session.engine.pipeline.left_out(selection);
        let absent: String = absent.iter().map(|line| format!("{line}\n")).collect();
        let lines = text(&lines, left_out.as_deref());
        terminal::print(&(named(&orphans) + &absent + &lines));
    }
    Ok(all_fresh)
}

/// What is known of a file that is not here.
pub fn of_file(file: &AbsentFile) -> serde_json::Value {
    let supplied = &file.supplied;
    serde_json::json!({
        "path": file.path,
        "blake3": supplied.blake3,
        "get": supplied.get,
        "licence": supplied.licence,
        "size": supplied.size,
        "from": supplied.from,
    })
}

/// A line for each file that no stage makes.
pub fn named(orphans: &[PathBuf]) -> String {
    let line = |path: &PathBuf| {
        let what = terminal::paint(terminal::CARE, "no stage makes it");
        format!("{}: {what}\n", path.display())
    };
    orphans.iter().map(line).collect()
}

fn describe<'a>(session: &'a Session, plan: &Plan, stage: usize, state: &State) -> Line<'a> {
    let mut line = Line {
        stage: session.id(stage),
        state: "stale",
        why: String::new(),
        chain: Vec::new(),
        changes: Vec::new(),
        said: Vec::new(),
        of_many: String::new(),
        moved: Vec::new(),
        estimated_seconds: None,
    };
    match state {
        State::Fresh => line.state = "fresh",
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
                true => "moved",
                false if edited => "modified",
                false => "missing",
            };
            let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            line.why = format!("{} (in the cache: run restores)", shown.join(", "));
            // Each has files of its own.
            line.of_many = "its files (in the cache: run restores)".to_owned();
        }
        State::Stale(reason) => {
            line.why = reason.to_string();
            if let Reason::Changed(changes) = reason {
                let json = changes.iter().filter_map(|c| serde_json::to_value(c).ok());
                line.changes = json.collect();
                line.said = changes.iter().map(ToString::to_string).collect();
            }
        }
        State::Absent(absent) => {
            line.state = "absent";
            line.why = absent.words();
        }
        State::Waits(_) => {
            let chain = plan.chain(stage);
            line.chain = chain[1..].iter().map(|&s| session.id(s)).collect();
            line.why = format!("after {}", line.chain.join(" <- "));
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
struct Shown<'a> {
    stage: String,
    state: &'a str,
    why: String,
    /// Every change, a line each.
    said: &'a [String],
}

/// What is printed of stages, `apart` or with those of a matrix together.
fn shown<'a>(lines: &'a [Line], apart: bool) -> Vec<Shown<'a>> {
    if apart {
        let one = |line: &'a Line| Shown {
            stage: line.stage.to_owned(),
            state: line.state,
            why: line.why.clone(),
            said: &line.said,
        };
        return lines.iter().map(one).collect();
    }
    let folds = fold(
        lines
            .iter()
            .map(|line| (line.stage, (line.state, line.of_many.clone()))),
    );
    let one = |fold: Fold<(&'a str, String)>| {
        let (state, why) = fold.same;
        let why = match fold.members[..] {
            [only] => lines[only].why.clone(),
            _ => why,
        };
        Shown {
            stage: fold.shown,
            state,
            why,
            said: &[],
        }
    };
    folds.into_iter().map(one).collect()
}

fn text(lines: &[Line], left_out: Option<&str>) -> String {
    let is_shown = |line: &&Line| line.state != "fresh" || !terminal::is_quiet();
    let apart = terminal::is_verbose() || lines.iter().filter(is_shown).count() <= APART;
    let mut shown = shown(lines, apart);
    shown.retain(|line| line.state != "fresh" || !terminal::is_quiet());
    let width = shown.iter().map(|line| line.stage.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Shown {
        stage,
        state,
        why,
        said,
    } in &shown
    {
        let style = match *state {
            "fresh" => terminal::GOOD,
            "stale" => terminal::CARE,
            _ => terminal::ASIDE,
        };
        let in_full = terminal::is_verbose() && !said.is_empty();
        let why = if in_full { "changed:" } else { why };
        let state = terminal::paint(style, &format!("{state:8}"));
        text += format!("{state}  {stage:width$}  {why}").trim_end();
        text.push('\n');
        for change in said.iter().filter(|_| in_full) {
            text += &format!("{:10}  {change}\n", "");
        }
    }
    if !apart && !terminal::is_quiet() && shown.len() < lines.len() {
        text += "stages of one matrix share a line: --verbose has one for each\n";
    }
    if terminal::is_quiet() {
        return text;
    }
    let number = |wanted: &dyn Fn(&&Line) -> bool| lines.iter().filter(wanted).count();
    let fresh = number(&|line| line.state == "fresh");
    text += &format!("{}: {fresh} fresh", count(lines.len(), "stage"));
    let restore = number(&|line| matches!(line.state, "modified" | "missing" | "moved"));
    let stale = number(&|line| line.state == "stale" && line.chain.is_empty());
    let waits = number(&|line| !line.chain.is_empty());
    let absent = number(&|line| line.state == "absent");
    let rest = [
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
    let known: Vec<f64> = lines.iter().filter_map(|l| l.estimated_seconds).collect();
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
