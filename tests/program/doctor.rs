//! The verb `doctor`, from outside: inside a repository and without one, at a forced instruction set.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn doctor(folder: &Path, arguments: &[&str], level: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_icl-repro"));
    command.current_dir(folder).arg("doctor").args(arguments);
    command.env_clear();
    if let Some(level) = level {
        command.env("ICL_REPRO_SIMD", level);
    }
    command.output().expect("the program starts")
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn in_the_repository_folders_and_figures_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("no/cache yet");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments = ["--json", "--cache-dir", cache.to_str().unwrap(), "--out"];
    let arguments = [&arguments[..], &[folder.path().to_str().unwrap()]].concat();
    let found = json(&doctor(root, &arguments, None));
    assert_eq!(found["golden"]["differences"], serde_json::json!([]));
    let digests = found["golden"]["digests"].as_object().unwrap();
    assert!(digests.contains_key("figure pdf"), "{digests:?}");
    assert_eq!(found["other_source"], Value::Null);
    let folders = found["folders"].as_array().unwrap();
    let named = |role: &str| {
        folders
            .iter()
            .find(|folder| folder["role"] == role)
            .unwrap()
    };
    assert_eq!(named("cache")["exists"], false);
    assert!(
        folders
            .iter()
            .all(|folder| folder["cannot_write"] == Value::Null)
    );
    assert!(
        folders
            .iter()
            .all(|folder| folder["free_bytes"].as_u64() > Some(0))
    );
    // It looked, and left nothing behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_a_repository_the_numbers_are_checked_at_the_level_that_is_forced() {
    let folder = tempfile::tempdir().unwrap();
    let found = json(&doctor(folder.path(), &["--json"], Some("baseline")));
    let rounds = found["golden"]["rounds"].as_array().unwrap();
    assert!(rounds.iter().all(|round| round["level"] == "baseline"));
    assert_eq!(rounds.len(), 3);
    let digests = found["golden"]["digests"].as_object().unwrap();
    assert!(digests.contains_key("pretraining, merged") && !digests.contains_key("figure pdf"));
    assert_eq!(found["folders"], serde_json::json!([]));
}

#[test]
fn an_unknown_instruction_set_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = doctor(folder.path(), &[], Some("mmx"));
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("`mmx`") && text.contains("baseline, avx2"),
        "{text}"
    );
}
