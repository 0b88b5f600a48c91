//! What a stage is told of the stages before it, where its kind asks for that: a report says where
//! each number came from.
//!
//! The trace is one JSON object, an input like any other: its digest enters the key.

use crate::base::digest::Digest;
use crate::resolve::stages::Pipeline;
use crate::stage::kind::Kind;
use crate::stage::publication::{FORMAT, Origin};
use crate::stage::stage::{Source, Stage};
use crate::store::actions::Outputs;
use serde_json::{Value as Json, json};

/// The role under which a stage reads its trace.
pub const ROLE: &str = "trace";

/// Where the inputs of a stage came from; `digests` are by role, sorted.
pub fn origins(
    pipeline: &Pipeline,
    stage: &Stage,
    digests: &[(String, Digest)],
) -> Option<Vec<Origin>> {
    let origin = |input: &crate::stage::stage::Input| {
        let role = input.key_name();
        let at = digests.binary_search_by(|(name, _)| name.cmp(&role)).ok()?;
        let from = match &input.source {
            Source::File(path) => path.display().to_string(),
            Source::Output { stage, output } => format!("{}.{output}", pipeline.stages[*stage].id),
        };
        let digest = digests[at].1;
        Some(Origin { role, from, digest })
    };
    stage.inputs.iter().map(origin).collect()
}

/// One stage in a trace.
pub fn entry(stage: &Stage, kind: &dyn Kind, origins: &[Origin], outputs: &Outputs) -> Json {
    let output = |(name, path): &(String, std::path::PathBuf)| {
        let digest = outputs.get(name);
        json!({"name": name, "path": path, "digest": digest})
    };
    json!({
        "stage": stage.id,
        "kind": kind.name(),
        "title": stage.title,
        "caption": stage.caption,
        "params": *stage.job.params(),
        "inputs": origins,
        "outputs": stage.outputs.iter().map(output).collect::<Vec<Json>>(),
    })
}

/// The whole trace as text; stages in an order in which they can run.
pub fn text(stages: Vec<Json>) -> String {
    json!({"format": FORMAT, "stages": stages}).to_string()
}
