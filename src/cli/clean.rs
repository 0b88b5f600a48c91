//! Verb `clean`.

use crate::cli::args::CleanArgs;
use crate::cli::exit;
use crate::cli::session::Session;
use crate::cli::terminal;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files::TEMPORARY;
use crate::pipeline::store::list;
use std::path::{Path, PathBuf};

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
    if workspace.cache.is_dir() && !is_cache(&workspace.cache)? {
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
        empty(folder)?;
        std::fs::remove_dir_all(folder).map_err(|e| Error::io("remove", folder, &e))?;
        terminal::summary(&format!("removed {}\n", folder.display()));
    }
    Ok(exit::OK)
}

/// Whether a folder is marked as a cache, or holds no more than a run or a `clean` leaves that was
/// killed when the mark was not there yet, or no longer.
fn is_cache(folder: &Path) -> Result<bool> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == "run.lock" || name.starts_with(TEMPORARY)
    };
    Ok(folder.join("format").is_file() || list(folder)?.iter().all(is_ours))
}

/// Removes all but what marks a cache: one whose removal was interrupted can be removed again.
fn empty(folder: &Path) -> Result<()> {
    for path in list(folder)? {
        let result = match path.symlink_metadata() {
            Ok(_) if path.ends_with("format") || path.ends_with("run.lock") => continue,
            Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(&path),
            _ => std::fs::remove_file(&path),
        };
        result.map_err(|e| Error::io("remove", &path, &e))?;
    }
    Ok(())
}
