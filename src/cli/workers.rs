//! What every verb that runs stages starts with: the one thread pool, and an ear for Ctrl-C.

use crate::cli::exit;
use crate::cli::terminal::count;
use crate::pipeline::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Ready to run stages; made once in a process.
pub struct Workers {
    pub count: usize,
    /// Set by Ctrl-C.
    pub cancelled: &'static AtomicBool,
}

/// Starts `-j` threads, or as many as there are cores.
pub fn start(jobs: Option<u16>) -> Result<Workers> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.map_or(cores, usize::from);
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build_global()
        .map_err(|e| Error::failed(format!("cannot start {}: {e}", count(jobs, "thread"))))?;
    ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        eprintln!("interrupted: stopping the stages that run (again: stop at once)");
    })
    .map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(Workers {
        count: jobs,
        cancelled: &CANCELLED,
    })
}
