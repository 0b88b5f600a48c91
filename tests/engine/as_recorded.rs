//! Runs that make only what the lock does not know: in a fresh clone nothing, after an edit what it changes and
//! what that must read.

use crate::toy::{Ask, CACHE, Repo, Signature};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrace::base::error::{Error, ErrorKind};
use retrace::run::plan::{Reason, State};
use retrace::run::settle::Summary;
use retrace::upkeep::verify::verify;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// `table` and what is drawn of it are committed, the models are not; `apart` has nothing to do with them.
const YAML: &str = "
version: 2
stages:
  tasks: {kind: join, params: {text: tasks}}
  apart: {kind: join, params: {text: apart}, inputs: {parts: tasks.out}}
  model: {kind: join, params: {text: model}, inputs: {parts: tasks.out}}
  table: {kind: join, params: {text: table}, inputs: {parts: {model: model.out, apart: apart.out}}, outputs: {out: figures/table.csv}}
  figure: {kind: join, params: {text: figure}, inputs: {parts: table.out}, outputs: {out: figures/figure.txt}}
  other: {kind: join, params: {text: other}, inputs: {parts: model.out}, outputs: {out: figures/other.txt}}
  page: {kind: tell, params: {text: page}, inputs: {parts: {figure: figure.out, other: other.out}}, outputs: {out: figures/page.csv}}
";

fn repo(yaml: &str) -> Repo {
    let mut repo = Repo::new(yaml);
    repo.publisher = Some(Signature::new("signed"));
    repo
}

/// Takes away what a fresh clone does not have.
fn forget(repo: &Repo) {
    for folder in [CACHE, "artifacts"] {
        let _ = std::fs::remove_dir_all(repo.path(folder));
    }
    repo.take_runs();
}

/// What a fresh clone has of a repository in which everything ran.
fn fresh_clone() -> Repo {
    let repo = repo(YAML);
    repo.run(&Ask::default()).expect("it runs");
    forget(&repo);
    repo
}

fn edit(repo: &Repo, from: &str, to: &str) {
    let yaml = repo.read("pipeline.yaml");
    assert_eq!(yaml.matches(from).count(), 1, "{from}");
    repo.write("pipeline.yaml", &yaml.replace(from, to));
}

fn ask() -> Ask<'static> {
    Ask {
        as_recorded: true,
        ..Ask::default()
    }
}

/// The texts of the stages that ran, and what is said of the run.
fn run(repo: &Repo, ask: &Ask) -> (Vec<String>, Summary) {
    let summary = repo.run(ask).expect("it runs");
    (repo.take_runs(), summary)
}

fn findings(repo: &Repo) -> usize {
    let report = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.everything()?)
    });
    report.expect("it is readable").findings.len()
}

/// What a run would run, by what a look says.
fn foretold(repo: &Repo) -> BTreeSet<String> {
    let plan = repo.with(&Ask::default(), |context| {
        let plan = context.plan_as_recorded(&context.pipeline.select(&[], &[])?)?;
        let stale = plan.states.iter();
        let stale = stale.filter(|(_, state)| matches!(state, State::Stale(_)));
        Ok(stale
            .map(|(&stage, _)| context.pipeline.stages[stage].id.clone())
            .collect())
    });
    plan.expect("it is readable")
}

#[test]
fn where_nothing_changed_nothing_is_made() {
    let repo = fresh_clone();
    let lock = repo.read("pipeline.lock");
    assert!(foretold(&repo).is_empty());
    let (ran, summary) = run(&repo, &ask());
    assert!(ran.is_empty());
    assert_eq!((summary.unmade, summary.fresh, summary.outputs), (7, 0, 0));
    assert_eq!(repo.read("pipeline.lock"), lock);
    assert!(!repo.path("artifacts").exists());
    // A plain run makes everything, as ever.
    assert_eq!(run(&repo, &Ask::default()).0.len(), 7);
    let (ran, summary) = run(&repo, &ask());
    assert!(ran.is_empty());
    assert_eq!((summary.unmade, summary.fresh), (0, 7));
}

#[test]
fn what_reads_committed_files_needs_nothing_else() {
    let repo = fresh_clone();
    edit(&repo, "text: figure}", "text: drawing}");
    assert_eq!(foretold(&repo), BTreeSet::from(["figure".to_owned()]));
    let (ran, summary) = run(&repo, &ask());
    assert_eq!(ran, ["drawing", "page"]);
    assert_eq!(summary.unmade, 5);
    assert!(summary.wrote_lock && summary.failed.is_empty());
    assert_eq!(findings(&repo), 0);
    // It is the lock of a run that makes everything.
    let lock = repo.read("pipeline.lock");
    forget(&repo);
    let (ran, summary) = run(&repo, &Ask::default());
    assert_eq!((ran.len(), summary.outputs_equal), (7, 7));
    assert_eq!(repo.read("pipeline.lock"), lock);
}

#[test]
fn what_must_be_read_and_is_not_here_is_made() {
    let repo = fresh_clone();
    edit(&repo, "text: table}", "text: sums}");
    let made = ["apart", "model", "table", "tasks"];
    assert_eq!(foretold(&repo), made.map(str::to_owned).into());
    let (ran, summary) = run(&repo, &ask());
    // `other` reads the model, and stands all the same.
    assert_eq!(ran, ["apart", "figure", "model", "page", "sums", "tasks"]);
    assert_eq!((summary.ran, summary.unmade), (6, 1));
    assert_eq!(findings(&repo), 0);
}

#[test]
fn what_ends_with_the_same_bytes_makes_nothing_after_it() {
    for workers in [1, 3] {
        let repo = fresh_clone();
        edit(&repo, "text: model}", "text: model, note: slower}");
        let ask = Ask {
            workers: Some(workers),
            ..ask()
        };
        let (ran, summary) = run(&repo, &ask);
        // The page tells of all that was made, with what.
        assert_eq!(ran, ["model", "page", "tasks"]);
        assert_eq!((summary.unmade, summary.differing.len()), (4, 0));
        assert_eq!(findings(&repo), 0);
    }
}

#[test]
fn a_target_that_is_forced_runs_and_no_other() {
    let repo = fresh_clone();
    let forced = Ask {
        targets: &["figure"],
        force: true,
        ..ask()
    };
    let (ran, summary) = run(&repo, &forced);
    assert_eq!(ran, ["figure"]);
    assert_eq!((summary.outputs, summary.outputs_equal), (1, 1));
    // Of what is here already nothing is asked again.
    assert_eq!(run(&repo, &ask()).1.fresh, 1);
}

#[test]
fn a_published_file_that_is_not_as_recorded_is_made_again() {
    let remove = |repo: &Repo| std::fs::remove_file(repo.path("figures/figure.txt"));
    let repo = fresh_clone();
    let before = repo.read("figures/figure.txt");
    remove(&repo).expect("it is there");
    assert_eq!(run(&repo, &ask()).0, ["figure"]);
    assert_eq!(repo.read("figures/figure.txt"), before);
    // An edited table is no table: what it is made of is made.
    let repo = fresh_clone();
    repo.write("figures/table.csv", "edited");
    remove(&repo).expect("it is there");
    assert_eq!(
        run(&repo, &ask()).0,
        ["apart", "figure", "model", "table", "tasks"]
    );
    assert_eq!(findings(&repo), 0);
    // So is a link, whatever it leads to, and other bytes where no file is committed.
    let repo = fresh_clone();
    repo.write("artifacts/model/out", "edited");
    assert_eq!(run(&repo, &ask()).0, ["model", "tasks"]);
    // What is signed in other words is published anew.
    let mut repo = fresh_clone();
    repo.publisher = Some(Signature::new("in other words"));
    assert_eq!(run(&repo, &ask()).0, ["figure", "model", "other", "tasks"]);
    assert!(repo.read("figures/figure.txt").contains("in other words"));
}

/// Who reads what stands rests on the recorded bytes: a run that finds others may not go on.
#[test]
fn other_bytes_than_what_a_stage_stood_for_end_the_run() {
    let mut repo = fresh_clone();
    let lock = repo.read("pipeline.lock");
    repo.hook = Arc::new(|text, io| match text {
        "model" => io.write("out", b"by chance"),
        _ => Ok(()),
    });
    edit(&repo, "text: table}", "text: sums}");
    let summary = repo.run(&ask()).expect("it runs");
    let [(_, error)] = &summary.failed[..] else {
        panic!("{summary:?}");
    };
    assert_eq!(error.kind, ErrorKind::Differs);
    assert!(
        error
            .hint
            .as_ref()
            .is_some_and(|hint| hint.contains("without --as-recorded"))
    );
    assert!(!repo.take_runs().contains(&"sums".to_owned()));
    assert_eq!(repo.read("pipeline.lock"), lock);
}

/// What an opt-in group has made is shown by the page as it is recorded; here both are selected.
#[test]
fn what_others_show_as_recorded_is_there_for_them() {
    for folder in ["figures", "artifacts"] {
        let repo = repo(&format!(
            "
version: 2
groups:
  more: {{opt_in: true, stages: [sum]}}
stages:
  a: {{kind: join, params: {{text: a}}}}
  sum: {{kind: join, params: {{text: sum}}, outputs: {{out: {folder}/sum.csv}}}}
  page: {{kind: join, params: {{text: page}}, inputs: {{parts: {{sum: {{recorded: sum.out}}, a: a.out}}}}, outputs: {{out: figures/page.csv}}}}
"
        ));
        let both = Ask {
            targets: &["more", "page"],
            ..Ask::default()
        };
        repo.run(&both).expect("it runs");
        let before = (repo.read("pipeline.lock"), repo.read("figures/page.csv"));
        assert!(before.1.contains("sum()"));
        forget(&repo);
        let (ran, _) = run(
            &repo,
            &Ask {
                as_recorded: true,
                ..both
            },
        );
        assert_eq!(ran.len(), usize::from(folder == "artifacts"), "{ran:?}");
        assert_eq!(
            (repo.read("pipeline.lock"), repo.read("figures/page.csv")),
            before
        );
    }
}

#[test]
fn what_waits_for_a_maker_that_fails_is_not_reached() {
    for keep_going in [false, true] {
        let mut repo = fresh_clone();
        repo.hook = Arc::new(|text, _| match text {
            "model" => Err(Error::failed("no")),
            _ => Ok(()),
        });
        edit(&repo, "text: table}", "text: sums}");
        edit(&repo, "text: apart}", "text: alone}");
        let ask = Ask {
            keep_going,
            ..ask()
        };
        let summary = repo.run(&ask).expect("it ends");
        assert_eq!(summary.failed.len(), 1);
        assert!(summary.skipped >= 3, "{summary:?}");
        // Each stage is counted once.
        let made = summary.fresh + summary.ran + summary.unmade;
        assert_eq!(
            made + summary.failed.len() + summary.skipped,
            7,
            "{summary:?}"
        );
        assert!(!repo.take_runs().contains(&"sums".to_owned()));
    }
}

#[test]
fn a_supplied_file_that_is_not_here_is_no_matter_to_what_stands() {
    let yaml = format!(
        "
version: 2
stages:
  tune: {{kind: join, params: {{text: tune}}, inputs: {{file: {{file: data/w.bin, blake3: {}, get: make weights}}}}}}
  table: {{kind: join, params: {{text: table}}, inputs: {{parts: tune.out}}, outputs: {{out: figures/table.csv}}}}
  figure: {{kind: join, params: {{text: figure}}, inputs: {{parts: table.out}}, outputs: {{out: figures/figure.csv}}}}
",
        retrace::base::digest::Digest::of(b"weights")
    );
    let repo = repo(&yaml);
    repo.write("data/w.bin", "weights");
    repo.run(&Ask::default()).expect("all is there");
    forget(&repo);
    std::fs::remove_file(repo.path("data/w.bin")).expect("it was there");
    assert!(repo.run(&Ask::default()).is_err());
    let (ran, summary) = run(&repo, &ask());
    assert!(ran.is_empty());
    assert_eq!(summary.unmade + summary.as_recorded, 3);
    edit(&repo, "text: figure}", "text: drawing}");
    assert_eq!(run(&repo, &ask()).0, ["drawing"]);
    // What stands is what is recorded and in place, and is not asked for by force.
    let table = Ask {
        targets: &["table"],
        ..ask()
    };
    let right = repo.read("figures/table.csv");
    repo.write("figures/table.csv", "edited");
    for ask in [&table, &ask()] {
        let error = repo.run(ask).expect_err("it cannot be made");
        assert!(error.message.contains("data/w.bin"), "{error}");
    }
    repo.write("figures/table.csv", &right);
    assert!(run(&repo, &table).0.is_empty());
    let forced = Ask {
        force: true,
        ..table
    };
    assert!(repo.run(&forced).is_err());
    // But what must read it cannot run.
    edit(&repo, "text: table}", "text: sums}");
    let error = repo.run(&ask()).expect_err("it is not here");
    assert!(error.message.contains("data/w.bin"), "{error}");
    assert!(repo.take_runs().is_empty());
}

#[test]
fn without_a_lock_everything_is_made() {
    let repo = fresh_clone();
    std::fs::remove_file(repo.path("pipeline.lock")).expect("it is there");
    assert_eq!(run(&repo, &ask()).0.len(), 7);
    let repo = fresh_clone();
    let renamed = repo.read("pipeline.yaml").replace("  model:", "  net:");
    repo.write("pipeline.yaml", &renamed.replace("model.out", "net.out"));
    // A stage under another name is recorded by a run that makes it.
    assert!(run(&repo, &ask()).0.contains(&"model".to_owned()));
    assert_eq!(findings(&repo), 0);
}

/// What happens to one stage of a random pipeline.
#[derive(Clone, Debug)]
struct Def {
    /// The stages that it reads.
    parts: Vec<usize>,
    published: bool,
    /// Other text, other key and bytes; or a note, another key alone.
    edited: Option<bool>,
}

fn defs() -> impl Strategy<Value = Vec<Def>> {
    let def = (
        any::<u8>(),
        any::<bool>(),
        proptest::option::weighted(0.2, any::<bool>()),
    );
    proptest::collection::vec(def, 1..=7).prop_map(|defs| {
        let def = |(index, (parts, published, edited)): (usize, (u8, bool, Option<bool>))| Def {
            parts: (0..index).filter(|p| parts >> p & 1 == 1).collect(),
            published,
            edited,
        };
        defs.into_iter().enumerate().map(def).collect()
    })
}

fn yaml(defs: &[Def], with_edits: bool) -> String {
    let stage = |(index, def): (usize, &Def)| {
        let parts: Vec<String> = def
            .parts
            .iter()
            .map(|p| format!("s{p}: s{p}.out"))
            .collect();
        let (text, note) = match def.edited.filter(|_| with_edits) {
            Some(true) => (format!("e{index}"), ""),
            Some(false) => (format!("s{index}"), "new"),
            None => (format!("s{index}"), ""),
        };
        let folder = ["artifacts", "figures"][usize::from(def.published)];
        format!(
            "  s{index}: {{kind: join, params: {{text: {text}, note: \"{note}\"}}, inputs: {{parts: {{{}}}}}, outputs: {{out: {folder}/s{index}.csv}}}}\n",
            parts.join(", ")
        )
    };
    let stages: String = defs.iter().enumerate().map(stage).collect();
    format!("version: 2\nstages:\n{stages}")
}

/// For random pipelines and edits: the lock and the committed files are those of a run that makes everything, and
/// nothing was made but what the lock does not know and what that had to read.
#[test]
fn only_what_is_needed_is_made_and_the_lock_is_that_of_everything() {
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(22),
        ..ProptestConfig::default()
    };
    let worlds = (defs(), 1..4usize);
    let result = TestRunner::new(config).run(&worlds, |(defs, workers)| {
        let [repo, whole] = [(), ()].map(|()| {
            let repo = Repo::new(&yaml(&defs, false));
            repo.run(&Ask::default()).expect("it runs");
            forget(&repo);
            repo.write("pipeline.yaml", &yaml(&defs, true));
            repo
        });
        let ask = Ask {
            workers: Some(workers),
            ..ask()
        };
        let before = keys(&repo);
        let (ran, _) = run(&repo, &ask);
        run(&whole, &Ask::default());
        prop_assert_eq!(repo.read("pipeline.lock"), whole.read("pipeline.lock"));
        let published = defs.iter().enumerate().filter(|(_, def)| def.published);
        for (index, _) in published {
            let name = format!("figures/s{index}.csv");
            prop_assert_eq!(repo.read(&name), whole.read(&name));
        }
        let after = keys(&repo);
        let ran: BTreeSet<usize> = ran
            .iter()
            .map(|text| text[1..].parse().expect("a number"))
            .collect();
        for index in 0..defs.len() {
            let is_unknown = before[&index] != after[&index];
            let is_read =
                (0..defs.len()).any(|s| ran.contains(&s) && defs[s].parts.contains(&index));
            let is_needed = is_unknown || (is_read && !defs[index].published);
            prop_assert_eq!(ran.contains(&index), is_needed, "s{} of {:?}", index, &defs);
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The keys that the lock records, by the numbers of the stages.
fn keys(repo: &Repo) -> BTreeMap<usize, String> {
    let line = |line: &str| {
        let mut words = line.strip_prefix('s')?.split(' ');
        let number = words.next()?.parse().ok()?;
        Some((number, words.next()?.to_owned()))
    };
    repo.read("pipeline.lock")
        .lines()
        .filter_map(line)
        .collect()
}

#[test]
fn a_look_says_why_a_stage_that_is_recorded_runs() {
    let repo = fresh_clone();
    edit(&repo, "text: table}", "text: sums}");
    let state = repo.with(&Ask::default(), |context| {
        let mut plan = context.plan_as_recorded(&context.pipeline.select(&[], &[])?)?;
        let at = |id| context.pipeline.stages.iter().position(|s| s.id == id);
        let [model, other] = ["model", "other"].map(|id| at(id).expect("a stage"));
        Ok([model, other].map(|stage| plan.states.remove(&stage)))
    });
    let [model, other] = state.expect("it is readable");
    assert_eq!(model, Some(State::Stale(Reason::NotRunHere)));
    assert_eq!(other, Some(State::Recorded));
    // What is read by a stage that waits runs if that does.
    let repo = fresh_clone();
    edit(&repo, "text: apart}", "text: alone}");
    let needed = repo.with(&Ask::default(), |context| {
        let plan = context.plan_as_recorded(&context.pipeline.select(&[], &[])?)?;
        let at = |id| context.pipeline.stages.iter().position(|s| s.id == id);
        let [model, table, apart] = ["model", "table", "apart"].map(|id| at(id).expect("a stage"));
        assert_eq!(plan.states[&model], State::Needed(table));
        assert_eq!(plan.chain(model), [model, table, apart]);
        Ok(())
    });
    needed.expect("it is readable");
    assert_eq!(
        run(&repo, &ask()).0,
        ["alone", "figure", "model", "page", "table", "tasks"]
    );
}

/// Many that must be read are made side by side.
#[test]
fn makers_run_on_all_workers() {
    let makers: String = (0..4)
        .map(|i| format!("  m{i}: {{kind: join, params: {{text: m{i}}}}}\n"))
        .collect();
    let parts: Vec<String> = (0..4).map(|i| format!("m{i}: m{i}.out")).collect();
    let mut repo = repo(&format!(
        "version: 2\nstages:\n{makers}  sum: {{kind: join, params: {{text: sum}}, inputs: {{parts: {{{}}}}}, outputs: {{out: figures/sum.csv}}}}\n",
        parts.join(", ")
    ));
    repo.run(&Ask::default()).expect("it runs");
    forget(&repo);
    edit(&repo, "text: sum}", "text: total}");
    // Each goes on only when all four are there.
    let there = Arc::new((Mutex::new(0), Condvar::new()));
    repo.hook = Arc::new(move |text, _| {
        let (there, changed) = &*there;
        if !text.starts_with('m') {
            return Ok(());
        }
        let mut there = there.lock().expect("no panic");
        *there += 1;
        changed.notify_all();
        let longest = Duration::from_secs(60);
        let waited = changed.wait_timeout_while(there, longest, |there| *there < 4);
        match waited.expect("no panic").1.timed_out() {
            false => Ok(()),
            true => Err(Error::failed("the others did not come")),
        }
    });
    let ask = Ask {
        workers: Some(4),
        ..ask()
    };
    assert_eq!(run(&repo, &ask).0, ["m0", "m1", "m2", "m3", "total"]);
}
