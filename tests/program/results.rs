//! The committed results against the closed forms and against what is known of the experiment.
//!
//! Reads `figures/tables/`, so it judges what a reader sees; that these files are what the program
//! makes is for `verify` and CI to say.

use std::path::Path;
use tables::table::{Column, Table};

fn table(name: &str) -> Table {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/tables");
    let bytes = std::fs::read(folder.join(name)).expect("a committed table");
    Table::from_parquet(&bytes).expect("a Parquet table")
}

/// The number in `column` of the one row whose text columns have these values.
fn value(table: &Table, texts: &[(&str, &str)], n_shots: Option<i64>, column: &str) -> f64 {
    let matches = |row: &usize| {
        let text =
            |(name, wanted): &(&str, &str)| table.texts(name).expect("text")[*row] == *wanted;
        let shots = n_shots.is_none_or(|n| match table.column("n_shots") {
            Ok(Column::Int(values)) => values[*row] == n,
            _ => false,
        });
        texts.iter().all(text) && shots
    };
    let rows: Vec<usize> = (0..table.rows()).filter(matches).collect();
    assert_eq!(rows.len(), 1, "{texts:?} {n_shots:?}");
    table.floats(column).expect("numbers")[rows[0]]
}

/// Of 294 independent points at |z| < 5, one fails by chance in 6,000 sets.
#[test]
fn every_monte_carlo_point_is_within_five_standard_errors_of_the_closed_form() {
    let errors = table("errors.parquet");
    assert_eq!(errors.rows(), 7 * 2 * 21);
    let z = errors.floats("z").expect("numbers");
    let worst = z.iter().fold(0.0f64, |worst, z| worst.max(z.abs()));
    assert!(
        worst < 5.0,
        "the worst point is {worst} standard errors off"
    );
    // And they scatter as they should, neither too much nor too little.
    let mean_square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
    assert!(
        (0.5..2.0).contains(&mean_square),
        "mean z^2 = {mean_square}"
    );
}

/// The learned curves, with margins that cover other training seeds (README has their spread).
#[test]
fn learned_curves_are_those_of_the_paper() {
    let losses = table("losses.parquet");
    let plateau = value(&losses, &[("model", "pretrain")], None, "loss");
    assert!((plateau - 0.345).abs() < 0.003, "{plateau}");
    let errors = table("errors.parquet");
    let expected = [
        ("zs", "theta0", 0, 0.100, 0.002),
        ("zs", "theta0", 20, 1.40, 0.05),
        ("zs_v", "theta0", 0, 0.322, 0.01),
        ("zs_v", "theta0", 20, 0.345, 0.01),
        ("zs_v", "-theta0", 20, 0.39, 0.02),
        ("both", "theta0", 20, 0.21, 0.01),
        ("both", "-theta0", 20, 2.0, 0.3),
        ("both_v", "theta0", 20, 0.323, 0.01),
    ];
    for (model, task, n, value_expected, margin) in expected {
        let found = value(
            &errors,
            &[("model", model), ("task", task)],
            Some(n),
            "exact",
        );
        assert!(
            (found - value_expected).abs() < margin,
            "{model} {task} {n}: {found}"
        );
    }
}

#[test]
fn learned_parameters_meet_the_derived_constants() {
    let parameters = table("parameters.parquet");
    let margins = [
        ("pretrained", "vy Q[x,x], mean diagonal", 0.01),
        ("zs", "|w| from vx/vy", 0.04 * 0.52),
        ("zs_v", "w = vy q", 0.01),
        ("both_v", "w = vy q", 0.015),
    ];
    for (model, quantity, margin) in margins {
        let texts = [("model", model), ("quantity", quantity)];
        let learned = value(&parameters, &texts, None, "learned");
        let derived = value(&parameters, &texts, None, "derived");
        assert!(
            (learned - derived).abs() < margin,
            "{model}: {learned} against {derived}"
        );
    }
}

/// The appendix, three seeds of each configuration of one layer: against its closed form, and what
/// docs/results.md says, with margins for other random streams.
#[test]
fn the_appendix_is_what_the_results_say() {
    let appendix = table("appendix.parquet");
    let text = |name: &str| appendix.texts(name).expect("text");
    let configuration = text("configuration");
    let (model, task) = (text("model"), text("task"));
    let float = |name: &str| appendix.floats(name).expect("numbers");
    let (heads, n_shots) = (float("heads"), float("n_shots"));
    let (error, ratio, z) = (float("error"), float("ratio"), float("z"));
    let configurations: std::collections::BTreeSet<&String> = configuration.iter().collect();
    assert_eq!(appendix.rows(), configurations.len() * 3 * 9 * 3);

    // 324 points at |z| < 5: a chance of 2e-4.
    assert!(z.iter().all(|z| z.is_finite()));
    let worst = z.iter().fold(0.0f64, |worst, z| worst.max(z.abs()));
    assert!(
        worst < 5.0,
        "the worst point is {worst} standard errors off"
    );

    // Errors of a model, and their ratios to those of the pretrained one, lowest and highest.
    let rows = |wanted: &str, on: &str, n: f64, of: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let is_here = |&row: &usize| model[row] == wanted && task[row] == on && n_shots[row] == n;
        let rows = (0..appendix.rows()).filter(is_here);
        rows.filter(|&row| of(row)).collect()
    };
    let range = |values: Vec<f64>| {
        assert!(!values.is_empty());
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        (low, values.iter().copied().fold(0.0, f64::max))
    };
    let errors = |wanted: &str, on: &str, n: f64, of: &dyn Fn(usize) -> bool| {
        range(
            rows(wanted, on, n, of)
                .iter()
                .map(|&row| error[row])
                .collect(),
        )
    };
    let ratios = |wanted: &str, on: &str, of: &dyn Fn(usize) -> bool| {
        let rows = rows(wanted, on, 20.0, of);
        range(rows.iter().map(|&row| ratio[row]).collect())
    };
    let all = |_: usize| true;
    let several = |row: usize| heads[row] > 1.0;

    // All learn in context.
    assert!(errors("pretrained", "theta0", 20.0, &all).1 < 0.4);
    let (low, high) = errors("zs", "theta0", 0.0, &all);
    assert!(low > 0.098 && high < 0.102, "{low} {high}");
    let (low, high) = errors("zs_v", "theta0", 0.0, &all);
    assert!(low > 0.28 && high < 0.37, "{low} {high}");
    for on in ["theta0", "-theta0"] {
        assert!(ratios("zs", on, &all).0 > 1.0, "{on}");
        assert!(ratios("zs_v", on, &all).1 < 1.6, "{on}");
    }
    assert!(errors("both", "theta0", 20.0, &several).1 < 0.105);
    assert!(ratios("both", "-theta0", &several).0 > 5.0);
}

/// Two and three layers, by medians over prompts: what docs/results.md says.
#[test]
fn depth_is_what_the_results_say() {
    let depth = table("depth.parquet");
    let text = |name: &str| depth.texts(name).expect("text");
    let float = |name: &str| depth.floats(name).expect("numbers");
    let (model, task, n_shots) = (text("model"), text("task"), float("n_shots"));
    let (error, std_error) = (float("error"), float("std_error"));
    let (median, ratio) = (float("median"), float("ratio"));
    // The least and the largest over configurations and seeds.
    let range = |column: &[f64], wanted: &str, on: &str, n: f64| {
        let is_here = |&row: &usize| model[row] == wanted && task[row] == on && n_shots[row] == n;
        let rows = (0..depth.rows()).filter(is_here);
        let values: Vec<f64> = rows.map(|row| column[row]).collect();
        // Three configurations; eight seeds of the variants that might keep what they had, three of others.
        let seeds = match wanted {
            "pretrained" | "zs_v" | "both_v" | "zs_v_first" | "zs_v_last" => 8,
            _ => 3,
        };
        assert_eq!(values.len(), 3 * seeds, "{wanted}");
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        (low, values.iter().copied().fold(0.0, f64::max))
    };
    // All learn in context; without examples no sample tells a mean, and none is said.
    assert!(range(&median, "pretrained", "theta0", 20.0).1 < 0.12);
    for row in 0..depth.rows() {
        if model[row] == "pretrained" && n_shots[row] == 0.0 {
            assert!(
                error[row].is_nan() && std_error[row].is_nan(),
                "{}",
                error[row]
            );
        }
        assert!(median[row] > 0.0 && median[row].is_finite());
    }
    // Every variant of the eight forgets the other task.
    for variant in [
        "zs", "both", "zs_q", "both_q", "zs_k", "both_k", "zs_v", "both_v",
    ] {
        let (low, _) = range(&ratio, variant, "-theta0", 20.0);
        assert!(low > 1.5, "{variant}: {low}");
    }
    // The last layer's V keeps more in some seeds, and learns next to nothing: half of the squares of a normal number of
    // variance 0.1 are below 0.0455.
    assert!(range(&ratio, "zs_v_last", "-theta0", 20.0).0 < 1.2);
    assert!(range(&median, "zs_v_last", "theta0", 0.0).0 > 0.3);
    assert!(range(&median, "zs_v", "theta0", 0.0).1 < 0.15);
}

/// What the README says of the digits, with room for other bits of the same kernels.
#[test]
fn the_digits_tell_the_papers_story_in_accuracy() {
    let digits = table("digits.parquet");
    let at = |model: &str, task: &str, n: i64, column: &str| {
        let texts = [("group", "8"), ("model", model), ("task", task)];
        value(&digits, &texts, Some(n), column)
    };
    let accuracy = |model: &str, task: &str, n: i64| at(model, task, n, "accuracy");
    for (model, task, n, expected, margin) in [
        ("pretrained", "unseen", 20, 0.95, 0.02),
        ("zs", "target", 0, 0.99, 0.01),
        ("zs", "unseen", 20, 0.54, 0.05),
        ("zs_v", "target", 0, 0.98, 0.02),
        ("zs_v", "unseen", 20, 0.93, 0.02),
        ("both", "unseen", 20, 0.59, 0.05),
        ("both_v", "unseen", 20, 0.85, 0.05),
        ("logistic", "unseen", 20, 0.97, 0.01),
        ("target_linear", "unseen", 20, 0.5, 0.02),
    ] {
        let found = accuracy(model, task, n);
        assert!((found - expected).abs() < margin, "{model} {task}: {found}");
    }
    // What reads no context is as often right on a task as it is wrong on its opposite.
    let (plain, flipped) = (
        accuracy("target_linear", "target", 20),
        accuracy("target_linear", "flipped", 20),
    );
    assert!((plain + flipped - 1.0).abs() < 0.01, "{plain} {flipped}");
    // Without shots the baselines know nothing, on any task.
    for model in ["ridge", "logistic", "nearest_mean"] {
        for task in ["target", "flipped", "unseen"] {
            let found = [accuracy(model, task, 0), at(model, task, 0, "error")];
            assert_eq!(found, [0.5, 1.0], "{model} {task}");
        }
    }
    // In squared error value-only fine-tuning does not keep what it had.
    let ratio = at("zs_v", "unseen", 20, "error") / at("pretrained", "unseen", 20, "error");
    assert!((1.25..1.7).contains(&ratio), "{ratio}");
}

/// The table of other draws in the document on claims is the one that was made.
#[test]
fn the_verdicts_of_other_draws_are_those_in_the_document() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let (made, told) = (read("figures/tables/robustness.md"), read("docs/claims.md"));
    assert!(
        told.contains(&made),
        "paste figures/tables/robustness.md into docs/claims.md"
    );
}
