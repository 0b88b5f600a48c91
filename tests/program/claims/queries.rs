//! What quantities come to on small tables, and what is told of those that ask for what is not there.

use findings::claims::check::Check;
use findings::claims::claim::{Checked, Claim, Confidence, Outcome};
use findings::claims::decide;
use findings::claims::query::evaluate::evaluate;
use findings::claims::query::evidence::{Constant, Evidence, Named, Part};
use findings::claims::questions;
use tables::table::{Column, Table};

fn text(values: &[&str]) -> Column {
    Column::Text(values.iter().map(|value| (*value).to_owned()).collect())
}

/// Of a seed: models `a` and `b` on tasks `s` and `t`, n = 0..3. The error of a is seed + n, and 10 more on t;
/// that of b is twice as large.
fn errors(seed: i64) -> Table {
    let (mut model, mut task, mut shots, mut error) = (vec![], vec![], vec![], vec![]);
    for (name, factor) in [("a", 1.0), ("b", 2.0)] {
        for (on, more) in [("s", 0.0), ("t", 10.0)] {
            for n in 0..4 {
                model.push(name);
                task.push(on);
                shots.push(n);
                error.push(factor * ((seed + n) as f64 + more));
            }
        }
    }
    let rows = error.len();
    let squares = shots.iter().map(|&n| (n * n) as f64).collect();
    let table = Table::new(vec![
        ("model", text(&model)),
        ("task", text(&task)),
        ("n_shots", Column::Int(shots)),
        ("error", Column::Float(error)),
        (
            "weight",
            Column::Float((0..rows).map(|row| row as f64 / 4.0).collect()),
        ),
        ("prompts", Column::Int(vec![64; rows])),
        ("square", Column::Float(squares)),
    ]);
    table.expect("columns of one length")
}

fn evidence() -> Evidence {
    let named = |name: &str, labels: &[&str], parts: &[Part]| {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        Named::new(name, &labels, parts).unwrap_or_else(|e| panic!("{e}"))
    };
    let seeds = [1, 2, 4].map(|seed| (seed.to_string(), errors(seed)));
    let parts = seeds.iter().map(|(seed, table)| Part {
        labels: vec![seed],
        table: table.clone(),
    });
    // A number for each model, whatever the seed.
    let floors = Table::new(vec![
        ("model", text(&["a", "b", "c"])),
        ("floor", Column::Float(vec![1.0, 2.0, 3.0])),
        ("zero", Column::Float(vec![0.0; 3])),
    ]);
    let alone = |table: Table| Part {
        labels: Vec::new(),
        table,
    };
    Evidence {
        tables: vec![
            named("errors", &["seed"], &parts.collect::<Vec<_>>()),
            named("floors", &[], &[alone(floors.expect("a table"))]),
        ],
        constants: vec![Constant {
            name: "noise-floor",
            formula: "sigma2",
            value: 0.5,
        }],
    }
}

fn random() -> Vec<String> {
    vec!["seed".to_owned(), "split".to_owned()]
}

/// The values of the units of a quantity.
fn values(quantity: &str) -> Result<Vec<f64>, String> {
    let check = Check::read(&format!("{quantity} above 0"))?;
    Ok(evaluate(&check.quantity, &evidence(), &random())?.values)
}

#[test]
fn quantities_come_to_one_number_for_each_seed() {
    for (quantity, wanted) in [
        ("errors.error{model=a, task=s, n_shots=0}", [1.0, 2.0, 4.0]),
        (
            "errors.error{model=b, task=t, n_shots=3} - errors.error{model=a}",
            [14.0, 15.0, 17.0],
        ),
        (
            "errors.error{model=b, task=s, n_shots=3} / errors.error{model=a}",
            [2.0; 3],
        ),
        (
            "errors.error{model=a, task=s, n_shots=3} - errors.error{n_shots=0}",
            [3.0; 3],
        ),
        (
            "min(errors.error{model=a, task=s|t, n_shots=1..3})",
            [2.0, 3.0, 5.0],
        ),
        (
            "max(errors.error{model=a, n_shots=0|3})",
            [14.0, 15.0, 17.0],
        ),
        ("mean(errors.error{model=a, task=s})", [2.5, 3.5, 5.5]),
        (
            "median(errors.error{model=a, task=s, n_shots=0..2})",
            [2.0, 3.0, 5.0],
        ),
        (
            "sum(errors.error{model=a, task=s, n_shots=0..1})",
            [3.0, 5.0, 9.0],
        ),
        (
            "count(errors.error{model=a, task=s} > 3.5)",
            [1.0, 2.0, 4.0],
        ),
        (
            "share(errors.error{model=a, task=s} > 3.5)",
            [0.25, 0.5, 1.0],
        ),
        (
            "share(errors.error{model=a, task=s, n_shots=0} < 3)",
            [1.0, 1.0, 0.0],
        ),
        ("count(errors.error != errors.error)", [0.0; 3]),
        // The mean over one column, then the largest of what is left.
        (
            "max(mean(errors.error{model=a} over task))",
            [9.0, 10.0, 12.0],
        ),
        ("slope(errors.error{model=b, task=s} by n_shots)", [2.0; 3]),
        (
            "argmin(-errors.error{model=b, task=s} by n_shots)",
            [3.0; 3],
        ),
        (
            "argmax(abs(errors.error{model=b, task=s, n_shots=0..2} - 4) by n_shots)",
            [0.0, 1.0, 2.0].map(|x| if x == 1.0 { 2.0 } else { x }),
        ),
        // Along a power law the slope of logarithms is its exponent.
        (
            "slope(log(errors.square{model=a, task=s, n_shots=1..3}) by log(n_shots))",
            [2.0; 3],
        ),
        (
            "min(steps(errors.error{model=b, task=s} by n_shots))",
            [2.0; 3],
        ),
        ("rank(errors.error{task=s, n_shots=1} of model=b)", [2.0; 3]),
        (
            "rank(-errors.error{task=s, n_shots=1} of model=b)",
            [1.0; 3],
        ),
        (
            "max(errors.error{model!=a, task!=t, n_shots=1})",
            [4.0, 6.0, 10.0],
        ),
        // One side without a column says the same for all of it; a decimal can be a filter.
        (
            "min(errors.error{model=a|b, task=s, n_shots=2} - errors.error{model=a})",
            [0.0; 3],
        ),
        ("errors.error{weight=0.25}", [2.0, 3.0, 5.0]),
        ("max(errors.error{weight=0.2..0.6})", [3.0, 4.0, 6.0]),
        (
            "sum(errors.error{model=a|b, task=s, n_shots=0} - floors.floor{model=a|b})",
            [0.0, 3.0, 9.0],
        ),
        (
            "log(exp(errors.error{model=a, task=s, n_shots=0})) + sqrt(noise-floor * 2)",
            [2.0, 3.0, 5.0],
        ),
    ] {
        let found = values(quantity).unwrap_or_else(|e| panic!("{quantity}: {e}"));
        let near = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-12;
        assert!(
            found.len() == 3 && found.iter().zip(&wanted).all(near),
            "{quantity}: {found:?}"
        );
    }
    assert_eq!(
        values("max(floors.floor) - noise-floor").expect("exact"),
        [2.5]
    );
    assert!(values("max(floors.floor / floors.zero)").expect("infinite")[0].is_infinite());
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    for (quantity, told) in [
        (
            "eror.error",
            "there is no table `eror`: did you mean `errors`?",
        ),
        (
            "errors.eror",
            "in `errors` there is no column `eror`: did you mean `error`?",
        ),
        (
            "errors.error{modl=a}",
            "in `errors` there is no column `modl`: did you mean `model`?",
        ),
        (
            "errors.error{model=zz}",
            "in `errors` there is no model `zz`; there are a, b",
        ),
        (
            "errors.error{model!=zz}",
            "in `errors` there is no model `zz`",
        ),
        ("errors.model", "`errors.model` holds text"),
        (
            "errors.error{model=a, task=s, n_shots=1..41}",
            "`errors` with model=a, task=s has nothing at n_shots = 41; the nearest is 3",
        ),
        (
            "errors.error{model=a, task=s, n_shots=7}",
            "nothing at n_shots = 7; the nearest is 3",
        ),
        ("errors.error{n_shots!=7}", "in `errors` no n_shots is 7"),
        ("errors.error{n_shots=x}", "`n_shots` holds whole numbers"),
        (
            "errors.error{task=1..2}",
            "`task` holds text, which has no ranges",
        ),
        (
            "errors.error{seed=9}",
            "nothing at seed = 9; the nearest is 4",
        ),
        (
            "errors.error{model=a}",
            "is 8 numbers for seed=1, which differ in task, n_shots: fix these by filters, or take min(...)",
        ),
        // Rows find their partners, all of them, and only one.
        (
            "sum(errors.error{task=s, n_shots=0} - floors.floor)",
            "the left side has no row for model=c",
        ),
        (
            "sum(errors.error{model=a, n_shots=0..3} - errors.error{n_shots=1..3})",
            "the right side has no row for seed=1, task=s, n_shots=0",
        ),
        (
            "sum(errors.error{model=a|b, task=s, n_shots=0} - errors.error{model=a, task=s|t})",
            "the left side varies in model, the right side in task",
        ),
        (
            "max(mean(errors.error{task=s} over task))",
            "does not vary in `task`, but in seed, model, n_shots",
        ),
        (
            "slope(errors.error{task=s, n_shots=1} by n_shots)",
            "`n_shots` does not vary here",
        ),
        (
            "slope(errors.error{n_shots=1, model=a} by task)",
            "`task` holds text, which has no order",
        ),
        (
            "rank(errors.error{task=s, n_shots=1} of model=c)",
            "there is no model `c`",
        ),
        ("max(errors.error, floors.floor)", "is of other units than"),
    ] {
        let found = values(quantity).expect_err(quantity);
        assert!(found.contains(told), "{quantity}: {found}");
    }
}

#[test]
fn seeds_with_fewer_rows_are_no_seeds_of_the_same_quantity() {
    let mut evidence = evidence();
    let short = Table::new(vec![
        ("model", text(&["a", "a", "a"])),
        ("error", Column::Float(vec![1.0, 2.0, 3.0])),
    ]);
    let short = short.expect("a table");
    let one = Table::new(vec![
        ("model", text(&["a"])),
        ("error", Column::Float(vec![1.0])),
    ]);
    let labels = ["seed".to_owned()];
    let part = |seed, table: &Table| Part {
        labels: vec![seed],
        table: table.clone(),
    };
    let parts = [part("0", &short), part("1", &one.expect("a table"))];
    evidence.tables = vec![Named::new("errors", &labels, &parts).expect("one table")];
    let check = Check::read("min(errors.error) above 0").expect("a check");
    let found = evaluate(&check.quantity, &evidence, &random()).expect_err("uneven");
    assert!(
        found.contains("has 1 rows for seed=1 and 3 for seed=0"),
        "{found}"
    );

    let wrong = |name: &str, labels: &[String], parts: &[Part]| {
        Named::new(name, labels, parts).expect_err("refused")
    };
    let two = ["d".to_owned(), "seed".to_owned()];
    assert!(
        wrong("e", &two, &parts)
            .contains("`e` has a file `0`, of 1 labels; `labels` names 2: d, seed")
    );
    assert!(wrong("e", &[], &parts).contains("give names to what its `*` stands for in `labels`"));
    assert!(wrong("e", &["model".to_owned()], &parts).contains("has a column `model` already"));
    let other = [part("0", &short), part("1", &errors(0))];
    let one = Table::new(vec![("model", text(&["a"]))]).expect("a table");
    assert!(
        wrong("e", &labels, &[part("0", &short), part("1", &one)]).contains("differ in columns")
    );
    Named::new("e", &labels, &other).expect("more columns in a later file are not read");
}

#[test]
fn a_selector_reads_the_files_that_its_filters_leave() {
    let labels = [(
        "digits".to_owned(),
        vec!["d".to_owned(), "target".to_owned()],
    )]
    .into();
    for (selector, read, not) in [
        (
            "digits.x",
            vec!["digits@8,a", "digits@16,b"],
            vec!["digit@8,a", "errors"],
        ),
        (
            "digits.x{d=8}",
            vec!["digits@8,a", "digits@8,b"],
            vec!["digits@16,a"],
        ),
        (
            "digits.x{d=8..16, target=a|b}",
            vec!["digits@8,a", "digits@16,b"],
            vec!["digits@8,c", "digits@4,a"],
        ),
        (
            "digits.x{target!=a}",
            vec!["digits@8,b"],
            vec!["digits@8,a"],
        ),
        (
            "errors.x{d=8}",
            vec!["errors", "errors@3"],
            vec!["digits@8,a"],
        ),
    ] {
        let check = Check::read(&format!("{selector} above 0")).expect(selector);
        let selectors = check.quantity.selectors();
        let reads = |label: &&str| questions::reads(selectors[0], &labels, label);
        assert!(read.iter().all(reads), "{selector}");
        assert!(!not.iter().any(reads), "{selector}");
    }
}

/// Errors on 4 splits and 6 targets: one split is a tenth higher than the others.
fn crossed(splits: i64) -> Evidence {
    let mut parts = Vec::new();
    let names: Vec<(String, String)> = (0..splits)
        .flat_map(|split| (0..6).map(move |target| (split.to_string(), format!("t{target}"))))
        .collect();
    for (at, (split, target)) in names.iter().enumerate() {
        let higher = if split == "0" { 0.1 } else { 0.0 };
        let error = 1.0 + higher + 0.001 * (at % 3) as f64;
        let table = Table::new(vec![
            ("model", text(&["a"])),
            ("error", Column::Float(vec![error])),
        ]);
        parts.push(Part {
            labels: vec![split, target],
            table: table.expect("a table"),
        });
    }
    let labels = ["split".to_owned(), "target".to_owned()];
    Evidence {
        tables: vec![Named::new("e", &labels, &parts).expect("a table")],
        constants: Vec::new(),
    }
}

/// What a check comes to on a number of splits.
fn decided(check: &str, splits: i64) -> Checked {
    let random = ["split".to_owned(), "target".to_owned()];
    let confidence = Confidence {
        pass: 0.99,
        false_refutations: 0.001,
    };
    let claim = serde_json::json!({
        "id": "c", "statement": "s", "refuted_by": "r", "checks": [check],
    });
    let claim: Claim = serde_json::from_value(claim).expect("a claim");
    let decided = decide::decide(&[claim], confidence, &random, &crossed(splits));
    decided
        .unwrap_or_else(|e| panic!("{e}"))
        .remove(0)
        .checks
        .remove(0)
}

#[test]
fn two_random_factors_are_clustered_by_both() {
    let found = decided("e.error below 1.05", 4);
    assert_eq!(
        found.factors,
        [("split".to_owned(), 4), ("target".to_owned(), 6)]
    );
    assert!(
        found.decided.contains(
            "t test over split (4) and target (6), clustered by both, 3 degrees of freedom"
        ),
        "{}",
        found.decided
    );
    // The mean is 1.026, and each split is one value: 0.025 is the standard error of four such.
    assert!((found.std_error.expect("a number") - 0.025).abs() < 1e-4);
    assert_eq!((found.outcome, found.reserve), (Outcome::Open, None));
    assert_eq!(found.units.len(), 24);
    assert_eq!(found.units[1].0, "0,t1");
    // As though all 24 were independent, it would pass; and over targets alone it does.
    let alone = decided("mean(e.error) below 1.05 over target", 4);
    assert_eq!((alone.outcome, alone.factors.len()), (Outcome::Passes, 1));
    assert!(alone.reserve.is_some());

    let median = decided("e.error below 1.05 as median", 4);
    assert!(
        median.decided.contains(
            "t test of the median over split (4) and target (6), bootstrapped 2000 times by both"
        ),
        "{}",
        median.decided
    );
    assert!(median.measured.expect("a number") < 1.01);

    let share = decided("share(e.error > 1.05) below 0.5", 4);
    assert_eq!((share.measured, share.outcome), (Some(0.25), Outcome::Open));
    assert!(
        share
            .decided
            .contains("exact bounds of a share over split (4) and target (6)")
    );
    let [low, high] = share.interval.expect("bounds");
    assert!(low < 0.01 && high > 0.7, "{low} {high}");

    let one = decided("e.error below 2", 1);
    assert_eq!(one.outcome, Outcome::Open);
    assert_eq!(
        one.decided,
        "open: there is one split, which says nothing of others"
    );
    let fixed = decided("e.error{split=0} below 2", 1);
    assert_eq!((fixed.outcome, fixed.factors.len()), (Outcome::Passes, 1));
    assert!(
        fixed.decided.ends_with("; of split=0 alone"),
        "{}",
        fixed.decided
    );
}
