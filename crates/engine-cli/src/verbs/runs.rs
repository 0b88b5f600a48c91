//! Verb `runs`: the log of past runs.

use crate::answers::answer;
use crate::answers::runs::{NumberedRun, Runs};
use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::store::history::{self, PastRun, PastStage};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Show one run with all its stages: its number in the list
    pub number: Option<usize>,
    /// How many of the latest runs to list
    #[arg(long, default_value_t = 20)]
    pub last: usize,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// Lists runs, or shows one.
pub fn runs(session: &Session, args: &RunsArgs) -> Result<u8> {
    let runs = history::read(&session.engine.workspace.history_path())?;
    let past = runs.len();
    let numbered = (1..)
        .zip(runs)
        .map(|(number, run)| NumberedRun { number, run });
    let shown: Vec<NumberedRun> = match args.number {
        None => numbered.skip(past.saturating_sub(args.last)).collect(),
        Some(wanted) => numbered.filter(|run| run.number == wanted).collect(),
    };
    if let Some(number) = args.number.filter(|_| shown.is_empty()) {
        let error = Error::config(format!("there is no run {number}"));
        return Err(match past {
            0 => error.hint("there was no run yet"),
            _ => error.hint(format!("runs are numbered 1 to {past}")),
        });
    }
    let runs = Runs { runs: shown };
    terminal::print(&match (args.json, args.number) {
        (true, _) => answer::text(&runs)?,
        (false, Some(_)) => runs.runs.iter().map(whole).collect(),
        (false, None) if past == 0 => "no run yet\n".to_owned(),
        (false, None) => runs.runs.iter().map(head).collect(),
    });
    Ok(exit::OK)
}

fn head(NumberedRun { number, run }: &NumberedRun) -> String {
    let started = UNIX_EPOCH + Duration::from_secs(run.started);
    let started = humantime::format_rfc3339_seconds(started);
    let PastRun {
        command,
        summary,
        exit_code,
        ..
    } = run;
    format!("{number:>4}  {started}  exit {exit_code}  {command}\n      {summary}\n")
}

fn whole(numbered: &NumberedRun) -> String {
    let stages = &numbered.run.stages;
    let width = stages.iter().map(|s| s.stage.len()).max().unwrap_or(0);
    let line = |past: &PastStage| {
        format!(
            "      {:8}  {:width$}  {:6.2} s  {}\n",
            past.outcome, past.stage, past.seconds, past.reason
        )
    };
    head(numbered) + &stages.iter().map(line).collect::<String>()
}
