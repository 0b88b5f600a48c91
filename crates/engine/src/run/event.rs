//! What happens to stages during a run, for whoever shows it or takes it down.

use crate::base::error::Error;
use crate::run::plan::Reason;
use crate::stage::kind::Progress;
use std::path::PathBuf;

/// What happens during a run.
#[derive(Clone, Debug)]
pub enum Event {
    Started {
        stage: usize,
        reason: Reason,
    },
    Progress {
        stage: usize,
        progress: Progress,
    },
    /// The stage says that something may not be as it was meant.
    Warned {
        stage: usize,
        words: String,
    },
    Done {
        stage: usize,
        outcome: Outcome,
        seconds: f64,
    },
    Failed {
        stage: usize,
        error: Error,
        log: Option<PathBuf>,
    },
}

/// How a stage ended that has its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fresh,
    /// Not in the cache, and as the lock records it: nothing was made.
    Recorded,
    Restored,
    /// A shared store had what the lock records.
    Fetched,
    Ran,
}

/// Hears the events, from several threads.
pub type Observer<'a> = &'a (dyn Fn(Event) + Sync);
