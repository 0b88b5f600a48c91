//! Opt-in groups: what a run without targets leaves out, and what is checked all the same.

use crate::toy::{Ask, Repo};
use retrace::base::error::{ErrorKind, Result};
use retrace::resolve::select::Selection;
use retrace::run::plan::Context;
use retrace::run::settle::Summary;
use retrace::upkeep::orphans::orphans;
use retrace::upkeep::rebuild::{Rebuilder, rebuild};
use retrace::upkeep::verify::{Finding, Verification, verify};
use std::sync::atomic::AtomicBool;

/// `a` and `b` by default; `again@x`, `again@y` and `sum` for those who ask. `page` reads what there is.
const YAML: &str = r#"
version: 2
groups:
  main: [b]
  more: {opt_in: true, stages: ["again@*", sum]}
stages:
  a: {kind: join, params: {text: a}, outputs: {out: artifacts/a.txt}}
  b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: figures/b.txt}}
  again:
    kind: join
    matrix: {item: [x, y]}
    params: {text: "${item}"}
    inputs: {parts: a.out}
    outputs: {out: "artifacts/again_${item}.txt"}
  sum: {kind: join, params: {text: sum}, inputs: {parts: again@*.out}, outputs: {out: figures/sum.txt}}
  page: {kind: tell, params: {text: page}, inputs: {parts: "join:*.out"}, outputs: {out: figures/page.txt}}
"#;

const LEFT_OUT: &str = "3 stages of an opt-in group left out: more";

fn run(repo: &Repo, targets: &[&str]) -> (Vec<String>, Summary) {
    let ask = Ask {
        targets,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert!(summary.failed.is_empty() && summary.differing.is_empty());
    (repo.take_runs(), summary)
}

fn with<T>(repo: &Repo, act: impl FnOnce(&Context) -> Result<T>) -> T {
    repo.with(&Ask::default(), act).expect("it is readable")
}

/// What `verify` without targets finds; stages by their ids.
fn verified(repo: &Repo) -> (Vec<String>, Vec<String>) {
    with(repo, |context| {
        let report = verify(context, &context.pipeline.everything()?)?;
        let id = |stage: usize| context.pipeline.stages[stage].id.clone();
        let finding = |finding: &Finding| match finding {
            Finding::Unrecorded { stage } => format!("{} unrecorded", id(*stage)),
            Finding::Outdated { stage, .. } => format!("{} outdated", id(*stage)),
            Finding::Output { stage, path, .. } => format!("{} {}", id(*stage), path.display()),
            other => format!("{other:?}"),
        };
        let Verification {
            findings, not_run, ..
        } = &report;
        let found = findings.iter().map(finding).collect();
        Ok((found, not_run.iter().map(|&stage| id(stage)).collect()))
    })
}

/// The whole lines of the lock that tell of a stage go.
fn forget(repo: &Repo, stage: &str) {
    for file in ["pipeline.lock", "pipeline.keys"] {
        let text = repo.read(file);
        let is_kept = |line: &&str| !line.starts_with(&format!("{stage} "));
        let kept: Vec<&str> = text.lines().filter(is_kept).collect();
        repo.write(file, &(kept.join("\n") + "\n"));
    }
}

#[test]
fn a_run_without_targets_leaves_them_out_and_says_so() {
    let repo = Repo::new(YAML);
    let (ran, summary) = run(&repo, &[]);
    assert_eq!(ran, ["a", "b", "page"]);
    assert_eq!(summary.left_out.as_deref(), Some(LEFT_OUT));
    assert_eq!(repo.states().len(), 3);
    // Asked for, by group or by name.
    assert_eq!(run(&repo, &["again@x"]).0, ["x"]);
    let (ran, summary) = run(&repo, &["more"]);
    assert_eq!(
        (ran, summary.left_out),
        (vec!["sum".into(), "y".into()], None)
    );
    assert_eq!(repo.read("figures/sum.txt"), "sum(x(a())y(a()))");
    // What there is now changes nothing for a run that does not ask.
    let (ran, summary) = run(&repo, &[]);
    assert_eq!(
        (ran.len(), summary.fresh, summary.wrote_lock),
        (0, 3, false)
    );
}

#[test]
fn a_kept_conclusion_names_what_was_left_out() {
    let mut repo = Repo::new(YAML);
    repo.shortcut = true;
    repo.settled = std::time::Duration::ZERO;
    for _ in 0..3 {
        repo.wait_for_the_clock();
        assert_eq!(run(&repo, &[]).1.left_out.as_deref(), Some(LEFT_OUT));
        assert_eq!(run(&repo, &["b"]).1.left_out, None);
    }
}

#[test]
fn what_a_stage_outside_reads_by_name_is_made_and_what_a_glob_finds_is_not() {
    let named = YAML.replace(
        "inputs: {parts: \"join:*.out\"}",
        "inputs: {parts: [\"join:*.out\", again@x.out]}",
    );
    let repo = Repo::new(&named);
    let (ran, summary) = run(&repo, &[]);
    assert_eq!(ran, ["a", "b", "page", "x"]);
    let left_out = summary.left_out.expect("some are left out");
    assert_eq!(left_out, "2 stages of an opt-in group left out: more");
    // `page` tells of all that it rests on.
    assert!(repo.read("figures/page.txt").contains("again@x"));
    let repo = Repo::new(YAML);
    run(&repo, &["more", "page"]);
    assert!(!repo.read("figures/page.txt").contains("again"));
}

#[test]
fn a_group_that_is_not_opt_in_is_what_it_was() {
    let repo = Repo::new(&YAML.replace("opt_in: true", "opt_in: false"));
    let (ran, summary) = run(&repo, &[]);
    assert_eq!((ran.len(), summary.left_out), (6, None));
}

#[test]
fn downstream_does_not_bring_them_in() {
    let repo = Repo::new(YAML);
    with(&repo, |context| {
        let pipeline = context.pipeline;
        let of = |targets: &[&str]| -> Result<(Vec<String>, Option<String>)> {
            let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
            let selection = pipeline.with_downstream(pipeline.select(&targets, &[])?);
            let ids = selection
                .targets
                .iter()
                .map(|&s| pipeline.stages[s].id.clone());
            Ok((ids.collect(), pipeline.left_out(&selection)))
        };
        let (mut ids, left_out) = of(&["a"])?;
        ids.sort();
        assert_eq!(ids, ["a", "b", "page"]);
        assert_eq!(
            left_out.as_deref(),
            Some("2 stages of an opt-in group left out: more")
        );
        let (ids, _) = of(&["again@x"])?;
        assert_eq!(ids, ["again@x"]);
        Ok(())
    });
}

#[test]
fn verify_holds_recorded_ones_to_their_lines_and_forgives_those_that_never_ran() {
    let repo = Repo::new(YAML);
    run(&repo, &[]);
    let none: (Vec<String>, Vec<String>) = Default::default();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        verified(&repo),
        (vec![], names(&["again@x", "again@y", "sum"]))
    );
    // By name they are asked for.
    let unrecorded = with(&repo, |context| {
        verify(context, &context.pipeline.select(&[], &["more".into()])?)
    });
    assert_eq!(unrecorded.findings.len(), 3);
    assert!(unrecorded.not_run.is_empty());
    run(&repo, &["again@x"]);
    assert_eq!(verified(&repo), (vec![], names(&["again@y", "sum"])));
    run(&repo, &["more"]);
    assert_eq!(verified(&repo), none);
    // Their files and their keys are checked as those of all others.
    let sum = repo.read("figures/sum.txt");
    repo.write("figures/sum.txt", "edited");
    assert_eq!(verified(&repo).0, ["sum figures/sum.txt"]);
    std::fs::remove_file(repo.path("figures/sum.txt")).expect("a file");
    assert_eq!(verified(&repo).0, ["sum figures/sum.txt"]);
    repo.write("figures/sum.txt", &sum);
    let yaml = repo.read("pipeline.yaml");
    repo.write("pipeline.yaml", &yaml.replace("text: sum", "text: Sum"));
    assert_eq!(verified(&repo).0, ["sum outdated"]);
    // A run that leaves it out leaves its lines.
    run(&repo, &[]);
    assert_eq!(verified(&repo).0, ["sum outdated"]);
    repo.write("pipeline.yaml", &yaml);
    // A recorded stage needs what it was made from; a published file needs a line.
    forget(&repo, "again@y");
    assert_eq!(verified(&repo), (names(&["again@y unrecorded"]), vec![]));
    forget(&repo, "again@x");
    forget(&repo, "sum");
    assert_eq!(
        verified(&repo),
        (
            names(&["sum unrecorded", "again@x unrecorded", "again@y unrecorded"]),
            vec![]
        )
    );
    std::fs::remove_file(repo.path("figures/sum.txt")).expect("a file");
    assert_eq!(
        verified(&repo),
        (vec![], names(&["again@x", "again@y", "sum"]))
    );
}

#[test]
fn a_run_that_leaves_some_out_still_forgets_stages_that_are_gone_and_names_orphans() {
    let repo = Repo::new(YAML);
    run(&repo, &[]);
    run(&repo, &["more"]);
    let yaml = repo.read("pipeline.yaml");
    let page = yaml.lines().find(|line| line.starts_with("  page:"));
    repo.write("pipeline.yaml", &yaml.replace(page.expect("a stage"), ""));
    let found = |choose: &dyn Fn(&Context) -> Result<Selection>| {
        with(&repo, |context| orphans(context, &choose(context)?))
    };
    let page = [std::path::PathBuf::from("figures/page.txt")];
    assert_eq!(found(&|context| context.pipeline.select(&[], &[])), page);
    assert_eq!(found(&|context| context.pipeline.everything()), page);
    run(&repo, &[]);
    let lock = repo.read("pipeline.lock");
    assert!(!lock.contains("page") && lock.contains("again@x"), "{lock}");
}

#[test]
fn a_rebuild_leaves_them_out_unless_they_are_asked_for() {
    let repo = Repo::new(YAML);
    run(&repo, &[]);
    run(&repo, &["more"]);
    let rebuilt = |groups: &[String]| {
        with(&repo, |context| {
            let how = Rebuilder {
                workers: 2,
                observer: &|_| {},
                cancelled: &AtomicBool::new(false),
            };
            let found = rebuild(context, &context.pipeline.select(&[], groups)?, &how)?;
            assert!(found.mismatches.is_empty() && found.failed.is_empty());
            Ok(found.stages)
        })
    };
    assert_eq!((rebuilt(&[]), rebuilt(&["more".into()])), (3, 4));
}

#[test]
fn wrong_groups_are_explained() {
    let cases = [
        (
            "opt_in: true",
            "optin: true",
            "4:10: group `more` has an unknown key `optin`",
            "`opt_in`",
        ),
        (
            "opt_in: true",
            "opt_in: 1",
            "opt_in must be true or false, not the number 1",
            "",
        ),
        (
            "stages: [\"again@*\", sum]",
            "stages: []",
            "group `more` names no stage",
            "",
        ),
        (
            ", stages: [\"again@*\", sum]",
            "",
            "group `more` has no key `stages`",
            "",
        ),
        (
            "\"again@*\", sum",
            "\"agian@*\", sum",
            "there is no stage `agian@*`",
            "`again@",
        ),
        (
            "main: [b]",
            "main: [b, sum]",
            "group `main` has `sum`, which the opt-in group `more` has too",
            "opt_in: true",
        ),
        (
            "main: [b]",
            "main: [again]",
            "group `main` has `again@x`",
            "take it out",
        ),
        (
            "main: [b]",
            "main: [\"ag*\"]",
            "group `main` has `again@x`",
            "",
        ),
        (
            "\"join:*.out\"",
            "\"join:again@*.out\"",
            "`again@*` matches stages of opt-in groups alone (more)",
            "put `page` into the group",
        ),
        (
            "\"join:*.out\"",
            "\"again@?.out\"",
            "`again@?` matches stages of opt-in groups alone (more)",
            "without a wildcard",
        ),
    ];
    for (old, new, message, hint) in cases {
        assert!(YAML.contains(old), "{old}");
        let repo = Repo::new(YAML.replacen(old, new, 1).trim_start());
        let error = repo.run(&Ask::default()).expect_err(new);
        assert_eq!(error.kind, ErrorKind::Config, "{new}");
        let told = error.to_string();
        assert!(told.contains(message), "{new}\n{told}");
        assert!(error.place.is_some(), "{new}: nobody knows where");
        let found = error.hint.unwrap_or_default();
        assert!(found.contains(hint), "{new}\n{found}");
    }
    // A glob among others leaves them out of a group that is not opt-in, and an opt-in reader takes them.
    let repo = Repo::new(&YAML.replace("main: [b]", "main: [\"*\"]"));
    assert_eq!(run(&repo, &["main"]).0, ["a", "b", "page"]);
}
