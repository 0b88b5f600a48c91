//! Verb `provenance`: where any copy of a published file came from, and how to make it again.
//!
//! Two witnesses: the record inside the file, which travels with it, and the locks, which know the
//! digests of all files and artifacts. Neither needs the other.

use crate::answers::answer;
use crate::console::terminal;
use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::provenance::told::{Named, Told};
use clap::Args;
use retrace::base::error::Result;
use retrace::store::workspace::Workspace;
use std::path::{Path, PathBuf};

mod look;
mod recorded;
mod told;

#[derive(Debug, Args)]
pub struct ProvenanceArgs {
    /// A figure or a table, anywhere
    pub file: PathBuf,
    /// Print a JSON object with the record inside the file, parameters included, and what the lock says
    #[arg(long)]
    pub json: bool,
}

/// What a program names beside a stage, such as the claims that rest on it.
#[derive(Clone, Copy)]
pub struct Beside {
    /// What they are, in the plural.
    pub what: &'static str,
    /// What is said where there is none.
    pub none: &'static str,
    /// Their names, for the id of a stage.
    pub of: fn(&Session, &str) -> Vec<String>,
}

/// Says where a file came from.
pub fn provenance(
    program: &Program,
    scope: &Scope,
    beside: Option<&Beside>,
    args: &ProvenanceArgs,
) -> Result<u8> {
    let looked = look::look(program.publisher.as_deref(), &args.file)?;
    let root = Workspace::find_root(Path::new(".")).ok();
    let (recorded, in_the_way) = match &root {
        Some(root) => recorded::find(program, scope, (&args.file, &looked), root)?,
        None => (None, None),
    };
    if looked.carried.is_none() && recorded.is_none() {
        let error = look::unknown(&args.file, &looked, root.is_some());
        return Err(match in_the_way {
            Some(why) => error.hint(why),
            None => error,
        });
    }
    let changed = looked
        .carried
        .as_ref()
        .is_some_and(|carried| carried.content != looked.content);
    let named = beside.map(|beside| Named {
        what: beside.what,
        none: beside.none,
        // None where the pipeline cannot be opened.
        names: recorded.as_ref().map_or(Vec::new(), |recorded| {
            let session = Session::open(program, &recorded.scope(scope));
            session.map_or(Vec::new(), |session| (beside.of)(&session, &recorded.stage))
        }),
    });
    let told = Told {
        program,
        scope,
        looked: &looked,
        recorded: recorded.as_ref(),
        named: named.as_ref(),
        has_lock: root.is_some(),
    };
    let text = match args.json {
        true => answer::text(&told.said())?,
        false => told.text(&args.file),
    };
    terminal::print(&text);
    Ok(if changed { exit::DIFFERS } else { exit::OK })
}
