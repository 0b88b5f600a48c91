//! Verb `verify --rebuild`: what a rebuild found, with the place in each file where it differs.

use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::session::Session;
use crate::pipeline::shared::{self, StoreArgs};
use crate::pipeline::workers;
use crate::program::changes::Difference;
use crate::program::exit;
use crate::progress::display::Display;
use crate::verbs::run::in_words;
use crate::verbs::verify::{VerifyArgs, absent, absent_json};
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::stage::key::Change;
use retrace::stage::kind::read;
use retrace::upkeep::rebuild::{self, Audit, Cause, Mismatch, Output, Rebuild, Rebuilder};
use retrace::upkeep::sample::Sample;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Runs the targets from an empty cache and compares with the lock; writes nothing.
pub fn rebuild(session: &Session, args: &VerifyArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let context = session.context()?;
    workers::start(args.jobs)?;
    let workers = workers::count(args.jobs);
    let past = session.engine.workspace.history_path();
    let nothing = BTreeSet::new();
    let display = Display::new(
        &session.engine.pipeline,
        &past,
        &selection,
        &nothing,
        workers,
    )?;
    let how = Rebuilder {
        workers,
        observer: &|event| display.show(event),
        cancelled: workers::cancelled(),
    };
    let root = &session.engine.workspace.root;
    let store = StoreArgs {
        store: args.store.clone(),
    };
    let location = args.sample.and_then(|_| store.location(session));
    let shared = location
        .map(|location| shared::open(&location, root, false))
        .transpose()?;
    let audit = args.sample.map(|fraction| Audit {
        sample: Sample {
            fraction,
            seed: args.seed,
        },
        shared: shared.as_ref(),
    });
    let rebuild = rebuild::rebuild_part(&context, &selection, audit, &how);
    display.finish();
    if let Some(shared) = &shared {
        shared::tell(shared);
    }
    let rebuild = rebuild?;
    if args.json {
        terminal::print(&format!("{:#}\n", as_json(session, &rebuild, &selection)?));
    } else {
        terminal::print(&as_text(session, &rebuild, &selection)?);
    }
    Ok(if rebuild.interrupted {
        exit::INTERRUPTED
    } else if !rebuild.failed.is_empty() {
        exit::FAILED
    } else if !rebuild.mismatches.is_empty() {
        exit::DIFFERS
    } else {
        exit::OK
    })
}

fn as_text(session: &Session, rebuild: &Rebuild, selection: &Selection) -> Result<String> {
    let mut text = String::new();
    for mismatch in &rebuild.mismatches {
        let id = session.id(mismatch.stage);
        text += &format!("{id}: {}\n", cause(session, mismatch));
        if let Some(old) = &mismatch.renamed_from {
            text += &format!("  renamed, recorded as {old}\n");
        }
        for m in &mismatch.moved {
            let (from, to) = (m.from.display(), m.to.display());
            text += &format!("  {to} moved, recorded as {from}\n");
        }
        if !matches!(mismatch.cause, Cause::Changed) {
            for change in &mismatch.changes {
                text += &format!("  {change}\n");
            }
        }
        for output in &mismatch.outputs {
            let short = output.found.short();
            text += &match output.expected {
                Some(expected) => {
                    let (path, old) = (output.path.display(), expected.short());
                    format!("  {path}: {old} expected, {short} found\n")
                }
                None => format!(
                    "  {}: {short} found, none recorded\n",
                    output.path.display()
                ),
            };
            text += &match (difference(session, output)?, output.expected) {
                (Some(difference), _) => format!("    {}\n", difference.words),
                (None, Some(_)) => {
                    "    the expected bytes are neither in place nor in the cache\n".to_owned()
                }
                (None, None) => String::new(),
            };
        }
    }
    for (stage, compared) in &rebuild.compared {
        text += &format!("{}: {}\n", session.id(*stage), in_words(compared));
    }
    for (file, stages) in &rebuild.absent {
        text += &absent(file, stages.len());
    }
    if terminal::is_quiet() {
        return Ok(text);
    }
    let (equal, outputs) = (rebuild.equal, rebuild.outputs);
    text += &format!(
        "{} ran ({:.1} s); {equal} of {outputs} outputs equal the lock",
        count(rebuild.stages, "stage"),
        rebuild.seconds
    );
    if rebuild.within > 0 {
        text += &format!(", {} within tolerance", rebuild.within);
    }
    if !rebuild.failed.is_empty() {
        text += &format!(", {} failed", count(rebuild.failed.len(), "stage"));
    }
    if rebuild.skipped > 0 {
        text += &format!(", {} not reached", count(rebuild.skipped, "stage"));
    }
    if rebuild.unreadable > 0 {
        let stages = count(rebuild.unreadable, "stage");
        text += &format!(", {stages} of the sample left out: what they read is not here");
    }
    if rebuild.interrupted {
        text += "; interrupted";
    }
    if let Some(words) = session.engine.pipeline.left_out(selection) {
        text += &format!("; {words}");
    }
    text.push('\n');
    let changed = |m: &Mismatch| matches!(m.cause, Cause::SameKey | Cause::Upstream { .. });
    if rebuild.mismatches.iter().any(|m| !changed(m)) {
        text += &format!(
            "`{}` brings the lock up to date{}\n",
            typed::command("run"),
            if session.engine.workspace.publishes() {
                "; commit it with the outputs"
            } else {
                ""
            }
        );
    }
    Ok(text)
}

/// Where a mismatch starts, in words.
fn cause(session: &Session, mismatch: &Mismatch) -> String {
    match mismatch.cause {
        Cause::Unrecorded => "the lock has no such stage".to_owned(),
        Cause::Upstream { root } => {
            let root = session.id(root);
            format!("its inputs already differ; the first stage upstream that differs is {root}")
        }
        Cause::RecordedBefore { upstream } => format!(
            "the lock records it with other outputs of {} than it records there",
            session.id(upstream)
        ),
        Cause::Changed => {
            let changes: Vec<String> = mismatch.changes.iter().map(Change::to_string).collect();
            let same = if mismatch.outputs.is_empty() {
                " (all outputs are equal)"
            } else {
                ""
            };
            format!("the lock is out of date{same}: {}", changes.join("; "))
        }
        Cause::Moved => "the lock records it elsewhere; all outputs are equal".to_owned(),
        Cause::SameKey => {
            "other bytes from the same inputs, params and code: the stage depends on something else"
                .to_owned()
        }
    }
}

/// Where an output differs, if the expected bytes are still there.
fn difference(session: &Session, output: &Output) -> Result<Option<Difference>> {
    let Some(expected) = &output.expected_file else {
        return Ok(None);
    };
    let (expected, found) = (read(expected)?, read(&output.found_file)?);
    let formats = &session.program.formats;
    Ok(formats.difference(&output.path, &expected, &found))
}

fn as_json(session: &Session, rebuild: &Rebuild, selection: &Selection) -> Result<Json> {
    let left_out = selection.unasked.difference(&selection.closure);
    let mut findings = Vec::new();
    for mismatch in &rebuild.mismatches {
        let outputs = mismatch.outputs.iter().map(|output| {
            Ok(json!({
                "output": output.name,
                "path": output.path,
                "expected": output.expected,
                "found": output.found,
                "difference": difference(session, output)?.map(|difference| difference.json),
            }))
        });
        let (cause, root) = match mismatch.cause {
            Cause::Unrecorded => ("unrecorded", None),
            Cause::Upstream { root } => ("upstream", Some(root)),
            Cause::RecordedBefore { upstream } => ("recorded-before", Some(upstream)),
            Cause::Changed => ("changed", None),
            Cause::Moved => ("moved", None),
            Cause::SameKey => ("same-key", None),
        };
        findings.push(json!({
            "finding": "rebuild",
            "stage": session.id(mismatch.stage),
            "cause": cause,
            "root": root.map(|root| session.id(root)),
            "changes": mismatch.changes,
            "renamed_from": mismatch.renamed_from,
            "moved": mismatch.moved.iter().map(|m| json!({"from": m.from, "path": m.to})).collect::<Vec<Json>>(),
            "outputs": outputs.collect::<Result<Vec<Json>>>()?,
        }));
    }
    for (stage, error) in &rebuild.failed {
        findings.push(json!({
            "finding": "failed",
            "stage": session.id(*stage),
            "error": error.to_string(),
        }));
    }
    Ok(json!({
        "verified": "rebuild",
        "stages": rebuild.stages,
        "outputs": rebuild.outputs,
        "equal": rebuild.equal,
        "within": rebuild.within,
        "compared": rebuild.compared.iter().map(|(stage, compared)| json!({
            "stage": session.id(*stage),
            "output": compared.output,
            "within": compared.outcome.is_ok(),
            "words": compared.outcome.as_ref().unwrap_or_else(|why| why),
        })).collect::<Vec<Json>>(),
        "failed": rebuild.failed.len(),
        "skipped": rebuild.skipped,
        "unreadable": rebuild.unreadable,
        "interrupted": rebuild.interrupted,
        "left_out": left_out.map(|&stage| session.id(stage)).collect::<Vec<&str>>(),
        "absent": absent_json(session, &rebuild.absent),
        "findings": findings,
    }))
}
