//! Where a change of V acts, from a pretrained model to means over draws, through the kinds.

use crate::mended::sketch::{Given, refused, run};
use retrace::base::error::Result;
use std::collections::BTreeMap;
use tables::table::{Column, Table};

fn given(role: &str, files: &[(&str, &[u8])]) -> Given {
    let file =
        |(label, bytes): &(&str, &[u8])| (role.to_owned(), (*label).to_owned(), bytes.to_vec());
    files.iter().map(file).collect()
}

fn world(first_token: bool) -> String {
    format!(
        "world: {{d: 3, noise_var: 0.1, shots: 4, first_token: {first_token}, prompts: 8, measured: 16, seed: 100}}"
    )
}

fn training(rate: &str) -> String {
    format!(
        "training: {{steps: 6, optimizer: {{sgd: {{momentum: 0}}}}, learning_rate: {rate}, decay: constant, clip_norm: 1, stops: [2]}}"
    )
}

fn pretrained(model: &str) -> Vec<u8> {
    let params = format!(
        "{{{}, {}, precision: f32, model: {{transformer: {{width: 8, heads: 2, attention: softmax, causal: true, {model}}}}}}}",
        world(true),
        training("0.1")
    );
    run("bridge-pretrain", &params, &Given::new())
        .expect("it runs")
        .files["model"]
        .clone()
}

fn explained(params: &str, model: &[u8]) -> Result<Vec<u8>> {
    let made = run(
        "bridge-explain",
        params,
        &given("pretrained", &[("pretrained", model)]),
    );
    made.map(|made| made.files["explained"].clone())
}

/// By step, measure, number of shots, quantity and tokens.
fn values(bytes: &[u8]) -> BTreeMap<[String; 5], f64> {
    let table = Table::from_parquet(bytes).expect("a table");
    let column = |name: &str| table.column(name).expect("a column");
    let keys = ["step", "measure", "n_shots", "quantity", "tokens"].map(column);
    let values = table.floats("value").expect("numbers");
    let key = |row: usize| keys.map(|key| key.text(row));
    let found: BTreeMap<_, _> = values
        .iter()
        .enumerate()
        .map(|(row, &x)| (key(row), x))
        .collect();
    assert_eq!(found.len(), table.rows(), "a quantity stands twice");
    found
}

#[test]
fn quantities_fit_each_other() {
    let model = pretrained("layers: 1");
    let params = format!("{{{}, {}}}", world(true), training("0.1"));
    let found = values(&explained(&params, &model).expect("it runs"));
    // Three stops; four measures with all tokens, one without examples.
    assert_eq!(found.len(), 3 * (4 * 19 + 14));
    for measure in [
        ("target", "0"),
        ("target", "4"),
        ("opposite", "4"),
        ("random", "4"),
    ] {
        let at = |step: &str, quantity: &str, tokens: &str| {
            found[&[step, measure.0, measure.1, quantity, tokens].map(str::to_owned)]
        };
        let tokens = match measure.1 {
            "0" => &["first", "query"][..],
            _ => &["first", "examples", "query"],
        };
        let attention = tokens.iter().map(|tokens| at("6", "attention", tokens));
        assert!((attention.sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(at("0", "change_norm", "all"), 0.0);
        assert_eq!(at("0", "error", "all"), at("0", "error", "none"));
        assert!(at("2", "change_norm", "all") > 0.0);
        assert!(at("6", "error", "all") != at("6", "error", "none"));
        for step in ["0", "2", "6"] {
            assert_eq!(at(step, "error", "none"), at("0", "error", "none"));
            let mean = at(step, "added", "query");
            assert!(at(step, "added_square", "query") >= mean * mean);
        }
        if measure.1 == "0" {
            assert_eq!(at("6", "error_without", "first"), at("6", "error", "query"));
        }
    }
}

#[test]
fn models_with_more_behind_attention_and_other_worlds_are_refused() {
    let params = format!("{{{}, {}}}", world(true), training("0.1"));
    for (model, has) in [
        ("layers: 2", "2 layers"),
        ("layers: 1, norm: rms", "norms"),
        ("layers: 1, mlp: {activation: gelu, hidden: 4}", "an MLP"),
    ] {
        let (message, _, _) = refused(explained(&params, &pretrained(model)));
        assert!(
            message.contains(has) && message.contains("one layer"),
            "{message}"
        );
    }
    let params = format!("{{{}, {}}}", world(false), training("0.1"));
    let (message, _, _) = refused(explained(&params, &pretrained("layers: 1")));
    assert!(message.contains("first_token"), "{message}");
}

#[test]
fn what_diverged_is_null() {
    let params = format!("{{{}, {}}}", world(true), training("1e30"));
    let found = values(&explained(&params, &pretrained("layers: 1")).expect("it runs"));
    for (key, value) in found {
        let lost = key[0] != "0" && key[3] != "attention";
        assert_eq!(value.is_nan(), lost, "{key:?}: {value}");
    }
}

fn draw(steps: &[i64], values: &[f64]) -> Vec<u8> {
    let table = Table::new(vec![
        ("step", Column::Int(steps.to_vec())),
        ("value", Column::Float(values.to_vec())),
    ]);
    table.and_then(|table| table.to_parquet()).expect("a table")
}

const MEANS: &str = "{labels: [rung, seed], random: [seed], keys: [step], value: value}";

#[test]
fn means_are_over_draws_with_a_number() {
    let tables = [
        ("sink,100", draw(&[0, 5], &[1.0, 2.0])),
        ("sink,101", draw(&[0, 5], &[3.0, f64::NAN])),
        ("sink,102", draw(&[0], &[5.0])),
        ("softmax,100", draw(&[5], &[7.0])),
    ];
    let tables: Vec<(&str, &[u8])> = tables
        .iter()
        .map(|(label, bytes)| (*label, &bytes[..]))
        .collect();
    let made = run("draw-means", MEANS, &given("tables", &tables)).expect("it runs");
    let table = Table::from_parquet(&made.files["means"]).expect("a table");
    let names: Vec<&str> = table
        .columns()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "rung",
            "step",
            "draws",
            "missing",
            "value",
            "value_std_error"
        ]
    );
    assert_eq!(
        table.texts("rung").expect("text"),
        ["sink", "sink", "softmax"]
    );
    for (name, wanted) in [
        ("step", [0.0, 5.0, 5.0]),
        ("draws", [3.0, 2.0, 1.0]),
        ("missing", [0.0, 1.0, 0.0]),
        ("value", [3.0, 2.0, 7.0]),
    ] {
        assert_eq!(table.floats(name).expect("numbers"), wanted, "{name}");
    }
    let errors = table.floats("value_std_error").expect("numbers");
    // Squared deviations 4 + 0 + 4, over n (n - 1).
    assert!(
        (errors[0] - (8.0f64 / 6.0).sqrt()).abs() < 1e-12,
        "{}",
        errors[0]
    );
    assert!(errors[1].is_nan() && errors[2].is_nan());
}

#[test]
fn rows_that_keys_do_not_tell_apart_are_refused() {
    let twice = draw(&[5, 5], &[1.0, 2.0]);
    let (message, _, _) = refused(run(
        "draw-means",
        MEANS,
        &given("tables", &[("sink,100", &twice)]),
    ));
    assert!(
        message.contains("sink,100") && message.contains("rung sink, step 5"),
        "{message}"
    );
    let once = draw(&[5], &[1.0]);
    let (message, _, _) = refused(run(
        "draw-means",
        MEANS,
        &given("tables", &[("100", &once)]),
    ));
    assert!(
        message.contains("labels: they are 2: rung, seed"),
        "{message}"
    );
    for (params, why) in [
        (
            "{labels: [seed], random: [seeds], keys: [step], value: value}",
            "random.0",
        ),
        (
            "{labels: [seed], random: [], keys: [step], value: value}",
            "random",
        ),
        (
            "{labels: [seed], random: [seed], keys: [step, value], value: value}",
            "two columns `value`",
        ),
        (
            "{labels: [seed], random: [seed], keys: [seed], value: value}",
            "two columns `seed`",
        ),
    ] {
        let (message, _, _) = refused(run(
            "draw-means",
            params,
            &given("tables", &[("100", &once)]),
        ));
        assert!(message.contains(why), "{message}");
    }
}
