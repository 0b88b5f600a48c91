//! What a run still has to do: about how long that takes, and which groups wait for it.
//!
//! Knows durations of the past and what the file estimates. Does not know whether a stage that is
//! left will run or be restored: until it is told, it counts as one that runs; nor whether one that stands as recorded
//! will be made because another reads it: until that starts, it counts as done.

use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::resolve::stages::Pipeline;
use retrace::run::event::Outcome;
use retrace::stage::publication::PUBLISHED;
use retrace::stage::stage::Stage;
use retrace::store::history::{Durations, PastRun};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So much work tells how fast this run is; before, the durations are believed.
const TELLING: f64 = 5.0;

/// What is left.
pub struct Outlook {
    /// Seconds that each stage that is left takes.
    left: BTreeMap<usize, Duration>,
    /// Their sum.
    to_do: Duration,
    /// What stages that stand as recorded would take; `None` of those of which nothing is known.
    standing: BTreeMap<usize, Option<Duration>>,
    /// Stages of which nothing is known.
    unknown: BTreeSet<usize>,
    groups: Vec<Group>,
    workers: f64,
    /// What the stages that ran were to take.
    done: f64,
}

/// A group of which something is left.
struct Group {
    name: String,
    left: BTreeSet<usize>,
    /// Files that it publishes.
    published: usize,
}

/// A group whose last stage has ended.
#[derive(Debug, PartialEq)]
pub struct Ready {
    pub group: String,
    pub published: usize,
}

impl Outlook {
    /// Of a selection of which these stages have ended already, fresh or as recorded.
    ///
    /// A stage takes what it took when it last ran here; else as long as its siblings of one matrix
    /// did; else what pipeline.yaml estimates.
    pub fn new(
        pipeline: &Pipeline,
        selection: &Selection,
        ended: &BTreeMap<usize, Outcome>,
        past: &[PastRun],
        workers: usize,
    ) -> Result<Self> {
        let durations = Durations::of(past);
        let mut outlook = Outlook {
            left: BTreeMap::new(),
            to_do: Duration::ZERO,
            standing: BTreeMap::new(),
            unknown: BTreeSet::new(),
            groups: Vec::new(),
            workers: workers.max(1) as f64,
            done: 0.0,
        };
        for &index in &selection.closure {
            let stage = &pipeline.stages[index];
            let seconds = durations.about(&stage.id).or(stage.seconds);
            let takes = seconds.map(|s| Duration::try_from_secs_f64(s).unwrap_or_default());
            match ended.get(&index) {
                None => outlook.add(index, takes),
                Some(Outcome::Recorded) => drop(outlook.standing.insert(index, takes)),
                Some(_) => {}
            }
        }
        for (number, group) in pipeline.groups.iter().enumerate() {
            let needed = pipeline.needed_by_group(number)?;
            let is_left = |index: &&usize| !ended.contains_key(*index);
            let left: BTreeSet<usize> = needed.iter().filter(is_left).copied().collect();
            if !left.is_empty() && needed.is_subset(&selection.closure) {
                let stages = needed.iter().map(|&index| &pipeline.stages[index]);
                outlook.groups.push(Group {
                    name: group.name.clone(),
                    left,
                    published: stages.map(published).sum(),
                });
            }
        }
        Ok(outlook)
    }

    /// A stage that is to run.
    fn add(&mut self, stage: usize, takes: Option<Duration>) {
        match takes {
            Some(takes) => {
                self.to_do = self.to_do.saturating_add(takes);
                self.left.insert(stage, takes);
            }
            None => drop(self.unknown.insert(stage)),
        }
    }

    /// Takes down that a stage starts; whether it is one that stood as recorded.
    pub fn begin(&mut self, stage: usize) -> bool {
        let stood = self.standing.remove(&stage);
        if let Some(takes) = stood {
            self.add(stage, takes);
        }
        stood.is_some()
    }

    /// Takes down that a stage has ended, and whether it ran. The groups that are ready with it.
    pub fn end(&mut self, stage: usize, ran: bool) -> Vec<Ready> {
        self.unknown.remove(&stage);
        let takes = self.left.remove(&stage).unwrap_or_default();
        self.to_do = self.to_do.saturating_sub(takes);
        if ran {
            self.done += takes.as_secs_f64();
        }
        let mut ready = Vec::new();
        self.groups.retain_mut(|group| {
            if !group.left.remove(&stage) || !group.left.is_empty() {
                return true;
            }
            ready.push(Ready {
                group: group.name.clone(),
                published: group.published,
            });
            false
        });
        ready
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.left.is_empty() && self.unknown.is_empty()
    }

    /// About how long the rest takes, when the run has gone on for so long; `None` where too little is
    /// known.
    pub fn rest(&self, elapsed: Duration) -> Option<Duration> {
        if self.left.len() < self.unknown.len() {
            return None;
        }
        let work = self.to_do.as_secs_f64();
        let pace = match self.done > TELLING {
            true => elapsed.as_secs_f64() / self.done,
            false => 1.0 / self.workers,
        };
        Duration::try_from_secs_f64(work * pace).ok()
    }
}

fn published(stage: &Stage) -> usize {
    let outputs = stage.outputs.iter();
    outputs
        .filter(|(_, path)| path.starts_with(PUBLISHED))
        .count()
}

/// A duration as one says it: `less than a second`, `40 s`, `21 min`.
pub fn in_words(duration: Duration) -> String {
    match duration.as_secs_f64().round() as u64 {
        0 => "less than a second".to_owned(),
        seconds @ 1..90 => format!("{seconds} s"),
        seconds @ 90..5400 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
