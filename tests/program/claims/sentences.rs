//! Sentences of checks: how they are read, what they come to on small tables, and what is wrong with them.

use icl_repro::kinds::claims::check::Check;
use icl_repro::kinds::claims::query::evaluate::evaluate;
use icl_repro::kinds::claims::query::evidence::{Evidence, Named, Part};
use icl_repro::kinds::claims::query::inherit::spelled_out;
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
        constants: vec![("noise-floor", 0.5)],
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
fn a_sentence_is_written_in_one_way() {
    for (written, canonical) in [
        (
            "min( errors.error{model=zs,task=theta0|-theta0,n_shots=1..40}-errors.error{model=a} )  above 0",
            "min(errors.error{model=zs, task=theta0|-theta0, n_shots=1..40} - errors.error{model=a}) above 0",
        ),
        (
            "(a.b+(a.c))*2 within noise-floor ± 1e-3 log",
            "(a.b + a.c) * 2 within noise-floor ± 0.001 log",
        ),
        (
            "a.b - (a.c - a.d) below -1.5",
            "a.b - (a.c - a.d) below -1.5",
        ),
        (
            "a.b/(a.c*a.d) between 0.5 and noise-floor + 1",
            "a.b / (a.c * a.d) between 0.5 and noise-floor + 1",
        ),
        (
            "-(a.b - 1) above 0 as median over split,seed",
            "-(a.b - 1) above 0 as median over split, seed",
        ),
        (
            "share( a.b{x=1}>0.1 ) below 0.05",
            "share(a.b{x=1} > 0.1) below 0.05",
        ),
        (
            "count(a.b != a.c) within 0 ± 0",
            "count(a.b != a.c) within 0 ± 0",
        ),
        (
            "slope(log(a.b) by log(n)) below 0",
            "slope(log(a.b) by log(n)) below 0",
        ),
        (
            "rank(a.b of model=\"x y\") below 1.5",
            "rank(a.b of model=\"x y\") below 1.5",
        ),
        (
            "max(mean(a.b{m!=x|y, f=*} over n), a.c) above 0",
            "max(mean(a.b{m!=x|y, f=*} over n), a.c) above 0",
        ),
        (
            "min(steps(a.b by n)) above 0",
            "min(steps(a.b by n)) above 0",
        ),
    ] {
        let check = Check::read(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(check.to_string(), canonical);
        assert_eq!(Check::read(canonical).expect(canonical), check);
        let json = serde_json::to_string(&check).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Check>(&json).expect("the same"),
            check
        );
    }
}

#[test]
fn the_right_side_takes_over_what_it_leaves_unsaid() {
    for (written, filled) in [
        (
            "e.x{m=a, t=s} - e.x{m=b} above 0",
            "e.x{m=a, t=s} - e.x{m=b, t=s}",
        ),
        // From the left of its own operator before that of an outer one.
        (
            "e.x{m=a, t=s} / e.x{m=b} - e.x{m=c, t=u} / e.x{m=d} above 0",
            "e.x{m=a, t=s} / e.x{m=b, t=s} - e.x{m=c, t=u} / e.x{m=d, t=u}",
        ),
        (
            "abs(e.x{m=a} - e.y) / e.z above 0",
            "abs(e.x{m=a} - e.y{m=a}) / e.z{m=a}",
        ),
        (
            "e.x{m=a, t=s} - e.x{t=*} above 0",
            "e.x{m=a, t=s} - e.x{m=a}",
        ),
        ("e.x{m=a} - f.x above 0", "e.x{m=a} - f.x"),
        ("max(e.x{m=a}, e.y) above 0", "max(e.x{m=a}, e.y{m=a})"),
    ] {
        let check = Check::read(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(spelled_out(&check.quantity).to_string(), filled);
    }
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
fn what_is_wrong_is_told_with_its_column_and_the_nearest_name() {
    for (sentence, told) in [
        (
            "",
            "column 1 of ``: a column, a number or a function is missing before the end",
        ),
        (
            "errors.error",
            "what is expected is missing: within, above, below, between",
        ),
        (
            "errors.error abve 1",
            "column 14 of `errors.error abve 1`: there is no relation `abve`: did you mean `above`?",
        ),
        (
            "mim(errors.error) above 0",
            "column 1 of `mim(errors.error) above 0`: there is no function `mim`: did you mean `min`?",
        ),
        (
            "errors.error - noise-flor above 0",
            "column 16 of `errors.error - noise-flor above 0`: there is no closed form `noise-flor`: did you mean `noise-floor`?",
        ),
        (
            "errors above 0",
            "`errors` is neither TABLE.COLUMN, nor a function",
        ),
        (
            "errors.error{model zs} above 0",
            "`=` is missing before `zs`",
        ),
        (
            "errors.error{model=zs above 0",
            "`}` is missing before `above`",
        ),
        (
            "errors.error{n=40..1} above 0",
            "`40..1` is no range: write 1..40",
        ),
        ("errors.error{m=a, m=b} above 0", "`m` is filtered twice"),
        ("min(errors.error above 0", "`)` is missing before `above`"),
        ("share(errors.error) above 0", "`share` needs a comparison"),
        ("a.b within 1", "`±` is missing before the end"),
        (
            "a.b within 1 ± -2",
            "a number from 0 up is missing before `-`",
        ),
        ("a.b between 1 or 2", "`and` is missing before `or`"),
        ("a.b above a.c", "bring `a.c` to the left side"),
        (
            "a.b above 0 lgo",
            "there is no option `lgo`: did you mean `log`?",
        ),
        ("a.b above 0 log log", "`log` stands twice"),
        ("a.b above 0 as mean", "`median` is missing before `mean`"),
        ("slope(a.b) above 0", "`by` is missing before `)`"),
        ("a.b above 1e999", "`1e999` is no number"),
        ("a.b above 1 }", "`}` says nothing here"),
        ("a.b{x=\"y} above 1", "the quotes are not closed"),
    ] {
        let found = Check::read(sentence).expect_err(sentence);
        assert!(found.contains(told), "{sentence}: {found}");
    }
    let nested = format!("{}a.b{} above 0", "(".repeat(60), ")".repeat(60));
    assert!(
        Check::read(&nested)
            .expect_err("deep")
            .contains("more than 32 parts")
    );
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
