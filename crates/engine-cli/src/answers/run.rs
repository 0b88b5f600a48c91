//! What `run --json` says.

use crate::answers::answer::Answer;
use crate::answers::input::AbsentInput;
use retrace::store::history::PastStage;
use schemars::JsonSchema;
use serde::Serialize;

/// How a run ended, printed by `run --json`. With `--dry-run` the object of `status --json` is printed in its place.
///
/// A run that is refused before it begins, for a target that does not exist for example, prints no object.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Ended {
    pub exit_code: u8,
    pub seconds: f64,
    /// In one line, as a run without `--json` ends with it.
    pub summary: String,
    pub counts: Counts,
    /// Stages that ran, failed, or came from the cache or a store, in the order in which they ended. Those that were
    /// fresh are counted and not listed.
    pub stages: Vec<PastStage>,
    /// Stages that made other bytes under the key that the lock records.
    pub differing: Vec<Differing>,
    /// What is not the recorded bytes and was compared within a tolerance.
    pub compared: Vec<ComparedOutput>,
    /// Stages that the lock recorded under another name.
    pub renamed: Vec<Renamed>,
    /// Outputs that the lock recorded elsewhere.
    pub moved: Vec<MovedOutput>,
    /// In words, how many stages of which opt-in groups nobody asked for; null where there are none.
    pub left_out: Option<String>,
    /// Files that people supply themselves, that these stages read, and that are not here.
    pub absent: Vec<AbsentInput>,
    /// Why targets did not run without these, where a run goes on after failures.
    pub refused: Option<String>,
    /// Where outputs went that are not those of the repository: a profile's, or with `--set` or `--out`.
    pub out: Option<String>,
    /// Whether the lock was brought up to date.
    pub wrote_lock: bool,
    pub interrupted: bool,
}

/// How many stages there were, by what became of them, and how many outputs.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Counts {
    /// All that follow but `as_recorded`, together.
    pub stages: usize,
    pub fresh: usize,
    /// Out of the cache.
    pub restored: usize,
    /// Out of a shared store.
    pub fetched: usize,
    pub ran: usize,
    pub failed: usize,
    /// Not reached, because of a failure or an interrupt.
    pub not_reached: usize,
    /// Stages that could not run here, or with `--as-recorded` were not made, because the lock knows what comes of them.
    pub as_recorded: usize,
    /// Outputs made or confirmed.
    pub outputs: usize,
    /// Of these, those that equal the lock.
    pub outputs_equal: usize,
    /// Of the others, those within a tolerance of what the lock records.
    pub outputs_within: usize,
    /// Of the others, those that the lock recorded elsewhere or under another name.
    pub outputs_moved: usize,
    /// Of the others, those of which the lock recorded nothing.
    pub outputs_new: usize,
}

/// A stage whose key the lock records with other bytes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Differing {
    pub stage: String,
    /// The names of the outputs that differ.
    pub outputs: Vec<String>,
    /// Whether the new bytes were recorded, as `--accept` asks.
    pub accepted: bool,
}

/// An output that was compared within a tolerance.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedOutput {
    pub stage: String,
    pub output: String,
    pub within: bool,
    /// How far it is from what is recorded, or why it is not within its tolerance.
    pub words: String,
}

/// A stage under its new name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Renamed {
    pub stage: String,
    /// The name that the lock recorded.
    pub from: String,
}

/// An output in its new place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MovedOutput {
    pub stage: String,
    /// The path that the lock recorded.
    pub from: String,
    pub path: String,
    /// Why the file in the old place was left there; null where none is there any more.
    pub old_file_left: Option<String>,
}

impl Answer for Ended {
    const NAME: &'static str = "run";
    const FORMAT: &'static str = "retrace run 1";
}
