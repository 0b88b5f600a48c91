//! Verb `clean`.

use crate::cli::args::CleanArgs;
use crate::cli::exit;
use crate::cli::session::Session;
use crate::cli::terminal;
use crate::pipeline::error::{Error, Result};
use std::path::Path;

/// Intermediate artifacts go below this folder.
const INTERMEDIATE: &str = "artifacts";

/// Removes the cache and the intermediate artifacts.
pub fn clean(session: &Session, args: &CleanArgs) -> Result<u8> {
    let workspace = &session.workspace;
    let folders = [workspace.cache.clone(), workspace.out.join(INTERMEDIATE)];
    let present: Vec<&Path> = folders
        .iter()
        .map(|f| f.as_path())
        .filter(|f| f.is_dir())
        .collect();
    if present.is_empty() {
        terminal::summary("nothing to remove\n");
        return Ok(exit::OK);
    }
    // A cache folder that somebody pointed elsewhere may hold what is not ours.
    let is_cache = workspace.cache.join("format").is_file();
    if workspace.cache.is_dir() && !is_cache {
        let message = format!("{} is no cache of icl-repro", workspace.cache.display());
        return Err(Error::config(message));
    }
    if args.dry_run {
        for folder in present {
            terminal::print(&format!("would remove {}\n", folder.display()));
        }
        return Ok(exit::OK);
    }
    let _held = workspace.lock_for_run(true, |holder| {
        terminal::note(&format!("{holder}: waiting for it to end"));
    })?;
    for folder in present {
        std::fs::remove_dir_all(folder).map_err(|e| Error::io("remove", folder, &e))?;
        terminal::summary(&format!("removed {}\n", folder.display()));
    }
    Ok(exit::OK)
}
