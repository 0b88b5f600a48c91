//! Verb `clean`.

use crate::cli::args::CleanArgs;
use crate::cli::exit;
use crate::cli::gc::left_alone;
use crate::cli::session::Session;
use crate::cli::terminal::{self, count};
use retrace::base::error::Result;
use retrace::upkeep::removal::{self, Removal};

/// Removes the cache and the intermediate artifacts, as far as they were made here; of a profile or
/// `--set` its own outputs alone.
pub fn clean(session: &Session, args: &CleanArgs) -> Result<u8> {
    let workspace = &session.workspace;
    // The run lock alone would make a cache.
    if removal::is_nothing_there(workspace) {
        terminal::summary("nothing to remove\n");
        return Ok(exit::OK);
    }
    let waiting = |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
    if args.dry_run {
        let _held = workspace.lock_for_look(waiting)?;
        let plan = removal::plan(&session.context()?)?;
        terminal::print(&text(&plan, "would remove"));
        return Ok(exit::OK);
    }
    let _held = workspace.lock_for_run(true, waiting)?;
    let plan = removal::plan(&session.context()?)?;
    plan.iter().try_for_each(Removal::execute)?;
    terminal::summary(&text(&plan, "removed"));
    Ok(exit::OK)
}

fn text(plan: &[Removal], verb: &str) -> String {
    if plan.is_empty() {
        return "nothing to remove\n".to_owned();
    }
    let mut text = String::new();
    for removal in plan {
        let folder = removal.folder.display();
        text += &match removal.is_whole() {
            true => format!("{verb} {folder}\n"),
            false => {
                let files = count(removal.files.len(), "file");
                format!("{verb} {files} below {folder}\n")
            }
        };
        text += &left_alone(&removal.left);
    }
    text
}
