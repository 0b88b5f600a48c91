//! What every verb that runs stages starts with: the one thread pool, and an ear for Ctrl-C.

use crate::console::terminal;
use crate::program::exit;
use retrace::base::error::{Error, Place, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// More threads than these for each core only wait for each other, and each takes its memory: a stage
/// that writes its file leaves its core to one more.
const PER_CORE: usize = 2;

/// So many may be asked for on any machine: that results do not depend on it is to be seen on small
/// ones too.
const ALWAYS: usize = 4;

/// Set by Ctrl-C.
pub fn cancelled() -> &'static AtomicBool {
    &CANCELLED
}

/// How many threads: as many as `-j` says and as can help, or as there are cores.
pub fn count(jobs: Option<usize>) -> usize {
    let cores = cores();
    jobs.map_or(cores, |jobs| bounded(jobs, cores))
}

/// As many threads as are asked for, but not more than can help with so many cores.
pub fn bounded(asked: usize, cores: usize) -> usize {
    asked.min(cores.saturating_mul(PER_CORE).max(ALWAYS))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Refuses an environment whose `variable` asks a library for more threads than can help, where the
/// library alone reads it. What rayon's variable says does not count, for its pool is started here.
pub fn check_variable(variable: &str) -> Result<()> {
    let Some(value) = std::env::var_os(variable) else {
        return Ok(());
    };
    let (value, cores) = (value.to_string_lossy(), cores());
    let asked = value.trim().parse::<u64>().ok().filter(|asked| *asked > 0);
    let asked = asked.map(|asked| usize::try_from(asked).unwrap_or(usize::MAX));
    if asked.is_some_and(|asked| bounded(asked, cores) == asked) {
        return Ok(());
    }
    let message = match asked {
        Some(_) => format!("`{value}` threads are more than can help"),
        None => format!("`{value}` is no number of threads"),
    };
    let hint = format!(
        "unset it, or set it to at most {}",
        bounded(usize::MAX, cores)
    );
    Err(Error::config(message)
        .at(&Place::whole(variable))
        .hint(hint))
}

/// The value of `-j`. How many can help is another question: a number that no type holds is as good as
/// any other beyond that.
pub(crate) fn jobs(text: &str) -> std::result::Result<usize, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<usize>() {
        Ok(0) => Err("nothing runs in no thread: write 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) if is_number => Ok(usize::MAX),
        Err(_) => Err("write a whole number of threads, 1 or more".into()),
    }
}

/// Starts the threads; once in a process, before the first stage that really works.
pub fn start(jobs: Option<usize>) -> Result<()> {
    let threads = count(jobs);
    if let Some(asked) = jobs.filter(|asked| *asked > threads) {
        let cores = terminal::count(cores(), "core");
        terminal::note(&format!(
            "-j {asked}: {threads} threads are started, more do not help on {cores}"
        ));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| {
            let threads = terminal::count(threads, "thread");
            Error::failed(format!("cannot start {threads}: {e}"))
        })?;
    listen("stopping the stages that run")
}

/// Listens for Ctrl-C. `stopping` says what the first one does: who listens first in a process says it.
///
/// # Errors
/// The system does not let it.
pub(crate) fn listen(stopping: &'static str) -> Result<()> {
    static LISTENS: AtomicBool = AtomicBool::new(false);
    if LISTENS.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    ctrlc::set_handler(move || {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        terminal::note(&format!("interrupted: {stopping} (again: stop at once)"));
    })
    .map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_threads_than_can_help() {
        for (asked, cores, started) in [
            (1, 2, 1),
            (3, 1, 3),
            (3, 2, 3),
            (8000, 2, 4),
            (65_535, 64, 128),
            (usize::MAX, 1, 4),
            (100, usize::MAX, 100),
        ] {
            assert_eq!(bounded(asked, cores), started, "{asked} on {cores}");
        }
    }
}
