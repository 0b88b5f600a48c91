//! Verb `run`.

use crate::cli::args::RunArgs;
use crate::cli::progress::Display;
use crate::cli::session::Session;
use crate::cli::terminal::{self, count};
use crate::cli::{exit, status, workers};
use crate::pipeline::error::Result;
use crate::pipeline::run::{Options, Run, Summary, check_writable};

/// Brings targets up to date.
pub fn run(mut session: Session, args: &RunArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    if args.dry_run {
        status::print_plan(&session, &selection)?;
        return Ok(exit::OK);
    }
    let held = session.workspace.lock_for_run(!args.no_wait, |holder| {
        eprintln!("{holder}: waiting for it to end (Ctrl-C gives up)");
    })?;
    // Another run may have written the lock while this one waited.
    session.lock = crate::pipeline::lock::Lock::read(&session.workspace.lock_path())?;
    check_writable(&session.context())?;
    let workers = workers::start(args.jobs)?;
    let options = Options {
        workers: workers.count,
        force: args.force,
        keep_going: args.keep_going,
        accept: args.accept,
    };
    let context = session.context();
    let display = Display::new(&session.pipeline, selection.closure.len());
    let summary = Run {
        context: &context,
        options: &options,
        selection: &selection,
        observer: &|event| display.show(event),
        cancelled: workers.cancelled,
    }
    .execute();
    display.finish();
    let summary = summary?;
    drop(held);
    Ok(conclude(&session, args, &summary))
}

/// Says what happened; returns the exit code.
fn conclude(session: &Session, args: &RunArgs, summary: &Summary) -> u8 {
    for (stage, outputs) in &summary.differing {
        let id = session.id(*stage);
        let names = outputs.join(", ");
        let end = if args.accept {
            "recorded (--accept)"
        } else {
            "the lock was left alone"
        };
        eprintln!("{id}: the same key gave other bytes than the lock records ({names}); {end}");
    }
    if !summary.differing.is_empty() && !args.accept {
        eprintln!("  hint: `icl-repro verify` names the files; `--accept` records the new bytes");
    }
    let made = summary.fresh + summary.restored + summary.ran;
    let total = made + summary.failed.len() + summary.skipped;
    let mut line = format!("{}: {} fresh", count(total, "stage"), summary.fresh);
    if summary.restored > 0 {
        line += &format!(", {} restored", summary.restored);
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
    let which = if session.workspace.publishes() {
        "the committed lock"
    } else {
        "the lock"
    };
    let (equal, outputs) = (summary.outputs_equal, summary.outputs);
    line += &format!("; {equal} of {outputs} outputs equal {which}\n");
    if !session.workspace.publishes() {
        line += &format!("outputs are in {}\n", session.workspace.out.display());
    }
    terminal::print(&line);
    if summary.interrupted {
        eprintln!("interrupted: what is finished is kept");
        exit::INTERRUPTED
    } else if !summary.failed.is_empty() {
        exit::FAILED
    } else if !summary.differing.is_empty() && !args.accept {
        exit::DIFFERS
    } else {
        exit::OK
    }
}
