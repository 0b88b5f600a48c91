//! What a stage was made from, all the way up: an input for kinds that ask for it.
//!
//! Knows stages, inputs and digests. Holds neither keys nor code: a change that changes no result
//! changes no trace.

use crate::pipeline::actions::Outputs;
use crate::pipeline::digest::Digest;
use crate::pipeline::plan::Context;
use crate::pipeline::stage::{Source, Stage};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The role under which a kind reads it.
pub const ROLE: &str = "trace";
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Trace<'a> {
    format: u32,
    /// In an order in which they can run.
    stages: Vec<Traced<'a>>,
}

#[derive(Serialize)]
struct Traced<'a> {
    stage: &'a str,
    kind: &'a str,
    params: &'a serde_json::Value,
    inputs: Vec<Read>,
    outputs: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Read {
    role: String,
    from: String,
    digest: String,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    path: String,
    digest: String,
}

/// All stages upstream of `stage` as JSON; none while an output of theirs is not known. `digests`
/// gives the files that stages read.
pub fn of<'o>(
    context: &Context,
    stage: &Stage,
    outputs: impl Fn(usize) -> Option<&'o Outputs>,
) -> crate::pipeline::error::Result<Option<Vec<u8>>> {
    let stages = &context.pipeline.stages;
    let mut upstream = BTreeSet::new();
    let mut ahead = stage.upstream();
    while let Some(next) = ahead.pop() {
        if upstream.insert(next) {
            ahead.extend(stages[next].upstream());
        }
    }
    let mut files = BTreeMap::new();
    let mut traced = Vec::with_capacity(upstream.len());
    for index in upstream {
        let stage = &stages[index];
        let Some(made) = outputs(index) else {
            return Ok(None);
        };
        let mut inputs = Vec::with_capacity(stage.inputs.len());
        for input in &stage.inputs {
            let (from, digest): (String, Option<Digest>) = match &input.source {
                Source::File(path) => {
                    let digest = match files.get(path) {
                        Some(digest) => *digest,
                        None => {
                            let full = context.workspace.root.join(path);
                            let digest = context.store.digest_of(&full)?;
                            files.insert(path, digest);
                            digest
                        }
                    };
                    (path.display().to_string(), Some(digest))
                }
                Source::Output { stage, output } => (
                    format!("{}.{output}", stages[*stage].id),
                    outputs(*stage).and_then(|outputs| outputs.get(output).copied()),
                ),
            };
            let Some(digest) = digest else {
                return Ok(None);
            };
            inputs.push(Read {
                role: input.key_name(),
                from,
                digest: digest.to_string(),
            });
        }
        let written = |(name, path): &'_ (String, std::path::PathBuf)| {
            Some((
                name.clone(),
                path.display().to_string(),
                made.get(name)?.to_string(),
            ))
        };
        let Some(written) = stage
            .outputs
            .iter()
            .map(written)
            .collect::<Option<Vec<_>>>()
        else {
            return Ok(None);
        };
        let names = stage.outputs.iter().map(|(name, _)| name.as_str());
        traced.push(Traced {
            stage: &stage.id,
            kind: context.kinds[stage.kind].name(),
            params: stage.job.params(),
            inputs,
            outputs: names
                .zip(written)
                .map(|(name, (_, path, digest))| Written { name, path, digest })
                .collect(),
        });
    }
    let trace = Trace {
        format: FORMAT,
        stages: traced,
    };
    let bytes = serde_json::to_vec(&trace)
        .map_err(|e| crate::pipeline::error::Error::failed(format!("the trace: {e}")))?;
    Ok(Some(bytes))
}
