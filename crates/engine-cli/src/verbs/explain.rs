//! Verb `explain`: the parts of a stage's key.

use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::program::exit;
use clap::Args;
use retrace::base::error::Result;
use retrace::lock::file::Block;
use retrace::run::plan::{Context, State};
use retrace::stage::key::Key;
use retrace::stage::stage::Stage;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
}

/// Shows what the targets' keys are made of, and what differs from the lock.
pub fn explain(session: &Session, args: &TargetArgs) -> Result<u8> {
    let selection = session.look_at(&args.targets)?;
    let context = session.context()?;
    let plan = context.plan(&selection)?;
    let mut text = String::new();
    for &index in &selection.targets {
        let stage = &session.engine.pipeline.stages[index];
        let state = &plan.states[&index];
        let Some(inputs) = context.input_digests(stage, |upstream| plan.known.get(&upstream))?
        else {
            if let State::Absent(absent) = state {
                let _ = writeln!(text, "{}\n  absent: {}\n", stage.id, absent.words());
                continue;
            }
            let chain = plan.chain(index);
            let _ = writeln!(
                text,
                "{}\n  the key is known after: {}",
                stage.id,
                session.ids(chain[1..].iter().copied())
            );
            if let Some(reason) = plan.root_reason(&chain) {
                let _ = writeln!(text, "  because of: {reason}\n");
            }
            continue;
        };
        let probe = context.probe(stage, inputs);
        let recorded = context.recorded(stage)?;
        show(&mut text, &context, stage, (&probe.key, recorded), state);
    }
    terminal::print(&text);
    Ok(exit::OK)
}

fn show(
    text: &mut String,
    context: &Context,
    stage: &Stage,
    (key, recorded): (&Key, Option<&Block>),
    state: &State,
) {
    let parts = key.parts();
    let mut line = |indent: usize, label: &str, value: &str| {
        let _ = writeln!(text, "{:indent$}{label:40}  {value}", "");
    };
    line(0, &stage.id, "");
    line(2, "key", &key.digest().to_string());
    line(2, "kind", &parts.kind);
    for (name, value) in &parts.params {
        line(2, &format!("param {name}"), &value.to_string());
    }
    for (role, digest) in &parts.inputs {
        line(2, &format!("input {role}"), &digest.to_string());
    }
    for (name, version) in parts.code.iter() {
        line(2, &format!("code {name}"), version);
    }
    for (name, path) in &stage.outputs {
        line(2, &format!("output {name}"), &path.display().to_string());
    }
    let state = match state {
        State::Fresh => "fresh".to_owned(),
        State::Restore(_) => "in the cache; files differ or are missing".to_owned(),
        State::Stale(reason) => format!("stale: {reason}"),
        State::Absent(absent) => format!("absent: {}", absent.words()),
        State::Waits(_) => "waits".to_owned(),
    };
    line(2, "state", &state);
    match recorded {
        None => match context.elsewhere(stage, key.digest()) {
            Ok(Some(old)) => line(2, "lock", &format!("same key, recorded as {old}")),
            _ => line(2, "lock", "has no such stage"),
        },
        Some(block) if block.key == key.digest() => line(2, "lock", "same key"),
        Some(block) => {
            for change in context.changes(stage, block, key) {
                line(2, "differs from the lock", &change.to_string());
            }
        }
    }
    text.push('\n');
}
