//! Whether a stage must run, and why.
//!
//! A stage is fresh only when this machine has made its outputs under this very key, the bytes are
//! still in the store, and the files where the user sees them are the same. The lock explains; it
//! never makes anything fresh.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::key::{Change, Key};
use crate::pipeline::kind::Kind;
use crate::pipeline::lock::{Block, Lock};
use crate::pipeline::resolve::{Pipeline, Source, Stage};
use crate::pipeline::select::Selection;
use crate::pipeline::store::{Action, Outputs, Store};
use crate::pipeline::workspace::Workspace;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything that questions about freshness need.
pub struct Context<'a> {
    pub workspace: &'a Workspace,
    pub kinds: &'a [Box<dyn Kind>],
    pub pipeline: &'a Pipeline,
    /// The lock beside the outputs.
    pub lock: &'a Lock,
    /// The repository's lock, to which a variant that has not run yet is compared.
    pub baseline: &'a Lock,
    pub store: &'a Store,
}

/// Why a stage runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// It was asked for with `--force`.
    Forced,
    /// The lock does not know it.
    New,
    /// It has the lock's key, but this machine has not run it.
    NotRunHere,
    /// An output is gone from the store, or damaged.
    ObjectLost,
    /// Its key differs from the lock's.
    Changed(Vec<Change>),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        /// More changes than this are counted, not listed.
        const SHOWN: usize = 3;
        match self {
            Reason::Forced => f.write_str("forced"),
            Reason::New => f.write_str("new"),
            Reason::NotRunHere => f.write_str("not yet run on this machine"),
            Reason::ObjectLost => f.write_str("a cached output is lost or damaged"),
            Reason::Changed(changes) => {
                let shown: Vec<String> =
                    changes.iter().take(SHOWN).map(Change::to_string).collect();
                f.write_str(&shown.join("; "))?;
                match changes.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

/// What is the case with a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing to do.
    Fresh,
    /// The store has its outputs; these files are missing or edited.
    Restore(Vec<PathBuf>),
    /// It must run.
    Stale(Reason),
    /// A stage that it depends on must run first; whether this one must is known after that.
    /// Holds the nearest such stages.
    Waits(Vec<usize>),
}

/// A stage whose inputs are all known.
pub struct Probe {
    pub key: Key,
    /// Its outputs in the store, if they are all there.
    pub cached: Option<Action>,
}

impl Context<'_> {
    /// The digests of a stage's inputs; `outputs` are the outputs of the stages before it. `None`
    /// when one of those is not known.
    pub fn input_digests(
        &self,
        stage: &Stage,
        outputs: &BTreeMap<usize, Outputs>,
    ) -> Result<Option<Vec<(String, Digest)>>> {
        let mut digests = Vec::with_capacity(stage.inputs.len());
        for input in &stage.inputs {
            let digest = match &input.source {
                Source::File(path) => self.file_digest(stage, path)?,
                Source::Output { stage, output } => {
                    match outputs.get(stage).and_then(|outputs| outputs.get(output)) {
                        Some(digest) => *digest,
                        None => return Ok(None),
                    }
                }
            };
            digests.push((input.key_name(), digest));
        }
        Ok(Some(digests))
    }

    fn file_digest(&self, stage: &Stage, path: &Path) -> Result<Digest> {
        let full = self.input_file(path).map_err(|e| e.at(&stage.place))?;
        Ok(Digest::of_file(&full)?.0)
    }

    /// A file of the repository that is an input; a link that leads out of it is refused.
    pub fn input_file(&self, path: &Path) -> Result<PathBuf> {
        let full = self.workspace.root.join(path);
        let real = full.canonicalize().map_err(|e| {
            let error = Error::config(format!("the input {} is not there: {e}", path.display()));
            error.hint("restore it with `git checkout`, or mend its path in pipeline.yaml")
        })?;
        if !real.starts_with(&self.workspace.root) {
            let message = format!("the input {} leads out of the repository", path.display());
            return Err(Error::config(message));
        }
        Ok(full)
    }

    /// The key of a stage with these inputs, and what the caches have for it.
    pub fn probe(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Probe {
        let kind = &self.kinds[stage.kind];
        let key = Key::new(kind.name(), &stage.job.params(), inputs, kind.code());
        // An entry for other outputs than the stage's is damaged, and as good as none.
        let is_whole = |action: &Action| {
            action.outputs.len() == stage.outputs.len()
                && stage
                    .outputs
                    .iter()
                    .all(|(name, _)| action.outputs.contains_key(name))
        };
        let cached = self.store.cached(key.digest()).filter(is_whole);
        Probe { key, cached }
    }

    /// The block that explains a stage's key: of its own lock, else of the repository's.
    pub fn recorded(&self, stage: &Stage) -> Option<&Block> {
        let locks = [self.lock, self.baseline];
        locks.iter().find_map(|lock| lock.stages.get(&stage.id))
    }

    /// Why a stage with this key would run.
    pub fn reason(&self, stage: &Stage, key: &Key) -> Reason {
        if self.store.action(key.digest()).is_some() {
            return Reason::ObjectLost;
        }
        match self.recorded(stage) {
            None => Reason::New,
            Some(block) if block.key == key.digest() => Reason::NotRunHere,
            Some(block) => Reason::Changed(block.parts.changes(&key.parts())),
        }
    }

    /// The output files of a stage that are missing or differ from `outputs`.
    pub fn out_of_place(&self, stage: &Stage, outputs: &Outputs) -> Vec<PathBuf> {
        let differs = |(name, path): &&(String, PathBuf)| {
            let path = self.workspace.out.join(path);
            // A link is not the file that was put there, whatever it leads to.
            let is_ours = path.symlink_metadata().is_ok_and(|found| found.is_file());
            let found = is_ours.then(|| Digest::of_file(&path).ok()).flatten();
            let found = found.map(|(digest, _)| digest);
            found.is_none() || found.as_ref() != outputs.get(name)
        };
        stage
            .outputs
            .iter()
            .filter(differs)
            .map(|(_, path)| path.clone())
            .collect()
    }

    /// The state of every selected stage, in order.
    pub fn plan(&self, selection: &Selection) -> Result<Vec<(usize, State)>> {
        let mut known: BTreeMap<usize, Outputs> = BTreeMap::new();
        let mut plan = Vec::with_capacity(selection.closure.len());
        for &index in &selection.closure {
            let stage = &self.pipeline.stages[index];
            let state = match self.input_digests(stage, &known)? {
                None => {
                    let upstream = stage.upstream();
                    State::Waits(
                        upstream
                            .into_iter()
                            .filter(|u| !known.contains_key(u))
                            .collect(),
                    )
                }
                Some(inputs) => {
                    let probe = self.probe(stage, inputs);
                    match probe.cached {
                        None => State::Stale(self.reason(stage, &probe.key)),
                        Some(action) => {
                            let moved = self.out_of_place(stage, &action.outputs);
                            known.insert(index, action.outputs);
                            if moved.is_empty() {
                                State::Fresh
                            } else {
                                State::Restore(moved)
                            }
                        }
                    }
                }
            };
            plan.push((index, state));
        }
        Ok(plan)
    }
}
