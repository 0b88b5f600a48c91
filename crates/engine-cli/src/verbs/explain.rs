//! Verb `explain`: the parts of a stage's key.

use crate::answers::answer;
use crate::answers::explain::{Explained, KeyOf, OutputPath, Recorded, StageParts};
use crate::answers::status::{StageState, StageStatus};
use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use crate::verbs::status;
use clap::Args;
use retrace::base::error::Result;
use retrace::run::plan::{Context, Plan};
use retrace::stage::stage::Stage;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// Shows what the targets' keys are made of, and what differs from the lock.
pub fn explain(session: &Session, args: &ExplainArgs) -> Result<u8> {
    let selection = session.look_at(&args.targets)?;
    let context = session.context()?;
    let plan = context.plan(&selection)?;
    let stages = selection.targets.iter();
    let stages = stages.map(|&index| parts(session, &context, &plan, index));
    let explained = Explained {
        stages: stages.collect::<Result<_>>()?,
    };
    terminal::print(&match args.json {
        true => answer::text(&explained)?,
        false => explained.stages.iter().map(text).collect(),
    });
    Ok(exit::OK)
}

/// All that is said of a stage.
fn parts(session: &Session, context: &Context, plan: &Plan, index: usize) -> Result<StageParts> {
    let stage = &session.engine.pipeline.stages[index];
    let StageStatus {
        state, why, chain, ..
    } = status::describe(session, plan, index, &plan.states[&index]);
    let outputs = stage.outputs.iter().map(|(output, path)| OutputPath {
        output: output.clone(),
        path: path.display().to_string(),
    });
    let inputs = context.input_digests(stage, |upstream| plan.known.get(&upstream))?;
    let key = inputs
        .map(|inputs| key(context, stage, inputs))
        .transpose()?;
    Ok(StageParts {
        stage: stage.id.clone(),
        state,
        why,
        chain,
        outputs: outputs.collect(),
        key,
    })
}

fn key(context: &Context, stage: &Stage, inputs: Vec<(String, retrace::Digest)>) -> Result<KeyOf> {
    let key = context.probe(stage, inputs).key;
    let parts = key.parts();
    let (lock, changes) = match context.recorded(stage)? {
        None => match context.elsewhere(stage, key.digest()) {
            Ok(Some(old)) => (
                Recorded::Renamed {
                    stage: old.to_owned(),
                },
                Vec::new(),
            ),
            _ => (Recorded::No, Vec::new()),
        },
        Some(block) if block.key == key.digest() => (Recorded::SameKey, Vec::new()),
        Some(block) => (Recorded::OtherKey, context.changes(stage, block, &key)),
    };
    Ok(KeyOf {
        digest: key.digest(),
        kind: parts.kind,
        params: parts.params,
        inputs: parts.inputs,
        code: (*parts.code).clone(),
        lock,
        changes,
    })
}

fn text(parts: &StageParts) -> String {
    let mut text = String::new();
    let mut line = |indent: usize, label: &str, value: &str| {
        let _ = writeln!(text, "{:indent$}{label:40}  {value}", "");
    };
    let StageParts {
        stage,
        state,
        why,
        chain,
        outputs,
        key,
    } = parts;
    let Some(key) = key else {
        return match chain.is_empty() {
            true => format!("{stage}\n  {state}: {why}\n\n"),
            false => format!("{stage}\n  the key is known {why}\n\n"),
        };
    };
    line(0, stage, "");
    line(2, "key", &key.digest.to_string());
    line(2, "kind", &key.kind);
    for (name, value) in &key.params {
        line(2, &format!("param {name}"), &value.to_string());
    }
    for (role, digest) in &key.inputs {
        line(2, &format!("input {role}"), &digest.to_string());
    }
    for (name, version) in &key.code {
        line(2, &format!("code {name}"), version);
    }
    for OutputPath { output, path } in outputs {
        line(2, &format!("output {output}"), path);
    }
    let state = match state {
        StageState::Fresh => state.to_string(),
        _ => format!("{state}: {why}"),
    };
    line(2, "state", &state);
    match &key.lock {
        Recorded::No => line(2, "lock", "has no such stage"),
        Recorded::Renamed { stage } => line(2, "lock", &format!("same key, recorded as {stage}")),
        Recorded::SameKey => line(2, "lock", "same key"),
        Recorded::OtherKey => {
            for change in &key.changes {
                line(2, "differs from the lock", &change.to_string());
            }
        }
    }
    text.push('\n');
    text
}
