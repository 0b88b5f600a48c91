//! Outputs of opt-in groups that a page shows as they are recorded, without running them.

use crate::toy::{Ask, CACHE, Repo, Signature};
use retrace::base::error::ErrorKind;
use retrace::run::plan::State;
use retrace::upkeep::rebuild::{Rebuilder, rebuild};
use retrace::upkeep::verify::verify;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// `page` shows `sum` of the group, which it does not need; what is signed is published.
const YAML: &str = r#"
version: 2
groups:
  main: [page]
  more: {opt_in: true, stages: [again, sum]}
stages:
  a: {kind: join, params: {text: a}}
  again: {kind: join, params: {text: again}, inputs: {parts: a.out}}
  sum: {kind: join, params: {text: sum}, inputs: {parts: again.out}, outputs: {out: figures/sum.txt}}
  page:
    kind: join
    params: {text: page}
    inputs: {parts: {sum: {recorded: sum.out}, a: a.out}}
    outputs: {out: figures/page.csv}
"#;

fn repo() -> Repo {
    let mut repo = Repo::new(YAML);
    repo.publisher = Some(Signature::new("signed"));
    repo
}

/// The texts of the stages that ran.
fn run(repo: &Repo, targets: &[&str]) -> Vec<String> {
    let ask = Ask {
        targets,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert!(summary.failed.is_empty() && summary.differing.is_empty());
    repo.take_runs()
}

fn findings(repo: &Repo) -> usize {
    let report = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.everything()?)
    });
    report.expect("it is readable").findings.len()
}

const WITHOUT: &str = "page(a())";
const WITH: &str = "page(a()sum(again(a())))";

/// With the group and the page made, as a clone has it.
fn fresh_clone() -> Repo {
    let repo = repo();
    run(&repo, &["more", "page"]);
    for folder in [CACHE, "artifacts"] {
        std::fs::remove_dir_all(repo.path(folder)).expect("made");
    }
    repo
}

#[test]
fn what_is_not_recorded_is_left_out_and_comes_when_the_group_ran() {
    let repo = repo();
    assert_eq!(run(&repo, &[]), ["a", "page"]);
    assert_eq!(repo.read("figures/page.csv"), WITHOUT);
    assert!(run(&repo, &[]).is_empty());
    assert_eq!(run(&repo, &["more"]), ["again", "sum"]);
    // Its signature is not part of what is recorded.
    assert!(repo.read("figures/sum.txt").contains("signed"));
    assert_eq!(run(&repo, &[]), ["page"]);
    assert_eq!(repo.read("figures/page.csv"), WITH);
    assert!(run(&repo, &[]).is_empty());
    assert_eq!(findings(&repo), 0);
}

#[test]
fn one_run_of_both_makes_the_group_first() {
    let repo = repo();
    let states = repo.with(&Ask::default(), |context| {
        let targets = ["more".to_owned(), "page".to_owned()];
        let selection = context.pipeline.select(&targets, &[])?;
        Ok(context.plan(&selection)?.states)
    });
    let last = states.expect("readable").into_values().next_back();
    assert!(matches!(last, Some(State::Waits(_))));
    assert_eq!(run(&repo, &["more", "page"]), ["a", "again", "page", "sum"]);
    assert_eq!(repo.read("figures/page.csv"), WITH);
    assert!(run(&repo, &["more", "page"]).is_empty());
    assert!(run(&repo, &[]).is_empty());
    assert_eq!(findings(&repo), 0);
}

#[test]
fn a_fresh_clone_shows_it_without_running_it() {
    let repo = fresh_clone();
    let lock = repo.read("pipeline.lock");
    assert_eq!(findings(&repo), 0);
    assert_eq!(run(&repo, &[]), ["a", "page"]);
    assert_eq!(repo.read("figures/page.csv"), WITH);
    assert_eq!(repo.read("pipeline.lock"), lock);
    assert_eq!(findings(&repo), 0);
    let report = repo.with(&Ask::default(), |context| {
        let how = Rebuilder {
            workers: 2,
            observer: &|_| {},
            cancelled: &AtomicBool::new(false),
        };
        rebuild(context, &context.pipeline.select(&[], &[])?, &how)
    });
    let report = report.expect("it runs");
    assert_eq!((report.equal, report.outputs), (2, 2));
    assert!(report.mismatches.is_empty());
}

#[test]
fn an_edited_file_is_not_what_is_recorded() {
    let mut repo = fresh_clone();
    repo.shortcut = true;
    repo.settled = Duration::ZERO;
    let made = repo.read("figures/sum.txt");
    repo.write("figures/sum.txt", "all claims hold");
    run(&repo, &[]);
    assert_eq!(repo.read("figures/page.csv"), WITHOUT);
    assert!(run(&repo, &[]).is_empty());
    repo.wait_for_the_clock();
    // Restored: no answer that was kept hides it.
    repo.write("figures/sum.txt", &made);
    run(&repo, &[]);
    assert_eq!(repo.read("figures/page.csv"), WITH);
    std::fs::remove_file(repo.path("figures/sum.txt")).expect("made");
    run(&repo, &[]);
    assert_eq!(repo.read("figures/page.csv"), WITHOUT);
}

#[test]
fn the_trace_names_what_is_there_and_what_is_not() {
    let yaml = YAML.replace(
        "kind: join\n    params: {text: page}",
        "kind: tell\n    params: {text: page}",
    );
    assert_ne!(yaml, YAML);
    let told = |repo: &Repo| {
        let text = repo.read("figures/page.csv");
        let json = &text[text.find("{\"format\"").expect("a trace")..text.len() - 1];
        let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(json["stages"].as_array().map(Vec::len), Some(1));
        json["recorded"][0].clone()
    };
    let repo = repo();
    repo.write("pipeline.yaml", &yaml);
    run(&repo, &[]);
    let recorded = told(&repo);
    assert_eq!(recorded["stage"], "sum");
    assert!(recorded["digest"].is_null());
    run(&repo, &["more"]);
    run(&repo, &[]);
    assert!(told(&repo)["digest"].is_string());
}

#[test]
fn what_is_declared_wrongly_is_told_where_it_stands() {
    let declared = "parts: {sum: {recorded: sum.out}, a: a.out}";
    for (with, words) in [
        ("parts: {recorded: sun.out}", "there is no stage `sun`"),
        (
            "parts: {recorded: sum.text}",
            "stage `sum` has no output `text`",
        ),
        (
            "parts: {recorded: \"s*.out\"}",
            "a recorded output has no wildcard",
        ),
        (
            "parts: {recorded: figures/sum.txt}",
            "names no output of a stage",
        ),
        (
            "parts: {recorded: a.out}",
            "`a` is in no opt-in group: every run makes it before `page`",
        ),
        ("file: {recorded: [a]}", "must be text"),
    ] {
        let repo = Repo::new(&YAML.replace(declared, with));
        let error = repo.run(&Ask::default()).expect_err(with);
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains(words), "{with}: {error}");
        assert!(error.place.is_some_and(|place| place.line_column.is_some()));
    }
    // A stage of the group that reads the page cannot be on it.
    let yaml = YAML.replace("{parts: again.out}", "{parts: page.out}");
    let error = Repo::new(&yaml).run(&Ask::default()).expect_err("a ring");
    assert!(error.message.contains("wait for each other"), "{error}");
    // A label that is called so is one.
    let yaml = YAML.replace(declared, "parts: {recorded: a.out, other: sum.out}");
    assert!(Repo::new(&yaml).run(&Ask::default()).is_ok());
}
