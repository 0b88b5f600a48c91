//! Verb `clean`.

use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::gc::left_alone;
use clap::Args;
use retrace::base::error::Result;
use retrace::upkeep::removal::{self, Removal};

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// Removes the cache and the intermediate artifacts, as far as they were made here; of a profile or
/// `--set` its own outputs alone.
pub fn clean(session: &Session, args: &CleanArgs) -> Result<u8> {
    let workspace = &session.engine.workspace;
    // The run lock alone would make a cache.
    if removal::is_nothing_there(workspace) {
        terminal::summary("nothing to remove\n");
        return Ok(exit::OK);
    }
    let waiting = |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
    if args.dry_run {
        let _held = workspace.lock_for_look(waiting)?;
        let plan = removal::plan(&session.context()?)?;
        terminal::print(&text(session.program, &plan, "would remove"));
        return Ok(exit::OK);
    }
    let _held = workspace.lock_for_run(true, waiting)?;
    let plan = removal::plan(&session.context()?)?;
    plan.iter().try_for_each(Removal::execute)?;
    terminal::summary(&text(session.program, &plan, "removed"));
    Ok(exit::OK)
}

fn text(program: &Program, plan: &[Removal], verb: &str) -> String {
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
        text += &left_alone(program, &removal.left);
    }
    text
}
