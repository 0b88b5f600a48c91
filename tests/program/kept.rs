//! From paths of fine-tuning to what is kept: of one draw, of models without paths, over draws.

use crate::mended::sketch::{Given, refused, run};
use retrace::base::error::Result;
use std::collections::BTreeMap;
use tables::table::{Column, Table};

/// Variant, step, measure, n, error.
type Row = (&'static str, i64, &'static str, i64, f64);

const GONE: f64 = f64::NAN;

/// The pretrained model at zero-shot error 1.1, 20-shot error 0.35 on both measures; `zs_all` learns the target and
/// forgets, `zs_v` stays above the level, `zs_o` diverges on its way, `zs_mlp` beyond it.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (variant, path) in [
        (
            "zs_all",
            [[1.1, 0.35, 0.35], [0.6, 0.35, 0.85], [0.1, 0.225, 1.6]],
        ),
        (
            "zs_v",
            [[1.1, 0.35, 0.35], [0.35, 0.35, 0.4], [0.5, 0.35, 0.5]],
        ),
        ("zs_o", [[1.1, 0.35, 0.35], [0.35, 0.35, 0.4], [GONE; 3]]),
        ("zs_mlp", [[1.1, 0.35, 0.35], [0.1, 0.35, 0.475], [GONE; 3]]),
    ] {
        for (step, [zero, target, random]) in [0, 10, 40].into_iter().zip(path) {
            rows.push((variant, step, "target", 0, zero));
            // Not asked for: what zero-shot errors on other tasks are.
            rows.push((variant, step, "random", 0, 7.0));
            rows.push((variant, step, "target", 20, target));
            rows.push((variant, step, "random", 20, random));
        }
    }
    rows
}

fn bytes(rows: &[Row]) -> Vec<u8> {
    let text = |part: fn(&Row) -> &'static str| {
        Column::Text(rows.iter().map(|row| part(row).to_owned()).collect())
    };
    let int = |part: fn(&Row) -> i64| Column::Int(rows.iter().map(part).collect());
    let table = Table::new(vec![
        ("variant", text(|row| row.0)),
        ("step", int(|row| row.1)),
        ("measure", text(|row| row.2)),
        ("n_shots", int(|row| row.3)),
        (
            "error",
            Column::Float(rows.iter().map(|row| row.4).collect()),
        ),
    ]);
    table.and_then(|table| table.to_parquet()).expect("a table")
}

const PARAMS: &str =
    "{null_error: 1.1, shots: 20, reference: zs_all, share: 0.5, zero_shot_measure: target}";

fn given(role: &str, files: &[(&str, Vec<u8>)]) -> Given {
    let file =
        |(label, bytes): &(&str, Vec<u8>)| (role.to_owned(), (*label).to_owned(), bytes.clone());
    files.iter().map(file).collect()
}

fn of(params: &str, rows: &[Row]) -> Result<crate::mended::sketch::Made> {
    run("kept", params, &given("paths", &[("paths", bytes(rows))]))
}

/// `step`, `reached`, `zero_shot`, `after`, `kept` by variant, place and measure.
fn numbers(kept: &[u8]) -> BTreeMap<[String; 3], [f64; 5]> {
    let table = Table::from_parquet(kept).expect("a table");
    let keys = ["variant", "at", "measure"].map(|name| table.texts(name).expect("text"));
    let floats = ["step", "reached", "zero_shot", "after", "kept"]
        .map(|name| table.floats(name).expect("numbers"));
    let row = |row: usize| {
        (
            keys.map(|column| column[row].clone()),
            [0, 1, 2, 3, 4].map(|at| floats[at][row]),
        )
    };
    (0..table.rows()).map(row).collect()
}

fn close(found: [f64; 5], wanted: [f64; 5]) {
    for (found, wanted) in found.iter().zip(wanted) {
        let both = found.is_nan() && wanted.is_nan();
        assert!(
            both || (found - wanted).abs() < 1e-12,
            "{found} is not {wanted}"
        );
    }
}

#[test]
fn variants_are_compared_where_they_cross_the_level() {
    let made = of(PARAMS, &rows()).expect("it runs");
    let found = numbers(&made.files["kept"]);
    let at =
        |variant: &str, at: &str, measure: &str| found[&[variant, at, measure].map(str::to_owned)];
    assert_eq!(found.len(), 16);
    // The level is 1.1 - 0.5 (1.1 - 0.1) = 0.6, the checkpoint of step 10.
    close(
        at("zs_all", "matched", "random"),
        [10.0, 1.0, 0.6, 0.85, 1.0 / 3.0],
    );
    close(
        at("zs_all", "end", "random"),
        [40.0, 1.0, 0.1, 1.6, -2.0 / 3.0],
    );
    close(
        at("zs_all", "end", "target"),
        [40.0, 1.0, 0.1, 0.225, 7.0 / 6.0],
    );
    // Two thirds of the way to step 10.
    let two_thirds = 2.0 / 3.0;
    close(
        at("zs_v", "matched", "random"),
        [
            10.0 * two_thirds,
            1.0,
            0.6,
            0.35 + 0.05 * two_thirds,
            1.0 - 0.05 * two_thirds / 0.75,
        ],
    );
    // Diverged after it had got there: the end alone is lost.
    assert_eq!(at("zs_o", "matched", "random")[1], 1.0);
    close(at("zs_o", "end", "random"), [40.0, 1.0, GONE, GONE, GONE]);
    let curves = Table::from_parquet(&made.files["curves"]).expect("a table");
    assert_eq!(curves.rows(), 4 * 3 * 2);
    assert_eq!(curves.floats("kept").expect("numbers")[0], 1.0);
}

#[test]
fn a_variant_that_never_gets_there_stands_at_its_own_best() {
    let made = of(&PARAMS.replace("0.5", "0.9"), &rows()).expect("it runs");
    let found = numbers(&made.files["kept"]);
    let at = |variant: &str| found[&[variant, "matched", "random"].map(str::to_owned)];
    // The level is 0.2; zs_v has been as low as 0.35, and ends at 0.5.
    close(at("zs_v"), [10.0, 0.0, 0.35, 0.4, 0.7 / 0.75]);
    // Diverged before it got there: the step of divergence, and no numbers.
    close(at("zs_o"), [40.0, 0.0, GONE, GONE, GONE]);
    assert!(
        made.log.contains("`zs_o` had diverged at step 40"),
        "{}",
        made.log
    );
    // Beyond 0.2 before it diverged.
    assert_eq!(at("zs_mlp")[1], 1.0);
    assert!(at("zs_mlp")[4].is_finite());
}

#[test]
fn what_cannot_be_compared_is_said() {
    // Chance is no better than the pretrained model's errors.
    let made = of(&PARAMS.replace("1.1,", "0.3,"), &rows()).expect("it runs");
    assert!(
        made.warnings
            .iter()
            .any(|w| w.contains("on `random`") && w.contains("nothing to keep"))
    );
    let found = numbers(&made.files["kept"]);
    assert!(
        found
            .values()
            .all(|row| row[4].is_nan() && (row[3].is_finite() || row[2].is_nan()))
    );
    // A reference that does not learn sets no level.
    let mut idle = rows();
    idle.iter_mut()
        .filter(|row| row.0 == "zs_all" && row.3 == 0)
        .for_each(|row| row.4 = 1.1);
    let made = of(PARAMS, &idle).expect("it runs");
    assert!(
        made.warnings[0].contains("no level is reached"),
        "{:?}",
        made.warnings
    );
    assert!(
        numbers(&made.files["kept"])
            .values()
            .all(|row| row[1] == 0.0)
    );
}

#[test]
fn what_is_named_and_missing_is_refused() {
    let without = |skip: fn(&Row) -> bool| -> Vec<Row> {
        rows().into_iter().filter(|row| !skip(row)).collect()
    };
    let with = |more: Row| [rows(), vec![more]].concat();
    let edited = |old: &str, new: &str| PARAMS.replace(old, new);
    for (params, rows, message, hint) in [
        (
            edited("zs_all", "zs_al"),
            rows(),
            "there is no variant `zs_al`",
            "zs_all",
        ),
        (
            edited("zs_all", "nothing"),
            rows(),
            "there is no variant",
            "zs_all, zs_v, zs_o, zs_mlp",
        ),
        (
            edited("measure: target", "measure: tarjet"),
            rows(),
            "nothing was measured on `tarjet`",
            "target",
        ),
        (
            edited("20", "16"),
            rows(),
            "nothing was measured with 16 shots",
            "0, 20",
        ),
        (
            edited("measure: target", "measure: random"),
            without(|r| r.2 == "random" && r.3 == 0),
            "no row for `random` at step 0 with 0 shots",
            "",
        ),
        (
            PARAMS.into(),
            without(|r| *r == ("zs_v", 10, "random", 20, 0.4)),
            "`zs_v` has no row for `random` at step 10 with 20 shots",
            "",
        ),
        (
            PARAMS.into(),
            without(|r| r.0 == "zs_v" && r.1 == 0),
            "step 0, the pretrained model, is missing",
            "",
        ),
        (
            PARAMS.into(),
            with(("zs_v", 10, "target", 0, 0.3)),
            "`zs_v` has two rows for `target` at step 10 with 0 shots",
            "each of its checkpoints once",
        ),
        (
            PARAMS.into(),
            rows()
                .into_iter()
                .map(|r| {
                    if r.0 == "zs_v" && r.1 == 0 {
                        (r.0, r.1, r.2, r.3, 1.0)
                    } else {
                        r
                    }
                })
                .collect(),
            "`zs_all` and `zs_v` differ at step 0",
            "one draw",
        ),
        (PARAMS.into(), Vec::new(), "there are no rows", ""),
    ] {
        let (found, hinted, _) = refused(of(&params, &rows));
        assert!(found.contains(message), "{found}");
        assert!(hinted.contains(hint), "{found}: {hinted}");
    }
    assert!(
        refused(of(&edited("share: 0.5", "share: 0"), &rows()))
            .0
            .contains("share: at 0")
    );
}

#[test]
fn files_of_one_draw_are_joined() {
    let of_variants = |names: &[&str]| -> Vec<u8> {
        let rows: Vec<Row> = rows()
            .into_iter()
            .filter(|r| names.contains(&r.0))
            .collect();
        bytes(&rows)
    };
    let files = [
        ("a", of_variants(&["zs_all"])),
        ("b", of_variants(&["zs_v", "zs_o", "zs_mlp"])),
    ];
    let joined = run("kept", PARAMS, &given("paths", &files)).expect("it runs");
    let whole = of(PARAMS, &rows()).expect("it runs");
    assert_eq!(joined.files, whole.files);
    let twice = [("a", bytes(&rows())), ("b", of_variants(&["zs_v"]))];
    let (found, ..) = refused(run("kept", PARAMS, &given("paths", &twice)));
    assert!(found.contains("two rows"), "{found}");
}

fn models() -> Vec<u8> {
    let rows = [
        ("pretrained", 0, "theta0", 1.1),
        ("pretrained", 20, "theta0", 0.35),
        ("pretrained", 20, "unit", 0.35),
        ("zs", 0, "theta0", 0.1),
        ("zs", 20, "theta0", 1.4),
        ("zs", 20, "unit", 1.85),
    ];
    let text = |values: Vec<&str>| Column::Text(values.into_iter().map(str::to_owned).collect());
    let table = Table::new(vec![
        ("model", text(rows.iter().map(|r| r.0).collect())),
        ("task", text(rows.iter().map(|r| r.2).collect())),
        ("n_shots", Column::Int(rows.iter().map(|r| r.1).collect())),
        ("error", Column::Float(rows.iter().map(|r| r.3).collect())),
        (
            "accuracy",
            Column::Float(rows.iter().map(|r| 1.0 - r.3 / 4.0).collect()),
        ),
    ]);
    table.and_then(|table| table.to_parquet()).expect("a table")
}

const MODELS: &str = "{null_error: 1.1, shots: 20, quality: error, variants: {zs_all: zs}, measures: {target: theta0, random: unit}, zero_shot_measure: target}";

#[test]
fn models_without_paths_are_measured_at_the_end() {
    let files = given("errors", &[("errors@3", models()), ("errors@5", models())]);
    let made = run("kept-of-models", MODELS, &files).expect("it runs");
    let table = Table::from_parquet(&made.files["kept"]).expect("a table");
    assert_eq!(table.texts("draw").expect("text"), ["3", "3", "5", "5"]);
    assert_eq!(
        table.texts("measure").expect("text")[..2],
        ["random", "target"]
    );
    let kept = table.floats("kept").expect("numbers");
    assert!(
        (kept[0] + 1.0).abs() < 1e-12 && (kept[1] + 0.4).abs() < 1e-12,
        "{kept:?}"
    );
    assert!(
        table
            .floats("reached")
            .expect("numbers")
            .iter()
            .all(|x| x.is_nan())
    );
    // One minus an accuracy is an error.
    let by = MODELS
        .replace("quality: error", "quality: accuracy")
        .replace("1.1", "0.275");
    let made = run("kept-of-models", &by, &files).expect("it runs");
    let table = Table::from_parquet(&made.files["kept"]).expect("a table");
    let again = table.floats("kept").expect("numbers");
    assert!(
        kept.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-9),
        "{again:?}"
    );
    for (old, new, message, hint) in [
        ("zs}", "zss}", "has no `zss` on `theta0` at n = 0", "zs"),
        (
            "unit}",
            "units}",
            "has no `pretrained` on `units` at n = 20",
            "unit",
        ),
        ("20", "7", "at n = 7", ""),
    ] {
        let (found, hinted, _) = refused(run("kept-of-models", &MODELS.replace(old, new), &files));
        assert!(
            found.contains(message) && hinted.contains(hint),
            "{found}: {hinted}"
        );
    }
}

const SUMMARY: &str =
    "{labels: {bridge: [rung, seed], theory: [seed]}, random: [seed], accuracies: [theory]}";

#[test]
fn a_summary_has_means_over_draws_for_each_group() {
    let kept = |params: &str| of(params, &rows()).expect("it runs").files;
    let (a, b) = (kept(PARAMS), kept(&PARAMS.replace("0.5", "0.9")));
    let theory = run(
        "kept-of-models",
        MODELS,
        &given("errors", &[("e@0", models()), ("e@1", models())]),
    );
    let theory = theory.expect("it runs").files["kept"].clone();
    let mut files = given(
        "kept",
        &[
            ("bridge@linear,0", a["kept"].clone()),
            ("bridge@linear,1", b["kept"].clone()),
            ("theory", theory),
        ],
    );
    files.extend(given(
        "curves",
        &[
            ("bridge@linear,0", a["curves"].clone()),
            ("bridge@linear,1", b["curves"].clone()),
        ],
    ));
    let made = run("kept-summary", SUMMARY, &files).expect("it runs");
    let summary = Table::from_parquet(&made.files["summary"]).expect("a table");
    let texts = |name: &str| summary.texts(name).expect("text").to_vec();
    let floats = |name: &str| summary.floats(name).expect("numbers");
    let row = |wanted: [&str; 4]| {
        let columns = ["group", "variant", "at", "measure"].map(texts);
        let mut rows = 0..summary.rows();
        let found = rows.find(|&row| {
            columns
                .iter()
                .zip(wanted)
                .all(|(column, word)| column[row] == word)
        });
        found.unwrap_or_else(|| panic!("{wanted:?}"))
    };
    let v = row(["bridge@linear", "zs_v", "matched", "random"]);
    assert_eq!(
        (
            texts("level")[v].as_str(),
            floats("reached")[v],
            floats("draws")[v]
        ),
        ("missed", 1.0, 2.0)
    );
    let [x, y] = [1.0 - 0.05 * 2.0 / 3.0 / 0.75, 0.7 / 0.75];
    assert!((floats("kept")[v] - (x + y) / 2.0).abs() < 1e-12);
    // The standard error of two numbers is half their distance.
    assert!((floats("kept_std_error")[v] - (x - y).abs() / 2.0).abs() < 1e-12);
    assert!(floats("after_accuracy")[v].is_nan());
    // Of the diverged one the draw that has a number counts, and the other is counted.
    let o = row(["bridge@linear", "zs_o", "matched", "random"]);
    assert_eq!(
        (floats("missing")[o], floats("kept_std_error")[o].is_nan()),
        (1.0, true)
    );
    assert!(floats("kept")[o].is_finite() && made.log.contains("1 of 2 draws have no number"));
    let t = row(["theory", "zs_all", "end", "random"]);
    assert_eq!(
        (texts("level")[t].as_str(), floats("after_accuracy")[t]),
        ("none", 1.0 - 1.85)
    );
    let curves = Table::from_parquet(&made.files["curves"]).expect("a table");
    assert_eq!(curves.rows(), 24);
    let draws = Table::from_parquet(&made.files["draws"]).expect("a table");
    assert_eq!(draws.rows(), 16 * 2 + 4);
}

#[test]
fn a_summary_refuses_labels_that_do_not_fit() {
    let kept = of(PARAMS, &rows()).expect("it runs").files["kept"].clone();
    let files = |labels: &[&'static str]| {
        let files: Vec<(&str, Vec<u8>)> =
            labels.iter().map(|&label| (label, kept.clone())).collect();
        given("kept", &files)
    };
    let bridge = "{labels: {bridge: [rung, seed]}, random: [seed]}";
    for (params, labels, message) in [
        (
            bridge,
            vec!["bridge@linear"],
            "labels.bridge: they are 2: rung, seed; the input `bridge@linear` has 1",
        ),
        (
            bridge,
            vec!["bridges@linear,0"],
            "`labels` does not say what the `*` of `bridges` stands for",
        ),
        (
            bridge,
            vec!["bridge@linear,0", "bridge@linear,0"],
            "two inputs have `zs_all` of `bridge@linear` for the draw `0`",
        ),
        (
            SUMMARY,
            vec!["bridge@linear,0"],
            "labels.theory: no input is called so",
        ),
        (
            "{labels: {bridge: [rung, seed]}, random: [sed]}",
            vec!["bridge@linear,0"],
            "random.0: `sed` is none of the labels",
        ),
        (
            "{labels: {bridge: [rung]}, random: []}",
            vec!["bridge@linear"],
            "labels.bridge: none of them is random",
        ),
        (
            "{labels: {bridge: [seed]}, random: [seed], accuracies: [b]}",
            vec!["bridge@0"],
            "accuracies.0: `labels` has no `b`",
        ),
    ] {
        let (found, ..) = refused(run("kept-summary", params, &files(&labels)));
        assert!(found.contains(message), "{found}");
    }
}
