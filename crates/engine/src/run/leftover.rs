//! What is left at the old place of an output that was moved.
//!
//! Removes it where it is, byte for byte, what the lock recorded there, and no stage has a use for it.
//! Whatever else is there is somebody's.

use crate::base::digest::Digest;
use crate::base::files;
use crate::base::location::link_on_the_way;
use crate::lock::moves::Move;
use crate::run::plan::Context;
use crate::stage::stage::{OUTPUT_FOLDERS, Source};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What became of the file at the old place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// It was what the lock recorded, and is gone.
    Removed,
    /// There was none, or it belongs to another output now.
    Nothing,
    /// It was left, for this reason.
    Kept(String),
}

/// Removes the file at the old place of an output if it is what the lock recorded, and nothing else
/// is there now.
pub fn clear(moved: &Move, context: &Context) -> Left {
    let out = &context.workspace.out;
    let full = out.join(&moved.from);
    // A lock is a text that anybody may have written.
    let is_plain = files::inside(&moved.from.to_string_lossy()).is_ok_and(|p| p == moved.from);
    if !is_plain || !OUTPUT_FOLDERS.iter().any(|f| moved.from.starts_with(f)) {
        return Left::Kept("it is not where outputs are".into());
    }
    if let Some(link) = link_on_the_way(out, &moved.from) {
        return Left::Kept(format!("{} is a symbolic link", link.display()));
    }
    let Ok(found) = full.symlink_metadata() else {
        return Left::Nothing;
    };
    if is_used(context, &moved.from, (found.dev(), found.ino())) {
        return Left::Nothing;
    }
    if !found.is_file() {
        return Left::Kept("it is no regular file".into());
    }
    match Digest::of_file(&full) {
        Ok((digest, _)) if digest == moved.file => {}
        Ok(_) => return Left::Kept("it is not what the lock recorded".into()),
        Err(error) => return Left::Kept(error.message),
    }
    match std::fs::remove_file(&full) {
        Ok(()) => Left::Removed,
        Err(e) => Left::Kept(format!("it cannot be removed: {e}")),
    }
}

/// Whether a file is an output or an input of any stage: by its name, or because the file system does
/// not tell the names apart.
fn is_used(context: &Context, path: &Path, file: (u64, u64)) -> bool {
    let out = &context.workspace.out;
    let is_same = |other: &Path| {
        let found = out.join(other).symlink_metadata();
        other == path || found.is_ok_and(|found| (found.dev(), found.ino()) == file)
    };
    context.pipeline.stages.iter().any(|stage| {
        let mut inputs = stage.inputs.iter();
        let is_input = inputs.any(|input| match &input.source {
            Source::File(input) => input == path,
            Source::Output { .. } | Source::Recorded { .. } => false,
        });
        is_input || stage.outputs.iter().any(|(_, output)| is_same(output))
    })
}
