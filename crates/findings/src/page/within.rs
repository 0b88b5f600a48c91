//! Which stages make what need not be the same bytes elsewhere, and how it compares: the trace says so.

use crate::exchange::failed::failed;
use retrace::base::error::Result;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The words by stage; none for what is the same everywhere.
pub struct Within(BTreeMap<String, Vec<String>>);

#[derive(Deserialize)]
struct Told {
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    stage: String,
    #[serde(default)]
    within: Vec<String>,
}

/// Reads a trace.
///
/// # Errors
/// It is none.
pub fn read(trace: &[u8]) -> Result<Within> {
    let told: Told = serde_json::from_slice(trace).map_err(failed)?;
    let stages = told
        .stages
        .into_iter()
        .map(|stage| (stage.stage, stage.within));
    Ok(Within(
        stages.filter(|(_, within)| !within.is_empty()).collect(),
    ))
}

impl Within {
    /// What is said of a stage.
    pub fn of(&self, stage: &str) -> Vec<String> {
        self.0.get(stage).cloned().unwrap_or_default()
    }
}
