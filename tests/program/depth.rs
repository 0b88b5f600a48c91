//! Models of several layers: what `evaluate` says where no mean can be told, and what
//! `configuration-table` makes of it.

use crate::mended::sketch::{Given, Made, run};
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::task::Task;
use icl_repro::kinds::exchange::model;
use retrace::base::error::Result;
use tables::table::{Column, Table};

/// A model of random matrices, as its stage writes it.
fn file(n_layers: usize, seed: u64) -> Vec<u8> {
    let shape = Shape {
        d: 3,
        n_layers,
        n_heads: 1,
        parametrization: Parametrization::Separate,
    };
    let random = LinearAttention::random(shape, 0.5, seed).expect("a model");
    model::to_bytes(&random, None).expect("bytes")
}

fn given(role: &str, label: &str, bytes: &[u8]) -> (String, String, Vec<u8>) {
    (role.to_owned(), label.to_owned(), bytes.to_vec())
}

const EVALUATE: &str =
    "{noise_var: 0.1, shots: {first: 0, last: 20, step: 20}, prompts: 20000, seeds: [0, 1]}";

/// The errors of a pretrained model and a fine-tuned one.
fn errors(n_layers: usize) -> Vec<u8> {
    let task = Task::random_unit(3, 0);
    let given = vec![
        given("task", "", &serde_json::to_vec(task.theta()).expect("JSON")),
        given("pretrained", "", &file(n_layers, 1)),
        given("finetuned", "zs", &file(n_layers, 2)),
    ];
    let made = run("evaluate", EVALUATE, &given).expect("it runs");
    made.files["errors"].clone()
}

fn table(bytes: &[u8]) -> Table {
    Table::from_parquet(bytes).expect("a table")
}

fn floats(table: &Table, column: &str) -> Vec<f64> {
    table.floats(column).expect("numbers")
}

#[test]
fn where_no_sample_tells_the_mean_there_is_none_and_quantiles_are_there() {
    let deep = table(&errors(2));
    let (n, tail) = (floats(&deep, "n_shots"), floats(&deep, "tail"));
    let (error, std_error) = (floats(&deep, "error"), floats(&deep, "std_error"));
    let (median, q90) = (floats(&deep, "median"), floats(&deep, "q90"));
    for row in 0..deep.rows() {
        let is_told = tail[row] <= 0.2;
        assert_eq!([error[row], std_error[row]].map(f64::is_nan), [!is_told; 2]);
        assert!(0.0 < median[row] && median[row] < q90[row] && q90[row].is_finite());
    }
    assert!((0..deep.rows()).all(|row| n[row] != 0.0 || error[row].is_nan()));
    // One layer has an exact error beside: nothing of it is hidden.
    let shallow = table(&errors(1));
    for column in ["error", "std_error", "exact", "median", "q90", "tail"] {
        assert!(
            floats(&shallow, column).iter().all(|x| x.is_finite()),
            "{column}"
        );
    }
}

/// One configuration of two layers with seeds 0 and 1, and as seed 2 one without the variant.
fn configurations(statistic: &str, models: &str) -> Result<Made> {
    let losses = Table::new(vec![("loss", Column::Float(vec![0.3, 0.5]))]);
    let losses = losses.and_then(|table| table.to_parquet()).expect("bytes");
    let mut all: Given = Vec::new();
    for seed in ["0", "1", "2"] {
        let label = format!("h1_l2_sgd,{seed}");
        let mut errors = table(&errors(2));
        if seed == "2" {
            let model = errors.texts("model").expect("text");
            let kept: Vec<bool> = model.iter().map(|model| model == "pretrained").collect();
            errors = only(&errors, &kept);
        } else {
            all.push(given("finetuned", &format!("{label},zs"), &file(2, 2)));
        }
        all.push(given(
            "errors",
            &label,
            &errors.to_parquet().expect("bytes"),
        ));
        all.push(given("losses", &label, &losses));
        all.push(given("pretrained", &label, &file(2, 1)));
    }
    let params = format!(
        "{{names: {{zs: {{label: ZS}}, pretrained: {{label: Pretrained}}}}, models: {models}, columns: [{{task: theta0, n_shots: 0}}, {{task: theta0, n_shots: 20}}], \
         statistic: {statistic}, learned: {{at: {{task: theta0, n_shots: 20}}, below: 1000000}}, last: 2}}"
    );
    run("configuration-table", &params, &all)
}

/// The rows that are kept.
fn only(table: &Table, kept: &[bool]) -> Table {
    let names = [
        "model",
        "task",
        "n_shots",
        "error",
        "std_error",
        "exact",
        "median",
        "q90",
        "tail",
    ];
    let pick = |name: &str| match table.column(name).expect("a column") {
        Column::Text(values) => Column::Text(these(values, kept)),
        Column::Int(values) => Column::Int(these(values, kept)),
        Column::Float(values) => Column::Float(these(values, kept)),
    };
    Table::new(names.map(|name| (name, pick(name))).into()).expect("a table")
}

fn these<T: Clone>(values: &[T], kept: &[bool]) -> Vec<T> {
    let pairs = values.iter().zip(kept).filter(|(_, kept)| **kept);
    pairs.map(|(value, _)| value.clone()).collect()
}

#[test]
fn a_table_of_medians_says_no_mean_and_what_fine_tuning_changed() {
    let made = configurations("median", "[zs]").expect("it runs");
    let rows = table(&made.files["parquet"]);
    let model = rows.texts("model").expect("text").to_owned();
    let (median, ratio) = (floats(&rows, "median"), floats(&rows, "ratio"));
    // Three seeds of the pretrained model, two of the other, at two numbers of shots.
    assert_eq!(rows.rows(), 10);
    for row in 0..rows.rows() {
        if model[row] == "pretrained" {
            assert_eq!(ratio[row], 1.0);
        } else {
            assert_eq!(ratio[row], median[row] / median[row - 2]);
        }
    }
    let tex = made.text("tex");
    assert!(
        tex.contains("Median squared error") && !tex.contains("Test error"),
        "{tex}"
    );
    assert!(
        tex.contains("Medians over 3 training seeds or fewer"),
        "{tex}"
    );
    assert!(tex.contains("loss 0.400"), "{tex}");
    // By means there is none to print without examples.
    let tex = configurations("mean", "[zs]").expect("it runs").text("tex");
    assert!(tex.contains("Test error") && tex.contains("n/a"), "{tex}");
    let error = configurations("median", "[zs, zss]").expect_err("there is none");
    let hint = error.hint.clone().unwrap_or_default();
    let told = error.to_string();
    assert!(
        told.contains("no seed of `h1_l2_sgd` has a model `zss`"),
        "{told}"
    );
    assert!(hint.contains("`zs`"), "{hint}");
}
