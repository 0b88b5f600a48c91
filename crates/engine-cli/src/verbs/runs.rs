//! Verb `runs`: the log of past runs.

use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::store::history::{self, PastRun};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Show one run with all its stages: its number in the list
    pub number: Option<usize>,
    /// How many of the latest runs to list
    #[arg(long, default_value_t = 20)]
    pub last: usize,
    /// Print JSON instead of lines
    #[arg(long)]
    pub json: bool,
}

/// Lists runs, or shows one.
pub fn runs(session: &Session, args: &RunsArgs) -> Result<u8> {
    let runs = history::read(&session.engine.workspace.history_path())?;
    let text = match args.number {
        Some(number) => {
            let run = number.checked_sub(1).and_then(|index| runs.get(index));
            let run = run.ok_or_else(|| {
                let message = format!("there is no run {number}");
                Error::config(message).hint(format!("runs are numbered 1 to {}", runs.len()))
            })?;
            match args.json {
                true => json(&run),
                false => one(number, run),
            }
        }
        None => {
            let first = runs.len().saturating_sub(args.last);
            match args.json {
                true => json(&&runs[first..]),
                false if runs.is_empty() => "no run yet\n".to_owned(),
                false => {
                    let numbered = runs.iter().enumerate().skip(first);
                    numbered.map(|(i, run)| head(i + 1, run)).collect()
                }
            }
        }
    };
    terminal::print(&text);
    Ok(exit::OK)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn head(number: usize, run: &PastRun) -> String {
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

fn one(number: usize, run: &PastRun) -> String {
    let width = run.stages.iter().map(|s| s.stage.len()).max().unwrap_or(0);
    let line = |past: &history::PastStage| {
        format!(
            "      {:8}  {:width$}  {:6.2} s  {}\n",
            past.outcome, past.stage, past.seconds, past.reason
        )
    };
    head(number, run) + &run.stages.iter().map(line).collect::<String>()
}
