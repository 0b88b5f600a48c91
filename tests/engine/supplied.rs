//! Files that people supply themselves: what goes on without them, what is refused, and what is said.

use crate::toy::{Ask, Repo};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind};
use retrace::run::plan::{Reason, State};
use retrace::run::settle::Summary;
use retrace::upkeep::rebuild::{Rebuild, Rebuilder, rebuild};
use retrace::upkeep::verify::{Verification, verify};
use std::os::unix::fs::symlink;
use std::sync::atomic::AtomicBool;

/// `items` needs nothing, `tune` the weights, `table` is committed, `figure` reads it; `plain` is apart.
const YAML: &str = r#"
version: 2
vars:
  weights: {file: data/w.bin, blake3: DIGEST, get: make weights, licence: MIT, size: 1 B, from: a shop}
groups:
  main: [plain]
  llm: {opt_in: true, stages: [items, tune, table, figure, more]}
stages:
  plain: {kind: join, params: {text: plain}, outputs: {out: figures/plain.csv}}
  items: {kind: join, params: {text: items}}
  tune: {kind: join, params: {text: tune}, inputs: {file: "${weights}", parts: items.out}}
  table: {kind: join, params: {text: table}, inputs: {parts: tune.out}, outputs: {out: figures/table.csv}}
  figure: {kind: join, params: {text: figure}, inputs: {parts: table.out}, outputs: {out: figures/figure.csv}}
  more: {kind: join, params: {text: more}, inputs: {file: {file: data/mine.csv, get: ask them}}, outputs: {out: figures/more.csv}}
"#;

fn repo() -> Repo {
    Repo::new(&YAML.replace("DIGEST", &Digest::of(b"weights").to_string()))
}

fn supply(repo: &Repo) {
    repo.write("data/w.bin", "weights");
    repo.write("data/mine.csv", "mine");
}

fn take(repo: &Repo) {
    for name in ["data/w.bin", "data/mine.csv"] {
        std::fs::remove_file(repo.path(name)).expect("it was there");
    }
}

/// What a fresh clone has of a repository in which everything ran.
fn fresh_clone() -> Repo {
    let repo = repo();
    supply(&repo);
    run(&repo, &["plain", "llm"]).expect("all is there");
    take(&repo);
    for folder in [crate::toy::CACHE, "artifacts"] {
        std::fs::remove_dir_all(repo.path(folder)).expect("made");
    }
    repo.take_runs();
    repo
}

fn run(repo: &Repo, targets: &[&str]) -> Result<Summary, Error> {
    repo.run(&Ask {
        targets,
        ..Ask::default()
    })
}

fn verified(repo: &Repo) -> Verification {
    repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.everything()?)
    })
    .expect("it is readable")
}

fn rebuilt(repo: &Repo, targets: &[&str]) -> Result<Rebuild, Error> {
    let targets: Vec<String> = targets.iter().map(|t| (*t).to_owned()).collect();
    repo.with(&Ask::default(), |context| {
        let how = Rebuilder {
            workers: 2,
            observer: &|_| {},
            cancelled: &AtomicBool::new(false),
        };
        rebuild(context, &context.pipeline.select(&targets, &[])?, &how)
    })
}

fn state(repo: &Repo, target: &str) -> State {
    repo.with(&Ask::default(), |context| {
        let selection = context.pipeline.select(&[target.to_owned()], &[])?;
        let stage = *selection.targets.first().expect("a target");
        let mut plan = context.plan(&selection)?;
        Ok(plan.states.remove(&stage).expect("it is selected"))
    })
    .expect("it is readable")
}

fn is_recorded(repo: &Repo, target: &str) -> bool {
    match state(repo, target) {
        State::Absent(absent) => absent.is_recorded,
        other => panic!("{target}: {other:?}"),
    }
}

#[test]
fn the_key_is_that_of_the_same_file_named_by_its_path() {
    let declared = repo();
    supply(&declared);
    run(&declared, &["tune"]).expect("it runs");
    let plain = Repo::new(
        &declared
            .read("pipeline.yaml")
            .replace("file: \"${weights}\"", "file: data/w.bin"),
    );
    supply(&plain);
    run(&plain, &["tune"]).expect("it runs");
    assert_eq!(declared.read("pipeline.lock"), plain.read("pipeline.lock"));
}

#[test]
fn nothing_that_does_not_need_it_is_disturbed() {
    let repo = fresh_clone();
    assert!(run(&repo, &[]).expect("it runs").failed.is_empty());
    assert_eq!(repo.take_runs(), ["plain"]);
    let lock = repo.read("pipeline.lock");
    assert!(is_recorded(&repo, "tune") && is_recorded(&repo, "table"));
    // What only its user knows has no key without it.
    assert!(!is_recorded(&repo, "more"));
    let report = verified(&repo);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let absent: Vec<(String, usize)> = report
        .absent
        .iter()
        .map(|(file, stages)| (file.line(), stages.len()))
        .collect();
    let weights = "data/w.bin (1 B, from a shop, licence MIT): make weights";
    assert_eq!(
        absent,
        [("data/mine.csv: ask them".into(), 1), (weights.into(), 3)]
    );
    assert_eq!(repo.read("pipeline.lock"), lock);
    // Its committed files are held to the lock all the same.
    repo.write("figures/more.csv", "edited");
    repo.write("figures/table.csv", "edited");
    assert_eq!(verified(&repo).findings.len(), 2);
}

#[test]
fn a_group_that_never_ran_says_nothing() {
    let repo = repo();
    run(&repo, &[]).expect("it runs");
    let report = verified(&repo);
    assert!(report.findings.is_empty() && report.absent.is_empty());
    assert_eq!(report.not_run.len(), 5);
    assert!(!is_recorded(&repo, "tune"));
}

#[test]
fn a_run_that_needs_it_names_every_file_and_runs_nothing() {
    let repo = fresh_clone();
    let error = run(&repo, &["llm"]).expect_err("two files are missing");
    assert_eq!(error.kind, ErrorKind::Config);
    for part in [
        "tune and 2 other stages cannot run: inputs are not here",
        "\n  data/mine.csv: ask them",
        "\n  data/w.bin (1 B, from a shop, licence MIT): make weights",
    ] {
        assert!(error.message.contains(part), "{error}");
    }
    assert!(repo.take_runs().is_empty());
    let summary = repo
        .run(&Ask {
            targets: &["llm"],
            keep_going: true,
            ..Ask::default()
        })
        .expect("the rest runs");
    assert_eq!(repo.take_runs(), ["figure", "items"]);
    assert_eq!(summary.failed.len(), 3);
    assert!(summary.refused.is_some());
}

#[test]
fn what_reads_a_committed_table_is_drawn_without_the_stages_before_it() {
    let repo = fresh_clone();
    assert_eq!(state(&repo, "figure"), State::Stale(Reason::NotRunHere));
    let lock = repo.read("pipeline.lock");
    let summary = run(&repo, &["figure"]).expect("its table is committed");
    assert_eq!(repo.take_runs(), ["figure"]);
    assert_eq!((summary.as_recorded, summary.absent.len()), (2, 1));
    assert_eq!(summary.outputs_equal, summary.outputs);
    assert_eq!(repo.read("pipeline.lock"), lock);
    // The second time nothing is to be done; what is expected of the table is still known.
    assert_eq!(state(&repo, "figure"), State::Fresh);
    assert_eq!(run(&repo, &["figure"]).expect("fresh").fresh, 1);
    // With another key of the figure it is drawn all the same.
    let yaml = repo
        .read("pipeline.yaml")
        .replace("text: figure", "text: drawing");
    repo.write("pipeline.yaml", &yaml);
    run(&repo, &["figure"]).expect("its table is committed");
    assert_eq!(repo.take_runs(), ["drawing"]);
    // A table that somebody edited is not the recorded one.
    let repo = fresh_clone();
    repo.write("figures/table.csv", "edited");
    let error = run(&repo, &["figure"]).expect_err("there is no such table");
    assert!(error.message.contains("data/w.bin"), "{error}");
}

#[test]
fn a_stage_whose_key_is_not_the_recorded_one_is_not_taken_for_it() {
    let repo = fresh_clone();
    let yaml = repo
        .read("pipeline.yaml")
        .replace("text: tune", "text: other");
    repo.write("pipeline.yaml", &yaml);
    assert!(!is_recorded(&repo, "tune") && !is_recorded(&repo, "figure"));
    assert!(run(&repo, &["figure"]).is_err());
    assert!(!verified(&repo).findings.is_empty());
}

#[test]
fn what_the_cache_has_needs_no_file() {
    let repo = repo();
    supply(&repo);
    run(&repo, &["llm"]).expect("all is there");
    repo.take_runs();
    std::fs::remove_file(repo.path("data/w.bin")).expect("it was there");
    std::fs::remove_file(repo.path("figures/table.csv")).expect("made");
    let summary = run(&repo, &["table"]).expect("the cache has it");
    assert_eq!((summary.restored, summary.fresh), (1, 2));
    assert!(repo.take_runs().is_empty());
    assert_eq!(state(&repo, "tune"), State::Fresh);
}

#[test]
fn another_file_is_refused_with_both_digests() {
    let repo = fresh_clone();
    repo.write("data/w.bin", "weight");
    let (found, wanted) = (Digest::of(b"weight"), Digest::of(b"weights"));
    for error in [
        run(&repo, &["figure"]).map(drop),
        repo.with(&Ask::default(), |context| {
            verify(context, &context.pipeline.everything()?).map(drop)
        }),
    ] {
        let error = error.expect_err("it is another file");
        let words = format!(
            "data/w.bin is another file than pipeline.yaml names: its BLAKE3 digest is {found}, and {wanted} is wanted"
        );
        assert!(error.message.contains(&words), "{error}");
        assert!(
            error
                .hint
                .expect("a hint")
                .contains("get it anew: make weights")
        );
    }
    assert!(run(&repo, &[]).is_ok());
    // What nobody declared is in the key as any file.
    supply(&repo);
    run(&repo, &["llm"]).expect("all is there");
    repo.take_runs();
    repo.write("data/mine.csv", "newer");
    run(&repo, &["llm"]).expect("all is there");
    assert_eq!(repo.take_runs(), ["more"]);
}

#[test]
fn a_link_may_lead_to_where_such_files_are_kept() {
    let repo = repo();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("w");
    std::fs::write(&file, "weights").expect("a file");
    std::fs::create_dir(repo.path("data")).expect("a folder");
    symlink(&file, repo.path("data/w.bin")).expect("a link");
    run(&repo, &["tune"]).expect("it is the file");
    assert_eq!(repo.take_runs(), ["items", "tune"]);
    std::fs::remove_file(&file).expect("a file");
    assert!(
        run(&repo, &["figure"]).is_ok(),
        "nothing but tune needed it"
    );
    std::fs::remove_file(repo.path("data/w.bin")).expect("a link");
    std::fs::create_dir(repo.path("data/w.bin")).expect("a folder");
    let error = run(&repo, &["tune"]).expect_err("it is a folder");
    assert!(error.message.contains("is no file"), "{error}");
}

#[test]
fn no_answer_is_kept_that_a_file_could_change() {
    let mut repo = repo();
    repo.shortcut = true;
    repo.settled = std::time::Duration::ZERO;
    supply(&repo);
    run(&repo, &["llm"]).expect("all is there");
    std::fs::remove_file(repo.path("data/w.bin")).expect("it was there");
    run(&repo, &["llm"]).expect("the cache has all");
    run(&repo, &["llm"]).expect("the cache has all");
    repo.write("data/w.bin", "other");
    assert!(run(&repo, &["llm"]).is_err());
}

#[test]
fn a_rebuild_runs_what_it_can_and_names_the_rest() {
    let repo = fresh_clone();
    let report = rebuilt(&repo, &["llm"]).expect("items can run");
    assert!(report.mismatches.is_empty() && report.failed.is_empty());
    assert_eq!((report.stages, report.outputs, report.equal), (1, 1, 1));
    let numbers: Vec<usize> = report.absent.iter().map(|(_, s)| s.len()).collect();
    assert_eq!(numbers, [1, 3]);
    let error = rebuilt(&repo, &["figure"]).err().expect("nothing can run");
    assert!(error.message.contains("\n  data/w.bin"), "{error}");
    supply(&repo);
    assert_eq!(rebuilt(&repo, &["llm"]).expect("it runs").stages, 5);
}

#[test]
fn what_is_declared_wrongly_is_told_where_it_stands() {
    let declared = "file: \"${weights}\"";
    for (with, words) in [
        (
            "file: {file: data/w.bin}",
            "must say how it is got: `get` is missing",
        ),
        ("file: {get: x}", "has no key `file`"),
        (
            "file: {file: data/w.bin, get: x, blake: y}",
            "unknown key `blake`",
        ),
        (
            "file: {file: data/w.bin, get: x, blake3: y}",
            "`y` is not a digest of 64",
        ),
        (
            "file: {file: data/w.bin, get: \" \"}",
            "`get` must be one line of words",
        ),
        (
            "file: {file: w.bin, get: x}",
            "`w.bin` is no path of a file",
        ),
        ("file: {file: ../w.bin, get: x}", "without `.` or `..`"),
        ("file: {file: .git/w.bin, get: x}", "lies in .git/"),
        (
            "file: {file: figures/plain.csv, get: x}",
            "is an output of stage `plain`",
        ),
        ("file: {file: [a], get: x}", "must be text"),
        (
            "file: {file: data/mine.csv, get: x}",
            "stages `tune` and `more` say different things of the file data/mine.csv",
        ),
        (
            "file: data/mine.csv",
            "stage `more` says that the file data/mine.csv may not be here, and stage `tune` does not",
        ),
    ] {
        let repo = repo();
        let yaml = repo.read("pipeline.yaml");
        assert!(yaml.contains(declared));
        // The variable would be one that nothing uses.
        repo.write("pipeline.yaml", &yaml.replace(declared, with));
        let error = run(&repo, &[]).expect_err(with);
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.message.contains(words), "{with}: {error}");
        assert!(error.place.is_some_and(|place| place.line_column.is_some()));
    }
}

#[test]
fn a_role_of_many_takes_them_beside_labels() {
    let yaml = "version: 2\nstages:\n  a:\n    kind: join\n    params: {text: a}\n    inputs: {parts: PARTS}\n";
    for (parts, shown) in [
        ("{file: data/x, get: fetch}", "a(x)"),
        ("[{file: data/x, get: fetch}]", "a(x)"),
        ("{one: {file: data/x, get: fetch}, two: data/y}", "a(xy)"),
        // Labels that happen to be called so.
        ("{file: data/x, other: data/y}", "a(xy)"),
    ] {
        let repo = Repo::new(&yaml.replace("PARTS", parts));
        repo.write("data/x", "x");
        repo.write("data/y", "y");
        run(&repo, &[]).expect(parts);
        assert_eq!(repo.read("artifacts/a/out"), shown, "{parts}");
    }
}
