//! What `verify --json` says.

use crate::answers::answer::Answer;
use crate::answers::input::AbsentFor;
use retrace::stage::key::Change;
use schemars::JsonSchema;
use serde::Serialize;

/// What is not as pipeline.lock records it, printed by `verify --json`. With `--rebuild` the object is another one:
/// `retrace verify-rebuild`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verified {
    /// How many files were compared.
    pub files: usize,
    /// How many objects of the cache were read.
    pub objects: usize,
    /// Files that differ in their line ends alone.
    pub line_ends: Vec<String>,
    /// Everything that is not as recorded; empty where all is.
    pub findings: Vec<Finding>,
    /// Ids of stages of opt-in groups that nobody asked for, of which there is neither a line nor a file.
    pub not_run: Vec<String>,
    /// Files among the published ones that no stage makes, from the folder of outputs.
    pub orphans: Vec<String>,
    /// Files that people supply themselves and that are not here.
    pub absent: Vec<AbsentFor>,
    /// Ids of recorded stages whose outputs stand for all within a tolerance of them.
    pub within: Vec<String>,
}

/// Something that is not as recorded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// The lock has no such stage.
    Unrecorded { stage: String },
    /// What the lock says of the stage cannot be read.
    Unreadable { stage: String, why: String },
    /// A line of the lock that nothing here can read.
    Lock {
        /// The stage that it names; null where that cannot be told.
        stage: Option<String>,
        /// Where in the file; null where that is not known.
        line: Option<usize>,
        why: String,
    },
    /// The lock records the stage under another name.
    Renamed { stage: String, from: String },
    /// The lock records the output in another place.
    Moved {
        stage: String,
        path: String,
        from: String,
    },
    /// pipeline.yaml, the code or an input is no longer what the lock was made from.
    Outdated { stage: String, changes: Vec<Change> },
    /// A published file is not there.
    Missing { stage: String, path: String },
    /// A file has other bytes.
    Differs { stage: String, path: String },
    /// The lock records the file as published by other code, or with another provenance.
    PublishedOtherwise { stage: String, path: String },
    /// The lock records another basis of comparison than pipeline.yaml declares.
    Basis { stage: String },
    /// An object of the cache does not have the bytes that its name claims.
    Damaged { path: String },
}

impl Answer for Verified {
    const NAME: &'static str = "verify";
    const FORMAT: &'static str = "retrace verify 1";
}
