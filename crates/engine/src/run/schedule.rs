//! Runs the stages that must run, several at a time, and records what came out.
//!
//! First one look at everything: stages that are fresh take no worker, and where all are, none starts.
//! Then each worker takes the first stage whose inputs are ready: first what the first group of
//! pipeline.yaml needs, so that what people want to see is there while the rest goes on; with it those that
//! share work with it ([`crate::stage::kind::StageKind::shares`]). Of a stage that finds bytes missing which stand as
//! recorded, the makers are put before it, and it is taken again. The number of workers changes the order of
//! events, never a byte. What is done to one stage stands in `run::execute`, what
//! becomes of the lock in [`crate::run::settle`].

use crate::base::error::{Error, Result};
use crate::base::files;
use crate::resolve::select::Selection;
use crate::run::absent::Absences;
use crate::run::event::{Event, Observer, Outcome};
use crate::run::execute::{Attempt, Attempted, Finished, Unmade};
use crate::run::plan::Context;
use crate::run::settle::{Settlement, Summary};
use crate::shared::store::SharedStore;
use crate::stage::company::Member;
use crate::stage::stage::SharedWork;
use crate::store::actions::Outputs;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cores for stages: as many at a time as use them.
    pub workers: usize,
    /// Run the targets although they are fresh.
    pub force: bool,
    /// Go on with stages that do not depend on a failed one.
    pub keep_going: bool,
    /// Make only what the lock does not know: where it has a stage's key, its digests stand.
    pub as_recorded: bool,
    /// Record outputs that differ under an unchanged key, instead of reporting them.
    pub accept: bool,
    /// Under which circumstances other than the usual stages run, see [`crate::Io::variation`].
    pub variation: Option<String>,
}

/// No more stages than that share work at a time: each has a thread.
const LARGEST_COMPANY: usize = 16;

/// When a stage is taken: the rank of its group, then its place in the file.
type Turn = (usize, usize);

/// A stage that somebody has taken.
struct Wanted {
    index: usize,
    /// The outputs that it needs to know.
    known: BTreeMap<usize, Outputs>,
    /// See [`Attempt::unmade`].
    unmade: Option<Unmade>,
}

/// How far a run is; what the workers share.
struct Progressing {
    finished: BTreeMap<usize, Finished>,
    failed: BTreeMap<usize, Error>,
    /// Stages that nobody has taken: those whose inputs are there, and of the others how many
    /// stages each waits for.
    ready: BTreeSet<Turn>,
    /// See [`crate::resolve::stages::Pipeline::ranks`].
    ranks: Vec<usize>,
    blocked: BTreeMap<usize, usize>,
    readers: BTreeMap<usize, Vec<usize>>,
    /// Of each stage that shares work, those that share it, itself too.
    companies: BTreeMap<usize, Arc<[usize]>>,
    /// Stages that stood as recorded until one needed bytes of them.
    demanded: BTreeSet<usize>,
    /// Cores that running stages use.
    busy: usize,
}

/// A run over the selected stages.
pub struct Run<'a> {
    pub context: &'a Context<'a>,
    pub options: &'a Options,
    pub selection: &'a Selection,
    /// Outputs of stages outside the selection that it reads from.
    pub given: &'a BTreeMap<usize, Outputs>,
    /// Called once, before the first stage that is not fresh.
    pub prepare: &'a (dyn Fn() -> Result<()> + Sync),
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

impl Run<'_> {
    /// Runs, then brings the lock up to date. Failed stages are in the summary, not an error.
    pub fn execute(&self) -> Result<Summary> {
        self.context.check_inputs(self.selection)?;
        let absences = self.context.absences(self.selection)?;
        if absences.files.is_empty() {
            return self.execute_all(absences, BTreeMap::new());
        }
        // What stands as recorded needs no file.
        let mut targets = self.selection.targets.clone();
        for &stage in absences.stages.keys().filter(|_| self.options.as_recorded) {
            if !self.is_forced(stage) && self.stands(stage, &absences)? {
                targets.remove(&stage);
            }
        }
        let refused = absences.error(self.context, &targets);
        let mut refused_stages = BTreeMap::new();
        if let Some(error) = &refused {
            if !self.options.keep_going {
                return Err(error.clone());
            }
            for &stage in &targets {
                let own = absences.error(self.context, &BTreeSet::from([stage]));
                refused_stages.extend(own.map(|error| (stage, error)));
            }
        }
        let selection = absences.rest_of(self.context, self.selection);
        let left_out = self.selection.closure.difference(&selection.closure);
        let expected = left_out.filter_map(|&s| Some((s, absences.expected(s)?.clone())));
        let given = self.given.clone().into_iter().chain(expected).collect();
        let narrowed = Run {
            selection: &selection,
            given: &given,
            ..*self
        };
        let mut summary = narrowed.execute_all(absences, refused_stages)?;
        summary.refused = refused;
        Ok(summary)
    }

    /// Whether a stage that cannot run is as the lock records it.
    fn stands(&self, index: usize, absences: &Absences) -> Result<bool> {
        let stage = &self.context.pipeline.stages[index];
        let inputs = self
            .context
            .input_digests(stage, |before| absences.expected(before))?;
        let Some(inputs) = inputs else {
            return Ok(false);
        };
        let key = self.context.key(stage, inputs);
        Ok(self.context.as_recorded(index, &key)?.is_some())
    }

    /// Runs a selection of which every stage can run; `refused` are those that were taken out of it.
    fn execute_all(&self, absences: Absences, refused: BTreeMap<usize, Error>) -> Result<Summary> {
        let start = Instant::now();
        let mut state = self.confirm(self.context.pipeline.ranks()?);
        let waiting = state.untaken();
        if waiting > 0 {
            state.companies = self.companies(&state);
            (self.prepare)()?;
            if !absences.stages.is_empty() {
                for &stage in &self.selection.closure {
                    let stage = &self.context.pipeline.stages[stage];
                    self.context.adopt(stage, &absences)?;
                }
            }
            let shared = Mutex::new(state);
            let changed = Condvar::new();
            std::thread::scope(|scope| {
                // Those that wait may need what stands as recorded.
                let most = match self.options.as_recorded {
                    true => self.selection.closure.len(),
                    false => waiting,
                };
                for _ in 0..self.options.workers.clamp(1, most) {
                    scope.spawn(|| self.work(&shared, &changed));
                }
            });
            state = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
            state.forget_unreached();
        }
        state.failed.extend(refused);
        let mut summary = Settlement {
            context: self.context,
            selection: self.selection,
            accept: self.options.accept,
            finished: &state.finished,
            failed: &state.failed,
            untaken: state.untaken(),
            interrupted: self.cancelled.load(Ordering::Relaxed),
        }
        .settle()?;
        self.context.store.remember()?;
        let stages = absences.stages.keys();
        summary.as_recorded = stages.filter(|s| !state.failed.contains_key(s)).count();
        summary.absent = absences.files.into_values().collect();
        summary.seconds = start.elapsed().as_secs_f64();
        Ok(summary)
    }

    /// Takes the stages that are fresh; what is left must be restored or run, or waits for such.
    fn confirm(&self, ranks: Vec<usize>) -> Progressing {
        let mut state = Progressing {
            finished: BTreeMap::new(),
            failed: BTreeMap::new(),
            ready: BTreeSet::new(),
            ranks,
            blocked: BTreeMap::new(),
            readers: BTreeMap::new(),
            companies: BTreeMap::new(),
            demanded: BTreeSet::new(),
            busy: 0,
        };
        for &index in &self.selection.closure {
            let stage = &self.context.pipeline.stages[index];
            let outputs = |upstream: usize| {
                let finished = state.finished.get(&upstream);
                finished.map(|f| &f.outputs).or(self.given.get(&upstream))
            };
            let missing = |upstream: &usize| outputs(*upstream).is_none();
            // What it reads as recorded is made first, where it is made at all.
            let mut before = stage.upstream();
            let recorded = stage.recorded().into_iter();
            before.extend(recorded.filter(|s| self.selection.closure.contains(s)));
            let missing: Vec<usize> = before.into_iter().filter(missing).collect();
            if !missing.is_empty() {
                state.blocked.insert(index, missing.len());
                for upstream in missing {
                    state.readers.entry(upstream).or_default().push(index);
                }
            } else if let Some(finished) = self.if_fresh(index, outputs) {
                (self.observer)(Event::Done {
                    stage: index,
                    outcome: finished.outcome,
                    seconds: 0.0,
                });
                state.finished.insert(index, finished);
            } else {
                state.make_ready(index);
            }
        }
        state
    }

    /// Which of the stages that nobody has taken share work.
    fn companies(&self, state: &Progressing) -> BTreeMap<usize, Arc<[usize]>> {
        let ready = state.ready.iter().map(|&(_, index)| index);
        let untaken = ready.chain(state.blocked.keys().copied());
        // One that stands as recorded runs if its bytes are needed.
        let finished = state.finished.keys().copied();
        let untaken = untaken.chain(finished.filter(|&index| state.standing(index).is_some()));
        let mut by_work: BTreeMap<SharedWork, Vec<usize>> = BTreeMap::new();
        for index in untaken {
            if let Some(work) = self.context.pipeline.stages[index].shared_work() {
                by_work.entry(work).or_default().push(index);
            }
        }
        let mut companies = BTreeMap::new();
        for company in by_work.into_values() {
            let company: Arc<[usize]> = company.into();
            let of_each = company.iter().map(|&index| (index, Arc::clone(&company)));
            companies.extend(of_each);
        }
        companies
    }

    /// A stage as it is, or as it is recorded where that will do, if nothing is to be done. What goes wrong here
    /// goes wrong again when a worker takes the stage, and is reported then.
    fn if_fresh<'o>(
        &self,
        index: usize,
        outputs: impl Fn(usize) -> Option<&'o Outputs>,
    ) -> Option<Finished> {
        let stage = &self.context.pipeline.stages[index];
        if self.is_forced(index) {
            return None;
        }
        let inputs = self.context.input_digests(stage, outputs).ok()??;
        let probe = self.context.probe(stage, inputs);
        let Some(action) = probe.cached else {
            let recorded = || self.context.as_recorded(index, &probe.key).ok()?;
            return self.options.as_recorded.then(recorded).flatten();
        };
        let outputs = action.outputs;
        let places = self.context.places(stage, &probe.key, &outputs);
        places.moved.is_empty().then_some(Finished {
            key: probe.key,
            outputs,
            published: places.published,
            outcome: Outcome::Fresh,
            compared: Vec::new(),
        })
    }

    /// Whether the stage runs although it is fresh.
    fn is_forced(&self, index: usize) -> bool {
        self.options.force && self.selection.targets.contains(&index)
    }

    /// The cores that a stage uses, of those that there are.
    fn cores(&self, index: usize) -> usize {
        let cores = self.context.pipeline.stages[index].job.cores();
        cores.clamp(1, self.options.workers.max(1))
    }

    fn work(&self, shared: &Mutex<Progressing>, changed: &Condvar) {
        let mut state = lock(shared);
        while !self.should_stop(&state) {
            let next = state
                .ready
                .first()
                .map(|&(_, index)| (index, self.cores(index)));
            // One that needs more cores than are free is waited for, else it would never have its turn.
            let fits = |cores: usize| state.busy == 0 || state.busy + cores <= self.options.workers;
            let Some((index, cores)) = next.filter(|(_, cores)| fits(*cores)) else {
                if state.busy == 0 {
                    // Nothing runs and nothing can: the rest waits for failed stages.
                    return;
                }
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let taken = state.take(index);
            state.busy += cores;
            let known = |upstream: usize| {
                let finished = state.finished.get(&upstream).map(|f| &f.outputs);
                let outputs = finished.or(self.given.get(&upstream))?;
                Some((upstream, outputs.clone()))
            };
            let known = |index: usize| {
                let stage = &self.context.pipeline.stages[index];
                let needed = self.context.needs(stage).into_iter();
                needed.chain(stage.recorded()).filter_map(known).collect()
            };
            let wanted = taken.iter().copied().map(|index| Wanted {
                index,
                known: known(index),
                unmade: self.options.as_recorded.then(|| self.unmade(index, &state)),
            });
            let wanted: Vec<Wanted> = wanted.collect();
            drop(state);
            let results = self.attempt_all(wanted);
            state = lock(shared);
            state.busy -= cores;
            for (index, result) in taken.into_iter().zip(results) {
                match result {
                    Ok(Attempted::Ended(finished)) => state.end(index, finished),
                    Ok(Attempted::Needs(makers)) => state.wait_for(index, makers),
                    Ok(Attempted::Left) => state.make_ready(index),
                    Err(error) => state.fail(index, error),
                }
            }
            changed.notify_all();
        }
    }

    /// What may stay unmade when a stage is brought up to date.
    fn unmade(&self, index: usize, state: &Progressing) -> Unmade {
        let before = self.context.pipeline.stages[index].upstream().into_iter();
        Unmade {
            stood: state.standing(index).map(|stood| stood.outputs.clone()),
            before: before.filter(|&s| state.standing(s).is_some()).collect(),
        }
    }

    /// Brings stages up to date, side by side.
    fn attempt_all(&self, mut stages: Vec<Wanted>) -> Vec<Result<Attempted>> {
        let attempt = |wanted: Wanted, member| {
            let attempt = Attempt {
                context: self.context,
                index: wanted.index,
                stage: &self.context.pipeline.stages[wanted.index],
                known: &wanted.known,
                forced: self.is_forced(wanted.index),
                unmade: wanted.unmade,
                variation: self.options.variation.as_deref(),
                member: Mutex::new(member),
                observer: self.observer,
                cancelled: self.cancelled,
            };
            attempt.bring_up_to_date()
        };
        if stages.len() == 1
            && let Some(only) = stages.pop()
        {
            return vec![attempt(only, None)];
        }
        let members = Member::company(stages.len());
        std::thread::scope(|scope| {
            let members = members.into_iter().zip(stages);
            let threads: Vec<_> = members
                .map(|(member, wanted)| {
                    let attempt = &attempt;
                    scope.spawn(move || attempt(wanted, Some(member)))
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join());
            results
                .map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        })
    }

    fn should_stop(&self, state: &Progressing) -> bool {
        let failed = !state.failed.is_empty() && !self.options.keep_going;
        // One that runs may come back, and bring others, until it has ended.
        let is_done = state.untaken() == 0 && state.busy == 0;
        let is_lost = self.context.shared.is_some_and(SharedStore::is_lost);
        failed || is_done || is_lost || self.cancelled.load(Ordering::Relaxed)
    }
}

impl Progressing {
    /// Stages that nobody has taken.
    fn untaken(&self) -> usize {
        self.ready.len() + self.blocked.len()
    }

    fn make_ready(&mut self, index: usize) {
        self.ready.insert(self.turn(index));
    }

    fn turn(&self, index: usize) -> Turn {
        (self.ranks[index], index)
    }

    /// Takes a stage that is ready, and those with it that share its work and are ready too.
    fn take(&mut self, index: usize) -> Vec<usize> {
        self.ready.remove(&self.turn(index));
        let mut taken = vec![index];
        let company = self.companies.get(&index).map(Arc::clone);
        for &other in company.iter().flat_map(|company| company.iter()) {
            if taken.len() < LARGEST_COMPANY && self.ready.remove(&self.turn(other)) {
                taken.push(other);
            }
        }
        taken
    }

    /// A stage that stands as recorded, also one that is made because its bytes are needed, until it is.
    fn standing(&self, index: usize) -> Option<&Finished> {
        let finished = self.finished.get(&index);
        finished.filter(|finished| finished.outcome == Outcome::Recorded)
    }

    /// Of a run that has ended: what should have been made and was not is not what it stood for.
    fn forget_unreached(&mut self) {
        let is_left = |index: &usize, finished: &Finished| {
            finished.outcome != Outcome::Recorded || !self.demanded.contains(index)
        };
        self.finished
            .retain(|index, finished| is_left(index, finished));
    }

    /// Takes down that a stage failed; what waits for it goes on waiting.
    fn fail(&mut self, index: usize, error: Error) {
        // One that stood as recorded, until its bytes were needed.
        self.finished.remove(&index);
        self.failed.insert(index, error);
    }

    /// Puts a stage back until others, which stood as recorded, are made.
    fn wait_for(&mut self, index: usize, makers: BTreeSet<usize>) {
        let mut missing = 0;
        for maker in makers {
            let stands = self.standing(maker).is_some();
            if !stands && self.finished.contains_key(&maker) {
                // Made in the meantime.
                continue;
            }
            missing += 1;
            self.readers.entry(maker).or_default().push(index);
            // Until it is made its readers know it as it is recorded.
            if stands && self.demanded.insert(maker) {
                self.make_ready(maker);
            }
        }
        match missing {
            0 => self.make_ready(index),
            _ => drop(self.blocked.insert(index, missing)),
        }
    }

    /// Takes down how a stage ended; stages that waited for it alone are ready.
    fn end(&mut self, index: usize, finished: Finished) {
        self.finished.insert(index, finished);
        for reader in self.readers.remove(&index).unwrap_or_default() {
            match self.blocked.get_mut(&reader) {
                Some(missing) if *missing > 1 => *missing -= 1,
                _ => {
                    self.blocked.remove(&reader);
                    self.make_ready(reader);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that a lock that a run changes can be read and written, before anything runs.
pub fn check_writable(context: &Context) -> Result<()> {
    context.lock.get()?;
    files::create_folder(&context.workspace.out)?;
    tempfile::tempfile_in(&context.workspace.out)
        .map(drop)
        .map_err(|e| Error::io("write in", &context.workspace.out, &e))
}
