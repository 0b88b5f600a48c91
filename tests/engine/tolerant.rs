//! Outputs that need not be the same bytes elsewhere: what is within the tolerance keeps the recorded bytes,
//! what is not is told, and nothing that can be equal may have one.

use crate::toy::{Ask, CACHE, Repo, Signature};
use retrace::base::error::ErrorKind;
use retrace::lock::file::Lock;
use retrace::run::settle::Summary;
use retrace::upkeep::rebuild::{Rebuild, Rebuilder, rebuild};
use retrace::upkeep::verify::{Finding, verify};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// `roll` makes a table on a machine that varies; `drawn` shows it and is compared by what it shows.
const YAML: &str = r#"
version: 2
stages:
  a: {kind: join, params: {text: a}}
  roll:
    kind: vary
    params: {text: roll}
    inputs: {parts: a.out}
    outputs: {out: figures/roll.csv}
    compare: {out: {columns: {x: {relative: 1e-6}}, differing_rows: 1}}
  drawn:
    kind: join
    params: {text: drawn}
    inputs: {parts: roll.out}
    outputs: {out: figures/drawn.csv}
    compare: {out: {differing_rows: 1}}
"#;

const TABLE: &str = "who,x\na,1\nb,2\n";

/// A repository whose machine makes the table that stands in what is returned beside it.
fn repo() -> (Repo, Arc<Mutex<String>>) {
    let mut repo = Repo::new(YAML);
    let table = Arc::new(Mutex::new(TABLE.to_owned()));
    let made = table.clone();
    repo.hook = Arc::new(move |text, io| match text {
        "roll" => io.write("out", made.lock().expect("no panic").as_bytes()),
        _ => Ok(()),
    });
    (repo, table)
}

fn machine(table: &Mutex<String>, makes: &str) {
    *table.lock().expect("no panic") = makes.to_owned();
}

fn run(repo: &Repo, force: bool, accept: bool) -> Summary {
    let ask = Ask {
        targets: if force { &["roll"] } else { &[] },
        force,
        accept,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    repo.take_runs();
    summary
}

fn rebuilt(repo: &Repo) -> Rebuild {
    repo.with(&Ask::default(), |context| {
        let how = Rebuilder {
            workers: 2,
            observer: &|_| {},
            cancelled: &AtomicBool::new(false),
        };
        rebuild(context, &context.pipeline.select(&[], &[])?, &how)
    })
    .expect("it runs")
}

/// What was compared, in words.
fn words(summary: &Summary) -> Vec<&str> {
    let compared = summary.compared.iter();
    compared
        .map(|(_, compared)| match &compared.outcome {
            Ok(words) | Err(words) => words.as_str(),
        })
        .collect()
}

const NEAR: &str = "who,x\nA,1\nb,2.000001\n";
const FAR: &str = "who,x\na,1\nb,2.1\n";

#[test]
fn within_the_tolerance_the_recorded_bytes_stay() {
    let (repo, table) = repo();
    let first = run(&repo, false, false);
    assert_eq!(
        (first.outputs, first.outputs_equal, first.outputs_new),
        (3, 0, 3)
    );
    let (lock, drawn) = (repo.read("pipeline.lock"), repo.read("figures/drawn.csv"));
    assert!(
        lock.contains(" within:out(x:r1e-6,rows:1)\n") && lock.contains(" within:out(rows:1)\n"),
        "{lock}"
    );
    assert_eq!(
        Lock::parse("it", lock.as_bytes()).expect("a lock").stages["roll"]
            .basis
            .len(),
        1
    );
    machine(&table, NEAR);
    for _ in 0..2 {
        let summary = run(&repo, true, false);
        assert_eq!(
            words(&summary),
            [
                "within tolerance, largest deviation 5.0e-7 (relative) in column x, row 2; 1 of 2 rows differ otherwise"
            ]
        );
        assert!(summary.differing.is_empty());
        // Never among those that are equal.
        assert_eq!(
            (
                summary.outputs,
                summary.outputs_equal,
                summary.outputs_within
            ),
            (2, 1, 1)
        );
        assert_eq!(repo.read("figures/roll.csv"), TABLE);
        assert_eq!(repo.read("pipeline.lock"), lock);
    }
    // Nothing that reads it has changed.
    let summary = run(&repo, false, false);
    assert_eq!((summary.fresh, summary.outputs_within), (3, 2));
    assert_eq!(repo.read("figures/drawn.csv"), drawn);
    // Nor on a machine that never ran it.
    for folder in [CACHE, "artifacts"] {
        std::fs::remove_dir_all(repo.path(folder)).expect("made");
    }
    let summary = run(&repo, false, false);
    assert_eq!((summary.ran, words(&summary).len()), (3, 1));
    assert_eq!(repo.read("pipeline.lock"), lock);
    assert_eq!(repo.read("figures/roll.csv"), TABLE);
}

#[test]
fn beyond_it_the_run_says_where() {
    let (repo, table) = repo();
    run(&repo, false, false);
    let lock = repo.read("pipeline.lock");
    machine(&table, FAR);
    let summary = run(&repo, true, false);
    assert_eq!(summary.differing.len(), 1);
    assert_eq!(
        words(&summary),
        [
            "column x, row 2: 2.1 where 2 is recorded: they are 1.0e-1 apart (relative 4.8e-2), and 1e-6 relative is allowed"
        ]
    );
    assert_eq!(repo.read("pipeline.lock"), lock);
    // Accepted, it is what is recorded.
    run(&repo, true, true);
    assert!(repo.read("figures/roll.csv").contains("2.1"));
    assert_ne!(repo.read("pipeline.lock"), lock);
    machine(&table, TABLE);
    assert_eq!(run(&repo, true, false).differing.len(), 1);
}

#[test]
fn what_is_recorded_must_be_there_to_compare_with() {
    let (repo, table) = repo();
    run(&repo, false, false);
    std::fs::remove_dir_all(repo.path(CACHE)).expect("made");
    repo.write("figures/roll.csv", NEAR);
    machine(&table, NEAR);
    let summary = run(&repo, false, false);
    assert_eq!(summary.differing.len(), 1);
    assert!(words(&summary)[0].contains("neither in place nor in the cache"));
}

#[test]
fn a_rebuild_confirms_within_the_tolerance() {
    let (repo, table) = repo();
    run(&repo, false, false);
    machine(&table, NEAR);
    let report = rebuilt(&repo);
    assert!(report.mismatches.is_empty(), "{:?}", report.mismatches);
    assert_eq!((report.outputs, report.equal, report.within), (3, 1, 2));
    assert_eq!(report.compared.len(), 1);
    machine(&table, FAR);
    let report = rebuilt(&repo);
    assert!(!report.mismatches.is_empty());
    assert!(report.compared[0].1.outcome.is_err());
}

#[test]
fn a_committed_file_is_the_recorded_one_to_the_bit() {
    let (repo, _) = repo();
    run(&repo, false, false);
    let verified = |repo: &Repo| {
        let report = repo.with(&Ask::default(), |context| {
            verify(context, &context.pipeline.everything()?)
        });
        report.expect("it is readable")
    };
    let report = verified(&repo);
    assert!(report.findings.is_empty());
    assert_eq!(report.within.len(), 2);
    repo.write("figures/roll.csv", NEAR);
    assert!(matches!(
        verified(&repo).findings[..],
        [Finding::Output { .. }]
    ));
    // Another tolerance is no other key: nothing runs, and the lock says it.
    repo.write("figures/roll.csv", TABLE);
    let yaml = repo
        .read("pipeline.yaml")
        .replace("relative: 1e-6", "relative: 1e-3");
    repo.write("pipeline.yaml", &yaml);
    assert!(matches!(
        verified(&repo).findings[..],
        [Finding::Basis { .. }]
    ));
    let summary = run(&repo, false, false);
    assert_eq!((summary.fresh, summary.wrote_lock), (3, true));
    assert!(
        repo.read("pipeline.lock")
            .contains("within:out(x:r1e-3,rows:1)")
    );
    assert!(verified(&repo).findings.is_empty());
}

#[test]
fn a_signed_drawing_goes_with_its_data() {
    let yaml = YAML.replace("kind: join\n    params: {text: drawn}", "kind: pair\n    params: {text: drawn}")
        .replace(
            "outputs: {out: figures/drawn.csv}\n    compare: {out: {differing_rows: 1}}",
            "outputs: {out: figures/drawn.csv, picture: figures/drawn.txt}\n    compare: {out: {differing_rows: 1}, picture: {as: out}}",
        );
    assert_ne!(yaml, YAML);
    let (mut repo, _) = repo();
    let noise = Arc::new(Mutex::new(0));
    let counted = noise.clone();
    repo.hook = Arc::new(move |text, io| match text {
        "roll" => io.write("out", TABLE.as_bytes()),
        "drawn" => {
            let mut count = counted.lock().expect("no panic");
            *count += 1;
            io.write("out", TABLE.as_bytes())?;
            io.write("picture", format!("drawn {count}").as_bytes())
        }
        _ => Ok(()),
    });
    repo.publisher = Some(Signature::new("signed"));
    repo.write("pipeline.yaml", &yaml);
    run(&repo, false, false);
    let (lock, picture) = (repo.read("pipeline.lock"), repo.read("figures/drawn.txt"));
    assert!(
        lock.contains(" within:out(rows:1) within:picture(as:out)\n"),
        "{lock}"
    );
    std::fs::remove_dir_all(repo.path(CACHE)).expect("made");
    let summary = run(&repo, false, false);
    assert_eq!(words(&summary), ["as out: within tolerance"]);
    assert_eq!(*noise.lock().expect("no panic"), 2);
    assert_eq!(repo.read("figures/drawn.txt"), picture);
    assert_eq!(repo.read("pipeline.lock"), lock);
}

#[test]
fn what_must_not_have_a_tolerance_is_refused() {
    let roll = "compare: {out: {columns: {x: {relative: 1e-6}}, differing_rows: 1}}";
    let drawn = "compare: {out: {differing_rows: 1}}";
    for (of, with, message) in [
        (
            drawn,
            "title: t",
            "stage `drawn`: it reads `roll.out`, which stage `roll` compares within a tolerance, and says not how its own outputs compare",
        ),
        (
            "kind: vary",
            "kind: join",
            "stage `roll`: kind `join` gives the same bytes everywhere, and it reads nothing that is compared within a tolerance",
        ),
        (
            roll,
            "compare: {other: {differing_rows: 1}}",
            "`compare` names no output: `other`",
        ),
        (
            roll,
            "compare: {out: {}}",
            "the tolerance of `out` allows nothing",
        ),
        (
            roll,
            "compare: {out: {columns: {x: {}}}}",
            "one of them above 0",
        ),
        (
            roll,
            "compare: {out: {columns: {x: {relative: 1}}}}",
            "relative is from 0 to below 1",
        ),
        (
            roll,
            "compare: {out: {columns: {x: {relative: -0.1}}}}",
            "relative is from 0",
        ),
        (
            roll,
            "compare: {out: {columns: {x: {absolute: .inf}}}}",
            "is not a finite number",
        ),
        (
            roll,
            "compare: {out: {columns: {x: {within: 1}}}}",
            "within",
        ),
        (roll, "compare: {out: {rows: 1}}", "rows"),
        (
            roll,
            "compare: {out: {differing_rows: -1}}",
            "expected a whole number of at least 0",
        ),
        (roll, "compare: {out: near}", "in place of a tolerance"),
        (
            roll,
            "compare: {out: {as: out}}",
            "is compared as `out`, for which no tolerance is declared",
        ),
        (
            roll,
            "compare: {out: {as: out, differing_rows: 1}}",
            "`as` stands alone",
        ),
        (
            "figures/roll.csv",
            "figures/roll.svg",
            "tables are compared as CSV",
        ),
        (
            "figures/roll.csv",
            "artifacts/roll.csv",
            "what is compared within a tolerance is committed",
        ),
    ] {
        let (repo, _) = repo();
        assert!(YAML.contains(of));
        repo.write("pipeline.yaml", &YAML.replace(of, with));
        let error = repo.run(&Ask::default()).expect_err(with);
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.message.contains(message), "{with}: {error}");
        assert!(error.place.is_some_and(|place| place.line_column.is_some()));
    }
}

#[test]
fn a_damaged_basis_in_the_lock_is_told() {
    let (repo, _) = repo();
    run(&repo, false, false);
    let lock = repo.read("pipeline.lock");
    for with in ["within:out(x:r1e-6)", "within:gone(rows:1)", "within:out"] {
        repo.write(
            "pipeline.lock",
            &lock.replace("within:out(x:r1e-6,rows:1)", with),
        );
        let found = repo.with(&Ask::default(), |context| {
            Ok(context.lock.problem_of("roll").map(str::to_owned))
        });
        let why = found.expect("it is readable").expect("it is damaged");
        assert!(why.contains("is no basis of comparison"), "{why}");
    }
}
