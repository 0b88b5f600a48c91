//! The kinds that train transformers: what they refuse and what they record, and the exact statement on a lone query
//! by running it.

use crate::mended::sketch::{Given, refused, run};
use retrace::base::error::Result;
use std::collections::BTreeMap;
use tables::table::Table;

fn pretraining(model: &str, rate: &str) -> String {
    format!(
        "{{world: {{d: 3, noise_var: 0.1, shots: 4, first_token: false, prompts: 8, measured: 16, seed: 100}},
          model: {model}, precision: f32,
          training: {{steps: 6, optimizer: {{adamw: {{betas: [0.9, 0.99], weight_decay: 0}}}}, learning_rate: {rate}, decay: linear,
                     clip_norm: 1, stops: [2, 4]}}}}"
    )
}

fn softmax(more: &str) -> String {
    format!(
        "{{transformer: {{width: 8, layers: 1, heads: 2, attention: softmax, causal: true{more}}}}}"
    )
}

/// The message and what to type next.
fn why<T: std::fmt::Debug>(result: Result<T>) -> String {
    let (message, hint, _) = refused(result);
    format!("{message} {hint}")
}

fn message(model: &str) -> String {
    why(run(
        "bridge-pretrain",
        &pretraining(model, "0.01"),
        &Given::new(),
    ))
}

#[test]
fn sizes_that_do_not_fit_are_told_with_what_to_change() {
    let model = |width: usize, heads: usize, more: &str| {
        format!(
            "{{transformer: {{width: {width}, layers: 1, heads: {heads}, attention: softmax, causal: true{more}}}}}"
        )
    };
    let odd = message(&model(9, 3, ", rope: 100"));
    assert!(odd.contains("head_size 3 is odd"), "{odd}");
    let uneven = message(&model(8, 3, ""));
    assert!(
        uneven.contains("width 8 does not divide into 3 heads"),
        "{uneven}"
    );
    let groups = message(&model(8, 4, ", key_value_heads: 3"));
    assert!(groups.contains("4 heads cannot share 3"), "{groups}");
    let none =
        message("{transformer: {width: 8, layers: 0, heads: 2, attention: softmax, causal: true}}");
    assert!(none.contains("0 is not a whole number from 1"), "{none}");
    let stops = pretraining(&softmax(""), "0.01").replace("stops: [2, 4]", "stops: [2, 9]");
    let stops = why(run("bridge-pretrain", &stops, &Given::new()));
    assert!(
        stops.contains("stops.1") && stops.contains("6 steps"),
        "{stops}"
    );
}

/// Errors by variant, step, measure and number of shots.
fn paths(bytes: &[u8]) -> BTreeMap<[String; 4], u64> {
    let table = Table::from_parquet(bytes).expect("a table");
    let column = |name: &str| table.column(name).expect("a column");
    let keys = ["variant", "step", "measure", "n_shots"].map(column);
    let errors = table.floats("error").expect("numbers");
    let rows = errors.iter().enumerate();
    rows.map(|(row, x)| (keys.map(|key| key.text(row)), x.to_bits()))
        .collect()
}

fn finetuned(variants: &str, rate: &str, model: &[u8]) -> Vec<u8> {
    let params = pretraining("MODEL", rate).replace(
        "model: MODEL, precision: f32,",
        &format!("variants: {variants},"),
    );
    let given = vec![("pretrained".into(), "pretrained".into(), model.to_vec())];
    let made = run("bridge-finetune", &params, &given);
    made.expect("it runs").files["paths"].clone()
}

/// With softmax and a prompt of one token, Q and K have no gradient without examples.
#[test]
fn a_lone_query_trains_no_query_and_no_key() {
    let model = run(
        "bridge-pretrain",
        &pretraining(&softmax(""), "0.01"),
        &Given::new(),
    );
    let model = model.expect("it runs").files["model"].clone();
    let variants = "{qkv: {objective: zero-shot, trainable: query-key-value}, v: {objective: zero-shot, trainable: value},
                     q: {objective: zero-shot, trainable: query}, both_q: {objective: zero-and-few-shot, trainable: query}}";
    let paths = paths(&finetuned(variants, "0.1", &model));
    let path = |variant: &str| -> Vec<u64> {
        let of = paths.iter().filter(|(key, _)| key[0] == variant);
        of.map(|(_, &bits)| bits).collect()
    };
    assert!(path("qkv").len() > 10 && path("qkv") == path("v"));
    let start: Vec<u64> = { paths.iter() }
        .filter(|(key, _)| key[0] == "q")
        .map(|(key, _)| paths[&[key[0].clone(), "0".into(), key[2].clone(), key[3].clone()]])
        .collect();
    assert!(path("q") == start, "training Q alone changed something");
    assert!(path("v") != path("q") && path("both_q") != path("q"));
}

#[test]
fn divergence_is_recorded() {
    let model = run(
        "bridge-pretrain",
        &pretraining(&softmax(""), "0.01"),
        &Given::new(),
    );
    let model = model.expect("it runs").files["model"].clone();
    let wild = "{wild: {objective: zero-shot, trainable: everything}}";
    let params = pretraining("MODEL", "1e30").replace(
        "model: MODEL, precision: f32,",
        &format!("variants: {wild},"),
    );
    let given = vec![("pretrained".into(), "pretrained".into(), model)];
    let made = run("bridge-finetune", &params, &given).expect("a result");
    assert!(made.log.contains("wild diverged at step"), "{}", made.log);
    let errors = Table::from_parquet(&made.files["paths"]).expect("a table");
    let errors = errors.floats("error").expect("numbers");
    assert!(errors[0].is_finite() && errors.last().is_some_and(|last| last.is_nan()));
}

/// A model that lacks what a variant trains, and a model of another world, are refused with what to do.
#[test]
fn models_that_do_not_fit_are_refused() {
    let model = run(
        "bridge-pretrain",
        &pretraining(&softmax(""), "0.01"),
        &Given::new(),
    );
    let model = model.expect("it runs").files["model"].clone();
    let refusal = |change: &dyn Fn(String) -> String, bytes: Vec<u8>| {
        let variants = "variants: {m: {objective: zero-shot, trainable: mlp}},";
        let params = pretraining("MODEL", "0.1").replace("model: MODEL, precision: f32,", variants);
        let given = vec![("pretrained".into(), "pretrained".into(), bytes)];
        why(run("bridge-finetune", &change(params), &given))
    };
    let lacks = refusal(&|params| params, model.clone());
    assert!(
        lacks.contains("variant m: the model has no tensor"),
        "{lacks}"
    );
    let other = refusal(&|params| params.replace("d: 3", "d: 4"), model.clone());
    assert!(
        other.contains("state the same d and first_token"),
        "{other}"
    );
    let cut = refusal(&|params| params, model[..model.len() / 2].to_vec());
    assert!(cut.contains("no transformer of this program"), "{cut}");
}

/// A model that has learned a little, in f64, and errors of its variants by name, step and measure; one step of plain descent unless
/// `steps` says otherwise.
fn errors(variants: &str, steps: usize) -> BTreeMap<[String; 4], f64> {
    let double = |params: String| params.replace("precision: f32", "precision: f64");
    let model = double(pretraining(&softmax(", norm: rms"), "0.01"));
    let model = run("bridge-pretrain", &model, &Given::new()).expect("it runs");
    let params = pretraining("MODEL", "0.1")
        .replace(
            "model: MODEL, precision: f32,",
            &format!("variants: {variants},"),
        )
        .replace(
            "adamw: {betas: [0.9, 0.99], weight_decay: 0}",
            "sgd: {momentum: 0}",
        )
        .replace("clip_norm: 1, stops: [2, 4]", "clip_norm: 1e9, stops: [1]")
        .replace("steps: 6", &format!("steps: {steps}"));
    let given = vec![(
        "pretrained".into(),
        "pretrained".into(),
        model.files["model"].clone(),
    )];
    let made = run("bridge-finetune", &params, &given).expect("it runs");
    let paths = paths(&made.files["paths"]).into_iter();
    paths
        .map(|(key, bits)| (key, f64::from_bits(bits)))
        .collect()
}

/// Errors of a variant after a step, in the order of measures.
fn after(errors: &BTreeMap<[String; 4], f64>, variant: &str, step: usize) -> Vec<f64> {
    let step = step.to_string();
    let rows = errors.iter();
    let rows = rows.filter(|(key, _)| key[0] == variant && key[1] == step);
    rows.map(|(_, &error)| error).collect()
}

fn differ(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len() && !a.is_empty());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

/// To its own answers a model has nothing to learn: the first step is that of the zero-shot loss. To tasks it has.
#[test]
fn own_answers_pull_nowhere_at_first() {
    let replay = |of: &str| {
        format!(
            "{{objective: {{zero-shot-and-replay: {{weight: 1, tasks: {of}}}}}, trainable: everything}}"
        )
    };
    let (own, random) = (replay("unlabelled"), replay("random"));
    let (one, two) = (replay("{number: 1}"), replay("{number: 2}"));
    let zs = "{objective: zero-shot, trainable: everything}";
    let errors = errors(
        &format!("{{zs: {zs}, own: {own}, random: {random}, one: {one}, two: {two}}}"),
        1,
    );
    let of = |variant: &str| after(&errors, variant, 1);
    assert!(differ(&of("own"), &of("zs")) < 1e-12);
    for (a, b) in [("zs", "random"), ("random", "one"), ("one", "two")] {
        assert!(differ(&of(a), &of(b)) > 1e-6, "{a} and {b}");
    }
    let start = after(&errors, "zs", 0);
    assert!(differ(&of("zs"), &start) > 1e-6 && start == after(&errors, "own", 0));
}

/// Replay in every second step is twice as heavy in the first and is not there in the second.
#[test]
fn replay_now_and_then_weighs_as_much_more() {
    let replay = |more: &str| {
        format!(
            "{{objective: {{zero-shot-and-replay: {{tasks: random, {more}}}}}, trainable: everything}}"
        )
    };
    let (seldom, heavy) = (replay("weight: 0.5, every: 2"), replay("weight: 1"));
    let errors = errors(&format!("{{seldom: {seldom}, heavy: {heavy}}}"), 2);
    let of = |variant: &str, step: usize| after(&errors, variant, step);
    assert_eq!(of("seldom", 1), of("heavy", 1));
    assert!(differ(&of("seldom", 2), &of("heavy", 2)) > 1e-6);
}

/// Weights between two models begin at one and end at the other.
#[test]
fn a_line_between_weights_ends_where_training_does() {
    let errors = errors(
        "{along: {objective: zero-shot, trainable: everything}, line: {objective: zero-shot, trainable: everything, between: 3}}",
        2,
    );
    assert_eq!(after(&errors, "line", 0), after(&errors, "along", 0));
    assert_eq!(after(&errors, "line", 3), after(&errors, "along", 2));
    let middle = after(&errors, "line", 1);
    assert!(differ(&middle, &after(&errors, "line", 0)) > 1e-6);
}
