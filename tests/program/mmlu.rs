//! The paper's experiment on MMLU, on made-up items and a random model; and what it says where files are missing.

use crate::repository::Repository;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::Path;
use tables::csv;
use tables::table::{Column, Table};

fn of_repository(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join(path)).expect("a file")
}

fn stages() -> Json {
    let prompting = json!({"shot_tokens": 700, "seed": 0});
    let forms = json!([
        {"task": "question"},
        {"task": "question", "dummies": 2},
        {"task": "question", "shots": 2},
        {"task": "word-count", "shots": 1},
    ]);
    let all = json!(["stem", "humanities", "social_sciences", "other"]);
    json!({
        "items": {
            "kind": "mmlu-items",
            "inputs": {"items": "data/items.csv"},
            "params": {
                "training": {"items": 6, "categories": ["humanities"]},
                "test": {"items": 12, "categories": all},
                "flawed": "refuse",
                "seed": 1234,
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
        "prompts": {
            "kind": "mmlu-prompts",
            "inputs": {"items": "items.table", "model": "model.model"},
            "params": {"prompting": prompting, "forms": forms, "items": 4},
        },
        "tune": {
            "kind": "mmlu-finetune",
            "inputs": {"items": "items.table", "model": "model.model"},
            "params": {
                "prompting": prompting,
                "trainable": "value",
                "lora": {"rank": 2, "alpha": 4},
                "few_shot": {"shots": 1, "weight": 1},
                "cutoff": 2048,
                "optimisation": {
                    "epochs": 2, "batch": 3, "learning_rate": 0.01, "decay": "linear", "betas": [0.9, 0.999],
                    "weight_decay": 0, "clip_norm": 1, "seed": 0,
                },
            },
        },
        "evaluate": {
            "kind": "mmlu-evaluate",
            "inputs": {"items": "items.table", "model": "model.model", "checkpoints": "tune.checkpoints"},
            "params": {
                "prompting": prompting,
                "forms": forms,
                "samples": {"answers": 2, "most_tokens": 4, "top_k": 20, "top_p": 0.95, "temperature": 1, "seed": 0},
            },
        },
    })
}

/// A repository with these stages and the made-up items.
fn repository(stages: &Json) -> Repository {
    let repository = Repository::new();
    let pipeline = json!({"version": 2, "stages": stages});
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(repository.path(name), bytes).expect("written");
    write("pipeline.yaml", pipeline.to_string().as_bytes());
    std::fs::create_dir_all(repository.path("data")).expect("a folder");
    write(
        "data/items.csv",
        &of_repository("data/mmlu/made_up_items.csv"),
    );
    write(
        "data/rationales.csv",
        &of_repository("data/mmlu/made_up_rationales.csv"),
    );
    repository
}

fn table(repository: &Repository, path: &str) -> Table {
    let bytes = std::fs::read(repository.path(path)).expect("an output");
    match path.ends_with(".csv") {
        true => csv::read(&bytes).expect("a table"),
        false => Table::from_parquet(&bytes).expect("a table"),
    }
}

fn whole(table: &Table, name: &str) -> Vec<i64> {
    match table.column(name).expect("a column") {
        Column::Int(values) => values.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_experiment_runs_on_made_up_items() {
    let repository = repository(&stages());
    repository.expect(0, &["run"]);

    let items = table(&repository, "artifacts/items/table.parquet");
    let (splits, categories) = (
        items.texts("split").unwrap(),
        items.texts("category").unwrap(),
    );
    let count = |split: &str, category: &str| {
        let rows = splits.iter().zip(categories);
        rows.filter(|(s, c)| *s == split && *c == category).count()
    };
    for category in ["stem", "humanities", "social_sciences", "other"] {
        assert_eq!(count("test", category), 3, "{category}");
    }
    assert_eq!((count("training", "humanities"), items.rows()), (6, 18));
    let ids: BTreeSet<i64> = whole(&items, "item").into_iter().collect();
    assert_eq!(ids.len(), 18);

    let prompts = table(&repository, "artifacts/prompts/prompts.csv");
    let (texts, tokens) = (prompts.texts("prompt").unwrap(), whole(&prompts, "tokens"));
    let (shots, dummies) = (whole(&prompts, "n_shots"), whole(&prompts, "dummies"));
    let (task, item) = (prompts.texts("task").unwrap(), whole(&prompts, "item"));
    let row = |of: i64, words: &str, form: [i64; 2]| {
        let found = (0..prompts.rows()).find(|&row| {
            item[row] == of && task[row] == words && [shots[row], dummies[row]] == form
        });
        found.expect("a prompt")
    };
    for row in 0..prompts.rows() {
        assert_eq!(texts[row].matches("[Query]").count() as i64, shots[row] + 1);
        assert_eq!(
            texts[row].matches("Answer: ").count() as i64,
            2 * shots[row] + 1
        );
    }
    let first = item[0];
    let plain = tokens[row(first, "question", [0, 0])];
    assert_eq!(tokens[row(first, "question", [0, 2])], plain + 1400);
    assert_eq!(tokens[row(first, "question", [2, 0])], plain + 1400);

    let losses = table(&repository, "artifacts/tune/losses.parquet");
    assert_eq!(whole(&losses, "epoch"), [1, 1, 2, 2]);
    let scores = table(&repository, "artifacts/evaluate/scores.parquet");
    assert_eq!(scores.rows(), 3 * 4 * 12);
    let probability = scores.floats("probability").unwrap();
    assert!(probability.iter().all(|p| (0.0..=1.0).contains(p)));
    let epochs = whole(&scores, "epoch");
    let of_epoch = |epoch: i64| -> Vec<f64> {
        let rows = probability
            .iter()
            .zip(&epochs)
            .filter(|(_, e)| **e == epoch);
        rows.map(|(p, _)| *p).collect()
    };
    assert!(of_epoch(0) != of_epoch(1) && of_epoch(1) != of_epoch(2));

    // Means of the scores.
    let accuracy = table(&repository, "artifacts/evaluate/accuracy.parquet");
    assert_eq!(accuracy.rows(), 3 * 4 * 5);
    let means = accuracy.floats("probability").unwrap();
    let mean = of_epoch(0)[..12].iter().sum::<f64>() / 12.0;
    assert_eq!(accuracy.texts("category").unwrap()[0], "average");
    assert!((means[0] - mean).abs() < 1e-12);

    // The same bits with one thread.
    let bytes = |name: &str| std::fs::read(repository.path(name)).expect("an output");
    let before = bytes("artifacts/evaluate/scores.parquet");
    std::fs::remove_dir_all(repository.path(".icl-repro")).expect("a cache");
    let mut command = repository.command(&["run", "--force", "evaluate"]);
    let said = command
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("it runs");
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    assert_eq!(bytes("artifacts/evaluate/scores.parquet"), before);
}

#[test]
fn rationales_are_shown_and_asked_for() {
    let mut stages = stages();
    for stage in ["prompts", "tune", "evaluate"] {
        stages[stage]["inputs"]["rationales"] = json!("data/rationales.csv");
    }
    let repository = repository(&stages);
    repository.expect(0, &["run", "prompts", "tune"]);
    let prompts = table(&repository, "artifacts/prompts/prompts.csv");
    let task = prompts.texts("task").unwrap();
    let shots = whole(&prompts, "n_shots");
    for (row, response) in prompts.texts("response").unwrap().iter().enumerate() {
        let is_question = task[row] == "question";
        assert_eq!(
            response.starts_with("Reasoning: "),
            is_question,
            "{response}"
        );
        let text = &prompts.texts("prompt").unwrap()[row];
        let shown = text.matches("\nReasoning: ").count() as i64;
        assert_eq!(shown, if is_question { shots[row] } else { 0 });
    }
    // Rationales of no drawn item.
    std::fs::write(
        repository.path("data/rationales.csv"),
        "item,rationale\n97,x\n",
    )
    .expect("written");
    let said = repository.expect(1, &["run", "prompts"]);
    assert!(
        said.contains("no rationale is right: all 1 rows are of items that were not drawn"),
        "{said}"
    );
    std::fs::write(
        repository.path("data/rationales.csv"),
        "row,rationale\n1,x\n",
    )
    .expect("written");
    let said = repository.expect(1, &["run", "prompts"]);
    assert!(said.contains("there is no column `item`"), "{said}");
}

#[test]
fn items_that_cannot_be_used_are_told_with_their_rows() {
    let repository = repository(&stages());
    let good = String::from_utf8(of_repository("data/mmlu/made_up_items.csv")).expect("text");
    let run = |text: &str, code: i32| {
        std::fs::write(repository.path("data/items.csv"), text).expect("written");
        repository.expect(code, &["run", "items"])
    };
    let second = good.lines().nth(2).expect("a row");
    let said = run(&format!("{good}{second}\n"), 1);
    assert!(
        said.contains("item 97 repeats item 2") && said.contains("flawed: leave-out"),
        "{said}"
    );
    let said = run(&format!("{good}astronomy,What?,a,,c,d,A,x\n"), 1);
    assert!(said.contains("item 97 has an empty choice B"), "{said}");
    let said = run(&format!("{good}astronomy,What?,a,b,c,d,F,x\n"), 1);
    assert!(
        said.contains("row 97, column `answer`: `F` is no right choice"),
        "{said}"
    );
    let said = run(&format!("{good}astronomi,What?,a,b,c,d,A,x\n"), 1);
    assert!(
        said.contains("`astronomi` is none of the 57 subjects") && said.contains("astronomy"),
        "{said}"
    );
    let humanities = { good.lines() }
        .filter(|line| !line.starts_with("prehistory") && !line.starts_with("logical"));
    let without: Vec<&str> = humanities.collect();
    let said = run(&without.join("\n"), 1);
    assert!(said.contains("category humanities has 0 items"), "{said}");
    // Left out where the stage says so.
    let mut stages = stages();
    stages["items"]["params"]["flawed"] = json!("leave-out");
    let pipeline = json!({"version": 2, "stages": stages});
    std::fs::write(repository.path("pipeline.yaml"), pipeline.to_string()).expect("written");
    let said = run(&format!("{good}{second}\n"), 0);
    assert!(said.contains("left out: item 97 repeats item 2"), "{said}");
}

#[test]
fn params_that_cannot_be_are_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&mut Json), told: &str| {
        let mut stages = stages();
        change(&mut stages);
        let said = repository(&stages).expect(2, &["run"]);
        assert!(said.contains(told), "{said}");
    };
    refused(
        &|stages| stages["evaluate"]["params"]["samples"]["top_p"] = json!(1.5),
        "samples.top_p: 1.5 is no share",
    );
    refused(
        &|stages| stages["items"]["params"]["test"]["categories"] = json!([]),
        "test: no category is named",
    );
    refused(
        &|stages| stages["prompts"]["params"]["prompting"] = json!({"seed": 0}),
        "forms.1.dummies: how long a shot is says `prompting.shot_tokens`",
    );
    refused(
        &|stages| {
            stages["prompts"]["params"]["forms"] =
                json!([{"task": "question"}, {"task": "question"}])
        },
        "forms.1: it stands twice",
    );
}

#[test]
fn prompts_beyond_the_cutoff_leave_nothing_to_train_on() {
    let mut stages = stages();
    stages["tune"]["params"]["cutoff"] = json!(100);
    let repository = repository(&stages);
    let said = repository.expect(1, &["run", "tune"]);
    assert!(
        said.contains("none of 6 training items can be used") && said.contains("raise `cutoff`"),
        "{said}"
    );
    assert!(!repository.path("artifacts/tune").exists());
}

/// The experiment of pipeline.yaml where its files are not.
#[test]
fn missing_files_are_named_with_where_to_get_them() {
    let repository = Repository::new();
    let copy = |name: &str| {
        let to = repository.path(name);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::write(to, of_repository(name)).expect("a copy");
    };
    copy("pipeline.yaml");
    copy("data/fonts/DejaVuSans.ttf");
    let said = repository.expect(2, &["run", "--group", "mmlu"]);
    for words in [
        "data/mmlu/all/test-00000-of-00001.parquet",
        "hf download cais/mmlu",
        "MIT",
        "data/models/Qwen2.5-3B-Instruct/model-00002-of-00002.safetensors",
        "hf download Qwen/Qwen2.5-3B-Instruct",
        "Qwen Research License",
        "6.2 GB",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = repository.expect(2, &["run", "--group", "mmlu", "--profile", "mmlu_smollm2"]);
    assert!(
        said.contains("make llm-weights") && !said.contains("Qwen"),
        "{said}"
    );
}
