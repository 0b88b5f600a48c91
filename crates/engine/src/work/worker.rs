//! What one task of a plan does: for each of its stages, find it in the store, or run it and put it there.
//!
//! Nothing is written but the cache that the task has to itself, the store and the notes beside the plan. What a
//! stage makes is put into the store as soon as it is there, objects first and what is said of them last, so that
//! a task that dies loses the stage that ran, and whoever does the task again goes on where it was. Two who do
//! one task at a time do the same work twice and no other harm.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::files;
use crate::run::event::{Event, Observer, Outcome};
use crate::run::execute::{Attempt, Made};
use crate::run::plan::{Context, Reason};
use crate::shared::store::SharedStore;
use crate::stage::stage::Source;
use crate::work::notes::{Failed, Notes};
use crate::work::plan::TaskPlan;
use crate::work::walk::{Found, Walk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// More of a log than this is not noted beside the plan.
const MAX_LOG: u64 = 1 << 20;

/// Who does a task.
pub struct Worker<'a> {
    /// The pipeline with a cache of its own, and the repository's lock.
    pub context: &'a Context<'a>,
    pub shared: &'a SharedStore,
    pub plan: &'a TaskPlan,
    pub notes: &'a Notes,
    pub observer: Observer<'a>,
    pub cancelled: &'a AtomicBool,
}

/// How a task has ended.
#[derive(Debug, Default)]
pub struct Report {
    /// Stages that ran.
    pub ran: Vec<usize>,
    /// Stages that the store had.
    pub there: Vec<usize>,
    /// Stages with an error of their own: the same would happen again.
    pub failed: Vec<(usize, Error)>,
    /// Stages that were not run, and the id of the stage whose failure is why.
    pub not_run: Vec<(usize, String)>,
    /// Stages that were not run or not put into the store, and why: another try may end otherwise.
    pub lost: Vec<(usize, String)>,
}

impl Report {
    /// Whether the store has everything that the task is for.
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.not_run.is_empty() && self.lost.is_empty()
    }
}

/// Why a stage has not been made.
enum Obstacle {
    /// An error of this stage.
    Own(usize, Error),
    /// The store did not take or give something, or the stage was ended from outside: another try may do it.
    Passing(String),
}

impl Worker<'_> {
    /// Does a task. What goes wrong with a stage is in the report, not an error.
    ///
    /// # Errors
    /// The plan has no such task, an input is not the one that the plan was made with, the cache cannot be written,
    /// trusted signers disagree, or the user has interrupted.
    pub fn work(&self, task: usize) -> Result<Report> {
        let tasks = self.plan.members(self.context)?;
        let own: BTreeSet<usize> = match tasks.get(task) {
            Some(own) => own.iter().copied().collect(),
            None => {
                let message = format!("the plan has no task {task}");
                let last = tasks.len().saturating_sub(1);
                return Err(Error::config(message).hint(format!("its tasks are 0 to {last}")));
            }
        };
        let planned: BTreeSet<usize> = tasks.into_iter().flatten().collect();
        let needed = self.needed(&own, &planned);
        let all = self.context.pipeline.closure_of(needed.clone());
        self.context.check_inputs(&all)?;
        self.plan.check_inputs(self.context, &needed, &planned)?;
        let mut walk = Walk::new(self.context, self.shared, self.cancelled, &planned)?;
        let mut report = Report::default();
        // Of each stage that will not be made, the failed stage that is why.
        let mut blocked: BTreeMap<usize, String> = BTreeMap::new();
        for &index in &needed {
            self.go_on()?;
            let found = walk.look_up(index)?;
            let is_own = own.contains(&index);
            match found {
                Found::Outputs if !is_own => {}
                Found::Outputs if walk.is_there(index)? => report.there.push(index),
                _ if !is_own || self.failure_before(index, &blocked).is_some() => {
                    let before = self.failure_before(index, &blocked);
                    let id = &self.context.pipeline.stages[index].id;
                    let itself = || (!is_own && self.notes.has_failed(id)).then(|| id.clone());
                    let Some(why) = before.or_else(itself) else {
                        continue;
                    };
                    if is_own {
                        report.not_run.push((index, why.clone()));
                    }
                    blocked.insert(index, why);
                }
                Found::NoInputs => {
                    let why = self.missing_before(index, &walk);
                    report.lost.push((index, why));
                }
                // What only the lock knows and the store lacks is made as well.
                Found::Nothing | Found::Outputs => match self.make(index, &mut walk)? {
                    Ok(()) => report.ran.push(index),
                    Err(Obstacle::Passing(why)) => report.lost.push((index, why)),
                    Err(Obstacle::Own(stage, error)) => {
                        let id = self.context.pipeline.stages[stage].id.clone();
                        if stage != index {
                            report.not_run.push((index, id.clone()));
                        }
                        blocked.insert(index, id);
                        report.failed.push((stage, error));
                    }
                },
            }
        }
        Ok(report)
    }

    /// The stages of a task with all that their keys rest on.
    fn needed(&self, own: &BTreeSet<usize>, planned: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut needed = own.clone();
        for index in (0..self.context.pipeline.stages.len()).rev() {
            if needed.contains(&index) {
                let before = self.context.pipeline.stages[index].before().into_iter();
                needed.extend(before.filter(|stage| planned.contains(stage)));
            }
        }
        needed
    }

    /// The failed stage for which a stage before this one was not made.
    fn failure_before(&self, index: usize, blocked: &BTreeMap<usize, String>) -> Option<String> {
        let before = self.context.pipeline.stages[index].before();
        before
            .into_iter()
            .find_map(|stage| blocked.get(&stage).cloned())
    }

    /// Which stage before this one the store should have and does not.
    fn missing_before(&self, index: usize, walk: &Walk) -> String {
        let needs = self.context.needs(&self.context.pipeline.stages[index]);
        let missing = needs
            .into_iter()
            .find(|stage| !walk.known().contains_key(stage));
        match missing {
            Some(stage) => {
                let id = &self.context.pipeline.stages[stage].id;
                format!("the store does not have what it reads of {id}")
            }
            None => "an input is not here".to_owned(),
        }
    }

    /// Runs a stage and puts what it makes into the store. What was said to be in the store and is not, is made
    /// as well.
    fn make(&self, index: usize, walk: &mut Walk) -> Result<std::result::Result<(), Obstacle>> {
        let mut waiting = vec![index];
        let mut begun = BTreeSet::from([index]);
        while let Some(&stage) = waiting.last() {
            match self.lost_input(stage, walk)? {
                Some(before) if begun.insert(before) => waiting.push(before),
                Some(before) => {
                    let id = &self.context.pipeline.stages[before].id;
                    let message = format!("{id} makes other bytes than it did before");
                    let error = Error::of(ErrorKind::Differs, message);
                    return Ok(Err(Obstacle::Own(before, self.note(before, error)?)));
                }
                None => {
                    if let Err(obstacle) = self.run(stage, walk)? {
                        return Ok(Err(obstacle));
                    }
                    waiting.pop();
                }
            }
        }
        Ok(Ok(()))
    }

    /// Brings what a stage reads into the cache; a stage whose output is not to be had.
    fn lost_input(&self, index: usize, walk: &Walk) -> Result<Option<usize>> {
        for input in &self.context.pipeline.stages[index].inputs {
            if let Source::Output { stage, output } = &input.source
                && let Some(digest) = walk.known().get(stage).and_then(|made| made.get(output))
                && !walk.bring(*digest)?
            {
                return Ok(Some(*stage));
            }
        }
        Ok(None)
    }

    /// Runs a stage whose inputs are in the cache.
    fn run(&self, index: usize, walk: &mut Walk) -> Result<std::result::Result<(), Obstacle>> {
        let context = self.context;
        let stage = &context.pipeline.stages[index];
        let inputs = context.input_digests(stage, |before| walk.known().get(&before))?;
        let inputs = inputs.ok_or_else(|| Error::failed("an input has no digest"))?;
        let needed = context.needs(stage).into_iter().chain(stage.before());
        let known = needed
            .filter_map(|s| Some((s, walk.known().get(&s)?.clone())))
            .collect();
        let attempt = Attempt {
            context,
            index,
            stage,
            known: &known,
            forced: false,
            unmade: None,
            variation: None,
            member: Mutex::default(),
            observer: self.observer,
            cancelled: self.cancelled,
        };
        let key = context.key(stage, inputs.clone());
        let start = Instant::now();
        let reason = Reason::NotRunHere;
        let made = attempt
            .make(&inputs, key, reason)
            .and_then(|made| self.as_recorded(index, made));
        let made = match made {
            Ok(made) => made,
            Err(error) => match error.kind {
                ErrorKind::Interrupted => return Err(error),
                ErrorKind::Killed => return Ok(Err(Obstacle::Passing(error.to_string()))),
                _ => return Ok(Err(Obstacle::Own(index, self.note(index, error)?))),
            },
        };
        if let Err(error) = self.put(index, &inputs, &made) {
            return match error.kind {
                ErrorKind::Interrupted => Err(error),
                _ => Ok(Err(Obstacle::Passing(error.to_string()))),
            };
        }
        walk.learn(index, made.action.outputs);
        (self.observer)(Event::Done {
            stage: index,
            outcome: Outcome::Ran,
            seconds: start.elapsed().as_secs_f64(),
        });
        Ok(Ok(()))
    }

    /// Refuses what the lock contradicts: nothing may rest on it.
    fn as_recorded(&self, index: usize, made: Made) -> Result<Made> {
        let stage = &self.context.pipeline.stages[index];
        let outputs = &made.action.outputs;
        match self
            .context
            .contradicts_lock(stage, made.key.digest(), outputs)?
        {
            false => Ok(made),
            true => Err(Error::of(
                ErrorKind::Differs,
                "the same key gave other bytes than the lock records",
            )),
        }
    }

    /// Puts what a stage has made into the store: objects, then what is said of them.
    fn put(&self, index: usize, inputs: &[(String, Digest)], made: &Made) -> Result<()> {
        let context = self.context;
        let stage = &context.pipeline.stages[index];
        for &digest in made.action.outputs.values() {
            self.go_on()?;
            self.shared.put(digest, context.store, false)?;
        }
        if stage.job.is_watched() {
            let base = context.key_of(stage, inputs.to_vec());
            context.teach(self.shared, stage, &base)?;
        }
        let outputs = &made.action.outputs;
        self.shared
            .publish(&stage.id, &made.key, outputs, context.store)?;
        Ok(())
    }

    /// Notes that a stage failed, and tells it.
    fn note(&self, index: usize, error: Error) -> Result<Error> {
        let id = &self.context.pipeline.stages[index].id;
        let path = self.context.workspace.log_path(id);
        let log = files::read_at_most(&path, MAX_LOG).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        self.notes.fail(&Failed::new(id, &error, log))?;
        (self.observer)(Event::Failed {
            stage: index,
            error: error.clone(),
            log: path.is_file().then_some(path),
        });
        Ok(error)
    }

    fn go_on(&self) -> Result<()> {
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::of(ErrorKind::Interrupted, "interrupted")
                .hint("what is finished is in the store: the task goes on from there")),
            false => Ok(()),
        }
    }
}
