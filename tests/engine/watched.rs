//! Stages whose inputs are found while they run: what makes them stale, what does not, and what is known of
//! them where they have never run.

use crate::toy::{Ask, CACHE, Repo, walked};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrace::base::digest::Encoder;
use retrace::run::event::Event;
use retrace::run::plan::{Reason, State};
use retrace::stage::key::Key;
use retrace::store::actions::{Action, Outputs};
use retrace::upkeep::gc;
use retrace::upkeep::repeat::{AGAIN, Repeater, Varied, repeat};
use retrace::upkeep::verify::verify;
use std::collections::BTreeSet;

const YAML: &str = r#"
version: 2
stages:
  walk: {kind: walk, params: {text: src/a}, outputs: {out: figures/walk.txt}}
  after: {kind: join, params: {text: after}, inputs: {parts: walk.out}, outputs: {out: figures/after.txt}}
"#;

fn repo() -> Repo {
    let mut repo = Repo::new(YAML);
    repo.write("src/a", "read src/b\nread src/none\nlist data");
    repo.write("src/b", "b");
    repo.write("src/unrelated", "u");
    repo.write("data/x", "1");
    // What a run concludes in haste must be right here too.
    repo.shortcut = true;
    repo
}

/// The stages that a run runs.
fn ran(repo: &Repo) -> Vec<String> {
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.failed.is_empty() && summary.differing.is_empty(),
        "{summary:?}"
    );
    repo.take_runs()
}

#[test]
fn what_was_looked_at_makes_it_stale_and_nothing_else_does() {
    let repo = repo();
    assert_eq!(ran(&repo), ["after", "src/a"]);
    assert_eq!(repo.read("figures/walk.txt"), "b;none;x;");
    assert_eq!(ran(&repo), [""; 0]);
    // A file that was read; that was looked for and not there; a name in a folder that was listed.
    repo.write("src/b", "b2");
    assert_eq!(ran(&repo), ["after", "src/a"]);
    repo.write("src/none", "n");
    assert_eq!(ran(&repo), ["after", "src/a"]);
    repo.write("data/y", "1");
    assert_eq!(ran(&repo), ["after", "src/a"]);
    // What it never looked at; the content of a file of which only the name counts; caches beside it.
    repo.write("src/unrelated", "other");
    repo.write("data/x", "2");
    repo.write("data/__pycache__/m", "m");
    assert_eq!(ran(&repo), [""; 0]);
    // Other inputs, the same output: what comes after does not run.
    repo.write("src/b", "read src/c");
    repo.write("src/c", "b2");
    assert_eq!(ran(&repo), ["src/a"]);
    // Back again: everything is there.
    repo.write("src/b", "b2");
    assert_eq!(ran(&repo), [""; 0]);
}

#[test]
fn it_is_told_what_changed() {
    let repo = repo();
    ran(&repo);
    let reason = |text: &str| match &repo.states()[0].1 {
        State::Stale(reason @ Reason::Changed(_)) => {
            assert!(reason.to_string().starts_with(text), "{reason}");
        }
        state => panic!("{state:?}"),
    };
    repo.write("src/none", "n");
    reason("input read src/none: nothing there -> ");
    std::fs::remove_file(repo.path("src/none")).expect("it was there");
    std::fs::remove_file(repo.path("src/b")).expect("it was there");
    reason("input read src/b: ");
    repo.write("src/b", "b");
    repo.write("data/y", "");
    reason("input names data: ");
}

#[test]
fn a_fresh_clone_knows_from_the_lock_what_was_looked_at() {
    let repo = repo();
    ran(&repo);
    std::fs::remove_dir_all(repo.path(CACHE)).expect("made");
    let walk = || repo.states()[0].1.clone();
    assert_eq!(walk(), State::Stale(Reason::NotRunHere));
    let whole = |repo: &Repo| {
        let verified = repo.with(&Ask::default(), |context| {
            verify(context, &context.pipeline.everything()?)
        });
        verified.expect("it can be read").findings.is_empty()
    };
    assert!(whole(&repo));
    repo.write("src/unrelated", "other");
    assert!(whole(&repo));
    repo.write("src/b", "b2");
    assert!(!whole(&repo));
    assert!(matches!(walk(), State::Stale(Reason::Changed(_))));
}

/// A cache may claim that the stage once looked at nothing, and what came of that: the lock knows better.
#[test]
fn forged_looks_do_not_lead_around_the_lock() {
    let repo = repo();
    ran(&repo);
    let (right, lock) = (repo.read("figures/walk.txt"), repo.read("pipeline.lock"));
    std::fs::remove_dir_all(repo.path(CACHE)).expect("made");
    let forge = repo.with(&Ask::default(), |context| {
        let _held = context.workspace.lock_for_run(true, |_| {})?;
        let put = |bytes: &str| {
            repo.write("forged", bytes);
            context.store.insert(&repo.path("forged"))
        };
        let record = |key, name: &str, digest| {
            let outputs = Outputs::from([(name.to_owned(), digest)]);
            let stage = "walk".to_owned();
            let seconds = 0.0;
            let action = Action {
                stage,
                seconds,
                outputs,
            };
            context.store.record(key, &action)
        };
        let stage = &context.pipeline.stages[0];
        let kind = &context.kinds[stage.kind];
        let base = Key::new(kind.name(), stage.job.params(), Vec::new(), kind.code()).digest();
        record(base, "out", put("forged")?)?;
        let mut encoder = Encoder::new("retrace looks");
        encoder.bytes(base.as_bytes());
        record(encoder.finish(), "looks", put("[[]]")?)
    });
    forge.expect("it can be written");
    std::fs::remove_file(repo.path("figures/walk.txt")).expect("made");
    assert_eq!(ran(&repo), ["after", "src/a"]);
    assert_eq!(repo.read("figures/walk.txt"), right);
    assert_eq!(repo.read("pipeline.lock"), lock);
}

#[test]
fn provenance_names_what_was_found() {
    let mut repo = repo();
    repo.publisher = Some(crate::toy::Signature::new("by"));
    ran(&repo);
    let text = repo.read("figures/walk.txt");
    for words in ["src/a", "src/b", "src/none", "the names in data"] {
        assert!(text.contains(&format!("\"{words}\"")), "{words}: {text}");
    }
}

#[test]
fn what_it_depends_on_shows_when_that_is_varied_and_nothing_is_recorded() {
    let repo = repo();
    ran(&repo);
    let lock = repo.read("pipeline.lock");
    let outcomes = repo.with(&Ask::default(), |context| {
        let how = Repeater {
            observer: &|_| {},
            cancelled: &repo.cancelled,
        };
        let mut variations = vec![AGAIN];
        variations.extend(context.kinds[context.pipeline.stages[0].kind].variations());
        let repeat = repeat(context, 0, &variations, &how)?;
        let outcome = |varied: &Varied| {
            let differing = varied.differing.as_ref().expect("it runs");
            let texts = differing.iter().map(|(output, file)| {
                let text = std::fs::read_to_string(file).expect("it lives as long");
                format!("{output}={text}")
            });
            (varied.name, texts.collect::<Vec<_>>())
        };
        Ok(repeat.varied.iter().map(outcome).collect::<Vec<_>>())
    });
    let expected = [
        ("again", vec![]),
        ("loud", vec!["out=b;none;x;!".to_owned()]),
        ("quiet", vec![]),
    ];
    assert_eq!(outcomes.expect("all is made"), expected);
    assert_eq!(repo.take_runs().len(), 4);
    assert_eq!(repo.read("pipeline.lock"), lock);
    assert_eq!(ran(&repo), [""; 0]);
}

#[test]
fn a_cache_that_forgot_what_was_looked_at_knows_it_from_the_lock() {
    let repo = repo();
    ran(&repo);
    repo.write("src/b", "b2");
    ran(&repo);
    let removed = repo.with(&Ask::default(), |context| {
        let plan = gc::plan(context.workspace, context.store, Some(0))?;
        plan.execute(context.store)?;
        let stages = plan.by_stage().into_iter().map(|(stage, ..)| stage);
        Ok(stages.collect::<BTreeSet<_>>())
    });
    let removed = removed.expect("it can be written");
    assert!(removed.contains("walk"), "{removed:?}");
    assert_eq!(ran(&repo), [""; 0]);
    repo.write("src/b", "b3");
    assert_eq!(ran(&repo), ["after", "src/a"]);
}

#[test]
fn stages_that_use_more_cores_than_are_free_wait() {
    let stage = |name: &str, cores: usize| {
        format!("  {name}: {{kind: join, params: {{text: {name}, cores: {cores}}}}}\n")
    };
    let stages: String = [("a", 2), ("b", 1), ("c", 1), ("d", 9), ("e", 2), ("f", 1)]
        .map(|(name, cores)| stage(name, cores))
        .concat();
    let mut repo = Repo::new(&format!("version: 2\nstages:\n{stages}"));
    // Some work, so that what runs beside it would.
    repo.hook = std::sync::Arc::new(|_, _| {
        let bytes = vec![0; 1 << 22];
        let digest = retrace::Digest::of(&bytes);
        assert_ne!(digest, retrace::Digest::of(b""));
        Ok(())
    });
    let running = std::sync::Mutex::new((0_usize, 0_usize));
    let cores = [2, 1, 1, 2, 2, 1];
    let observer = |event: Event| {
        let mut running = running.lock().expect("no panic");
        match event {
            Event::Started { stage, .. } => running.0 += cores[stage],
            Event::Done { stage, .. } => running.0 -= cores[stage],
            _ => {}
        }
        running.1 = running.1.max(running.0);
    };
    let ask = Ask {
        workers: Some(2),
        ..Ask::default()
    };
    let summary = repo.run_observed(&ask, &observer).expect("it runs");
    assert_eq!(summary.ran, 6);
    assert_eq!(running.into_inner().expect("no panic"), (0, 2));
}

/// One edit: a file of a few gets one of a few contents, or goes.
fn edit() -> impl Strategy<Value = (usize, Option<usize>)> {
    (0..FILES.len(), proptest::option::of(0..CONTENTS.len()))
}

const FILES: [&str; 6] = ["src/a", "src/b", "src/c", "src/d/e", "data/x", "data/y"];
const CONTENTS: [&str; 8] = [
    "1",
    "2",
    "read src/b",
    "read src/c\nread data/x",
    "list data",
    "list src\nread src/d/e",
    "read data/y",
    "list src/d",
];

/// After any history of edits the output is what walking now gives; and a state that was there before runs
/// nothing.
#[test]
fn random_histories() {
    let config = ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(21),
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(40),
        ..ProptestConfig::default()
    };
    let histories = proptest::collection::vec(edit(), 1..14);
    TestRunner::new(config)
        .run(&histories, |edits| {
            let repo = repo();
            let mut states = BTreeSet::new();
            for (file, content) in edits {
                match content {
                    Some(content) => repo.write(FILES[file], CONTENTS[content]),
                    None => drop(std::fs::remove_file(repo.path(FILES[file]))),
                }
                let runs = ran(&repo);
                let looks = std::cell::RefCell::new(BTreeSet::new());
                let expected = walked(repo.folder.path(), "src/a", 0, &|look| {
                    looks.borrow_mut().insert(look);
                });
                prop_assert_eq!(repo.read("figures/walk.txt"), expected.clone());
                // What it would look at now, with what is there: a state that was seen needs no run.
                let state = looks.into_inner().into_iter().map(|look| {
                    let path = match &look {
                        retrace::stage::look::Look::At(path) => std::fs::read(repo.path(path)).ok(),
                        _ => None,
                    };
                    (look, path)
                });
                let state = (state.collect::<Vec<_>>(), expected);
                let is_new = states.insert(state);
                prop_assert_eq!(runs.contains(&"src/a".to_owned()), is_new);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
