//! What `verify --rebuild --json` says.

use crate::answers::answer::Answer;
use crate::answers::input::AbsentFor;
use crate::answers::run::ComparedOutput;
use retrace::Digest;
use retrace::stage::key::Change;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// What came out when stages were made again from an empty cache, printed by `verify --rebuild --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rebuilt {
    /// How many stages ran.
    pub stages: usize,
    pub seconds: f64,
    /// How many outputs they have.
    pub outputs: usize,
    /// Of these, those that equal the lock.
    pub equal: usize,
    /// Of the others, those within a tolerance of what the lock records.
    pub within: usize,
    /// What is not the recorded bytes and was compared within a tolerance.
    pub compared: Vec<ComparedOutput>,
    /// How many stages failed.
    pub failed: usize,
    /// How many stages were not reached, because of a failure or an interrupt.
    pub skipped: usize,
    /// How many stages of a sample were left out: what they read is not to be had.
    pub unreadable: usize,
    pub interrupted: bool,
    /// Ids of stages of opt-in groups that nobody asked for.
    pub left_out: Vec<String>,
    /// Files that people supply themselves and that are not here.
    pub absent: Vec<AbsentFor>,
    /// Everything that is not as recorded, roots first; empty where all is.
    pub findings: Vec<Finding>,
}

/// A stage that is not as recorded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// Its key or its outputs are others.
    Rebuild(Mismatch),
    /// It failed.
    Failed { stage: String, error: String },
}

/// How a stage is not as recorded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Mismatch {
    pub stage: String,
    pub cause: Cause,
    /// The stage where it starts, or with whose other outputs this one was recorded; null where it is this one.
    pub root: Option<String>,
    /// Parts of the key that are not those of the lock.
    pub changes: Vec<Change>,
    /// The name under which the lock records the stage, if that is another.
    pub renamed_from: Option<String>,
    /// Outputs with the recorded bytes that the lock records elsewhere.
    pub moved: Vec<Moved>,
    /// Outputs with other bytes.
    pub outputs: Vec<OtherOutput>,
}

/// Where a mismatch starts.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The lock has no such stage.
    Unrecorded,
    /// What it reads from other stages differs already, from `root` on.
    Upstream,
    /// The lock records it with other outputs of `root` than it records there.
    RecordedBefore,
    /// Its parameters, code or files are not those of the lock.
    Changed,
    /// Everything is the same but the stage's name, or the places of outputs.
    Moved,
    /// Everything it is made of is the same: it depends on something else.
    SameKey,
}

/// An output in its new place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Moved {
    /// The path that the lock records.
    pub from: String,
    pub path: String,
}

/// An output with other bytes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OtherOutput {
    pub output: String,
    pub path: String,
    /// Null where the lock has no such output.
    pub expected: Option<Digest>,
    pub found: Digest,
    /// Where the contents differ, as the program that knows the format says it; null where the expected bytes are
    /// neither in place nor in the cache, or the contents are the same.
    pub difference: Option<Json>,
}

impl Answer for Rebuilt {
    const NAME: &'static str = "verify-rebuild";
    const FORMAT: &'static str = "retrace verify-rebuild 1";
}
