//! Verb `status`, and what `run --dry-run` prints.

use crate::cli::args::StatusArgs;
use crate::cli::exit;
use crate::cli::session::Session;
use crate::cli::terminal::{self, count};
use crate::pipeline::error::Result;
use crate::pipeline::plan::State;
use crate::pipeline::select::Selection;

/// Says which stages are fresh and which are not.
pub fn status(session: &Session, args: &StatusArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let all_fresh = print_plan(session, &selection)?;
    Ok(if args.exit_code && !all_fresh {
        exit::STALE
    } else {
        exit::OK
    })
}

/// Prints the state of every selected stage; returns whether all are fresh.
pub fn print_plan(session: &Session, selection: &Selection) -> Result<bool> {
    let plan = session.context().plan(selection)?;
    let width = plan
        .iter()
        .map(|(stage, _)| session.id(*stage).len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let (mut fresh, mut restore, mut stale, mut waits) = (0, 0, 0, 0);
    for (stage, state) in &plan {
        let (word, detail) = match state {
            State::Fresh => {
                fresh += 1;
                ("fresh", String::new())
            }
            State::Restore(paths) => {
                restore += 1;
                let exists = |path: &&std::path::PathBuf| session.workspace.out.join(path).exists();
                let edited = paths.iter().filter(exists).count();
                let word = if edited > 0 { "modified" } else { "missing" };
                let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
                (
                    word,
                    format!("{} (in the cache: run restores)", shown.join(", ")),
                )
            }
            State::Stale(reason) => {
                stale += 1;
                ("stale", reason.to_string())
            }
            State::Waits(upstream) => {
                waits += 1;
                (
                    "stale",
                    format!("after {}", session.ids(upstream.iter().copied())),
                )
            }
        };
        let line = format!("{word:8}  {:width$}  {detail}", session.id(*stage));
        text += line.trim_end();
        text.push('\n');
    }
    text += &format!("{}: {fresh} fresh", count(plan.len(), "stage"));
    let rest = [
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
    text.push('\n');
    terminal::print(&text);
    Ok(fresh == plan.len())
}
