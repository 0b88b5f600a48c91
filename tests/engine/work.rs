//! Tasks of a plan, done by workers with caches of their own, over a store that they share.

use crate::toy::{Ask, CACHE, Repo};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::run::plan::Context;
use retrace::run::schedule::{Options, Run};
use retrace::run::settle::Summary;
use retrace::shared::folder::Folder;
use retrace::shared::store::SharedStore;
use retrace::shared::trust::{Signer, Trust};
use retrace::store::content::Store;
use retrace::store::workspace::Workspace;
use retrace::upkeep::rebuild::{Audit, Rebuilder, rebuild_part};
use retrace::upkeep::sample::Sample;
use retrace::work::notes::Notes;
use retrace::work::plan::{PlannedSettings, Planning, TaskPlan};
use retrace::work::worker::{Report, Worker};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// a -> b -> d, a -> c -> d, e alone.
const DIAMOND: &str = r#"
version: 2
stages:
  a: {kind: join, params: {text: a}, inputs: {file: data/a.txt}, outputs: {out: artifacts/a.txt}}
  b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: artifacts/b.txt}}
  c: {kind: join, params: {text: c}, inputs: {parts: a.out}, outputs: {out: artifacts/c.txt}}
  d:
    kind: tell
    params: {text: d}
    inputs: {parts: {b: b.out, c: c.out}}
    outputs: {out: figures/d.txt}
  e: {kind: join, params: {text: e}, outputs: {out: figures/e.txt}}
"#;

/// A repository, a store, and the folder of a plan.
struct Site {
    repo: Repo,
    beside: tempfile::TempDir,
    signer: PathBuf,
}

/// The program of the tests, by the digest that stands for its file.
fn program() -> Digest {
    Digest::of(b"program")
}

impl Site {
    fn new(yaml: &str) -> Self {
        let repo = Repo::new(yaml);
        repo.write("data/a.txt", "data");
        let beside = tempfile::tempdir().expect("a folder");
        let signer = beside.path().join("key");
        Signer::draw()
            .and_then(|drawn| drawn.write(&signer))
            .expect("a key");
        Site {
            repo,
            beside,
            signer,
        }
    }

    fn shared(&self) -> SharedStore {
        let folder = Folder::open_or_make(&self.beside.path().join("store")).expect("a store");
        let signer = Signer::read(&self.signer).expect("a key");
        let mut trust = Trust::default();
        trust.add(signer.id(), "the site");
        SharedStore::new(Box::new(folder))
            .trusting(trust)
            .signing(signer, program())
    }

    fn notes(&self) -> Notes {
        Notes::new(&self.beside.path().join("plan"))
    }

    fn spec(&self) -> Digest {
        Digest::of(self.repo.read("pipeline.yaml").as_bytes())
    }

    /// A plan whose tasks take at most `limit` seconds where every stage takes one.
    fn plan(&self, limit: f64) -> Result<TaskPlan> {
        self.repo.with(&Ask::default(), |context| {
            let planning = Planning {
                settings: PlannedSettings::default(),
                store: String::new(),
                signers: Vec::new(),
                program: program(),
                pipeline: self.spec(),
                limit,
                seconds: &|_| Some(1.0),
            };
            TaskPlan::new(context, &context.pipeline.select(&[], &[])?, planning)
        })
    }

    /// Hands a worker's view of the pipeline to `act`: an empty cache, and the repository to look at.
    fn with<T>(&self, act: impl FnOnce(&Context) -> Result<T>) -> Result<T> {
        self.repo.with(&Ask::default(), |standing| {
            let own = tempfile::tempdir().expect("a folder");
            let cache = own.path().canonicalize().expect("a folder");
            let out = cache.join("out");
            let workspace = Workspace::apart(standing.workspace.root.clone(), cache.clone(), out);
            act(&standing.with_own_cache(&workspace, &Store::open(&cache, false)?))
        })
    }

    fn work_until(&self, plan: &TaskPlan, task: usize, cancelled: &AtomicBool) -> Result<Report> {
        self.with(|context| {
            plan.check_program(context, program(), self.spec())?;
            let worker = Worker {
                context,
                shared: &self.shared(),
                plan,
                notes: &self.notes(),
                observer: &|_| {},
                cancelled,
            };
            worker.work(task)
        })
    }

    fn work(&self, plan: &TaskPlan, task: usize) -> Result<Report> {
        self.work_until(plan, task, &AtomicBool::new(false))
    }

    fn left(&self, plan: &TaskPlan) -> Vec<usize> {
        let left = |context: &Context| plan.left(context, &self.shared(), &AtomicBool::new(false));
        self.with(left).expect("the store can be read")
    }

    /// A run that takes what the store has.
    fn run(&self) -> Summary {
        let summary = self.repo.with(&Ask::default(), |context| {
            let shared = self.shared();
            let context = Context {
                shared: Some(&shared),
                ..*context
            };
            let options = Options {
                workers: 2,
                force: false,
                keep_going: false,
                as_recorded: false,
                accept: false,
                variation: None,
            };
            Run {
                context: &context,
                options: &options,
                selection: &context.pipeline.select(&[], &[])?,
                given: &BTreeMap::new(),
                prepare: &|| Ok(()),
                observer: &|_| {},
                cancelled: &AtomicBool::new(false),
            }
            .execute()
        });
        summary.expect("it runs")
    }
}

/// What a run without a store makes in another place.
fn alone(yaml: &str) -> Repo {
    let repo = Repo::new(yaml);
    repo.write("data/a.txt", "data");
    repo.run(&Ask::default()).expect("it runs");
    repo
}

fn equal(a: &Repo, b: &Repo) {
    for file in [
        "pipeline.lock",
        "pipeline.keys",
        "figures/d.txt",
        "figures/e.txt",
        "artifacts/b.txt",
    ] {
        assert_eq!(a.read(file), b.read(file), "{file}");
    }
}

#[test]
fn tasks_make_what_a_run_makes_and_the_run_makes_nothing_again() {
    let site = Site::new(DIAMOND);
    let plan = site.plan(1.0).expect("a plan");
    let stages: Vec<&str> = plan
        .tasks
        .iter()
        .flat_map(|task| &task.stages)
        .map(|s| &**s)
        .collect();
    assert_eq!(stages.len(), 5, "{stages:?}");
    assert_eq!(site.left(&plan), [0, 1, 2, 3, 4]);
    // Two at a time, a level after the other, as a scheduler would.
    let mut done = vec![false; plan.tasks.len()];
    while done.contains(&false) {
        let is_ready =
            |task: &usize| !done[*task] && plan.tasks[*task].after.iter().all(|&a| done[a]);
        let ready: Vec<usize> = (0..done.len()).filter(is_ready).collect();
        for two in ready.chunks(2) {
            std::thread::scope(|scope| {
                let (site, plan) = (&site, &plan);
                let started: Vec<_> = two
                    .iter()
                    .map(|&task| scope.spawn(move || site.work(plan, task)))
                    .collect();
                for worker in started {
                    let report = worker.join().expect("no panic").expect("it works");
                    assert!(report.is_whole() && report.ran.len() == 1, "{report:?}");
                }
            });
            two.iter().for_each(|&task| done[task] = true);
        }
    }
    assert_eq!(site.repo.take_runs(), ["a", "b", "c", "d", "e"]);
    // Nothing but the run writes into the working tree.
    for name in ["artifacts", "figures", "pipeline.lock", CACHE] {
        assert!(!site.repo.path(name).exists(), "{name}");
    }
    assert!(site.left(&plan).is_empty());
    let summary = site.run();
    assert_eq!((summary.fetched, summary.ran), (5, 0), "{summary:?}");
    assert!(site.repo.take_runs().is_empty());
    equal(&site.repo, &alone(DIAMOND));
}

#[test]
fn a_worker_that_is_stopped_loses_nothing_and_another_does_only_the_rest() {
    let mut site = Site::new(DIAMOND);
    let plan = site.plan(100.0).expect("a plan");
    assert_eq!(plan.tasks.len(), 1);
    let stop = Arc::new(AtomicBool::new(false));
    let hook = stop.clone();
    site.repo.hook = Arc::new(move |text, _| {
        hook.fetch_or(text == "c", Ordering::Relaxed);
        Ok(())
    });
    let error = site
        .work_until(&plan, 0, &stop)
        .expect_err("it was stopped");
    assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
    let before = site.repo.take_runs();
    assert!(
        before.contains(&"c".to_owned()) && !before.contains(&"d".to_owned()),
        "{before:?}"
    );
    site.repo.hook = Arc::new(|_, _| Ok(()));
    let report = site.work(&plan, 0).expect("it works");
    assert!(report.is_whole(), "{report:?}");
    let after = site.repo.take_runs();
    // The stage during which it was stopped is not in the store.
    assert_eq!(before.len() + after.len(), 6, "{before:?} {after:?}");
    assert_eq!(site.run().ran, 0);
    equal(&site.repo, &alone(DIAMOND));
}

#[test]
fn a_failure_is_final_and_stops_what_depends_on_it_alone() {
    let mut site = Site::new(DIAMOND);
    site.repo.hook = Arc::new(|text, io| match text {
        "b" => {
            io.log("what b says");
            Err(Error::failed("b is broken").hint("mend b"))
        }
        _ => Ok(()),
    });
    let plan = site.plan(1.0).expect("a plan");
    let reports: Vec<Report> = (0..plan.tasks.len())
        .map(|task| site.work(&plan, task).expect("it works"))
        .collect();
    assert_eq!(site.repo.take_runs(), ["a", "b", "c", "e"]);
    let failed: Vec<String> = reports
        .iter()
        .flat_map(|r| &r.failed)
        .map(|(_, error)| error.to_string())
        .collect();
    assert_eq!(failed, ["b is broken"]);
    let not_run: Vec<&str> = reports
        .iter()
        .flat_map(|r| &r.not_run)
        .map(|(_, why)| &**why)
        .collect();
    assert_eq!(not_run, ["b"]);
    assert!(
        reports.iter().all(|report| report.lost.is_empty()),
        "{reports:?}"
    );
    let notes = site.notes().failures().expect("notes");
    assert_eq!((notes.len(), &*notes[0].stage), (1, "b"));
    assert!(notes[0].log.contains("what b says") && notes[0].hint.as_deref() == Some("mend b"));
    // Once it is mended, what was made is not made again.
    site.repo.hook = Arc::new(|_, _| Ok(()));
    site.notes().forget().expect("notes");
    let left = site.left(&plan);
    assert_eq!(left.len(), 2);
    for task in left {
        assert!(site.work(&plan, task).expect("it works").is_whole());
    }
    assert_eq!(site.repo.take_runs(), ["b", "d"]);
    assert_eq!(site.run().ran, 0);
    equal(&site.repo, &alone(DIAMOND));
}

#[test]
fn a_stage_that_was_ended_from_outside_is_no_failure() {
    let mut site = Site::new(DIAMOND);
    site.repo.hook = Arc::new(|text, _| match text {
        "b" => Err(Error::of(ErrorKind::Killed, "ended by signal 9")),
        _ => Ok(()),
    });
    let plan = site.plan(1.0).expect("a plan");
    let tried = |site: &Site| {
        let lost = (0..plan.tasks.len()).flat_map(|task| {
            let report = site.work(&plan, task).expect("it works");
            assert!(report.failed.is_empty() && report.not_run.is_empty());
            report.lost
        });
        lost.map(|(_, why)| why).collect::<Vec<_>>()
    };
    let lost = tried(&site);
    assert_eq!(lost[0], "ended by signal 9");
    assert!(lost[1].contains("what it reads of b"), "{lost:?}");
    assert!(site.notes().failures().expect("notes").is_empty());
    site.repo.take_runs();
    // The next try is a try.
    site.repo.hook = Arc::new(|_, _| Ok(()));
    assert!(tried(&site).is_empty());
    assert_eq!(site.repo.take_runs(), ["b", "d"]);
    assert_eq!(site.run().ran, 0);
    equal(&site.repo, &alone(DIAMOND));
}

#[test]
fn a_task_whose_parents_were_lost_says_what_it_misses() {
    let site = Site::new(DIAMOND);
    let plan = site.plan(1.0).expect("a plan");
    let last = plan
        .tasks
        .iter()
        .position(|task| task.stages == ["d"])
        .expect("a task");
    let report = site.work(&plan, last).expect("it works");
    assert!(report.ran.is_empty() && report.failed.is_empty());
    let [(_, why)] = &report.lost[..] else {
        panic!("{report:?}")
    };
    assert!(why.contains("does not have what it reads of a"), "{why}");
}

#[test]
fn what_was_said_to_be_in_the_store_and_is_not_is_made_again() {
    let site = Site::new(DIAMOND);
    let plan = site.plan(1.0).expect("a plan");
    let task = |stage: &str| {
        plan.tasks
            .iter()
            .position(|task| task.stages == [stage])
            .expect("a task")
    };
    site.work(&plan, task("a")).expect("it works");
    // The entry stays, and its object is gone.
    std::fs::remove_dir_all(site.beside.path().join("store/objects")).expect("objects");
    site.repo.take_runs();
    assert!(site.work(&plan, task("b")).expect("it works").is_whole());
    assert_eq!(site.repo.take_runs(), ["a", "b"]);
    assert!(site.work(&plan, task("c")).expect("it works").is_whole());
    assert_eq!(site.repo.take_runs(), ["c"]);
}

#[test]
fn a_stage_whose_inputs_came_out_as_before_is_not_run_again() {
    let site = Site::new(DIAMOND);
    let plan = site.plan(100.0).expect("a plan");
    site.work(&plan, 0).expect("it works");
    site.repo.take_runs();
    let yaml = site
        .repo
        .read("pipeline.yaml")
        .replace("{text: a}", "{text: a, note: other}");
    site.repo.write("pipeline.yaml", &yaml);
    let plan = site.plan(100.0).expect("a plan");
    let report = site.work(&plan, 0).expect("it works");
    // `d` reads the trace, in which the params of `a` stand.
    assert_eq!(site.repo.take_runs(), ["a", "d"]);
    assert_eq!((report.ran.len(), report.there.len()), (2, 3));
}

#[test]
fn a_worker_with_anything_other_refuses_before_it_works() {
    let mut site = Site::new(DIAMOND);
    let plan = site.plan(100.0).expect("a plan");
    let refused = |site: &Site, part: &str| {
        let error = site.work(&plan, 0).expect_err(part);
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(
            error.message.contains(part) && error.hint.is_some(),
            "{error}"
        );
        assert!(site.repo.take_runs().is_empty());
    };
    site.repo.code = "2".into();
    refused(
        &site,
        "other code for stages of kind `join` than the plan: join.rs is another",
    );
    site.repo.code = "1".into();
    site.repo.write("data/a.txt", "other data");
    refused(&site, "the input data/a.txt is not the one");
    std::fs::remove_file(site.repo.path("data/a.txt")).expect("a file");
    refused(&site, "the input data/a.txt is not there");
    site.repo.write("data/a.txt", "data");
    site.repo
        .write("pipeline.yaml", &DIAMOND.replace("text: e", "text: f"));
    refused(&site, "pipeline.yaml is not the one");
    site.repo.write("pipeline.yaml", DIAMOND);
    let error = site.with(|context| plan.check_program(context, Digest::of(b"other"), site.spec()));
    assert!(
        error
            .expect_err("another program")
            .message
            .contains("is not the file")
    );
    let error = site.work(&plan, 7).expect_err("no such task");
    assert_eq!(error.hint.as_deref(), Some("its tasks are 0 to 0"));
    assert!(site.work(&plan, 0).expect("it works").is_whole());
}

/// What a stage looks at is known where it has run; others must find its result all the same.
#[test]
fn what_watched_stages_looked_at_is_known_to_the_tasks_that_read_them() {
    const WALK: &str = r#"
version: 2
stages:
  w: {kind: walk, params: {text: data/w.txt}, outputs: {out: artifacts/w.txt}}
  r: {kind: join, params: {text: r}, inputs: {parts: w.out}, outputs: {out: figures/r.txt}}
"#;
    let site = Site::new(WALK);
    site.repo.write("data/w.txt", "read data/x.txt\nwords");
    site.repo.write("data/x.txt", "more words");
    let plan = site.plan(1.0).expect("a plan");
    assert_eq!(plan.tasks.len(), 2);
    for task in 0..2 {
        let report = site.work(&plan, task).expect("it works");
        assert_eq!(report.ran.len(), 1, "{report:?}");
    }
    assert_eq!(site.repo.take_runs(), ["data/w.txt", "r"]);
    assert!(site.left(&plan).is_empty());
    // Another file that it looked at: another key.
    site.repo.write("data/x.txt", "other words");
    assert_eq!(site.left(&plan), [0, 1]);
}

#[test]
fn a_plan_reads_back_and_a_newer_one_is_refused() {
    let site = Site::new(DIAMOND);
    let plan = site.plan(1.0).expect("a plan");
    let path = site.beside.path().join("plan.json");
    plan.write(&path).expect("a file");
    assert_eq!(TaskPlan::read(&path).expect("a plan"), plan);
    let text = std::fs::read_to_string(&path).expect("a plan");
    for (text, why) in [
        (
            text.replace("\"version\": 1", "\"version\": 2"),
            "has format 2",
        ),
        (
            text.replace("\"version\": 1", "\"vision\": 1"),
            "has no version",
        ),
        (text[..text.len() / 2].to_owned(), "is no plan of tasks"),
        (
            text.replacen("\"after\": []", "\"after\": [4]", 1),
            "does not come before it",
        ),
    ] {
        std::fs::write(&path, text).expect("a file");
        let error = TaskPlan::read(&path).expect_err(why);
        assert!(
            error.message.contains(why) && error.hint.is_some(),
            "{error}"
        );
    }
}

/// A sample is drawn by keys and a seed, is made from what the lock records, and finds what is not as recorded.
#[test]
fn a_sample_is_made_again_by_itself() {
    let mut site = Site::new(DIAMOND);
    site.repo.run(&Ask::default()).expect("it runs");
    site.repo.take_runs();
    let audit = |site: &Site, fraction: f64, seed: u64| {
        site.repo.with(&Ask::default(), |context| {
            let audit = Audit {
                sample: Sample { fraction, seed },
                shared: None,
            };
            let how = Rebuilder {
                workers: 2,
                observer: &|_| {},
                cancelled: &AtomicBool::new(false),
            };
            let selection = context.pipeline.select(&[], &[])?;
            let rebuilt = rebuild_part(context, &selection, Some(audit), &how)?;
            Ok((rebuilt.stages, rebuilt.outputs, rebuilt.mismatches.len()))
        })
    };
    assert_eq!(audit(&site, 0.4, 7).expect("a sample"), (2, 2, 0));
    let first = site.repo.take_runs();
    assert_eq!(first.len(), 2);
    assert_eq!(audit(&site, 0.4, 7).expect("a sample"), (2, 2, 0));
    assert_eq!(site.repo.take_runs(), first);
    let drawn: std::collections::BTreeSet<Vec<String>> = (0..20)
        .map(|seed| {
            audit(&site, 0.01, seed).expect("a sample");
            site.repo.take_runs()
        })
        .collect();
    assert!(
        drawn.len() > 2 && drawn.iter().all(|stages| stages.len() == 1),
        "{drawn:?}"
    );
    assert_eq!(audit(&site, 1.0, 0).expect("all"), (5, 5, 0));
    site.repo.take_runs();
    // A stage that makes something else now.
    site.repo.hook = Arc::new(|text, io| match text {
        "c" => io.write("out", b"something else"),
        _ => Ok(()),
    });
    let (stages, _, mismatches) = audit(&site, 1.0, 0).expect("all");
    assert_eq!(stages, 5);
    assert!(mismatches >= 1);
}
