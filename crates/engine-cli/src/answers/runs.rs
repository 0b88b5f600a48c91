//! What `runs --json` says.

use crate::answers::answer::Answer;
use retrace::store::history::PastRun;
use schemars::JsonSchema;
use serde::Serialize;

/// Past runs, printed by `runs --json`; with a number that run alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Runs {
    /// The oldest first.
    pub runs: Vec<NumberedRun>,
}

/// A run with its place in the log.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NumberedRun {
    /// What `runs NUMBER` shows it by.
    pub number: usize,
    #[serde(flatten)]
    pub run: PastRun,
}

impl Answer for Runs {
    const NAME: &'static str = "runs";
    const FORMAT: &'static str = "retrace runs 1";
}
