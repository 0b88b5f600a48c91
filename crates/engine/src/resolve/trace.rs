//! What a stage is told of the stages before it, where its kind asks for that: a report says where
//! each number came from.
//!
//! The trace is one JSON object, an input like any other: its digest enters the key.

use crate::base::digest::Digest;
use crate::resolve::stages::Pipeline;
use crate::stage::kind::Kind;
use crate::stage::look::Look;
use crate::stage::publication::{FORMAT, Origin};
use crate::stage::stage::{Input, Source, Stage};
use crate::store::actions::Outputs;
use serde_json::{Value as Json, json};

/// The role under which a stage reads its trace.
pub const ROLE: &str = "trace";
/// What stands for a role where a stage found something by itself.
const FOUND: &str = "found";

/// Where the inputs of a stage came from; `digests` are by role, sorted.
pub fn origins(
    pipeline: &Pipeline,
    stage: &Stage,
    digests: &[(String, Digest)],
) -> Option<Vec<Origin>> {
    let mut origins = Vec::with_capacity(stage.inputs.len());
    for input in &stage.inputs {
        let role = input.key_name();
        let from = from(pipeline, &input.source);
        match digests.binary_search_by(|(name, _)| name.cmp(&role)) {
            Ok(at) => {
                let digest = digests[at].1;
                origins.push(Origin { role, from, digest });
            }
            // What is not recorded is not read.
            Err(_) if matches!(input.source, Source::Recorded { .. }) => {}
            Err(_) => return None,
        }
    }
    // What a watched stage found by itself.
    for (role, digest) in digests {
        if let Some(look) = Look::of_key_name(role) {
            let (role, from) = (FOUND.to_owned(), look.words());
            let digest = *digest;
            origins.push(Origin { role, from, digest });
        }
    }
    Some(origins)
}

/// Where an input comes from, in words.
pub fn from(pipeline: &Pipeline, source: &Source) -> String {
    let of = |stage: usize, output: &str| format!("{}.{output}", pipeline.stages[stage].id);
    match source {
        Source::File(path) => path.display().to_string(),
        Source::Output { stage, output } => of(*stage, output),
        Source::Recorded { stage, output } => format!("{} as recorded", of(*stage, output)),
    }
}

/// What a stage with a trace is told of an output that it reads as recorded; without a digest it is not
/// there.
pub fn recorded(
    input: &Input,
    maker: &Stage,
    output: &str,
    kind: &dyn Kind,
    digest: Option<Digest>,
) -> Json {
    let path = |(name, path): &(String, std::path::PathBuf)| json!({"name": name, "path": path});
    json!({
        "role": input.role,
        "label": input.label,
        "stage": maker.id,
        "kind": kind.name(),
        "title": maker.title,
        "caption": maker.caption,
        "output": output,
        "digest": digest,
        "within": within(maker),
        "outputs": maker.outputs.iter().map(path).collect::<Vec<Json>>(),
    })
}

/// One stage in a trace.
pub fn entry(stage: &Stage, kind: &dyn Kind, origins: &[Origin], outputs: &Outputs) -> Json {
    let output = |(name, path): &(String, std::path::PathBuf)| {
        let digest = outputs.get(name);
        json!({"name": name, "path": path, "digest": digest})
    };
    let mut entry = json!({
        "stage": stage.id,
        "kind": kind.name(),
        "title": stage.title,
        "caption": stage.caption,
        "params": *stage.job.params(),
        "inputs": origins,
        "outputs": stage.outputs.iter().map(output).collect::<Vec<Json>>(),
    });
    if !stage.compare.is_empty() {
        entry["within"] = within(stage).into();
    }
    entry
}

/// How the outputs of a stage compare that need not be the same bytes elsewhere.
fn within(stage: &Stage) -> Vec<String> {
    let compare = stage.compare.iter();
    compare
        .map(|(name, basis)| format!("{name}: {basis}"))
        .collect()
}

/// The whole trace as text; stages in an order in which they can run, then what is read as recorded, where
/// there is such a thing.
pub fn text(stages: Vec<Json>, recorded: Vec<Json>) -> String {
    match recorded.is_empty() {
        true => json!({"format": FORMAT, "stages": stages}),
        false => json!({"format": FORMAT, "stages": stages, "recorded": recorded}),
    }
    .to_string()
}
