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
use std::collections::BTreeSet;
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

/// What the stages of a pipeline use: the names of their files, and those that are there.
pub struct Uses<'a> {
    paths: BTreeSet<&'a Path>,
    /// Device and inode of each output that is there.
    files: BTreeSet<(u64, u64)>,
}

impl<'a> Uses<'a> {
    /// Those of all stages, as they are now.
    pub fn of(context: &Context<'a>) -> Self {
        let out = &context.workspace.out;
        let mut uses = Uses {
            paths: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        for stage in &context.pipeline.stages {
            for input in &stage.inputs {
                if let Source::File(path) = &input.source {
                    uses.paths.insert(path);
                }
            }
            for (_, path) in &stage.outputs {
                uses.paths.insert(path);
                let found = out.join(path).symlink_metadata().ok();
                uses.files
                    .extend(found.map(|found| (found.dev(), found.ino())));
            }
        }
        uses
    }

    /// Whether a file is an output or an input of any stage: by its name, or because the file system
    /// does not tell the names apart.
    fn has(&self, path: &Path, file: (u64, u64)) -> bool {
        self.paths.contains(path) || self.files.contains(&file)
    }
}

/// Removes the file at the old place of an output if it is what the lock recorded, and nothing else
/// is there now.
pub fn clear(moved: &Move, context: &Context, uses: &Uses) -> Left {
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
    if uses.has(&moved.from, (found.dev(), found.ino())) {
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
