//! What `status --json` says, and `run --dry-run --json`.

use crate::answers::answer::Answer;
use crate::answers::input::AbsentInput;
use retrace::stage::key::Change;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// The state of every stage that was asked for, printed by `status --json` and by `run --dry-run --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Status {
    /// Whether all of them are fresh.
    pub all_fresh: bool,
    /// In the order of the pipeline: each after all that it reads.
    pub stages: Vec<StageStatus>,
    /// Ids of stages of opt-in groups that nobody asked for.
    pub left_out: Vec<String>,
    /// Files among the published ones that no stage makes, from the folder of outputs.
    pub orphans: Vec<String>,
    /// Files that people supply themselves, that these stages read, and that are not here.
    pub absent: Vec<AbsentInput>,
}

/// What is said of a stage.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StageStatus {
    /// Its id.
    pub stage: String,
    pub state: StageState,
    /// In words; empty where it is fresh.
    pub why: String,
    /// Of a stage that is stale through others: their ids, the root cause last.
    pub chain: Vec<String>,
    /// Of a stage that runs because parts of its key changed: these parts.
    pub changes: Vec<Change>,
    /// In words, where the lock records it or its outputs elsewhere.
    pub moved: Vec<String>,
    /// `why`, where it is said of several stages of a matrix.
    #[serde(skip)]
    pub of_many: String,
    /// How long it took when it last ran; null where that is not known, and for a stage that need not run.
    pub estimated_seconds: Option<f64>,
}

/// What is the case with a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StageState {
    /// Nothing to do.
    Fresh,
    /// With `run --dry-run --as-recorded`: the lock knows what comes of it, so it is not made.
    Recorded,
    /// It runs, or may have to: `chain` and `why` say after what.
    Stale,
    /// Files of it were edited; the cache has them as they were made.
    Modified,
    /// Files of it are gone; the cache has them.
    Missing,
    /// The lock records the same bytes in another place or under another name.
    Moved,
    /// It cannot run: a file that people supply themselves is not here.
    Absent,
}

impl StageState {
    /// Whether a run takes it out of the cache.
    pub fn is_restored(self) -> bool {
        matches!(
            self,
            StageState::Modified | StageState::Missing | StageState::Moved
        )
    }
}

impl fmt::Display for StageState {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            StageState::Fresh => "fresh",
            StageState::Recorded => "recorded",
            StageState::Stale => "stale",
            StageState::Modified => "modified",
            StageState::Missing => "missing",
            StageState::Moved => "moved",
            StageState::Absent => "absent",
        })
    }
}

impl Answer for Status {
    const NAME: &'static str = "status";
    const FORMAT: &'static str = "retrace status 1";
}
