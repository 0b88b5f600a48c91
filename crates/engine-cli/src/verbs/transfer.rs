//! Verbs `push` and `pull`: between the cache and a shared store.

use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::pipeline::shared::{self, StoreArgs};
use crate::pipeline::workers;
use crate::program::exit;
use crate::progress::bar::Bar;
use crate::verbs::gc::size;
use clap::Args;
use retrace::base::error::Result;
use retrace::shared::store::SharedStore;
use retrace::upkeep::transfer::{Transfer, Transferring};

#[derive(Debug, Args)]
pub struct TransferArgs {
    /// Stage ids, globs, groups or output paths, with what they need; none means everything but opt-in groups
    pub targets: Vec<String>,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Push,
    Pull,
}

/// Moves what the lock records.
pub fn transfer(session: &Session, args: &TransferArgs, paranoid: bool, way: Way) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let store = args.store.required(session, way == Way::Push)?;
    workers::listen("stopping after this object")?;
    let waiting = |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
    let workspace = &session.engine.workspace;
    let _look;
    let _held;
    match way {
        Way::Push => _look = workspace.lock_for_look(waiting)?,
        Way::Pull => _held = workspace.lock_for_run(true, waiting)?,
    }
    let bar = Bar::new();
    let both = Transferring {
        context: &session.context()?,
        selection: &selection,
        shared: &store,
        cancelled: workers::cancelled(),
        observer: &|done, of| bar.show(done, of),
    };
    let moved = match way {
        Way::Push => both.push(paranoid),
        Way::Pull => both.pull(),
    };
    bar.finish();
    let told = |moved: &Transfer| {
        let run = session.run_command(&args.targets, "");
        terminal::summary(&text(session, &store, moved, way, &run));
    };
    // What a store lacks is no failure; what it did not say may be there, and whoever pulls has to know.
    match (moved, shared::failure(&store)) {
        (Ok(moved), Some(failure)) if way == Way::Pull && !moved.missing.is_empty() => {
            shared::tell_of_files(&store);
            told(&moved);
            Err(failure)
        }
        (moved, _) => {
            shared::tell(&store);
            told(&moved?);
            Ok(exit::OK)
        }
    }
}

/// What was moved, and by which command to `run` comes what was not.
fn text(session: &Session, store: &SharedStore, moved: &Transfer, way: Way, run: &str) -> String {
    let Transfer {
        stages,
        objects,
        bytes,
        there,
        entries,
        missing,
        unrecorded,
    } = moved;
    let root = store.shown();
    let (verb, end, from) = match way {
        Way::Push => ("put into", "there", "in the cache"),
        Way::Pull => ("brought from", "here", "in the store"),
    };
    let (stages, size) = (count(*stages, "recorded stage"), size(*bytes));
    let objects = count(*objects, "object");
    let mut text = format!("{stages}: {objects} ({size}) {verb} {root}, {there} {end} already\n");
    if store.signs() {
        let (entries, noun) = match entries {
            1 => (1, "entry"),
            &more => (more, "entries"),
        };
        text += &format!("{entries} {noun} signed\n");
    }
    if !missing.is_empty() {
        let (what, ids) = (count(missing.len(), "stage"), listed(session, missing));
        text += &format!("not whole {from}: {what}: {ids}; `{run}` makes them\n");
    }
    if !unrecorded.is_empty() {
        let (what, ids) = (
            count(unrecorded.len(), "stage"),
            listed(session, unrecorded),
        );
        text += &format!("not recorded by the lock: {what}: {ids}; `{run}` records them\n");
    }
    text
}

/// The first of the ids, and how many more there are.
fn listed(session: &Session, stages: &std::collections::BTreeSet<usize>) -> String {
    const SHOWN: usize = 8;
    let shown = session.ids(stages.iter().copied().take(SHOWN));
    match stages.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
