//! Runs one stage several times under other circumstances, and compares what it makes.
//!
//! The first run is as usual; each further one differs from it in one thing that the kind knows how to vary. An
//! output that differs depends on that thing, or on nothing that can be named where the second run alone
//! differs. Reads what stands in the cache for the stages before it; writes neither lock nor outputs nor cache.

use crate::base::error::{Error, Result};
use crate::lock::file::{Lock, LockFile};
use crate::resolve::select::Selection;
use crate::run::event::{Event, Observer};
use crate::run::plan::Context;
use crate::run::schedule::{Options, Run};
use crate::stage::stage::Source;
use crate::store::actions::Outputs;
use crate::store::content::Store;
use crate::upkeep::scratch::Scratch;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Circumstances under which a stage of any kind can be run again.
pub const AGAIN: (&str, &str) = (
    "again",
    "nothing but the moment and the name of the folder in which it runs",
);

/// A stage that was run again and again. Its files live as long as it does.
pub struct Repeat {
    /// What the first run made, by output.
    pub first: BTreeMap<String, PathBuf>,
    pub varied: Vec<Varied>,
    _scratch: Vec<Scratch>,
}

/// A run under other circumstances.
pub struct Varied {
    pub name: &'static str,
    /// What was other, in words.
    pub what: &'static str,
    /// The outputs that are not as the first run made them, with the files; or why it failed.
    pub differing: Result<Vec<(String, PathBuf)>>,
}

/// Who hears of it, and what stops it.
pub struct Repeater<'a> {
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

/// Runs a stage once as usual, then once for each of these variations.
///
/// # Errors
/// A stage before it is not made, the first run fails, or somebody stops it.
pub fn repeat(
    context: &Context,
    index: usize,
    variations: &[(&'static str, &'static str)],
    how: &Repeater,
) -> Result<Repeat> {
    let given = given(context, index)?;
    let mut scratches = Vec::new();
    let mut run = |variation: Option<&str>| {
        let scratch = Scratch::new(context.workspace)?;
        let made = run_apart(context, (index, &given), variation, &scratch, how);
        scratches.push(scratch);
        made
    };
    let first = run(None)?;
    let mut varied = Vec::new();
    for &(name, what) in variations {
        let made = run(Some(name));
        if let Err(error) = &made
            && error.kind == crate::base::error::ErrorKind::Interrupted
        {
            return Err(error.clone());
        }
        let differing = made.map(|made| {
            let differs = |(output, file): &(String, PathBuf)| {
                let same = |first: &PathBuf| first.file_name() == file.file_name();
                !first.get(output).is_some_and(same)
            };
            made.into_iter().filter(differs).collect()
        });
        varied.push(Varied {
            name,
            what,
            differing,
        });
    }
    Ok(Repeat {
        first,
        varied,
        _scratch: scratches,
    })
}

/// The outputs of the stages that it reads, as the cache has them.
fn given(context: &Context, index: usize) -> Result<BTreeMap<usize, Outputs>> {
    let stage = &context.pipeline.stages[index];
    let selection = context
        .pipeline
        .select(std::slice::from_ref(&stage.id), &[])?;
    let plan = context.plan(&selection)?;
    let needed = context.needs(stage).into_iter().chain(stage.recorded());
    let known = needed.map(|before| {
        let outputs = plan.known.get(&before).cloned();
        let outputs = outputs.ok_or_else(|| {
            let before = &context.pipeline.stages[before].id;
            let message = format!(
                "stage `{}` reads of `{before}`, which is not made",
                stage.id
            );
            Error::config(message).hint(format!("run `{before}` first"))
        })?;
        Ok((before, outputs))
    });
    known.collect()
}

/// The files that a run of one stage makes in scratch space, by output; their names tell their contents.
fn run_apart(
    context: &Context,
    (index, given): (usize, &BTreeMap<usize, Outputs>),
    variation: Option<&str>,
    scratch: &Scratch,
    how: &Repeater,
) -> Result<BTreeMap<String, PathBuf>> {
    let store = Store::open(&scratch.workspace.cache, true)?;
    let stage = &context.pipeline.stages[index];
    for input in &stage.inputs {
        if let Source::Output { stage, output } = &input.source
            && let Some(digest) = given.get(stage).and_then(|outputs| outputs.get(output))
        {
            store.insert_copy(&context.store.object(*digest), *digest)?;
        }
    }
    let none = LockFile::none();
    let inner = Context {
        workspace: &scratch.workspace,
        lock: &none,
        store: &store,
        shared: None,
        publisher: None,
        standing: Some(context),
        ..*context
    };
    let options = Options {
        workers: 1,
        force: false,
        keep_going: false,
        as_recorded: false,
        accept: false,
        variation: variation.map(str::to_owned),
    };
    let only = BTreeSet::from([index]);
    let summary = Run {
        context: &inner,
        options: &options,
        selection: &Selection {
            targets: only.clone(),
            closure: only,
            unasked: BTreeSet::new(),
        },
        given,
        prepare: &|| Ok(()),
        observer: &|event| match event {
            Event::Failed { .. } => {}
            event => (how.observer)(event),
        },
        cancelled: how.cancelled,
    }
    .execute()?;
    if let Some((_, error)) = summary.failed.into_iter().next() {
        return Err(error);
    }
    if summary.interrupted {
        return Err(Error::of(
            crate::base::error::ErrorKind::Interrupted,
            "interrupted",
        ));
    }
    let made = Lock::read(&scratch.workspace.lock_path())?;
    let outputs = made.stages.get(&stage.id).map(|block| &block.outputs);
    let outputs = outputs.into_iter().flatten();
    let object = |digest| -> PathBuf { Path::new(&store.object(digest)).to_owned() };
    Ok(outputs
        .map(|(name, record)| (name.clone(), object(record.digest)))
        .collect())
}
