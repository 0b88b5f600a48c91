//! What a run does to one stage: confirms it, restores it, or runs it in a scratch folder.
//!
//! Unaware of the order of stages: the outputs of those before it are given. Outputs go to the store
//! first and from there to where the user sees them.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, PROGRAM, Result, panic_words};
use crate::base::files;
use crate::base::location::{is_plain_file, link_on_the_way};
use crate::resolve::trace;
use crate::run::event::{Event, Observer, Outcome};
use crate::run::plan::{Context, Draft, Places, Reason};
use crate::run::tolerant::Compared;
use crate::run::watched::Moment;
use crate::shared::store::SharedStore;
use crate::spec::ids;
use crate::stage::company::Member;
use crate::stage::key::Key;
use crate::stage::kind::{Io, read};
use crate::stage::publication::{FILE, Publication, Publications};
use crate::stage::stage::{Input, Source, Stage};
use crate::store::actions::{Action, Outputs};
use crate::store::workspace::Outputs as OutFolder;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A stage that has its outputs.
pub struct Finished {
    pub key: Key,
    pub outputs: Outputs,
    pub published: Publications,
    pub outcome: Outcome,
    /// What it made that was not the recorded bytes.
    pub compared: Vec<Compared>,
}

/// What a run of a stage has put into the cache.
pub(crate) struct Made {
    pub key: Key,
    pub action: Action,
    pub compared: Vec<Compared>,
}

/// What comes of an attempt.
pub(crate) enum Attempted {
    Ended(Finished),
    /// Nothing yet: these stages stand as recorded, and bytes of them are needed that are not here.
    Needs(BTreeSet<usize>),
    /// Nothing, and nothing of the others: it would have to run, and the store without which the run is for nothing was
    /// given up.
    Left,
}

/// In a run that makes only what the lock does not know: what may stay unmade, or might until now.
pub struct Unmade {
    /// What the stage stood for as it is recorded, until its bytes were needed.
    pub stood: Option<Outputs>,
    /// The stages before it that stand as recorded.
    pub before: BTreeSet<usize>,
}

impl Unmade {
    /// Refuses a stage that came to something else than it stood for: others may rest on that.
    fn check(&self, attempted: &Attempted) -> Result<()> {
        match (&self.stood, attempted) {
            (Some(stood), Attempted::Ended(finished)) if finished.outputs != *stood => {
                let message = "it makes other bytes than the lock records, and what stands as recorded rests on those";
                Err(Error::of(ErrorKind::Differs, message).hint(format!(
                    "`{PROGRAM} run` without --as-recorded makes everything, and names what differs"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// A stage whose inputs are there.
pub struct Attempt<'a> {
    pub context: &'a Context<'a>,
    pub index: usize,
    pub stage: &'a Stage,
    /// The outputs of the stages that it needs to know.
    pub known: &'a BTreeMap<usize, Outputs>,
    /// Whether it runs although it is fresh.
    pub forced: bool,
    /// `None` where everything is made.
    pub unmade: Option<Unmade>,
    /// Under which circumstances other than the usual it runs, see [`Io::variation`].
    pub variation: Option<&'a str>,
    /// Its place among those that share work with it and run at the same time; taken when it runs.
    pub member: Mutex<Option<Member>>,
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

impl Attempt<'_> {
    /// Confirms, restores or runs the stage.
    pub(crate) fn bring_up_to_date(&self) -> Result<Attempted> {
        let start = Instant::now();
        let result = self.attempt().and_then(|attempted| {
            let unmade = self.unmade.as_ref();
            unmade.map_or(Ok(()), |unmade| unmade.check(&attempted))?;
            Ok(attempted)
        });
        match &result {
            Ok(Attempted::Needs(_) | Attempted::Left) => {}
            Ok(Attempted::Ended(finished)) => (self.observer)(Event::Done {
                stage: self.index,
                outcome: finished.outcome,
                seconds: start.elapsed().as_secs_f64(),
            }),
            Err(error) => {
                let log = self.context.workspace.log_path(&self.stage.id);
                (self.observer)(Event::Failed {
                    stage: self.index,
                    error: error.clone(),
                    log: log.is_file().then_some(log),
                });
            }
        }
        result
    }

    fn attempt(&self) -> Result<Attempted> {
        let Attempt { context, stage, .. } = self;
        let inputs = context
            .input_digests(stage, |upstream| self.known.get(&upstream))?
            .ok_or_else(|| Error::failed("an input has no digest"))?;
        let probe = context.probe(stage, inputs.clone());
        let reason = match probe.cached {
            Some(_) if self.forced => Reason::Forced,
            Some(action) => {
                let places = context.places(stage, &probe.key, &action.outputs);
                let is_in_place = places.moved.is_empty();
                let (key, outputs) = (probe.key.digest(), &action.outputs);
                if !is_in_place && context.contradicts_lock(stage, key, outputs)? {
                    Reason::Contradicted
                } else {
                    let published = self.publish(places, &probe.key, &action.outputs)?;
                    let outcome = match is_in_place {
                        true => Outcome::Fresh,
                        false => Outcome::Restored,
                    };
                    return Ok(ended(probe.key, action, published, outcome));
                }
            }
            None => context.reason(stage, &probe.key)?,
        };
        let may_stand = |unmade: &Unmade| !self.forced && unmade.stood.is_none();
        if self.unmade.as_ref().is_some_and(may_stand)
            && let Some(finished) = context.as_recorded(self.index, &probe.key)?
        {
            return Ok(Attempted::Ended(finished));
        }
        if !self.forced
            && let Some((key, action)) = self.fetched(&inputs, &probe.key)?
        {
            let places = context.places(stage, &key, &action.outputs);
            let published = self.publish(places, &key, &action.outputs)?;
            return Ok(ended(key, action, published, Outcome::Fetched));
        }
        if context.shared.is_some_and(SharedStore::is_lost) {
            return Ok(Attempted::Left);
        }
        if let Some(Unmade { before, .. }) = &self.unmade {
            let needs = context.missing_makers(stage, before, |stage| self.known.get(&stage))?;
            if !needs.is_empty() {
                return Ok(Attempted::Needs(needs));
            }
        }
        let Made {
            key,
            action,
            compared,
        } = self.make(&inputs, probe.key, reason)?;
        let places = context.places(stage, &key, &action.outputs);
        let published = self.publish(places, &key, &action.outputs)?;
        Ok(Attempted::Ended(Finished {
            key,
            outputs: action.outputs,
            published,
            outcome: Outcome::Ran,
            compared,
        }))
    }

    /// What a shared store has for the stage, and under which of the keys that it may have.
    fn fetched(&self, inputs: &[(String, Digest)], key: &Key) -> Result<Option<(Key, Action)>> {
        let Attempt { context, stage, .. } = self;
        let Some(shared) = context.shared else {
            return Ok(None);
        };
        let keys = match stage.job.is_watched() {
            false => vec![key.clone()],
            true => {
                let base = context.key_of(stage, inputs.to_vec()).digest();
                context.learn_from(shared, stage, base, self.cancelled)?;
                context.watched_keys(stage, inputs)
            }
        };
        for key in keys {
            if let Some(action) = context.fetch(stage, key.digest(), self.cancelled)? {
                return Ok(Some((key, action)));
            }
        }
        Ok(None)
    }

    /// Runs the stage, with inputs that have these digests, and records in the cache what came of it; `key` is the
    /// one that it has before it runs.
    pub(crate) fn make(
        &self,
        inputs: &[(String, Digest)],
        key: Key,
        reason: Reason,
    ) -> Result<Made> {
        (self.observer)(Event::Started {
            stage: self.index,
            reason,
        });
        let start = Instant::now();
        let (made, found) = self.run_job(inputs)?;
        let key = found.unwrap_or(key);
        let (outputs, compared) = self
            .context
            .within_tolerance(self.index, key.digest(), made)?;
        let action = Action {
            stage: self.stage.id.clone(),
            seconds: start.elapsed().as_secs_f64(),
            outputs,
        };
        self.context.store.record(key.digest(), &action)?;
        Ok(Made {
            key,
            action,
            compared,
        })
    }

    /// Runs the job in a scratch folder and moves what it declares into the store. Also the key, where only
    /// a run tells it.
    fn run_job(&self, digests: &[(String, Digest)]) -> Result<(Outputs, Option<Key>)> {
        let Attempt { context, stage, .. } = self;
        let scratch_root = context.workspace.cache.join("scratch");
        files::create_folder(&scratch_root)?;
        // A name that only this program gives, and that tells people which stage it is.
        let scratch = tempfile::Builder::new()
            .prefix(&ids::file_name(
                &format!("{}{}", files::TEMPORARY, stage.id),
                "-",
            ))
            .tempdir_in(&scratch_root)
            .map_err(|e| Error::io("make a folder in", &scratch_root, &e))?;
        let inputs = self.inputs(digests);
        let mut paths = self.input_paths(&inputs, digests)?;
        let mut by_role: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
        for (input, path) in inputs.iter().zip(&paths) {
            let files = by_role.entry(input.role.clone()).or_default();
            files.push((input.label.clone(), path.clone()));
        }
        let trace = self.trace(&scratch_root)?;
        if let Some(file) = &trace {
            let path = file.path().to_owned();
            by_role.insert(trace::ROLE.to_owned(), vec![(String::new(), path.clone())]);
            paths.push(path);
        }
        let report = |progress| {
            (self.observer)(Event::Progress {
                stage: self.index,
                progress,
            });
        };
        let folder = scratch.path().to_owned();
        let mut member = self.member.lock().unwrap_or_else(PoisonError::into_inner);
        let mut io = Io::new(by_role, folder, self.cancelled, &report)
            .varied(self.variation)
            .beside(member.take());
        drop(member);
        let since = Moment::of(scratch.path());
        let is_watched = stage.job.is_watched();
        if is_watched {
            io = io.in_repository(context.repository());
        }
        let job = || {
            catch_unwind(AssertUnwindSafe(|| stage.job.run(&io)))
                .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
        };
        let result = self.inspect(&inputs, &paths, digests).and_then(|()| job());
        for words in io.take_warnings() {
            (self.observer)(Event::Warned {
                stage: self.index,
                words,
            });
        }
        let mut log = io.take_log();
        if let Err(error) = &result {
            log.push_str(&format!("failed: {error}\n"));
        }
        write_log(&context.workspace.log_path(&stage.id), &log)?;
        result?;
        self.check_unchanged(&paths, digests)?;
        let key = || context.key_after(stage, digests, io.take_looks(), since);
        let key = is_watched.then(key).transpose()?;
        Ok((collect(scratch.path(), stage, context)?, key))
    }

    /// Finds what a library may not survive before one reads it: inputs that stages made must be what was
    /// recorded, others are shown to the inspector. All lists are in the order of the inputs.
    fn inspect(
        &self,
        inputs: &[&Input],
        paths: &[PathBuf],
        digests: &[(String, Digest)],
    ) -> Result<()> {
        let inputs = inputs.iter().zip(paths).zip(digests);
        for ((input, path), (name, digest)) in inputs {
            match (&input.source, self.context.inspector) {
                (Source::File(_), Some(inspector)) => inspector.inspect(path)?,
                (Source::Output { .. } | Source::Recorded { .. }, _)
                    if Digest::of_file(path)?.0 != *digest =>
                {
                    self.context.store.distrust(path);
                    let message =
                        format!("the input `{name}` is damaged: it is not what was recorded");
                    return Err(Error::failed(message).hint("run again: it is made anew"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An input that changed while the stage ran makes its result worthless. Both lists are in the
    /// order of the inputs.
    fn check_unchanged(&self, paths: &[PathBuf], digests: &[(String, Digest)]) -> Result<()> {
        for (path, (name, before)) in paths.iter().zip(digests) {
            if Digest::of_file(path)?.0 != *before {
                // It may be that it changed earlier, and nothing but its bytes told.
                self.context.store.distrust(path);
                let message = format!("the input `{name}` changed while the stage ran");
                return Err(Error::failed(message).hint("nothing was recorded: run again"));
            }
        }
        Ok(())
    }

    /// The file that tells the stage of those before it, if its kind asks for that.
    fn trace(&self, folder: &Path) -> Result<Option<tempfile::NamedTempFile>> {
        let Attempt { context, stage, .. } = self;
        if !context.kinds[stage.kind].reads_trace() {
            return Ok(None);
        }
        let text = context
            .trace(stage, |before| self.known.get(&before))?
            .ok_or_else(|| Error::failed("a stage before this one is not known"))?;
        files::scratch(folder, text.as_bytes()).map(Some)
    }

    /// The inputs that are there: those that have a digest, in their order.
    fn inputs(&self, digests: &[(String, Digest)]) -> Vec<&Input> {
        let is_there = |input: &&Input| match input.source {
            Source::File(_) | Source::Output { .. } => true,
            Source::Recorded { .. } => {
                let name = input.key_name();
                digests.iter().any(|(known, _)| *known == name)
            }
        };
        self.stage.inputs.iter().filter(is_there).collect()
    }

    /// Where these inputs are.
    fn input_paths(&self, inputs: &[&Input], digests: &[(String, Digest)]) -> Result<Vec<PathBuf>> {
        let path = |(input, (_, digest)): (&&Input, &(String, Digest))| match &input.source {
            Source::Recorded { stage, output } => {
                self.context.recorded_file(*stage, output, *digest)
            }
            Source::File(path) => self.context.path_of(input, path),
            Source::Output { stage, output } => {
                let outputs = self.known.get(stage);
                let digest = outputs.and_then(|outputs| outputs.get(output));
                let digest = digest.ok_or_else(|| Error::failed("an input has no digest"))?;
                Ok(self.context.store.object(*digest))
            }
        };
        inputs.iter().zip(digests).map(path).collect()
    }

    /// Puts outputs that are missing or differ where the user sees them.
    fn publish(&self, places: Places, key: &Key, outputs: &Outputs) -> Result<Publications> {
        let Attempt { context, stage, .. } = self;
        let Places {
            moved,
            mut published,
        } = places;
        for (name, path) in &moved {
            self.check_place(path)?;
            let digest = match context.draft(stage, key, name, outputs) {
                None => outputs[name],
                Some(draft) => match published.get(name) {
                    Some(publication) => publication.digest,
                    None => {
                        let key = draft.key;
                        let digest = self.embed(path, draft)?;
                        let publication = Publication { key, digest };
                        published.insert(name.clone(), publication);
                        digest
                    }
                },
            };
            let target = context.workspace.out.join(path);
            context.store.copy_to(digest, &target)?;
        }
        Ok(published)
    }

    /// Refuses to write through a link, and in a folder that somebody named, over a file that was not
    /// made here.
    fn check_place(&self, path: &Path) -> Result<()> {
        let context = self.context;
        let out = &context.workspace.out;
        if let Some(link) = link_on_the_way(out, path) {
            let message = format!("{} is a symbolic link: nothing was written", link.display());
            return Err(Error::failed(message).hint("put a real folder there"));
        }
        let target = out.join(path);
        let is_named = matches!(context.workspace.outputs(), OutFolder::Named { .. });
        if !is_named || target.symlink_metadata().is_err() {
            return Ok(());
        }
        let recorded = path.to_str().map(|path| context.lock.has_path(path));
        let is_recorded = recorded.transpose()?.unwrap_or(false);
        let made = || context.store.digest_of_plain(&target);
        if is_plain_file(&target)
            && (is_recorded || made().is_some_and(|digest| context.store.has_made(digest)))
        {
            return Ok(());
        }
        let message = format!(
            "{} is there already and was not made here",
            target.display()
        );
        Err(Error::of(ErrorKind::Failed, message)
            .hint("move it away, or name another folder with --out DIR"))
    }

    /// Makes the bytes of a publication, and records them.
    fn embed(&self, path: &Path, draft: Draft) -> Result<Digest> {
        let Attempt { context, stage, .. } = self;
        let publisher = context
            .publisher
            .ok_or_else(|| Error::failed("there is nothing to publish with"))?;
        let start = Instant::now();
        let content = read(&context.store.object(draft.content))?;
        let embed = || publisher.embed(path, &content, &draft.provenance);
        let bytes = catch_unwind(AssertUnwindSafe(embed))
            .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))?;
        let digest = context.insert(&bytes)?;
        let action = Action {
            stage: stage.id.clone(),
            seconds: start.elapsed().as_secs_f64(),
            outputs: Outputs::from([(FILE.to_owned(), digest)]),
        };
        context.store.record(draft.key, &action)?;
        Ok(digest)
    }
}

/// A stage of which nothing was compared.
fn ended(key: Key, action: Action, published: Publications, outcome: Outcome) -> Attempted {
    Attempted::Ended(Finished {
        key,
        outputs: action.outputs,
        published,
        outcome,
        compared: Vec::new(),
    })
}

/// A log is for people: one that a kill cuts short does no harm. A stage that said nothing has none.
fn write_log(path: &Path, log: &str) -> Result<()> {
    let io = |e: std::io::Error| Error::io("write", path, &e);
    if path.is_symlink() {
        return Err(files::is_link(path, "written"));
    }
    if log.is_empty() {
        return match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(e)),
            _ => Ok(()),
        };
    }
    files::create_folder(path.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(path, log).map_err(io)
}

/// Moves the declared outputs into the store; a missing or undeclared file fails the stage.
fn collect(scratch: &Path, stage: &Stage, context: &Context) -> Result<Outputs> {
    let io = |e: std::io::Error| Error::io("list", scratch, &e);
    for entry in std::fs::read_dir(scratch).map_err(io)? {
        let name = entry
            .map_err(io)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !stage.outputs.iter().any(|(output, _)| *output == name) {
            return Err(Error::failed(format!(
                "the stage wrote an undeclared output `{name}`"
            )));
        }
    }
    let mut outputs = Outputs::new();
    for (name, _) in &stage.outputs {
        let file = scratch.join(name);
        if !file.is_file() {
            return Err(Error::failed(format!(
                "the stage did not write its output `{name}`"
            )));
        }
        outputs.insert(name.clone(), context.store.insert(&file)?);
    }
    Ok(outputs)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic_words(panic);
    Error::failed(format!("the stage panicked: {text}")).hint("this is a bug: please report it")
}
