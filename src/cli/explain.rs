//! Verb `explain`: the parts of a stage's key.

use crate::cli::args::TargetArgs;
use crate::cli::exit;
use crate::cli::session::Session;
use crate::cli::terminal;
use crate::pipeline::error::Result;
use crate::pipeline::plan::State;
use crate::pipeline::resolve::Stage;
use crate::pipeline::store::Outputs;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Shows what the targets' keys are made of, and what differs from the lock.
pub fn explain(session: &Session, args: &TargetArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let context = session.context();
    let mut known: BTreeMap<usize, Outputs> = BTreeMap::new();
    let mut text = String::new();
    for (index, state) in context.plan(&selection)? {
        let stage = &session.pipeline.stages[index];
        let probe = context
            .input_digests(stage, &known)?
            .map(|inputs| context.probe(stage, inputs));
        if let Some(action) = probe.as_ref().and_then(|probe| probe.cached.as_ref()) {
            known.insert(index, action.outputs.clone());
        }
        if !selection.targets.contains(&index) {
            continue;
        }
        let Some(probe) = probe else {
            if let State::Waits(upstream) = state {
                let ids = session.ids(upstream);
                let _ = writeln!(text, "{}\n  the key is known after: {ids}\n", stage.id);
            }
            continue;
        };
        show(&mut text, session, stage, &probe.key, &state);
    }
    terminal::print(&text);
    Ok(exit::OK)
}

fn show(
    text: &mut String,
    session: &Session,
    stage: &Stage,
    key: &crate::pipeline::key::Key,
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
    for (name, version) in &parts.code {
        line(2, &format!("code {name}"), version);
    }
    for (name, path) in &stage.outputs {
        line(2, &format!("output {name}"), &path.display().to_string());
    }
    let state = match state {
        State::Fresh => "fresh".to_owned(),
        State::Restore(_) => "in the cache; files differ or are missing".to_owned(),
        State::Stale(reason) => format!("stale: {reason}"),
        State::Waits(_) => "waits".to_owned(),
    };
    line(2, "state", &state);
    match session.context().recorded(stage) {
        None => line(2, "lock", "has no such stage"),
        Some(block) if block.key == key.digest() => line(2, "lock", "same key"),
        Some(block) => {
            for change in block.parts.changes(&parts) {
                line(2, "differs from the lock", &change.to_string());
            }
        }
    }
    text.push('\n');
}
