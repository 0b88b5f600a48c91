//! What each stage asks of a cluster: what the section `resources` says of its kind, then of itself.

use crate::base::error::{Error, Result};
use crate::spec::ids::Pattern;
use crate::spec::resources::{Asked, ResourcesSpec};
use crate::stage::kind::Kind;
use crate::stage::stage::Stage;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What a stage, or a task of several, asks of a cluster. What is `None` is left to the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    pub cores: u64,
    pub gpus: u64,
    /// In megabytes of 2^20 bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_mb: Option<u64>,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minutes: Option<u64>,
}

/// What each of the stages asks for; stages that nothing is said of are not in the answer.
///
/// # Errors
/// An entry names a kind or a stage that does not exist.
pub(crate) fn of_stages(
    spec: &ResourcesSpec,
    stages: &[Stage],
    kinds: &[Box<dyn Kind>],
) -> Result<BTreeMap<usize, Asked>> {
    let mut found: BTreeMap<usize, Asked> = BTreeMap::new();
    for (key, asked) in &spec.kinds {
        let Some(kind) = kinds.iter().position(|kind| kind.name() == key.text) else {
            let known = kinds.iter().map(|kind| kind.name());
            let error = Error::config(format!("resources: there is no kind `{}`", key.text));
            return Err(error.at(&key.place).suggest(&key.text, known));
        };
        let of_kind = (0..stages.len()).filter(|&stage| stages[stage].kind == kind);
        of_kind.for_each(|stage| add(found.entry(stage).or_default(), asked));
    }
    for (key, asked) in &spec.stages {
        let pattern = Pattern::read(&key.text).map_err(|e| e.at(&key.place))?;
        let named = (0..stages.len()).filter(|&stage| pattern.matches(&stages[stage].id));
        let named: Vec<usize> = named.collect();
        if named.is_empty() {
            let known = stages.iter().map(|stage| stage.id.as_str());
            let error = Error::config(format!("resources: there is no stage `{}`", key.text));
            return Err(error.at(&key.place).suggest(&key.text, known));
        }
        let named = named.into_iter();
        named.for_each(|stage| add(found.entry(stage).or_default(), asked));
    }
    Ok(found)
}

/// Puts what an entry says in place of what was said before.
fn add(all: &mut Asked, more: &Asked) {
    all.cores = more.cores.or(all.cores);
    all.memory_mb = more.memory_mb.or(all.memory_mb);
    all.minutes = more.minutes.or(all.minutes);
    all.gpus = more.gpus.or(all.gpus);
}

/// What a stage asks for: its job says how many cores, where the file does not.
pub(crate) fn of_stage(stage: &Stage, asked: Option<&Asked>) -> Resources {
    let asked = asked.copied().unwrap_or_default();
    Resources {
        cores: asked.cores.unwrap_or(stage.job.cores() as u64).max(1),
        gpus: asked.gpus.unwrap_or(0),
        memory_mb: asked.memory_mb,
        minutes: asked.minutes,
    }
}

/// The section in the JSON Schema of pipeline.yaml.
pub(crate) fn schema(kinds: &[&str]) -> Json {
    let number = |about: &str, least: u64| json!({"description": about, "type": "integer", "minimum": least});
    let asked = json!({
        "type": "object",
        "properties": {
            "cores": number("Cores; without it what the kind says.", 1),
            "memory_mb": number("Memory, in megabytes of 2^20 bytes.", 1),
            "minutes": number("How long it may take.", 1),
            "gpus": number("GPUs.", 0),
        },
        "additionalProperties": false,
    });
    json!({
        "description": "What stages ask of a cluster (verb `plan`); in no key. What is said of a stage stands in place of what is said of its kind.",
        "type": ["object", "null"],
        "properties": {
            "kinds": {
                "type": ["object", "null"],
                "propertyNames": {"enum": kinds},
                "additionalProperties": asked,
            },
            "stages": {
                "description": "Ids, names and globs of stages.",
                "type": ["object", "null"],
                "additionalProperties": asked,
            },
        },
        "additionalProperties": false,
    })
}
