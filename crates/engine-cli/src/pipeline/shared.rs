//! The shared store that the command line or the environment names, and what is said of it.

use crate::console::terminal::{self, count};
use crate::program::description::Program;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::store::shared::{SharedStore, Troubles};
use std::path::PathBuf;

/// Names the store where `--store` does not: of any program, for digests are the same for all.
pub const VARIABLE: &str = "RETRACE_STORE";

/// Which shared store is meant.
#[derive(Clone, Debug, Default, Args)]
pub struct StoreArgs {
    /// The shared store: a folder, also one of a network file system [default: RETRACE_STORE]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
}

impl StoreArgs {
    /// The folder that is named, if one is.
    pub fn folder(&self) -> Option<PathBuf> {
        let of_variable = || std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        self.store
            .clone()
            .or_else(|| of_variable().map(PathBuf::from))
    }

    /// The folder, where the verb is for nothing without one.
    ///
    /// # Errors
    /// None is named.
    pub fn required(&self) -> Result<PathBuf> {
        self.folder().ok_or_else(|| {
            let error = Error::config("no store is named");
            error.hint(format!("name a folder with --store DIR, or in {VARIABLE}"))
        })
    }

    /// The store that a run looks into, if one is named and there; else a warning says what follows.
    pub fn for_run(&self) -> Option<SharedStore> {
        match SharedStore::open(&self.folder()?) {
            Ok(shared) => Some(shared),
            Err(error) => {
                terminal::warn(&format!("{error}: what is not in the cache is made here"));
                None
            }
        }
    }
}

/// Says what has gone wrong in a store, each thing once.
pub fn tell(program: &Program, shared: &SharedStore) {
    let Troubles {
        wrong,
        failures,
        first,
    } = shared.troubles();
    let root = shared.root().display();
    if let Some(object) = wrong.first() {
        let objects = count(wrong.len(), "object");
        terminal::warn(&format!(
            "the store {root} has {objects} with other bytes than the name says, and none of that was used: {}; \
             `{} push --paranoid` puts right ones in place of those that the lock records",
            object.display(),
            program.name
        ));
    }
    if let Some(error) = first {
        let times = count(failures, "time");
        let end = match shared.troubles().is_given_up() {
            true => "; it was given up",
            false => "",
        };
        terminal::warn(&format!("the store {root} failed {times}: {error}{end}"));
    }
}
