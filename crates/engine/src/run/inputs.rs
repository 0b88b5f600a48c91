//! The files of the repository that stages read: whether they are there, and are what they seem.
//!
//! A link may lead to another file of the repository, but neither out of it nor to where runs write. A
//! file that people supply themselves may be absent, and may lie anywhere.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::resolve::outputs::{OutputFiles, followed};
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::stage::stage::{Input, Source, Stage};
use crate::stage::supplied::Supplied;
use crate::store::workspace::{KEYS_FILE, LOCK_FILE, Workspace};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

impl Context<'_> {
    /// Makes sure that the files of the repository that the selected stages read are there.
    pub fn check_inputs(&self, selection: &Selection) -> Result<()> {
        let mut checked = BTreeSet::new();
        for stage in selection.closure.iter().map(|&i| &self.pipeline.stages[i]) {
            for input in &stage.inputs {
                if let Source::File(path) = &input.source
                    && checked.insert(path)
                {
                    let is_right = self.check_links(path, stage);
                    let is_right = is_right.and_then(|()| match &input.supplied {
                        None => self.input_file(path).map(drop),
                        Some(supplied) => self.check_supplied(path, supplied),
                    });
                    is_right.map_err(|mut error| {
                        error.message = format!("stage `{}`: {}", stage.id, error.message);
                        error.at(&stage.place)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A file that people supply themselves, if it is here, must be the one that is meant. A link may lead
    /// out of the repository, to where such files are kept: the digest tells what it is.
    fn check_supplied(&self, path: &Path, supplied: &Supplied) -> Result<()> {
        if self.is_absent(path) {
            return Ok(());
        }
        let full = self.workspace.root.join(path);
        if !full.is_file() {
            let message = format!("the input {} is no file", path.display());
            return Err(Error::config(message).hint(format!("get it: {}", supplied.get)));
        }
        if supplied.blake3.is_none() {
            return Ok(());
        }
        match supplied.refuse(path, self.store.digest_of(&full)?) {
            None => Ok(()),
            Some(message) => Err(Error::config(message).hint(format!(
                "get it anew: {}; or, if this is the file you mean, write its digest in pipeline.yaml",
                supplied.get
            ))),
        }
    }

    /// The digest of a file that is an input; `None` of one that is not here and whose content nobody
    /// declared.
    pub(crate) fn file_digest(&self, input: &Input, path: &Path) -> Result<Option<Digest>> {
        if let Some(supplied) = &input.supplied
            && (supplied.blake3.is_some() || self.is_absent(path))
        {
            // One that is here has this digest: `check_inputs` saw to that.
            return Ok(supplied.blake3);
        }
        self.store
            .digest_of(&self.workspace.root.join(path))
            .map(Some)
    }

    /// Where a file is that a stage reads.
    pub(crate) fn path_of(&self, input: &Input, path: &Path) -> Result<PathBuf> {
        match &input.supplied {
            None => self.input_file(path),
            Some(supplied) => {
                self.check_supplied(path, supplied)?;
                Ok(self.workspace.root.join(path))
            }
        }
    }

    /// A file of the repository that is an input; a link that leads out of it is refused.
    pub(crate) fn input_file(&self, path: &Path) -> Result<PathBuf> {
        let full = self.workspace.root.join(path);
        let real = full.canonicalize().map_err(|e| {
            let path = path.display();
            let error = Error::config(format!("the input {path} is not there: {e}"));
            error.hint(format!(
                "restore it with `git checkout HEAD -- {path}`, or mend its path in pipeline.yaml"
            ))
        })?;
        if !real.starts_with(&self.workspace.root) {
            let message = format!("the input {} leads out of the repository", path.display());
            return Err(Error::config(message));
        }
        if !real.is_file() {
            let message = format!("the input {} is no file", path.display());
            return Err(Error::config(message));
        }
        Ok(full)
    }

    /// Refuses an input that links lead to where a run writes; no run before need have written there.
    fn check_links(&self, path: &Path, reader: &Stage) -> Result<()> {
        let Workspace {
            root, cache, out, ..
        } = self.workspace;
        let real = followed(&root.join(path));
        let out = followed(out);
        if real == root.join(path) && out == *root {
            return Ok(());
        }
        let shown = path.display();
        let outputs = OutputFiles::of_stages(&self.pipeline.stages)?;
        for base in [&out, root] {
            if let Ok(below) = real.strip_prefix(base) {
                outputs.refuse(below, &shown.to_string(), &reader.id)?;
            }
            for name in [LOCK_FILE, KEYS_FILE] {
                if real == base.join(name) {
                    let message = format!("the input {shown} is {name}, which every run may write");
                    return Err(Error::config(message));
                }
            }
        }
        let cache = followed(cache);
        let is_inside = cache.starts_with(root) && cache != *root;
        if is_inside && real.starts_with(cache) {
            let message = format!("the input {shown} lies in the cache, where nothing stays");
            return Err(Error::config(message).hint("put a file of your own below data/"));
        }
        Ok(())
    }
}
