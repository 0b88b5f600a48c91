//! Targets as people type them: from a subfolder, as an absolute path, through a link.

use retrace::spec::settings::Settings;
use retrace::store::workspace::Workspace;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const PIPELINE: &str = "version: 2
stages:
  a: {kind: tasks, params: {d: 2, noise_var: 0.1, pairs: 5, seed: 0}, outputs: {task: artifacts/a/task.json, data_set: artifacts/a/data.parquet}}
  b: {kind: tasks, params: {d: 2, noise_var: 0.1, pairs: 5, seed: 1}, outputs: {task: artifacts/b/task.json, data_set: artifacts/b/data.parquet}}
";

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pipeline.yaml"), PIPELINE).expect("a file");
    for name in ["artifacts/a", "artifacts/b", "elsewhere/deep"] {
        std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn an_output_is_a_target_from_everywhere() {
    let repository = repository();
    let root = repository.path();
    let outside = tempfile::tempdir().expect("a folder");
    symlink(root, outside.path().join("link")).expect("a link");
    let absolute = root.join("artifacts/b/task.json").display().to_string();
    let linked = outside
        .path()
        .join("link/artifacts/b/task.json")
        .display()
        .to_string();
    for (folder, target) in [
        (root.to_owned(), "artifacts/b/task.json"),
        (root.to_owned(), "./artifacts/b/task.json"),
        (root.to_owned(), "artifacts/a/../b/task.json"),
        (root.to_owned(), absolute.as_str()),
        (root.join("artifacts/b"), "task.json"),
        (root.join("artifacts/b"), "./task.json"),
        (root.join("artifacts"), "b/task.json"),
        (root.join("elsewhere/deep"), "../../artifacts/b/task.json"),
        (root.join("elsewhere/deep"), "artifacts/b/task.json"),
        (root.join("elsewhere"), absolute.as_str()),
        (root.to_owned(), linked.as_str()),
        (outside.path().join("link/artifacts"), "b/task.json"),
        (root.join("elsewhere"), "b"),
    ] {
        let (code, text) = run(&folder, &["status", target]);
        assert_eq!(code, Some(0), "{} {target}\n{text}", folder.display());
        assert!(
            text.contains("1 stage:"),
            "{} {target}\n{text}",
            folder.display()
        );
        assert!(
            text.contains("stale     b "),
            "{} {target}\n{text}",
            folder.display()
        );
    }
    for (target, hint) in [
        (
            "artifacts/b/tsak.json",
            "did you mean `artifacts/b/task.json`?",
        ),
        ("/etc/passwd", "no target"),
        ("../artifacts/b/task.json", "no target"),
    ] {
        let (code, text) = run(root, &["status", target]);
        assert_eq!(code, Some(2), "{target}\n{text}");
        assert!(text.contains(hint), "{target}\n{text}");
    }
}

#[test]
fn the_same_words_in_another_folder_are_another_question() {
    let repository = repository();
    let root = repository.path();
    for _ in 0..3 {
        for stage in ["a", "b"] {
            let folder = root.join("artifacts").join(stage);
            let (code, text) = run(&folder, &["run", "data.parquet"]);
            assert_eq!(code, Some(0), "{text}");
            let other = root.join("artifacts").join(stage).join("data.parquet");
            assert!(other.is_file(), "{text}");
        }
    }
    std::fs::remove_file(root.join("artifacts/b/task.json")).expect("it was made");
    let (code, text) = run(&root.join("artifacts/a"), &["run", "task.json"]);
    assert_eq!(
        (code, root.join("artifacts/b/task.json").exists()),
        (Some(0), false),
        "{text}"
    );
    let (code, text) = run(&root.join("artifacts/b"), &["run", "task.json"]);
    assert_eq!(
        (code, root.join("artifacts/b/task.json").exists()),
        (Some(0), true),
        "{text}"
    );
}

#[test]
fn outputs_of_a_variant_are_targets_where_they_lie() {
    let repository = repository();
    let root = repository.path();
    let set = ["--set", "b.pairs=6"];
    let (code, text) = run(root, &[&["run", "b"][..], &set].concat());
    assert_eq!(code, Some(0), "{text}");
    let profiles = root.join(".icl-repro/profiles");
    let variant = std::fs::read_dir(&profiles)
        .expect("variants")
        .next()
        .expect("one");
    let target = variant
        .expect("readable")
        .path()
        .join("artifacts/b/task.json");
    let target = target.display().to_string();
    let (code, text) = run(root, &[&["status", target.as_str()][..], &set].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 stage: 1 fresh"), "{text}");
}

#[test]
fn other_changes_have_another_folder() {
    let repository = repository();
    let root = repository.path();
    for set in [
        &["a.seed=1", "b.seed=2"][..],
        &["b.seed=2", "a.seed=1"],
        &["b.seed=2"],
    ] {
        let sets = set.iter().flat_map(|set| ["--set", set]);
        let args: Vec<&str> = ["run", "b"].into_iter().chain(sets).collect();
        let (code, text) = run(root, &args);
        assert_eq!(code, Some(0), "{text}");
    }
    let variants = std::fs::read_dir(root.join(".icl-repro/profiles")).expect("variants");
    assert_eq!(variants.count(), 3);
    let name = |sets: &[&str]| {
        let settings = Settings {
            profile: None,
            sets: sets.iter().map(|set| set.to_string()).collect(),
        };
        let folders = Workspace::new(root.to_owned(), root.join(".icl-repro"), None, &settings);
        folders.expect("folders").out
    };
    assert_ne!(name(&["a.x=1", "b.x=2"]), name(&["a.x=1\nb.x=2"]));
    assert_ne!(name(&["a.x=1\\nb"]), name(&["a.x=1\nb"]));
    assert_eq!(name(&["a.x=1"]), name(&["a.x=1"]));
}

#[test]
fn an_unused_variable_is_warned_of_and_text_that_is_not_utf8_is_placed() {
    let repository = repository();
    let root = repository.path();
    let spec = root.join("pipeline.yaml");
    std::fs::write(&spec, format!("{PIPELINE}vars:\n  nosie_var: 0.1\n")).expect("a file");
    let (code, text) = run(root, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("pipeline.yaml:6:3: nothing uses the variable `nosie_var`"),
        "{text}"
    );
    let bytes = [b"version: 2\nstages: {} # \xff\n".as_slice()].concat();
    std::fs::write(&spec, bytes).expect("a file");
    let (code, text) = run(root, &["status"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("pipeline.yaml:2:14: the file is not UTF-8"),
        "{text}"
    );
}
