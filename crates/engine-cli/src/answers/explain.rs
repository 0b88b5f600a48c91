//! What `explain --json` says.

use crate::answers::answer::Answer;
use crate::answers::status::StageState;
use retrace::Digest;
use retrace::stage::key::Change;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What the keys of stages are made of, printed by `explain --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// The stages that the targets name, in the order of the pipeline.
    pub stages: Vec<StageParts>,
}

/// A stage, its key, and what differs from the lock.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StageParts {
    /// Its id.
    pub stage: String,
    /// As `status` says it.
    pub state: StageState,
    /// Why it is in that state; empty where it is fresh.
    pub why: String,
    /// Where the key is not known before others have run: their ids, the root cause last.
    pub chain: Vec<String>,
    /// Output names and their paths, in the order of the kind.
    pub outputs: Vec<OutputPath>,
    /// Null where what it reads is not known yet, or not here.
    pub key: Option<KeyOf>,
}

/// An output and its file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OutputPath {
    pub output: String,
    /// From the folder of outputs, which is the root of the repository unless another is asked for.
    pub path: String,
}

/// A key and all that is hashed into it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeyOf {
    pub digest: Digest,
    /// The name of the kind.
    pub kind: String,
    /// Parameters by their path, such as `training.steps`: values that have none below them.
    pub params: BTreeMap<String, Json>,
    /// Digests of the contents that it reads, by role, with the label of an artifact where a role takes several.
    pub inputs: BTreeMap<String, Digest>,
    /// Source modules and locked dependencies that the kind's code reaches, each with its digest or version.
    pub code: BTreeMap<String, String>,
    pub lock: Recorded,
    /// The parts that are other than the lock records; empty where it records this key, or no such stage.
    pub changes: Vec<Change>,
}

/// What the lock has of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "recorded", rename_all = "kebab-case")]
pub enum Recorded {
    /// Nothing.
    No,
    /// This key.
    SameKey,
    /// This key, for a stage of another name.
    Renamed { stage: String },
    /// Another key.
    OtherKey,
}

impl Answer for Explained {
    const NAME: &'static str = "explain";
    const FORMAT: &'static str = "retrace explain 1";
}
