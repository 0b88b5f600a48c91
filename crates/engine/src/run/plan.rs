//! Whether a stage must run, and why.
//!
//! A stage is fresh only when this machine has made its outputs under this very key, the bytes are
//! still in the store, and the files where the user sees them are the same. The lock explains; it
//! never makes anything fresh.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::base::files;
use crate::lock::file::{Block, LockFile};
use crate::lock::moves::{self, Blocks, Move};
use crate::resolve::select::Selection;
use crate::resolve::stages::Pipeline;
use crate::resolve::trace;
use crate::run::inspection::Inspector;
use crate::shared::store::SharedStore;
use crate::stage::key::{Change, Key};
use crate::stage::kind::Kind;
use crate::stage::publication::{self, FILE, PUBLISHED, Publication, Publications, Publisher};
use crate::stage::stage::{Source, Stage};
use crate::stage::supplied::{Absent, AbsentFile};
use crate::store::actions::{Action, Outputs};
use crate::store::content::Store;
use crate::store::workspace::Workspace;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use crate::run::reason::Reason;

/// Everything that questions about freshness need.
pub struct Context<'a> {
    pub workspace: &'a Workspace,
    pub kinds: &'a [Box<dyn Kind>],
    pub pipeline: &'a Pipeline,
    /// The lock beside the outputs.
    pub lock: &'a LockFile,
    /// The repository's lock, to which a variant that has not run yet is compared.
    pub baseline: &'a LockFile,
    pub store: &'a Store,
    /// Where a run looks for what the cache does not have.
    pub shared: Option<&'a SharedStore>,
    pub publisher: Option<&'a dyn Publisher>,
    /// Looks at files that no stage made.
    pub inspector: Option<&'a dyn Inspector>,
    /// Whose lock and files tell what is recorded, where that is another one: a rebuild has none.
    pub standing: Option<&'a Context<'a>>,
}

/// What is the case with a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing to do.
    Fresh,
    /// The store has its outputs; these files are missing or edited.
    Restore(Vec<PathBuf>),
    /// Not in the cache, and as the lock records it: for a run that makes only what the lock does not know.
    Recorded,
    /// It must run.
    Stale(Reason),
    /// A stage that it depends on must run first; whether this one must is known after that.
    /// Holds the nearest such stages.
    Waits(Vec<usize>),
    /// As the lock records it, and not here: this stage, if it runs, reads it.
    Needed(usize),
    /// It cannot run: a file that people supply themselves is not here.
    Absent(Absent),
}

/// A stage whose inputs are all known.
pub struct Probe {
    pub key: Key,
    /// Its outputs in the store, if they are all there.
    pub cached: Option<Action>,
}

impl<'a> Context<'a> {
    /// The view of somebody who has a cache and a folder for outputs of their own: what is recorded stays what this
    /// one records.
    pub fn with_own_cache(&'a self, workspace: &'a Workspace, store: &'a Store) -> Context<'a> {
        Context {
            workspace,
            store,
            shared: None,
            standing: Some(self),
            ..*self
        }
    }
}

impl Context<'_> {
    /// The digests of a stage's inputs; `outputs` knows the outputs of the stages before it. `None`
    /// when it does not know one of those.
    pub fn input_digests<'o>(
        &self,
        stage: &Stage,
        outputs: impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Result<Option<Vec<(String, Digest)>>> {
        let Some(mut digests) = self.artifact_digests(stage, &outputs)? else {
            return Ok(None);
        };
        if self.kinds[stage.kind].reads_trace() {
            let Some(trace) = self.trace(stage, outputs)? else {
                return Ok(None);
            };
            digests.push((trace::ROLE.to_owned(), Digest::of(trace.as_bytes())));
        }
        Ok(Some(digests))
    }

    /// What a stage is told of those before it; `None` when the outputs of one are not known.
    pub fn trace<'o>(
        &self,
        stage: &Stage,
        outputs: impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Result<Option<String>> {
        let mut entries = Vec::new();
        for index in self.pipeline.ancestors(stage) {
            let before = &self.pipeline.stages[index];
            let digests = self.artifact_digests(before, &outputs)?;
            let (Some(mut digests), Some(made)) = (digests, outputs(index)) else {
                return Ok(None);
            };
            digests.sort();
            let origins = trace::origins(self.pipeline, before, &digests).unwrap_or_default();
            let kind = &*self.kinds[before.kind];
            entries.push(trace::entry(before, kind, &origins, made));
        }
        let mut recorded = Vec::new();
        for input in &stage.inputs {
            if let Source::Recorded { stage, output } = &input.source {
                let digest = self.recorded_digest(*stage, output, &outputs)?;
                let maker = &self.pipeline.stages[*stage];
                let kind = &*self.kinds[maker.kind];
                recorded.push(trace::recorded(input, maker, output, kind, digest));
            }
        }
        Ok(Some(trace::text(entries, recorded)))
    }

    /// The stages whose outputs a stage must know: those that it reads, and for a trace all before it.
    pub fn needs(&self, stage: &Stage) -> BTreeSet<usize> {
        match self.kinds[stage.kind].reads_trace() {
            true => self.pipeline.ancestors(stage),
            false => stage.upstream().into_iter().collect(),
        }
    }

    /// The digests of a stage's inputs but for its trace, in the order of the inputs.
    fn artifact_digests<'o>(
        &self,
        stage: &Stage,
        outputs: &impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Result<Option<Vec<(String, Digest)>>> {
        let mut digests = Vec::with_capacity(stage.inputs.len());
        for input in &stage.inputs {
            let digest = match &input.source {
                Source::File(path) => match self.file_digest(input, path)? {
                    Some(digest) => digest,
                    None => return Ok(None),
                },
                Source::Recorded { stage, output } => {
                    match self.recorded_digest(*stage, output, outputs)? {
                        Some(digest) => digest,
                        None => continue,
                    }
                }
                Source::Output { stage, output } => {
                    match outputs(*stage).and_then(|outputs| outputs.get(output)) {
                        Some(digest) => *digest,
                        None => return Ok(None),
                    }
                }
            };
            digests.push((input.key_name(), digest));
        }
        Ok(Some(digests))
    }

    /// The key of a stage with these inputs; of a watched one, by what its recorded key says it looked at.
    pub fn key(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Key {
        match stage.job.is_watched() {
            true => self.recorded_key(stage, inputs),
            false => self.key_of(stage, inputs),
        }
    }

    /// The key of a stage with these inputs and nothing else.
    pub(crate) fn key_of(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Key {
        let kind = &self.kinds[stage.kind];
        Key::new(kind.name(), stage.job.params(), inputs, kind.code())
    }

    /// The key of a stage with these inputs, and what the caches have for it.
    pub fn probe(&self, stage: &Stage, inputs: Vec<(String, Digest)>) -> Probe {
        match stage.job.is_watched() {
            true => self.probe_watched(stage, inputs),
            false => self.probe_key(stage, self.key_of(stage, inputs)),
        }
    }

    /// What the caches have for a key of a stage.
    pub(crate) fn probe_key(&self, stage: &Stage, key: Key) -> Probe {
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
    pub fn recorded(&self, stage: &Stage) -> Result<Option<&Block>> {
        match self.lock.get()?.stages.get(&stage.id) {
            Some(block) => Ok(Some(block)),
            None => Ok(self.baseline.get()?.stages.get(&stage.id)),
        }
    }

    /// The name under which the lock records a stage that has no block of its own.
    pub fn elsewhere(&self, stage: &Stage, key: Digest) -> Result<Option<&str>> {
        let known = Blocks::new(self.lock.get()?, self.pipeline).of(stage, key);
        Ok(known.and_then(|known| known.renamed_from))
    }

    /// What is not as the block records it; inputs with where they come from.
    pub fn changes(&self, stage: &Stage, block: &Block, key: &Key) -> Vec<Change> {
        let mut changes = block.changes(key.digest(), &key.parts());
        for change in &mut changes {
            if let Change::Input { role, from, .. } = change {
                let input = stage.inputs.iter().find(|input| input.key_name() == *role);
                *from = input.map(|input| trace::from(self.pipeline, &input.source));
            }
        }
        changes
    }

    /// Why a stage with this key would run.
    pub fn reason(&self, stage: &Stage, key: &Key) -> Result<Reason> {
        if let Some(action) = self.store.action(key.digest()) {
            let outputs = &action.outputs;
            return Ok(match self.contradicts_lock(stage, key.digest(), outputs)? {
                true => Reason::Contradicted,
                false => Reason::ObjectLost,
            });
        }
        Ok(match self.recorded(stage)? {
            None if self.elsewhere(stage, key.digest())?.is_some() => Reason::NotRunHere,
            None => match self.lock.problem_of(&stage.id) {
                Some(why) => Reason::Unreadable(why.to_owned()),
                None => Reason::New,
            },
            Some(block) if block.key == key.digest() => Reason::NotRunHere,
            Some(block) => Reason::Changed(self.changes(stage, block, key)),
        })
    }

    /// The files of a stage as they should be, and those that are not.
    pub fn places(&self, stage: &Stage, key: &Key, outputs: &Outputs) -> Places {
        let mut places = Places::default();
        for (name, path) in &stage.outputs {
            let draft = self.draft(stage, key, name, outputs);
            // A link is not the file that was put there, whatever it leads to.
            let found = self.store.digest_of_plain(&self.workspace.out.join(path));
            let expected = match &draft {
                None => outputs.get(name).copied(),
                Some(draft) => self.published(draft.key).filter(|&file| {
                    let contradicts = || self.contradicts_publication(stage, name, draft.key, file);
                    found == Some(file) || !contradicts()
                }),
            };
            if let (Some(draft), Some(digest)) = (draft, expected) {
                let key = draft.key;
                let publication = Publication { key, digest };
                places.published.insert(name.clone(), publication);
            }
            if found.is_none() || found != expected {
                places.moved.push((name.clone(), path.clone()));
            }
        }
        places
    }

    /// What is to be published of an output; `None` where the artifact itself is.
    pub fn draft(
        &self,
        stage: &Stage,
        key: &Key,
        output: &str,
        outputs: &Outputs,
    ) -> Option<Draft> {
        let (_, path) = stage.outputs.iter().find(|(name, _)| name == output)?;
        let publisher = self.publisher.filter(|p| p.applies(path));
        let publisher = publisher.filter(|_| path.starts_with(PUBLISHED))?;
        let content = *outputs.get(output)?;
        let origins = trace::origins(self.pipeline, stage, key.inputs())?;
        let kind = self.kinds[stage.kind].name();
        let params = stage.job.params();
        let provenance =
            publication::provenance(&stage.id, output, kind, &params, &origins, content);
        let key = publication::key(&provenance, content, path, publisher.code());
        Some(Draft {
            content,
            provenance,
            key,
        })
    }

    /// Puts bytes into the store.
    pub(crate) fn insert(&self, bytes: &[u8]) -> Result<Digest> {
        let folder = self.workspace.cache.join("scratch");
        files::create_folder(&folder)?;
        let file = files::scratch(&folder, bytes)?;
        self.store.insert(file.path())
    }

    /// The published bytes that the action cache knows under a publication's key.
    fn published(&self, key: Digest) -> Option<Digest> {
        let action = self.store.cached(key)?;
        action.outputs.get(FILE).copied()
    }

    /// The state of every selected stage.
    ///
    /// # Errors
    /// An input, the lock or the cache cannot be read.
    pub fn plan(&self, selection: &Selection) -> Result<Plan> {
        self.plan_of(selection, false)
    }

    /// As [`Context::plan`], for a run that makes only what the lock does not know.
    ///
    /// # Errors
    /// As [`Context::plan`].
    pub fn plan_as_recorded(&self, selection: &Selection) -> Result<Plan> {
        let mut plan = self.plan_of(selection, true)?;
        for &index in selection.closure.iter().rev() {
            let runs = matches!(plan.states[&index], State::Stale(_));
            if !runs && !matches!(plan.states[&index], State::Waits(_) | State::Needed(_)) {
                continue;
            }
            for input in &self.pipeline.stages[index].inputs {
                if let Source::Output { stage, output } = &input.source
                    && matches!(
                        plan.states.get(stage),
                        Some(State::Recorded | State::Needed(_))
                    )
                    && !self.has_content(*stage, output, plan.known[stage][output])
                {
                    let state = match runs {
                        true => State::Stale(Reason::NotRunHere),
                        false => State::Needed(index),
                    };
                    plan.states.insert(*stage, state);
                }
            }
        }
        Ok(plan)
    }

    fn plan_of(&self, selection: &Selection, as_recorded: bool) -> Result<Plan> {
        self.check_inputs(selection)?;
        let absences = self.absences(selection)?;
        let mut plan = Plan::default();
        let blocks = OnceCell::new();
        // A lock that cannot be read is told by those who need it.
        let blocks = || {
            let read = || Some(Blocks::new(self.lock.get().ok()?, self.pipeline));
            blocks.get_or_init(read).as_ref()
        };
        let elsewhere = |stage: &Stage, key: &Key| {
            let known = blocks()?.of(stage, key.digest())?;
            let is_same = known.block.key == key.digest();
            is_same.then(|| Moved {
                renamed_from: known.renamed_from.map(str::to_owned),
                outputs: moves::of_stage(stage, known.block),
            })
        };
        for &index in &selection.closure {
            let stage = &self.pipeline.stages[index];
            // Of what cannot run here the readers know what the lock records.
            let outputs = |before| {
                plan.known
                    .get(&before)
                    .or_else(|| absences.recorded(before))
            };
            let mut pending = stage.recorded();
            let is_made =
                |s: &usize| selection.closure.contains(s) && !absences.stages.contains_key(s);
            pending.retain(|&s| is_made(&s) && outputs(s).is_none());
            let inputs = match pending.is_empty() {
                true => self.input_digests(stage, outputs)?,
                false => None,
            };
            let state = match (absences.stages.get(&index), inputs) {
                (Some(absent), _) => State::Absent(absent.clone()),
                (None, None) => {
                    let mut upstream = stage.upstream();
                    upstream.retain(|&u| outputs(u).is_none());
                    upstream.extend(pending);
                    State::Waits(upstream)
                }
                (None, Some(inputs)) => {
                    let probe = self.probe(stage, inputs);
                    let key = &probe.key;
                    let recorded = |is_asked: bool| match is_asked && as_recorded {
                        true => self.as_recorded(index, key),
                        false => Ok(None),
                    };
                    let unmade = recorded(probe.cached.is_none())?;
                    match (probe.cached, unmade) {
                        (None, Some(recorded)) => {
                            plan.known.insert(index, recorded.outputs);
                            State::Recorded
                        }
                        (None, None) => {
                            let reason = self.reason(stage, &probe.key)?;
                            plan.moved
                                .extend(elsewhere(stage, &probe.key).map(|m| (index, m)));
                            State::Stale(reason)
                        }
                        (Some(action), _) => {
                            let places = self.places(stage, &probe.key, &action.outputs);
                            let missing: Vec<PathBuf> =
                                places.moved.into_iter().map(|(_, path)| path).collect();
                            // A look writes nothing, so a lock that cannot be read is no matter here.
                            let (key, outputs) = (probe.key.digest(), &action.outputs);
                            let is_denied = !missing.is_empty()
                                && matches!(self.contradicts_lock(stage, key, outputs), Ok(true));
                            if !is_denied {
                                plan.known.insert(index, action.outputs);
                            }
                            if let Some(recorded) = recorded(is_denied)? {
                                plan.known.insert(index, recorded.outputs);
                                State::Recorded
                            } else if is_denied {
                                State::Stale(Reason::Contradicted)
                            } else if missing.is_empty() {
                                State::Fresh
                            } else {
                                plan.moved
                                    .extend(elsewhere(stage, &probe.key).map(|m| (index, m)));
                                State::Restore(missing)
                            }
                        }
                    }
                }
            };
            plan.states.insert(index, state);
        }
        plan.absent = absences.files.into_values().collect();
        Ok(plan)
    }
}

/// The files of a stage.
#[derive(Debug, Default)]
pub struct Places {
    /// Outputs that are missing or not as they should be, with their paths.
    pub moved: Vec<(String, PathBuf)>,
    /// The publications that are known.
    pub published: Publications,
}

/// An output that is to be published.
pub struct Draft {
    /// Digest of the artifact.
    pub content: Digest,
    pub provenance: serde_json::Value,
    pub key: Digest,
}

/// The states of the selected stages.
#[derive(Debug, Default)]
pub struct Plan {
    /// In an order in which the stages can run.
    pub states: BTreeMap<usize, State>,
    /// The outputs of those that are in the cache.
    pub known: BTreeMap<usize, Outputs>,
    /// Files that people supply themselves, that these stages read, and that are not here.
    pub absent: Vec<AbsentFile>,
    /// Of those that are not fresh, where the lock records them, if that is elsewhere.
    pub moved: BTreeMap<usize, Moved>,
}

/// Where the lock records a stage that has a recorded key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The name that it had.
    pub renamed_from: Option<String>,
    /// Outputs that were in other places.
    pub outputs: Vec<Move>,
}

impl Plan {
    /// From a stage that waits to the one that makes it wait: each depends on the next, and the last
    /// one is stale for a reason of its own. Only the stage itself when it does not wait.
    pub fn chain(&self, stage: usize) -> Vec<usize> {
        let mut chain = vec![stage];
        loop {
            let next = match self.states.get(&chain[chain.len() - 1]) {
                Some(State::Waits(upstream)) => upstream.first().copied(),
                Some(State::Needed(reader)) => Some(*reader),
                _ => None,
            };
            match next {
                Some(next) => chain.push(next),
                None => return chain,
            }
        }
    }

    /// Why the last stage of a chain is stale.
    pub fn root_reason(&self, chain: &[usize]) -> Option<&Reason> {
        match self.states.get(chain.last()?) {
            Some(State::Stale(reason)) => Some(reason),
            _ => None,
        }
    }
}
