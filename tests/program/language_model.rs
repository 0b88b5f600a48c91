//! Fine-tuning a language model on tasks in words, on a random model over bytes: paths, rates, and what is refused.

use crate::repository::Repository;
use serde_json::{Value as Json, json};
use std::path::Path;
use tables::table::Table;

fn stages() -> Json {
    let params = json!({
        "target": "past_irregular",
        "replayed": ["antonym", "first_letter"],
        "measures": {
            "target": {"of": {"test": "past_irregular"}, "shots": [0, 2], "queries": 6, "groups": 2},
            "letters": {"of": {"letters": {"classes_of": "hypernym_class", "classes": 2}}, "shots": [2], "queries": 4, "groups": 2},
        },
        "start": "",
        "shots": 2,
        "prompts": 2,
        "few_shot_prompts": 2,
        "training": {
            "steps": 4, "optimizer": {"adamw": {"betas": [0.9, 0.999], "weight_decay": 0}}, "learning_rate": 0.01,
            "decay": "linear", "clip_norm": 1, "stops": [2],
        },
        "variants": {
            "zs": {"objective": "zero-shot", "trainable": "attention", "lora": {"rank": 2, "alpha": 4}},
            "replay": {"objective": {"zero-shot-and-replay": {"weight": 1, "tasks": "random"}}, "trainable": "value", "lora": {"rank": 2, "alpha": 4}},
        },
        "seed": 3,
    });
    let mut trial = params.clone();
    trial["measures"] = json!({"development": {"of": {"development": "past_irregular"}, "shots": [0], "queries": 5, "groups": 1}});
    trial["training"]["learning_rate"] = json!("${rate}");
    let mut rated = params.clone();
    rated["rate_of"] = json!({"replay": "zs"});
    json!({
        "items": {
            "kind": "language-items",
            "inputs": {"items": "data/tasks.tsv.gz"},
            "params": {
                "blake3": "96874586b4f7c71ce562507fb939ca2a943c75262ad699892e51f3a080a351dc",
                "development": 0.1, "test": 0.3, "seed": 3,
            },
        },
        "model": {
            "kind": "mmlu-random-model",
            "params": {
                "model": {"transformer": {
                    "width": 16, "layers": 2, "heads": 4, "key_value_heads": 2, "attention": "softmax", "causal": true,
                    "norm": "rms", "mlp": {"activation": "swi-glu", "hidden": 24}, "rope": 10000,
                }},
                "seed": 1,
            },
        },
        "trial": {
            "kind": "language-finetune",
            "matrix": {"rate": [0.001, 0.02]},
            "inputs": {"items": "items.table", "model": "model.model"},
            "params": trial,
        },
        "rates": {
            "kind": "language-rates",
            "inputs": {"paths": "trial@*.paths"},
            "params": {"measure": "development", "shots": 0},
        },
        "tune": {
            "kind": "language-finetune",
            "inputs": {"items": "items.table", "model": "model.model"},
            "params": params,
        },
        "rated": {
            "kind": "language-finetune",
            "inputs": {"items": "items.table", "model": "model.model", "rates": "rates.rates"},
            "params": rated,
        },
    })
}

fn repository(stages: &Json) -> Repository {
    let repository = Repository::new();
    let pipeline = json!({"version": 2, "stages": stages}).to_string();
    std::fs::write(repository.path("pipeline.yaml"), pipeline).expect("written");
    std::fs::create_dir_all(repository.path("data")).expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let items = root.join("data/language/tasks.tsv.gz");
    std::fs::copy(items, repository.path("data/tasks.tsv.gz")).expect("copied");
    repository
}

fn table(repository: &Repository, path: &str) -> Table {
    let bytes = std::fs::read(repository.path(path)).expect("an output");
    Table::from_parquet(&bytes).expect("a table")
}

#[test]
fn variants_are_measured_along_the_way() {
    let repository = repository(&stages());
    repository.expect(0, &["run"]);
    let paths = table(&repository, "artifacts/tune/paths.parquet");
    // Two variants, three checkpoints, three measures with a number of examples.
    assert_eq!(paths.rows(), 2 * 3 * 3);
    let (variant, measure) = (
        paths.texts("variant").unwrap(),
        paths.texts("measure").unwrap(),
    );
    let [step, shots, score, queries] =
        ["step", "n_shots", "log_probability", "queries"].map(|name| paths.floats(name).unwrap());
    let at = |of: &str, when: f64, what: &str, n: f64| {
        let found = (0..paths.rows()).find(|&row| {
            variant[row] == of && step[row] == when && measure[row] == what && shots[row] == n
        });
        found.expect("a row")
    };
    for (what, n, asked) in [
        ("target", 0.0, 6.0),
        ("target", 2.0, 6.0),
        ("letters", 2.0, 4.0),
    ] {
        let (zs, replay) = (at("zs", 0.0, what, n), at("replay", 0.0, what, n));
        assert_eq!(score[zs], score[replay], "one pretrained model");
        assert_eq!(queries[zs], asked);
    }
    let learned = |of| score[at(of, 4.0, "target", 0.0)] - score[at(of, 0.0, "target", 0.0)];
    assert!(learned("zs") > 0.0);

    // The better rate of two, and a variant that takes it.
    let rates = table(&repository, "artifacts/rates/rates.parquet");
    assert_eq!(rates.texts("variant").unwrap(), ["replay", "zs"]);
    assert_eq!(rates.floats("learning_rate").unwrap()[1], 0.02);
    let rated = table(&repository, "artifacts/rated/paths.parquet");
    let others = rated.floats("log_probability").unwrap();
    for row in 0..paths.rows() {
        let is_same = others[row] == score[row];
        assert_eq!(
            is_same,
            variant[row] == "zs" || step[row] == 0.0,
            "row {row}"
        );
    }
}

#[test]
fn what_cannot_be_done_is_told() {
    let with = |stage: &str, pointer: &str, value: Json| {
        let mut stages = stages();
        *stages
            .pointer_mut(&format!("/{stage}/params/{pointer}"))
            .expect("a param") = value;
        stages
    };
    let lora = json!({"objective": "zero-shot", "trainable": "attention"});
    let of = json!({"of": {"test": "antonym"}, "shots": [0], "queries": 6, "groups": 2});
    let cases = [
        (
            with("tune", "target", json!("past")),
            "there is no item of task `past` for train",
        ),
        (
            with("tune", "replayed", json!(["past_irregular"])),
            "replayed: `past_irregular` is the target",
        ),
        (
            with("tune", "measures/target", of),
            "measures.target: `antonym` is replayed",
        ),
        (
            with("tune", "variants/zs", lora),
            "a frozen model is trained by low-rank additions",
        ),
        (
            with("tune", "shots", json!(500)),
            "items for train, 501 are asked for",
        ),
        (
            with("rated", "rate_of", json!({"replay": "zz"})),
            "rate_of.replay: `rates` has no `zz`",
        ),
        (
            with("rated", "rate_of", json!({"zz": "zs"})),
            "rate_of.zz: there is no such variant",
        ),
        (
            with("rates", "measure", json!("test")),
            "nothing was measured on `test` with 0 shots",
        ),
    ];
    for (stages, expected) in cases {
        let said = repository(&stages).run(&["run"]);
        assert_ne!(said.code, Some(0), "{expected}");
        let said = said.text;
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}
