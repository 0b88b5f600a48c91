//! Progress of a run on stderr: bars on a terminal, plain lines elsewhere.

use crate::console::items::fold;
use crate::console::terminal::{self, ASIDE, GOOD, count};
use crate::progress::outlook::{Outlook, Ready, in_words as time_in_words};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use retrace::base::error::Result;
use retrace::resolve::select::Selection;
use retrace::resolve::stages::Pipeline;
use retrace::run::event::{Event, Outcome};
use retrace::run::plan::Reason;
use retrace::stage::publication::PUBLISHED;
use retrace::store::history;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shows the events of a run.
pub struct Display<'a> {
    pipeline: &'a Pipeline,
    width: usize,
    bars: Option<Bars>,
    outlook: Mutex<Outlook>,
    started: Instant,
    warned: Mutex<Warned>,
}

/// Warnings so far.
#[derive(Default)]
struct Warned {
    shown: usize,
    /// The stages of those that are counted alone, each as often as it warned.
    counted: Vec<usize>,
}

struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    stages: Mutex<BTreeMap<usize, ProgressBar>>,
}

const STAGE: &str = "{prefix} {bar:24} {percent:>3}%  {eta:>4} left  {msg}";
const TOTAL: &str = "{pos}/{len} stages  {elapsed}{msg}";

/// More warnings of one run are counted, unless everything is to be told: logs have them all.
const WARNINGS: usize = 8;

/// A shorter wait is not announced.
const WORTH_SAYING: Duration = Duration::from_secs(30);

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl<'a> Display<'a> {
    /// A display for a run over these stages, of which some have ended already, fresh or as recorded; `past` is
    /// the log of runs.
    pub fn new(
        pipeline: &'a Pipeline,
        past: &Path,
        selection: &Selection,
        ended: &BTreeMap<usize, Outcome>,
        workers: usize,
    ) -> Result<Self> {
        let past = history::read(past)?;
        let outlook = Outlook::new(pipeline, selection, ended, &past, workers)?;
        let is_recorded = |outcome: &&Outcome| **outcome == Outcome::Recorded;
        let recorded = ended.values().filter(is_recorded).count();
        let (stages, fresh) = (selection.closure.len() - recorded, ended.len() - recorded);
        let shown = std::io::stderr().is_terminal() && !terminal::is_quiet();
        let bars = shown.then(|| {
            let all = MultiProgress::new();
            let total = all.add(ProgressBar::new(stages as u64).with_style(style(TOTAL)));
            total.set_position(fresh as u64);
            Bars {
                all,
                total,
                stages: Mutex::default(),
            }
        });
        let width = pipeline
            .stages
            .iter()
            .map(|stage| stage.id.len())
            .max()
            .unwrap_or(0);
        let display = Display {
            pipeline,
            width,
            bars,
            started: Instant::now(),
            outlook: Mutex::new(outlook),
            warned: Mutex::default(),
        };
        if let Some(rest) = display.rest().filter(|rest| *rest >= WORTH_SAYING) {
            let stages = count(stages - fresh, "stage");
            let time = time_in_words(rest);
            display.line(&format!("{stages} to bring up to date: about {time}"));
        }
        Ok(display)
    }

    /// Shows an event; called from several threads.
    pub fn show(&self, event: Event) {
        match event {
            Event::Started { stage, reason } => {
                let id = self.padded(stage);
                let is_one_more = self.outlook().begin(stage);
                if let Some(bars) = &self.bars {
                    bars.total.inc_length(u64::from(is_one_more));
                    let bar = ProgressBar::new(0)
                        .with_style(style(STAGE))
                        .with_prefix(id.clone());
                    let bar = bars.all.insert_before(&bars.total, bar);
                    bars.stages().insert(stage, bar);
                }
                self.line(&format!("{id} runs: {}", in_words(&reason)));
            }
            Event::Progress { stage, progress } => {
                let Some(bars) = &self.bars else { return };
                if let Some(bar) = bars.stages().get(&stage) {
                    bar.set_length(progress.total);
                    bar.set_position(progress.done);
                    bar.set_message(progress.note);
                }
            }
            Event::Warned { stage, words } => {
                let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
                if warned.shown >= WARNINGS && !terminal::is_verbose() {
                    warned.counted.push(stage);
                    return;
                }
                warned.shown += 1;
                drop(warned);
                let text = format!("{}: {words}", self.pipeline.stages[stage].id);
                match &self.bars {
                    Some(bars) => bars.all.suspend(|| terminal::warn(&text)),
                    None => terminal::warn(&text),
                }
            }
            Event::Done {
                stage,
                outcome,
                seconds,
            } => {
                let ready = self.outlook().end(stage, matches!(outcome, Outcome::Ran));
                self.end_bar(stage);
                let id = self.padded(stage);
                match outcome {
                    Outcome::Fresh if terminal::is_verbose() => {
                        self.line(&format!("{id} {}", terminal::paint(GOOD, "fresh")));
                    }
                    Outcome::Recorded if terminal::is_verbose() => {
                        self.line(&format!("{id} {}", terminal::paint(GOOD, "as recorded")));
                    }
                    Outcome::Fresh | Outcome::Recorded => {}
                    Outcome::Restored => {
                        self.line(&format!("{id} {}", terminal::paint(ASIDE, "restored")));
                    }
                    Outcome::Fetched => {
                        let from = terminal::paint(ASIDE, "from the store");
                        self.line(&format!("{id} {from}"));
                    }
                    Outcome::Ran => {
                        let done = terminal::paint(GOOD, "done");
                        self.line(&format!("{id} {done} in {seconds:.1} s"));
                    }
                }
                for ready in ready {
                    self.announce(&ready);
                }
            }
            Event::Failed { stage, error, log } => {
                self.end_bar(stage);
                let id = &self.pipeline.stages[stage].id;
                let show = || {
                    let mut error = error.clone();
                    error.message = format!("{id}: {}", error.message);
                    terminal::report(&error);
                    if let Some(log) = &log {
                        terminal::line(&format!("  log: {}", log.display()));
                    }
                };
                match &self.bars {
                    Some(bars) => bars.all.suspend(show),
                    None => show(),
                }
            }
        }
    }

    /// Says that a group is ready while others go on.
    fn announce(&self, ready: &Ready) {
        if self.outlook().is_done() {
            return;
        }
        let Ready { group, published } = ready;
        let elapsed = time_in_words(self.started.elapsed());
        let mut text = format!("group {group} is ready after {elapsed}");
        if *published > 0 {
            text += &format!(": {} below {PUBLISHED}/", count(*published, "file"));
        }
        if let Some(rest) = self.rest().filter(|rest| *rest >= WORTH_SAYING) {
            text += &format!("; the rest takes about {}", time_in_words(rest));
        }
        self.line(&terminal::paint(GOOD, &text));
    }

    /// Takes the bars away, and says how many warnings were not shown.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.total.finish_and_clear();
        }
        let warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.counted.is_empty() {
            let stages: BTreeSet<usize> = warned.counted.iter().copied().collect();
            let stages = stages
                .iter()
                .map(|stage| (&*self.pipeline.stages[*stage].id, ()));
            let folds = fold(stages);
            let names: Vec<&str> = folds.iter().map(|fold| &*fold.shown).collect();
            terminal::warn(&format!(
                "{} of {}; the logs of these stages have them, and --verbose shows all",
                count(warned.counted.len(), "more warning"),
                names.join(", ")
            ));
        }
    }

    fn padded(&self, stage: usize) -> String {
        format!(
            "{:width$}",
            self.pipeline.stages[stage].id,
            width = self.width
        )
    }

    fn outlook(&self) -> MutexGuard<'_, Outlook> {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rest(&self) -> Option<Duration> {
        self.outlook().rest(self.started.elapsed())
    }

    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.all.suspend(|| terminal::note(text)),
            None => terminal::note(text),
        }
    }

    fn end_bar(&self, stage: usize) {
        if let Some(bars) = &self.bars {
            bars.total.inc(1);
            if let Some(rest) = self.rest() {
                let rest = time_in_words(rest);
                bars.total
                    .set_message(format!("; the rest takes about {rest}"));
            }
            if let Some(bar) = bars.stages().remove(&stage) {
                bar.finish_and_clear();
                bars.all.remove(&bar);
            }
        }
    }
}

/// Why a stage runs: the first changes, or with `--verbose` all of them.
fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::Changed(changes) if terminal::is_verbose() => {
            let all: Vec<String> = changes.iter().map(ToString::to_string).collect();
            all.join("; ")
        }
        reason => reason.to_string(),
    }
}

impl Bars {
    fn stages(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, ProgressBar>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
