//! Verb `verify --rebuild`: what a rebuild found, with the place in each file where it differs.

use crate::answers::answer;
use crate::answers::rebuild::{
    Cause as SaidCause, Finding, Mismatch as SaidMismatch, Moved, OtherOutput, Rebuilt,
};
use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::pipeline::shared::{self, StoreArgs};
use crate::pipeline::workers;
use crate::program::changes::Difference;
use crate::program::exit;
use crate::progress::display::Display;
use crate::verbs::ended::within;
use crate::verbs::run::in_words;
use crate::verbs::status::left_out;
use crate::verbs::verify::{VerifyArgs, absent, absent_for};
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::stage::key::Change;
use retrace::stage::kind::read;
use retrace::upkeep::rebuild::{self, Audit, Cause, Mismatch, Output, Rebuild, Rebuilder};
use retrace::upkeep::sample::Sample;
use std::collections::BTreeMap;

/// Runs the targets from an empty cache and compares with the lock; writes nothing.
pub fn rebuild(session: &Session, args: &VerifyArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let context = session.context()?;
    workers::start(args.jobs)?;
    let workers = workers::count(args.jobs);
    let past = session.engine.workspace.history_path();
    let nothing = BTreeMap::new();
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
        terminal::print(&answer::text(&answer_of(session, &rebuild, &selection)?)?);
    } else {
        let run = session.run_command(&args.targets, "");
        terminal::print(&as_text(session, &rebuild, &selection, &run)?);
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

/// What differs, and that the command `run` records it.
fn as_text(
    session: &Session,
    rebuild: &Rebuild,
    selection: &Selection,
    run: &str,
) -> Result<String> {
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
            "`{run}` brings the lock up to date{}\n",
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

fn answer_of(session: &Session, rebuild: &Rebuild, selection: &Selection) -> Result<Rebuilt> {
    let id = |stage: usize| session.id(stage).to_owned();
    let mismatches = rebuild.mismatches.iter().map(|m| said(session, m));
    let mut findings = mismatches.collect::<Result<Vec<_>>>()?;
    findings.extend(rebuild.failed.iter().map(|(stage, error)| Finding::Failed {
        stage: id(*stage),
        error: error.to_string(),
    }));
    let compared = rebuild.compared.iter();
    Ok(Rebuilt {
        stages: rebuild.stages,
        seconds: rebuild.seconds,
        outputs: rebuild.outputs,
        equal: rebuild.equal,
        within: rebuild.within,
        compared: compared
            .map(|(stage, c)| within(session, *stage, c))
            .collect(),
        failed: rebuild.failed.len(),
        skipped: rebuild.skipped,
        unreadable: rebuild.unreadable,
        interrupted: rebuild.interrupted,
        left_out: left_out(session, selection),
        absent: absent_for(session, &rebuild.absent),
        findings,
    })
}

fn said(session: &Session, mismatch: &Mismatch) -> Result<Finding> {
    let outputs = mismatch.outputs.iter().map(|output| {
        Ok(OtherOutput {
            output: output.name.clone(),
            path: output.path.display().to_string(),
            expected: output.expected,
            found: output.found,
            difference: difference(session, output)?.map(|difference| difference.json),
        })
    });
    let moved = mismatch.moved.iter().map(|m| Moved {
        from: m.from.display().to_string(),
        path: m.to.display().to_string(),
    });
    let (cause, root) = match mismatch.cause {
        Cause::Unrecorded => (SaidCause::Unrecorded, None),
        Cause::Upstream { root } => (SaidCause::Upstream, Some(root)),
        Cause::RecordedBefore { upstream } => (SaidCause::RecordedBefore, Some(upstream)),
        Cause::Changed => (SaidCause::Changed, None),
        Cause::Moved => (SaidCause::Moved, None),
        Cause::SameKey => (SaidCause::SameKey, None),
    };
    Ok(Finding::Rebuild(SaidMismatch {
        stage: session.id(mismatch.stage).to_owned(),
        cause,
        root: root.map(|root| session.id(root).to_owned()),
        changes: mismatch.changes.clone(),
        renamed_from: mismatch.renamed_from.clone(),
        moved: moved.collect(),
        outputs: outputs.collect::<Result<_>>()?,
    }))
}
