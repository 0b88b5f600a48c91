//! What cannot be made here because a file that people supply themselves is not here, and what goes on
//! without it.
//!
//! With a declared digest the key of a stage is known without the file, and so is what comes out, where the
//! lock records that key. Such a stage does not run, but a stage that reads of it only what lies in place as
//! the lock records it, or in the cache, can. Fetches nothing and does not say how a run goes on.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::lock::moves::{Blocks, Known};
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::stage::stage::{Source, Stage};
use crate::stage::supplied::{Absent, AbsentFile};
use crate::store::actions::Outputs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Supplied files that are not here, and what that means for the stages of a selection.
#[derive(Debug, Default)]
pub struct Absences {
    /// Those that the stages read, by their paths.
    pub files: BTreeMap<PathBuf, AbsentFile>,
    /// The stages that can neither run here nor be restored.
    pub stages: BTreeMap<usize, Absent>,
    /// What is expected of each stage: what the cache has, else what the lock records under its key.
    expected: BTreeMap<usize, Outputs>,
}

impl Absences {
    /// What a stage that cannot run here makes, as far as that is known.
    pub fn recorded(&self, stage: usize) -> Option<&Outputs> {
        let absent = self.stages.get(&stage)?;
        self.expected.get(&stage).filter(|_| absent.is_recorded)
    }

    /// What is expected of a stage: what the cache has, else what the lock records under its key.
    pub(crate) fn expected(&self, stage: usize) -> Option<&Outputs> {
        self.expected.get(&stage)
    }

    /// What is left of a selection where some stages cannot run: targets that can, and what these need.
    pub(crate) fn rest_of(&self, context: &Context, selection: &Selection) -> Selection {
        let Selection {
            targets,
            closure,
            unasked,
        } = selection;
        let is_absent = |stage: &usize| self.stages.contains_key(stage);
        let mut needed: BTreeSet<usize> = targets.clone();
        for stage in closure.iter().rev() {
            if needed.contains(stage) && !is_absent(stage) {
                needed.extend(context.pipeline.stages[*stage].upstream());
            }
        }
        let runs = |stage: &&usize| needed.contains(*stage) && !is_absent(stage);
        let closure: BTreeSet<usize> = closure.iter().filter(runs).copied().collect();
        Selection {
            targets: targets.intersection(&closure).copied().collect(),
            closure,
            unasked: unasked.clone(),
        }
    }

    /// The error with which these stages cannot be made; `None` where all can.
    pub fn error(&self, context: &Context, stages: &BTreeSet<usize>) -> Option<Error> {
        let absent = stages.iter().filter_map(|s| Some((s, self.stages.get(s)?)));
        let absent: Vec<(&usize, &Absent)> = absent.collect();
        let (first, _) = absent.first()?;
        let files: BTreeSet<&PathBuf> = absent.iter().flat_map(|(_, a)| &a.files).collect();
        let more = match absent.len() - 1 {
            0 => String::new(),
            1 => " and 1 other stage".to_owned(),
            more => format!(" and {more} other stages"),
        };
        let first = &context.pipeline.stages[**first];
        let (it, them) = match files.len() {
            1 => ("an input is", "it"),
            _ => ("inputs are", "them"),
        };
        let mut message = format!("{}{more} cannot run: {it} not here", first.id);
        for file in files.iter().filter_map(|path| self.files.get(*path)) {
            message += &format!("\n  {}", file.line());
        }
        Some(Error::config(message).at(&first.place).hint(format!(
            "get {them}, then run again; what needs none of {them} runs with --keep-going"
        )))
    }
}

impl Context<'_> {
    /// Whether a supplied file is not here. A link that leads nowhere is none.
    pub(crate) fn is_absent(&self, path: &Path) -> bool {
        !self.workspace.root.join(path).exists()
    }

    /// The supplied files that a stage reads itself and that are not here.
    pub fn absent_inputs(&self, stage: &Stage) -> Vec<AbsentFile> {
        let absent = stage.supplied().filter(|(path, _)| self.is_absent(path));
        let absent = absent.map(|(path, supplied)| AbsentFile {
            path: path.to_owned(),
            supplied: supplied.clone(),
        });
        absent.collect()
    }

    /// For each stage of a selection that reads an absent file, itself or through others, these files.
    pub fn without(&self, selection: &Selection) -> BTreeMap<usize, BTreeMap<PathBuf, AbsentFile>> {
        let mut found: BTreeMap<usize, BTreeMap<PathBuf, AbsentFile>> = BTreeMap::new();
        for &index in &selection.closure {
            let stage = &self.pipeline.stages[index];
            let own = self.absent_inputs(stage).into_iter();
            let mut files: BTreeMap<PathBuf, AbsentFile> =
                own.map(|file| (file.path.clone(), file)).collect();
            for before in stage.upstream() {
                files.extend(found.get(&before).cloned().unwrap_or_default());
            }
            if !files.is_empty() {
                found.insert(index, files);
            }
        }
        found
    }

    /// What cannot be made of a selection, and why.
    ///
    /// # Errors
    /// The lock or an input that is here cannot be read.
    pub fn absences(&self, selection: &Selection) -> Result<Absences> {
        let mut absences = Absences::default();
        for &index in &selection.closure {
            let own = self.absent_inputs(&self.pipeline.stages[index]);
            let own = own.into_iter().map(|file| (file.path.clone(), file));
            absences.files.extend(own);
        }
        if absences.files.is_empty() {
            return Ok(absences);
        }
        let lock = self.lock.get()?;
        let blocks = Blocks::new(lock, self.pipeline);
        for &index in &selection.closure {
            let stage = &self.pipeline.stages[index];
            let inputs = self.input_digests(stage, |before| absences.expected.get(&before))?;
            let key = inputs.map(|inputs| self.probe(stage, inputs));
            if let Some(probe) = &key
                && let Some(action) = &probe.cached
                && !self.contradicts_lock(stage, probe.key.digest(), &action.outputs)?
            {
                absences.expected.insert(index, action.outputs.clone());
                continue;
            }
            let key = key.map(|probe| probe.key.digest());
            let recorded = key.and_then(|key| blocks.of(stage, key).filter(is_of(key)));
            let mut files: BTreeSet<PathBuf> = BTreeSet::new();
            files.extend(self.absent_inputs(stage).into_iter().map(|file| file.path));
            for input in &stage.inputs {
                if let Source::Output { stage, output } = &input.source
                    && let Some(absent) = absences.stages.get(stage)
                    && !self.has_recorded(*stage, output, &absences)
                {
                    files.extend(absent.files.iter().cloned());
                }
            }
            if !files.is_empty() {
                let is_recorded = recorded.is_some();
                absences.stages.insert(index, Absent { files, is_recorded });
            }
            if let Some(Known { block, .. }) = recorded {
                let outputs = block.outputs.iter();
                let outputs = outputs.map(|(name, record)| (name.clone(), record.digest));
                absences.expected.insert(index, outputs.collect());
            }
        }
        Ok(absences)
    }

    /// Whether the bytes of an output of a stage that cannot run here are here all the same.
    fn has_recorded(&self, stage: usize, output: &str, absences: &Absences) -> bool {
        let digest = absences
            .recorded(stage)
            .and_then(|outputs| outputs.get(output));
        digest.is_some_and(|digest| self.has_content(stage, output, *digest))
    }

    /// Keeps in the store what a stage reads of those that cannot run here, so that it finds it there.
    pub(crate) fn adopt(&self, stage: &Stage, absences: &Absences) -> Result<()> {
        for input in &stage.inputs {
            if let Source::Output { stage, output } = &input.source
                && let Some(digest) = absences.recorded(*stage).and_then(|made| made.get(output))
            {
                self.keep_content(*stage, output, *digest)?;
            }
        }
        Ok(())
    }
}

/// Whether a block is one of this key.
fn is_of(key: Digest) -> impl Fn(&Known) -> bool {
    move |known| known.block.key == key
}
