//! What the lock records of stages that a run does not make: committed files, held to their lines.
//!
//! A file counts as it stands only where it is what its line says; an edited one is as good as none. Its
//! content is read without the provenance that was embedded in it, so it is the same bytes as in the store.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::run::plan::Context;
use crate::stage::kind::read;
use crate::stage::publication::PUBLISHED;
use crate::store::actions::Outputs;
use std::path::{Path, PathBuf};

impl<'a> Context<'a> {
    /// The context whose lock and files tell what is recorded.
    pub(crate) fn standing(&self) -> &Context<'a> {
        self.standing.unwrap_or(self)
    }

    /// The digest of what is recorded of an output; `None` where that is nothing, or where the file is not
    /// what its line says. One that was made in this run is what it is.
    pub(crate) fn recorded_digest<'o>(
        &self,
        stage: usize,
        output: &str,
        outputs: impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Result<Option<Digest>> {
        let made = outputs(stage).and_then(|outputs| outputs.get(output));
        if let Some(digest) = made.filter(|digest| self.store.holds(**digest)) {
            return Ok(Some(*digest));
        }
        let standing = self.standing();
        let stage = &standing.pipeline.stages[stage];
        let block = standing.lock.get()?.stages.get(&stage.id);
        let Some(record) = block.and_then(|block| block.outputs.get(output)) else {
            return Ok(None);
        };
        let path = stage.outputs.iter().find(|(name, _)| name == output);
        let path = path
            .map(|(_, path)| path)
            .filter(|path| path.as_os_str() == &*record.path);
        let file = path.map(|path| standing.workspace.out.join(path));
        let is_right = |file: &PathBuf| {
            let is_right = standing.store.digest_of_plain(file) == Some(record.file_digest());
            if !is_right {
                // Nothing tells that it is restored: no answer may rest on that.
                standing.store.distrust(file);
            }
            is_right
        };
        Ok(file.filter(is_right).map(|_| record.digest))
    }

    /// Where the bytes of a recorded output are, in the store.
    pub(crate) fn recorded_file(
        &self,
        stage: usize,
        output: &str,
        digest: Digest,
    ) -> Result<PathBuf> {
        if !self.keep_content(stage, output, digest)? {
            let id = &self.pipeline.stages[stage].id;
            let message = format!("what is recorded of {id}.{output} cannot be read from its file");
            return Err(Error::failed(message));
        }
        Ok(self.store.object(digest))
    }

    /// Whether the content of an output is in the store, or its file in place holds it.
    pub(crate) fn has_content(&self, stage: usize, output: &str, digest: Digest) -> bool {
        let is_file = |file: &Path| self.store.digest_of_plain(file) == Some(digest);
        self.store.holds(digest)
            || self
                .file_of(stage, output)
                .is_some_and(|file| is_file(&file))
            || self.apart(stage, output, digest).is_some()
    }

    /// Puts the content of an output into the store, if its file in place holds it; whether it is there.
    pub(crate) fn keep_content(&self, stage: usize, output: &str, digest: Digest) -> Result<bool> {
        if self.store.holds(digest) {
            return Ok(true);
        }
        let Some(file) = self.file_of(stage, output) else {
            return Ok(false);
        };
        if self.store.digest_of_plain(&file) == Some(digest) {
            self.store.insert_copy(&file, digest)?;
            return Ok(true);
        }
        let Some(content) = self.apart(stage, output, digest) else {
            return Ok(false);
        };
        let folder = self.workspace.cache.join("scratch");
        files::create_folder(&folder)?;
        let copy = files::scratch(&folder, &content)?;
        self.store.insert(copy.path()).map(|_| true)
    }

    /// The content of a published file without its provenance, if it has this digest.
    fn apart(&self, stage: usize, output: &str, digest: Digest) -> Option<Vec<u8>> {
        let stage_outputs = &self.pipeline.stages[stage].outputs;
        let (_, path) = stage_outputs.iter().find(|(name, _)| name == output)?;
        let publisher = self
            .publisher
            .filter(|p| path.starts_with(PUBLISHED) && p.applies(path))?;
        let file = self.file_of(stage, output)?;
        let apart = publisher.take_apart(&read(&file).ok()?).ok()?;
        (Digest::of(&apart.content) == digest).then_some(apart.content)
    }

    /// Where the file of an output stands, if it is one and no link.
    fn file_of(&self, stage: usize, output: &str) -> Option<PathBuf> {
        let standing = self.standing();
        let outputs = &standing.pipeline.stages[stage].outputs;
        let (_, path) = outputs.iter().find(|(name, _)| name == output)?;
        let file = standing.workspace.out.join(path);
        crate::base::location::is_plain_file(&file).then_some(file)
    }
}
