//! What `repeat --json` says.

use crate::answers::answer::Answer;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// Which outputs of a stage differ when it runs again under other circumstances, printed by `repeat --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Repeated {
    /// Its id.
    pub stage: String,
    /// Whether every run made the same bytes.
    pub repeatable: bool,
    /// The runs after the first, in the order in which they were made.
    pub varied: Vec<VariedRun>,
}

/// A run under other circumstances.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VariedRun {
    /// What `--only` takes.
    pub name: String,
    /// What was other, in words.
    pub what: String,
    /// The outputs that are not as the first run made them; of all but `again` without those that differ each time.
    pub outputs: Vec<OtherBytes>,
    /// Why it failed; null where it did not.
    pub error: Option<String>,
}

/// An output that is not as the first run made it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OtherBytes {
    pub output: String,
    pub path: String,
    /// Where the contents differ, as the program that knows the format says it; null where only the bytes do.
    pub difference: Option<Json>,
}

impl Answer for Repeated {
    const NAME: &'static str = "repeat";
    const FORMAT: &'static str = "retrace repeat 1";
}
