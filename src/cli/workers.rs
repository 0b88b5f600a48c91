//! What every verb that runs stages starts with: the one thread pool, and an ear for Ctrl-C.

use crate::cli::exit;
use crate::cli::terminal;
use crate::pipeline::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Set by Ctrl-C.
pub fn cancelled() -> &'static AtomicBool {
    &CANCELLED
}

/// How many threads: `-j`, or as many as there are cores.
pub fn count(jobs: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    jobs.map_or_else(cores, usize::from)
}

/// Starts the threads; once in a process, before the first stage that really works.
pub fn start(jobs: Option<u16>) -> Result<()> {
    let jobs = count(jobs);
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build_global()
        .map_err(|e| {
            let threads = terminal::count(jobs, "thread");
            Error::failed(format!("cannot start {threads}: {e}"))
        })?;
    ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        terminal::note("interrupted: stopping the stages that run (again: stop at once)");
    })
    .map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))
}
