//! `export ro-crate` as a user runs it: what the crate says is so, and what is not so is refused.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const METADATA: &str = "ro-crate-metadata.json";

/// A run of the smoke profile, and folders for crates.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Made {
        let folder = tempfile::tempdir().expect("a folder");
        let made = Made { folder };
        let run = made.run(&["run"]);
        assert!(run.status.success(), "{run:?}");
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a verb on group `main` of the smoke profile.
    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_icl-repro"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(args)
            .args(["--profile", "smoke", "--group", "main", "--cache-dir"])
            .arg(self.path("cache"))
            .arg("--out")
            .arg(self.path("out"))
            .output()
            .expect("it starts")
    }

    fn export(&self, to: &str, more: &[&str]) -> Output {
        let to = self.path(to);
        let to = to.to_str().expect("UTF-8");
        let args = ["export", "ro-crate", "--to", to, "--date", "2026-02-26"];
        self.run(&[&args[..], more].concat())
    }
}

fn entities(folder: &Path) -> BTreeMap<String, Json> {
    let text = std::fs::read(folder.join(METADATA)).expect("metadata");
    let document: Json = serde_json::from_slice(&text).expect("JSON");
    let graph = document["@graph"].as_array().expect("a graph").clone();
    let count = graph.len();
    let named = graph.into_iter();
    let named = named.map(|entity| (entity["@id"].as_str().expect("an id").to_owned(), entity));
    let named: BTreeMap<String, Json> = named.collect();
    assert_eq!(named.len(), count, "an id stands for one entity");
    named
}

/// Everything that a value refers to.
fn references(value: &Json) -> Vec<String> {
    match value {
        Json::Object(map) if map.len() == 1 && map.contains_key("@id") => {
            vec![map["@id"].as_str().expect("an id").to_owned()]
        }
        Json::Object(map) => map.values().flat_map(references).collect(),
        Json::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn files(folder: &Path, below: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder.join(below)).expect("a folder") {
        let path = below.join(entry.expect("an entry").file_name());
        if folder.join(&path).is_dir() {
            found.extend(files(folder, &path));
        } else {
            found.insert(path.display().to_string());
        }
    }
    found
}

/// Checks that a crate is whole; gives the files that it has.
fn check(folder: &Path) -> BTreeSet<String> {
    let entities = entities(folder);
    for (id, entity) in &entities {
        for to in references(entity) {
            let is_elsewhere = to == "https://w3id.org/ro/crate/1.1";
            assert!(
                is_elsewhere || entities.contains_key(&to),
                "{id} refers to {to}"
            );
        }
    }
    let is_file = |entity: &Json| {
        entity["@type"] == "File" || entity["@type"].as_array().is_some_and(|t| t[0] == "File")
    };
    let described: BTreeSet<String> = entities
        .iter()
        .filter(|(_, entity)| is_file(entity))
        .map(|(id, _)| id.clone())
        .collect();
    let mut there = files(folder, Path::new(""));
    assert!(there.remove(METADATA));
    assert_eq!(described, there);
    assert_eq!(
        references(&entities["./"]["hasPart"])
            .into_iter()
            .collect::<BTreeSet<_>>(),
        there
    );
    for path in &there {
        let bytes = std::fs::read(folder.join(path)).expect("a file");
        let sha256 = Sha256::digest(&bytes);
        let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let entity = &entities[path];
        assert_eq!(entity["sha256"], sha256, "{path}");
        assert_eq!(entity["contentSize"], bytes.len().to_string(), "{path}");
        let blake3 = retrace::base::digest::Digest::of(&bytes);
        assert_eq!(entity["identifier"], format!("blake3:{blake3}"), "{path}");
    }
    // Every result has one stage that made it, and every stage a step, a tool and a result.
    let mut makers: BTreeMap<String, usize> = BTreeMap::new();
    let mut n_runs = 0;
    for (_, action) in entities.iter().filter(|(id, _)| id.starts_with("#run/")) {
        n_runs += 1;
        let results = references(&action["result"]);
        assert!(!results.is_empty(), "{action}");
        results
            .into_iter()
            .for_each(|result| *makers.entry(result).or_default() += 1);
        let tool = &references(&action["instrument"])[0];
        assert!(references(&entities["pipeline.yaml"]["hasPart"]).contains(tool));
    }
    let outputs = there
        .iter()
        .filter(|path| path.starts_with("figures/") || path.starts_with("artifacts/"));
    for output in outputs {
        assert_eq!(makers.get(output), Some(&1), "{output}");
    }
    assert_eq!(references(&entities["pipeline.yaml"]["step"]).len(), n_runs);
    assert_eq!(references(&entities["#organize"]["object"]).len(), n_runs);
    there
}

#[test]
fn a_crate_says_what_is_so_and_the_same_each_time() {
    let made = Made::new();
    let exported = made.export("published", &[]);
    assert!(exported.status.success(), "{exported:?}");
    let published = check(&made.path("published"));
    assert!(published.contains("figures/train_losses.svg"));
    assert!(!published.iter().any(|path| path.starts_with("artifacts/")));

    assert!(made.export("all", &["--all"]).status.success());
    let all = check(&made.path("all"));
    assert!(all.contains("artifacts/pretrain_0/model.json"));

    assert!(
        made.export("described", &["--metadata-only"])
            .status
            .success()
    );
    let only = files(&made.path("described"), Path::new(""));
    assert_eq!(only, BTreeSet::from([METADATA.to_owned()]));
    let text = |to: &str| std::fs::read(made.path(to).join(METADATA)).expect("metadata");
    assert_eq!(text("described"), text("published"));

    // What is others' has their licence, with its text.
    let entities = entities(&made.path("published"));
    let font = &entities["data/fonts/DejaVuSans.ttf"];
    assert_eq!(
        references(&font["license"]),
        ["data/fonts/LICENSE-DejaVu.txt"]
    );
    assert!(published.contains("data/fonts/LICENSE-DejaVu.txt"));
    for path in published.iter().filter(|path| path.starts_with("data/")) {
        let is_text = path.contains("/LICENSE-") || path.contains("/NOTICE-");
        let licences = references(&entities[path]["license"]);
        assert_eq!(licences.is_empty(), is_text, "{path}");
    }

    // The parameter that made a model is the one that was given.
    let run = &entities["#run/pretrain@0"];
    let names: Vec<&str> = references(&run["object"])
        .iter()
        .filter_map(|id| entities[id]["name"].as_str())
        .collect();
    assert!(names.contains(&"training.batch"), "{names:?}");
}

#[test]
fn what_is_not_so_is_refused() {
    let made = Made::new();
    let refused = |more: &[&str], code: i32, parts: &[&str]| {
        let output = made.export("refused", more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!made.path("refused").join(METADATA).exists());
    };
    let figure = made.path("out/figures/train_losses.svg");
    let bytes = std::fs::read(&figure).expect("a figure");
    std::fs::write(&figure, "edited").expect("it is written");
    refused(
        &[],
        3,
        &["figures/train_losses.svg", "icl-repro run train_losses"],
    );
    std::fs::remove_file(&figure).expect("it is removed");
    refused(
        &[],
        1,
        &["figures/train_losses.svg", "icl-repro run train_losses"],
    );
    std::fs::write(&figure, bytes).expect("it is written");

    // Parameters other than those that the lock records.
    refused(
        &["--set", "pretrain.training.steps=3"],
        3,
        &["pretrain", "icl-repro run"],
    );

    std::fs::create_dir(made.path("refused")).expect("a folder");
    std::fs::write(made.path("refused/mine"), "").expect("it is written");
    refused(&[], 2, &["--to", "not empty"]);
    std::fs::remove_dir_all(made.path("refused")).expect("it is removed");

    let to = made.path("refused");
    let to = to.to_str().expect("UTF-8");
    let no_day = made.run(&["export", "ro-crate", "--to", to, "--date", "2026-13-01"]);
    assert_eq!(no_day.status.code(), Some(2));
}
