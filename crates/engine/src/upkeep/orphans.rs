//! Files among the published ones that no stage makes: of a stage that is gone or writes elsewhere now,
//! or somebody's own. They are named; whose they are is for people to say.

use crate::base::error::Result;
use crate::base::location::is_plain_folder;
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::stage::publication::PUBLISHED;
use crate::store::content::list;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The paths below the folder of the outputs, sorted; none unless every stage is selected, or left out
/// because nobody asked for it. Names that
/// begin with a dot are the system's own, and links are not followed.
///
/// # Errors
///
/// A folder that cannot be listed.
pub fn orphans(context: &Context, selection: &Selection) -> Result<Vec<PathBuf>> {
    let stages = &context.pipeline.stages;
    if !selection.is_whole(context.pipeline) {
        return Ok(Vec::new());
    }
    let outputs = stages.iter().flat_map(|stage| &stage.outputs);
    let known: BTreeSet<&Path> = outputs.map(|(_, path)| path.as_path()).collect();
    let mut found = Vec::new();
    walk(&context.workspace.out, Path::new(PUBLISHED), &mut |path| {
        if !known.contains(&*path) {
            found.push(path);
        }
    })?;
    Ok(found)
}

fn walk(out: &Path, folder: &Path, found: &mut dyn FnMut(PathBuf)) -> Result<()> {
    let at = out.join(folder);
    if !is_plain_folder(&at) {
        return Ok(());
    }
    for path in list(&at)? {
        let name = path.file_name().unwrap_or_default();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let relative = folder.join(name);
        match is_plain_folder(&path) {
            true => walk(out, &relative, found)?,
            false => found(relative),
        }
    }
    Ok(())
}
