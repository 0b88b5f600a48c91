//! The engine on a pipeline without science: what runs, what does not, what is kept.

use crate::toy::{Ask, Repo};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind};
use retrace::lock::file::Lock;
use retrace::run::event::Event;
use retrace::run::event::Outcome;
use retrace::run::plan::{Reason, State};
use retrace::store::history::{PastRun, PastStage};
use retrace::upkeep::verify::{Finding, verify};
use retrace_cli::{Outlook, Ready};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// a -> b -> d, a -> c -> d.
const DIAMOND: &str = r#"
version: 2
vars: {b_text: b}
profiles: {other: {vars.b_text: B}}
groups: {ends: [d]}
stages:
  d:
    kind: join
    params: {text: d}
    inputs: {parts: {b: b.out, c: c.out}}
    outputs: {out: figures/d.txt}
  a: {kind: join, params: {text: a}, outputs: {out: artifacts/a.txt}}
  b: {kind: join, params: {text: "${b_text}"}, inputs: {parts: a.out}, outputs: {out: artifacts/b.txt}}
  c: {kind: join, params: {text: c}, inputs: {parts: a.out}, outputs: {out: artifacts/c.txt}}
"#;

fn run(repo: &Repo, sets: &[&str]) -> Vec<String> {
    let summary = repo
        .run(&Ask {
            sets,
            ..Ask::default()
        })
        .expect("it runs");
    assert!(
        summary.failed.is_empty() && summary.differing.is_empty(),
        "{summary:?}"
    );
    repo.take_runs()
}

fn edit(repo: &Repo, from: &str, to: &str) {
    let text = repo.read("pipeline.yaml");
    assert!(text.contains(from));
    repo.write("pipeline.yaml", &text.replace(from, to));
}

#[test]
fn everything_runs_once_and_then_nothing() {
    let repo = Repo::new(DIAMOND);
    assert_eq!(run(&repo, &[]), ["a", "b", "c", "d"]);
    assert_eq!(repo.read("figures/d.txt"), "d(b(a())c(a()))");
    assert!(run(&repo, &[]).is_empty());
    assert!(
        repo.states()
            .iter()
            .all(|(_, state)| *state == State::Fresh)
    );
}

#[test]
fn a_change_runs_what_depends_on_it_and_a_revert_runs_nothing() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let lock = repo.read("pipeline.lock");
    edit(&repo, "{text: c}", "{text: C}");
    let states: BTreeMap<String, State> = repo.states().into_iter().collect();
    let State::Stale(Reason::Changed(changes)) = &states["c"] else {
        panic!("{states:?}")
    };
    assert_eq!(changes[0].to_string(), r#"param text: "c" -> "C""#);
    assert!(matches!(states["d"], State::Waits(_)));
    assert_eq!(run(&repo, &[]), ["C", "d"]);
    assert_ne!(repo.read("pipeline.lock"), lock);
    edit(&repo, "{text: C}", "{text: c}");
    assert!(run(&repo, &[]).is_empty());
    assert_eq!(repo.read("figures/d.txt"), "d(b(a())c(a()))");
    assert_eq!(repo.read("pipeline.lock"), lock);
}

#[test]
fn equal_bytes_stop_the_wave() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    edit(&repo, "{text: a}", "{text: a, note: new}");
    assert_eq!(run(&repo, &[]), ["a"]);
}

#[test]
fn a_change_of_code_is_a_change() {
    let mut repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    repo.code = "2".into();
    // Each gives the bytes it gave before, but only running shows that.
    assert_eq!(run(&repo, &[]), ["a", "b", "c", "d"]);
}

#[test]
fn a_fresh_clone_with_a_lock_really_runs() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    std::fs::remove_dir_all(repo.path(".icl-repro")).expect("a cache");
    let states: BTreeMap<String, State> = repo.states().into_iter().collect();
    assert_eq!(states["a"], State::Stale(Reason::NotRunHere));
    assert_eq!(run(&repo, &[]), ["a", "b", "c", "d"]);
}

#[test]
fn edited_and_deleted_outputs_come_back_and_damaged_objects_are_made_again() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let text = repo.read("figures/d.txt");
    repo.write("figures/d.txt", "edited");
    std::fs::remove_file(repo.path("artifacts/a.txt")).expect("an output");
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!((summary.restored, summary.ran, summary.fresh), (2, 0, 2));
    assert_eq!(
        (repo.read("figures/d.txt"), repo.read("artifacts/a.txt")),
        (text, "a()".into())
    );

    let object = repo.with(&Ask::default(), |context| {
        let digest = context.lock.get()?.stages["b"].outputs["out"].digest;
        Ok(context.store.object(digest))
    });
    let object = object.expect("an object");
    std::fs::remove_file(&object).expect("it is there");
    std::fs::write(&object, "b(A())").expect("another file");
    let found = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.select(&[], &[])?)
    });
    let found = found.expect("it verifies").findings;
    assert!(
        matches!(&found[..], [Finding::Object { path }] if *path == object),
        "{found:?}"
    );
    assert_eq!(run(&repo, &[]), ["b"]);
    assert_eq!(std::fs::read_to_string(object).expect("healed"), "b(a())");
}

#[test]
fn an_edited_output_does_not_reach_the_store() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    // Written through the existing file: a hard link would carry this into the store.
    std::fs::write(repo.path("figures/d.txt"), "through").expect("it is the user's file");
    let found = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.select(&[], &[])?)
    });
    let found = found.expect("it verifies").findings;
    assert!(
        matches!(&found[..], [Finding::Output { missing: false, .. }]),
        "{found:?}"
    );
}

#[test]
fn other_bytes_under_one_key_are_a_finding() {
    let mut repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let lock = repo.read("pipeline.lock");
    repo.hook = Arc::new(|text, io| match text {
        "b" => io.write("out", b"other"),
        _ => Ok(()),
    });
    let ask = Ask {
        targets: &["b"],
        force: true,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert_eq!(summary.differing.len(), 1);
    assert_eq!(repo.read("pipeline.lock"), lock);
    // What rests on these bytes leaves the lock alone as well.
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!((summary.ran, summary.differing.len()), (1, 1));
    assert_eq!(repo.read("pipeline.lock"), lock);
    repo.run(&Ask {
        accept: true,
        ..Ask::default()
    })
    .expect("it runs");
    assert_ne!(repo.read("pipeline.lock"), lock);
    assert!(
        repo.run(&Ask::default())
            .expect("it runs")
            .differing
            .is_empty()
    );
}

#[test]
fn a_profile_or_a_set_leaves_the_repository_alone() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let lock = repo.read("pipeline.lock");
    let other = Ask {
        profile: Some("other"),
        ..Ask::default()
    };
    assert_eq!(repo.run(&other).expect("it runs").ran, 2);
    assert_eq!(
        repo.read(".icl-repro/profiles/other/figures/d.txt"),
        "d(B(a())c(a()))"
    );
    run(&repo, &["c.text=C"]);
    assert_eq!(repo.read("pipeline.lock"), lock);
    assert_eq!(repo.read("figures/d.txt"), "d(b(a())c(a()))");
}

#[test]
fn one_target_runs_with_what_it_needs_only() {
    let repo = Repo::new(DIAMOND);
    for (target, expected) in [
        ("artifacts/b.txt", vec!["a", "b"]),
        ("c", vec!["c"]),
        ("ends", vec!["d"]),
    ] {
        repo.run(&Ask {
            targets: &[target],
            ..Ask::default()
        })
        .expect("it runs");
        assert_eq!(repo.take_runs(), expected, "{target}");
    }
}

#[test]
fn a_failure_keeps_what_is_finished() {
    let mut repo = Repo::new(DIAMOND);
    repo.hook = Arc::new(|text, io| match text {
        "b" => {
            io.log("about to fail");
            Err(Error::failed("no"))
        }
        _ => Ok(()),
    });
    let ask = Ask {
        keep_going: true,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert_eq!(
        (summary.ran, summary.failed.len(), summary.skipped),
        (2, 1, 1)
    );
    assert!(
        repo.read(".icl-repro/logs/b.log")
            .contains("about to fail\nfailed: no")
    );
    repo.take_runs();
    repo.hook = Arc::new(|_, _| Ok(()));
    assert_eq!(run(&repo, &[]), ["b", "d"]);
}

#[test]
fn undeclared_and_missing_outputs_and_panics_fail_the_stage() {
    type Act = fn(&retrace::stage::kind::Io) -> Result<(), Error>;
    let cases: [(&str, Act); 2] = [
        ("undeclared output `extra`", |io| io.write("extra", b"")),
        ("panicked: oh no", |_| panic!("oh no")),
    ];
    for (message, act) in cases {
        let mut repo = Repo::new(DIAMOND);
        repo.hook = Arc::new(move |text, io| if text == "a" { act(io) } else { Ok(()) });
        let summary = repo.run(&Ask::default()).expect("it runs");
        assert!(summary.failed[0].1.message.contains(message), "{summary:?}");
        assert!(!repo.path("artifacts/a.txt").exists());
        let scratch = std::fs::read_dir(repo.path(".icl-repro/scratch")).expect("a folder");
        assert_eq!(scratch.count(), 0, "scratch folders are cleared");
    }
}

#[test]
fn an_input_that_changes_while_a_stage_runs_voids_the_result() {
    let yaml = "version: 2\nstages:\n  s: {kind: join, params: {text: s}, inputs: {file: data/x}, outputs: {out: artifacts/s}}\n";
    let mut repo = Repo::new(yaml);
    repo.write("data/x", "old");
    let file = repo.path("data/x");
    repo.hook = Arc::new(move |_, _| {
        std::fs::write(&file, "new").map_err(|e| Error::io("write", &file, &e))
    });
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.failed[0]
            .1
            .message
            .contains("changed while the stage ran")
    );
    repo.take_runs();
    repo.hook = Arc::new(|_, _| Ok(()));
    assert_eq!(run(&repo, &[]), ["s"]);
    assert_eq!(repo.read("artifacts/s"), "s(new)");
}

#[test]
fn two_stages_run_at_the_same_time_with_two_workers_and_not_with_one() {
    let yaml = "version: 2\nstages:\n  x: {kind: join, params: {text: x}, outputs: {out: artifacts/x}}\n  y: {kind: join, params: {text: y}, outputs: {out: artifacts/y}}\n";
    for (workers, together) in [(2, 2), (1, 1)] {
        let mut repo = Repo::new(yaml);
        let inside = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = std::sync::mpsc::channel();
        let receiver = std::sync::Mutex::new(receiver);
        let (in_hook, most_in_hook) = (inside.clone(), most.clone());
        repo.hook = Arc::new(move |_, _| {
            let now = in_hook.fetch_add(1, Ordering::SeqCst) + 1;
            most_in_hook.fetch_max(now, Ordering::SeqCst);
            if together == 2 {
                // The first waits for the second; a minute is an error, not a pace.
                if now == 1 {
                    let heard = receiver.lock().expect("no panic");
                    heard
                        .recv_timeout(Duration::from_secs(60))
                        .expect("a second stage");
                } else {
                    sender.send(()).expect("the first listens");
                }
            }
            in_hook.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
        let ask = Ask {
            workers: Some(workers),
            ..Ask::default()
        };
        assert!(repo.run(&ask).expect("it runs").failed.is_empty());
        assert_eq!(most.load(Ordering::SeqCst), together);
    }
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let mut repo = Repo::new(DIAMOND);
    repo.hook = Arc::new(|text, io| match (text, io.cancelled()) {
        ("b", true) => Err(io.interrupted()),
        _ => Ok(()),
    });
    let cancel = |event| {
        if let retrace::run::event::Event::Started { stage: 1, .. } = event {
            repo.cancelled.store(true, Ordering::Relaxed);
        }
    };
    let ask = Ask {
        workers: Some(1),
        ..Ask::default()
    };
    let summary = repo.run_observed(&ask, &cancel).expect("it runs");
    assert!(
        summary.interrupted && summary.failed.is_empty(),
        "{summary:?}"
    );
    assert_eq!((summary.ran, summary.skipped), (1, 3));
    repo.cancelled.store(false, Ordering::Relaxed);
    repo.take_runs();
    assert_eq!(run(&repo, &[]), ["b", "c", "d"]);
}

#[test]
fn one_run_at_a_time() {
    let repo = Repo::new(DIAMOND);
    let busy = repo.with(&Ask::default(), |context| {
        let _held = context.workspace.lock_for_run(false, |_| {})?;
        let second = context.workspace.lock_for_run(false, |_| {});
        Ok(second.err().map(|e| (e.kind, e.message)))
    });
    let (kind, message) = busy.expect("it locks").expect("the second is refused");
    assert_eq!(kind, ErrorKind::Busy);
    assert!(
        message.contains(&std::process::id().to_string()),
        "{message}"
    );
    assert_eq!(run(&repo, &[]).len(), 4);
}

#[test]
fn a_cache_of_a_newer_format_is_refused_and_left_alone() {
    let repo = Repo::new(DIAMOND);
    repo.write(".icl-repro/format", "9\n");
    let error = repo.run(&Ask::default()).unwrap_err();
    assert!(error.message.contains("format `9`"), "{error}");
    assert_eq!(repo.read(".icl-repro/format"), "9\n");
    assert!(!repo.path("pipeline.lock").exists());
}

#[test]
fn an_action_cache_of_a_newer_format_is_refused_and_left_alone() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let newer = "retrace actions 2\nwho knows\n";
    repo.write(".icl-repro/actions.log", newer);
    edit(&repo, "{text: c}", "{text: C}");
    let error = repo.run(&Ask::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("has format 2"), "{error}");
    assert_eq!(repo.read(".icl-repro/actions.log"), newer);
    assert!(repo.take_runs().is_empty());
}

#[test]
fn a_cache_of_the_older_format_is_made_one_of_this() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    std::fs::remove_file(repo.path(".icl-repro/actions.log")).expect("results");
    repo.write(".icl-repro/format", "1\n");
    repo.write(".icl-repro/actions/ab/cd", "{}");
    assert_eq!(run(&repo, &[]).len(), 4);
    assert_eq!(repo.read(".icl-repro/format"), "3\n");
    assert!(!repo.path(".icl-repro/actions").exists());
    assert!(run(&repo, &[]).is_empty());
}

/// Locks of former programs are in former revisions, where `diff` looks; a run writes this format.
#[test]
fn locks_of_the_older_formats_are_read() {
    let digest = |text: &str| Digest::of(text.as_bytes());
    let block = |code: &str| {
        format!(
            r#"{{"key": "{}", "kind": "join", "params": {{"text": "a"}}, "inputs": {{}}, "code": {code}, "outputs": {{"out": {{"path": "artifacts/a", "digest": "{}"}}}}}}"#,
            digest("key"),
            digest("a"),
        )
    };
    let inline = format!(
        r#"{{"format": 1, "stages": {{"a": {}}}}}"#,
        block(r#"{"a.rs": "1"}"#)
    );
    let named = format!(
        r#"{{"format": 3, "code": {{"join 1": {{"a.rs": "1"}}}}, "stages": {{"a": {}}}}}"#,
        block(r#""join 1""#)
    );
    let read = |text: &str| Lock::parse("pipeline.lock", text.as_bytes()).expect("a lock");
    assert_eq!(read(&inline), read(&named));
    let parts = read(&named).stages["a"].parts.clone().expect("known");
    assert_eq!(parts.code["a.rs"], "1");
    let repo = Repo::new(DIAMOND);
    repo.write("pipeline.lock", &named);
    run(&repo, &[]);
    assert!(
        repo.read("pipeline.lock")
            .starts_with("# retrace lock 4\na ")
    );
    for broken in [
        named.replace("artifacts/a", "../a"),
        named.replace("\"a\": {", "\"a b\": {"),
    ] {
        Lock::parse("pipeline.lock", broken.as_bytes()).expect_err(&broken);
    }
}

/// What explains keys stands beside the lock; without it, or with another's, stages are what they are.
#[test]
fn what_keys_were_made_of_is_told_where_it_is_known() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    let keys = repo.read("pipeline.keys");
    std::fs::remove_dir_all(repo.path(".icl-repro")).expect("a cache");
    edit(&repo, "{text: a}", "{text: a, note: new}");
    let why = |repo: &Repo| {
        let states: BTreeMap<_, _> = repo.states().into_iter().collect();
        match &states["a"] {
            State::Stale(reason) => format!("{reason}"),
            other => panic!("{other:?}"),
        }
    };
    assert!(why(&repo).contains("param note"), "{}", why(&repo));
    for damaged in ["", "words\n", &keys.replace("\"key\":\"", "\"key\":\"x")] {
        repo.write("pipeline.keys", damaged);
        assert!(why(&repo).contains("is not recorded"), "{}", why(&repo));
    }
    run(&repo, &[]);
    assert!(repo.read("pipeline.keys").contains("\"note\":\"new\""));
}

#[test]
fn a_missing_input_stops_everything_before_it_starts() {
    let yaml = format!(
        "{DIAMOND}  e: {{kind: join, params: {{text: e}}, inputs: {{file: data/x}}, outputs: {{out: artifacts/e}}}}\n"
    );
    let repo = Repo::new(&yaml);
    let error = repo.run(&Ask::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(
        error
            .to_string()
            .contains("stage `e`: the input data/x is not there"),
        "{error}"
    );
    assert!(repo.take_runs().is_empty());
    // Stages that do not need it are not held up.
    let ask = Ask {
        targets: &["d"],
        ..Ask::default()
    };
    assert_eq!(repo.run(&ask).expect("it runs").ran, 4);
}

#[test]
fn a_run_with_nothing_to_do_is_answered_until_anything_changes() {
    let mut repo = Repo::new(DIAMOND);
    repo.shortcut = true;
    repo.settled = Duration::ZERO;
    let events = AtomicUsize::new(0);
    // How many stages the engine looked at.
    let looked = |repo: &Repo, targets: &[&str]| {
        events.store(0, Ordering::Relaxed);
        let ask = Ask {
            targets,
            ..Ask::default()
        };
        let count = |_| {
            events.fetch_add(1, Ordering::Relaxed);
        };
        repo.wait_for_the_clock();
        let summary = repo.run_observed(&ask, &count).expect("it runs");
        assert_eq!(summary.outputs, summary.outputs_equal);
        events.load(Ordering::Relaxed)
    };
    run(&repo, &[]);
    assert_eq!((looked(&repo, &[]), looked(&repo, &[])), (4, 0));
    // Another question.
    assert_eq!((looked(&repo, &["b"]), looked(&repo, &["b"])), (2, 0));
    for file in [
        "pipeline.yaml",
        "pipeline.lock",
        ".icl-repro/actions.log",
        "figures/d.txt",
        "artifacts/a.txt",
    ] {
        // The same content under a new time.
        let text = repo.read(file);
        std::fs::remove_file(repo.path(file)).expect("a file");
        repo.write(file, &text);
        assert_eq!((looked(&repo, &[]), looked(&repo, &[])), (4, 0), "{file}");
    }
    std::fs::remove_file(repo.path("artifacts/b.txt")).expect("an output");
    assert_eq!(looked(&repo, &[]), 4);
    assert_eq!(repo.read("artifacts/b.txt"), "b(a())");
    looked(&repo, &[]);
    assert_eq!(looked(&repo, &[]), 0);
    // A program with other code.
    repo.code = "2".into();
    repo.run(&Ask::default()).expect("it runs");
    assert_eq!(repo.take_runs().len(), 4);
}

#[test]
fn a_link_on_the_way_to_an_output_is_refused() {
    let repo = Repo::new(DIAMOND);
    let outside = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(outside.path(), repo.path("figures")).expect("a link");
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.failed[0].1.message.contains("symbolic link"),
        "{summary:?}"
    );
    assert_eq!(
        std::fs::read_dir(outside.path()).expect("readable").count(),
        0
    );
}

#[test]
fn matrices_expand_over_several_axes_and_fan_in_with_labels() {
    let repo = Repo::new(
        r#"
version: 2
stages:
  m:
    kind: join
    matrix:
      n: [1, 2, 3, 4]
      mode: {x: {word: ex}, y: {word: why}}
    exclude: [{n: 2, mode: y}, {n: [3, 4], mode: [x, y]}]
    params: {text: "${mode.word}${n}"}
    outputs: {out: "artifacts/${mode}-${n}"}
  all: {kind: join, params: {text: all}, inputs: {parts: m@*.out}, outputs: {out: artifacts/all}}
"#,
    );
    assert_eq!(run(&repo, &[]), ["all", "ex1", "ex2", "why1"]);
    // In the order of the labels `1,x`, `1,y`, `2,x`.
    assert_eq!(repo.read("artifacts/all"), "all(ex1()why1()ex2())");
    let lock = repo.read("pipeline.lock");
    assert!(lock.contains("\nm@2,x "), "{lock}");
    assert!(repo.read("pipeline.keys").contains("parts[1,y]"));
}

/// Every wrong pipeline.yaml gives a message with its place and, for a name, the nearest.
#[test]
fn wrong_pipelines_are_explained() {
    let stage = |rest: &str| format!("version: 2\nstages:\n  s:\n    kind: join\n{rest}");
    let ok = "    params: {text: t}\n    outputs: {out: artifacts/o}\n";
    let cases = [
        ("version: 2\nstages: [", "pipeline.yaml:2:", ""),
        (
            "version: 2\nversion: 2\nstages: {}",
            "pipeline.yaml:2:1: ",
            "",
        ),
        (
            &stage("    seconds: -1\n"),
            "pipeline.yaml:5:14: seconds must be 0 or more, not the number -1",
            "",
        ),
        (
            &stage("    seconds: soon\n"),
            "pipeline.yaml:5:14: seconds must be 0 or more, not the text `soon`",
            "",
        ),
        (
            "version: 3\nstages: {}",
            "pipeline.yaml:1:10: version must be 2",
            "newer {program}",
        ),
        ("version: 2", "has no key `stages`", ""),
        ("version: 2\nstage: {}", "pipeline.yaml:2:1: ", "`stages`"),
        (
            "version: 2\nstages:\n  s: {kind: jion}",
            "3:13: stage `s`: there is no kind `jion`",
            "`join`",
        ),
        (
            &stage("    parms: {}\n"),
            "5:5: stage `s` has an unknown key `parms`",
            "`params`",
        ),
        (
            &stage("    params: {txet: t}\n"),
            "5:14: stage `s`: unknown key `txet`",
            "`text`",
        ),
        (&stage("    params: {text: [1]}\n"), "5:20: ", ""),
        (
            &stage("    params: {}\n"),
            "5:13: stage `s`: the key `text` is missing",
            "",
        ),
        (
            &stage("    params: {text: \"${x}\"}\n"),
            "5:20: `${x}` names nothing",
            "",
        ),
        (&stage("    params: {text: \"${x\"}\n"), "without `}`", ""),
        (
            &stage(&ok.replace("artifacts/o", "/etc/x")),
            "is an absolute path",
            "",
        ),
        (
            &stage(&ok.replace("artifacts/o", "figures/../../x")),
            "without `.` or `..`",
            "",
        ),
        (
            &stage(&ok.replace("artifacts/o", "src/main.rs")),
            "must lie below figures/",
            "",
        ),
        (
            &stage(&ok.replace("out:", "uot:")),
            "has no output `uot`",
            "out",
        ),
        (
            &stage(&format!("{ok}    inputs: {{parts: t.out}}\n")),
            "there is no stage `t`",
            "",
        ),
        (
            &stage(&format!("{ok}    inputs: {{parts: s.oat}}\n")),
            "has no output `oat`",
            "out",
        ),
        (
            &stage(&format!("{ok}    inputs: {{prats: s.out}}\n")),
            "has no input `prats`",
            "`parts`",
        ),
        (
            &stage(&format!("{ok}    inputs: {{file: ../x/y}}\n")),
            "without `.` or `..`",
            "",
        ),
        (
            &stage(&format!("{ok}    inputs: {{parts: s.out}}\n")),
            "s <- s",
            "inputs away",
        ),
        (
            &stage(&format!("{ok}  s b: {{}}\n")),
            "`s b` is no name",
            "",
        ),
        (
            &stage(&format!("{ok}  s2:\n    kind: join\n{ok}")),
            "both write artifacts/o",
            "",
        ),
        (
            &stage(&format!("{ok}    matrix: {{a: []}}\n")),
            "axis `a` has no items",
            "",
        ),
        (
            &stage(&format!("{ok}groups: {{g: [z]}}\n")),
            "group `g`: there is no stage `z`",
            "",
        ),
    ];
    for (yaml, message, hint) in cases {
        let repo = Repo::new(yaml);
        let error = repo.run(&Ask::default()).expect_err(yaml);
        let text = error.to_string();
        assert_eq!(error.kind, ErrorKind::Config, "{yaml}\n{text}");
        assert!(text.contains(message), "{yaml}\n{text}");
        let hints = error.hint.unwrap_or_default();
        assert!(hints.contains(hint), "{yaml}\n{text}\n{hints}");
        assert!(!repo.path("pipeline.lock").exists() && !repo.path("artifacts").exists());
    }
}

#[test]
fn wrong_requests_are_explained() {
    let repo = Repo::new(DIAMOND);
    let ask = Ask::default;
    let cases = [
        (
            Ask {
                targets: &["dd"],
                ..ask()
            },
            "no target `dd`",
        ),
        (
            Ask {
                profile: Some("othre"),
                ..ask()
            },
            "no profile `othre`",
        ),
        (
            Ask {
                sets: &["b.txt=1"],
                ..ask()
            },
            "unknown key `txt`",
        ),
        (
            Ask {
                sets: &["e.text=1"],
                ..ask()
            },
            "no stage `e`",
        ),
        (
            Ask {
                sets: &["vars.c=1"],
                ..ask()
            },
            "no variable `c`",
        ),
        (
            Ask {
                sets: &["b.text"],
                ..ask()
            },
            "has no `=`",
        ),
        (
            Ask {
                sets: &["b.text.deep=[1"],
                ..ask()
            },
            "--set b.text.deep=[1: ",
        ),
    ];
    for (ask, message) in cases {
        let error = repo.run(&ask).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn downstream_adds_what_depends_on_the_targets_and_what_that_needs() {
    let repo = Repo::new(DIAMOND);
    let ids = repo.with(&Ask::default(), |context| {
        let pipeline = context.pipeline;
        let selection = pipeline.with_downstream(pipeline.select(&["b".into()], &[])?);
        let ids = |stages: &std::collections::BTreeSet<usize>| -> Vec<String> {
            stages
                .iter()
                .map(|&s| pipeline.stages[s].id.clone())
                .collect()
        };
        Ok((ids(&selection.targets), ids(&selection.closure)))
    });
    let (targets, closure) = ids.expect("it selects");
    assert_eq!(
        (targets, closure.len()),
        (vec!["b".to_owned(), "d".to_owned()], 4)
    );
}

#[test]
fn a_chain_leads_to_the_root_cause() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &[]);
    edit(&repo, "{text: a}", "{text: A}");
    let chain = repo.with(&Ask::default(), |context| {
        let plan = context.plan(&context.pipeline.select(&[], &[])?)?;
        let last = context.pipeline.stages.len() - 1;
        let chain = plan.chain(last);
        let why = plan.root_reason(&chain).map(ToString::to_string);
        let ids: Vec<String> = chain
            .iter()
            .map(|&s| context.pipeline.stages[s].id.clone())
            .collect();
        Ok((ids, why))
    });
    let (ids, why) = chain.expect("it plans");
    assert_eq!(ids, ["d", "b", "a"]);
    assert_eq!(why.as_deref(), Some(r#"param text: "a" -> "A""#));
}

#[test]
fn gc_keeps_what_the_locks_record_and_removes_the_rest_by_stage() {
    let repo = Repo::new(DIAMOND);
    run(&repo, &["vars.b_text=x"]);
    run(&repo, &[]);
    edit(&repo, "{text: c}", "{text: C}");
    run(&repo, &[]);
    let collect = |limit: Option<u64>, execute: bool| {
        repo.with(&Ask::default(), |context| {
            let plan = retrace::upkeep::gc::plan(context.workspace, context.store, limit)?;
            if execute {
                plan.execute(context.store)?;
            }
            Ok(plan.by_stage())
        })
        .expect("it collects")
    };
    assert!(
        collect(None, false).is_empty(),
        "without a limit every result stays"
    );
    // Nothing fits but what a lock records: of this state, and of the variant that ran first.
    let removed = collect(Some(0), true);
    let stages: Vec<&str> = removed.iter().map(|(stage, ..)| stage.as_str()).collect();
    // The first `c` is in the lock of the variant; the first `d` of the default is in none.
    assert_eq!(stages, ["d"]);
    assert!(run(&repo, &[]).is_empty());
    edit(&repo, "{text: C}", "{text: c}");
    assert_eq!(run(&repo, &[]), ["d"]);
}

/// Two chains that have nothing to do with each other; the one that is looked at first stands last.
const TWO_GROUPS: &str = r#"
version: 2
groups: {first: [q], then: [y]}
stages:
  x: {kind: join, seconds: 30, params: {text: x}, outputs: {out: artifacts/x.txt}}
  y: {kind: join, seconds: 10, params: {text: y}, inputs: {parts: x.out}, outputs: {out: figures/y.txt}}
  p: {kind: join, seconds: 20, params: {text: p}, outputs: {out: artifacts/p.txt}}
  q: {kind: join, params: {text: q}, inputs: {parts: p.out}, outputs: {out: figures/q.txt}}
  alone: {kind: join, params: {text: alone}, outputs: {out: artifacts/alone.txt}}
"#;

#[test]
fn what_the_first_group_needs_runs_first() {
    let repo = Repo::new(TWO_GROUPS);
    let order = Mutex::new(Vec::new());
    let ask = Ask {
        workers: Some(1),
        ..Ask::default()
    };
    let observer = |event: Event| {
        if let Event::Started { stage, .. } = event {
            order.lock().unwrap().push(stage);
        }
    };
    repo.run_observed(&ask, &observer).unwrap();
    let ids = repo.with(&ask, |context| {
        let stages = &context.pipeline.stages;
        let order = order.lock().unwrap();
        Ok(order
            .iter()
            .map(|&i| stages[i].id.clone())
            .collect::<Vec<_>>())
    });
    assert_eq!(ids.unwrap(), ["p", "q", "x", "y", "alone"]);
}

#[test]
fn a_run_knows_what_is_left_and_when_a_group_is_ready() {
    let seconds = Duration::from_secs;
    let repo = Repo::new(TWO_GROUPS);
    let looked = repo.with(&Ask::default(), |context| {
        let pipeline = context.pipeline;
        let stage = |id: &str| pipeline.stages.iter().position(|s| s.id == id).unwrap();
        let all = pipeline.select(&[], &[])?;
        let none = BTreeMap::new();
        let outlook = |past: &[PastRun]| Outlook::new(pipeline, &all, &none, past, 2);
        // Nothing is known of q and alone; of the others what the file says, on two workers.
        let mut left = outlook(&[])?;
        assert_eq!(left.rest(seconds(0)), Some(seconds(30)));
        assert_eq!(left.end(stage("p"), true), []);
        let ready = |group: &str, published| Ready {
            group: group.into(),
            published,
        };
        assert_eq!(left.end(stage("q"), true), [ready("first", 1)]);
        // What was to take 20 s has taken 40 s: so will the rest.
        assert_eq!(left.rest(seconds(40)), Some(seconds(80)));
        assert_eq!(left.end(stage("x"), false), []);
        assert_eq!(left.rest(seconds(40)), Some(seconds(20)));
        assert_eq!(left.end(stage("y"), true), [ready("then", 1)]);
        assert_eq!(left.end(stage("alone"), true), []);
        assert_eq!(left.rest(seconds(60)), Some(seconds(0)));
        // What was recorded is believed more than what the file says.
        let past = PastRun {
            started: 0,
            seconds: 2.0,
            command: "run".into(),
            summary: String::new(),
            exit_code: 0,
            stages: ["x", "y", "p", "q", "alone"]
                .map(|stage| PastStage {
                    stage: stage.into(),
                    outcome: "ran".into(),
                    reason: "new".into(),
                    seconds: 2.0,
                })
                .into(),
        };
        assert_eq!(outlook(&[past])?.rest(seconds(0)), Some(seconds(5)));
        // What stands as recorded takes no time, until it is made after all.
        let ended = BTreeMap::from([
            (stage("x"), Outcome::Recorded),
            (stage("p"), Outcome::Fresh),
            (stage("q"), Outcome::Fresh),
        ]);
        let mut left = Outlook::new(pipeline, &all, &ended, &[], 2)?;
        assert_eq!(left.rest(seconds(0)), Some(seconds(5)));
        assert!(left.begin(stage("x")) && !left.begin(stage("x")) && !left.begin(stage("y")));
        assert_eq!(left.rest(seconds(0)), Some(seconds(20)));
        Ok(())
    });
    looked.unwrap();
}
