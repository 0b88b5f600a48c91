//! Reads the trace that the engine gives to kinds that ask for it.
//!
//! Knows its format, and who read what. Does not know what the stages do.

use retrace::base::error::{Error, Result};
use retrace::stage::publication::{FORMAT, Origin};
use serde::Deserialize;
use serde_json::Value;

/// All stages upstream, in an order in which they can run.
#[derive(Deserialize)]
pub struct Trace {
    format: u64,
    pub stages: Vec<Traced>,
}

#[derive(Deserialize)]
pub struct Traced {
    pub stage: String,
    pub kind: String,
    /// What it shows, as pipeline.yaml says.
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub caption: Option<String>,
    pub params: Value,
    pub inputs: Vec<Origin>,
    pub outputs: Vec<Written>,
}

#[derive(Deserialize)]
pub struct Written {
    pub name: String,
    pub path: String,
    pub digest: String,
}

impl Trace {
    /// Reads its JSON.
    ///
    /// # Errors
    /// Another format.
    pub fn read(bytes: &[u8]) -> Result<Trace> {
        let wrong = |why: String| Error::failed(format!("the trace cannot be read: {why}"));
        let trace: Trace = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        match trace.format {
            FORMAT => Ok(trace),
            other => Err(wrong(format!("it has format {other}, not {FORMAT}"))),
        }
    }
}

/// The stage that `stage.output` names; none for a file.
pub fn stage_of(from: &str) -> Option<&str> {
    match from.contains('/') {
        true => None,
        false => from.rsplit_once('.').map(|(stage, _)| stage),
    }
}

/// A stage's name without its item: `finetune@zs` is one of `finetune`.
pub fn name_of(id: &str) -> &str {
    id.split('@').next().unwrap_or(id)
}
