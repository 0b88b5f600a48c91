//! The program as one uses it: in a temporary repository, without what the environment may say.

use retrace::{Engine, State};
use std::path::Path;
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    start(folder, env!("CARGO_BIN_EXE_half-life"), arguments)
}

/// Programs are found; nobody's settings are.
fn start(folder: &Path, program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    let output = command.output().expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("pipeline.yaml");
    std::fs::write(file, half_life::PIPELINE).expect("a file");
    folder
}

#[test]
fn what_changed_runs_and_nothing_else() {
    let folder = repository();
    let folder = folder.path();
    let (code, said) = run(folder, &["run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 stages: 0 fresh, 3 ran"), "{said}");
    assert!(folder.join(".half-life").is_dir() && folder.join("pipeline.lock").is_file());
    let (code, said) = run(folder, &["verify", "--rebuild"]);
    assert_eq!(code, Some(0), "{said}");

    let text = half_life::PIPELINE.replace("minutes: 15", "minutes: 30");
    std::fs::write(folder.join("pipeline.yaml"), text).expect("a file");
    let (code, said) = run(folder, &["status", "--exit-code"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("15 -> 30"), "{said}");
    let (_, said) = run(folder, &["run"]);
    assert!(said.contains("3 stages: 1 fresh, 2 ran"), "{said}");

    // A file that somebody edits is restored, and the difference is named.
    std::fs::write(folder.join("figures/half_life.csv"), "mine").expect("a file");
    let (code, said) = run(folder, &["verify"]);
    assert_eq!(code, Some(3), "{said}");
    let (_, said) = run(folder, &["run"]);
    assert!(said.contains("1 restored"), "{said}");
}

#[test]
fn mistakes_are_placed_and_named() {
    let folder = repository();
    let folder = folder.path();
    let edited = |from: &str, to: &str| {
        let text = half_life::PIPELINE.replace(from, to);
        std::fs::write(folder.join("pipeline.yaml"), text).expect("a file");
    };
    edited("minutes: 15", "minuts: 15");
    let (code, said) = run(folder, &["status"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("pipeline.yaml:9:"), "{said}");
    assert!(said.contains("did you mean `minutes`?"), "{said}");
    edited("half_life: 30.0,", "half_life: -1.0,");
    let (_, said) = run(folder, &["status"]);
    assert!(said.contains("half_life: -1 is no time"), "{said}");
    edited("", "");
    let (_, said) = run(folder, &["run", "estimat"]);
    assert!(said.contains("did you mean `estimate`?"), "{said}");
    // So fast a decay leaves nothing after the first minute.
    let (code, said) = run(folder, &["run", "--set", "vars.half_life=0.05"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("all decays are of the first minute"),
        "{said}"
    );
    assert!(said.contains("hint: count for longer"), "{said}");
}

#[test]
fn the_program_has_every_verb_under_its_own_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, said) = run(folder.path(), &["--help"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Usage: half-life") && said.contains(".half-life"),
        "{said}"
    );
    for verb in [
        "run",
        "status",
        "explain",
        "verify",
        "diff",
        "provenance",
        "man",
    ] {
        assert!(said.contains(&format!("\n  {verb} ")), "{verb}: {said}");
    }
    let (code, said) = run(folder.path(), &["run"]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn a_table_that_changed_is_compared_line_by_line() {
    let folder = repository();
    let folder = folder.path();
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let (code, said) = start(folder, "git", &[&who, arguments].concat());
        assert_eq!(code, Some(0), "{said}");
    };
    run(folder, &["run"]);
    git(&["init", "-q"]);
    git(&["add", "pipeline.yaml", "pipeline.lock", "figures"]);
    git(&["commit", "-qm", "first"]);
    let text = half_life::PIPELINE.replace("minutes: 15", "minutes: 30");
    std::fs::write(folder.join("pipeline.yaml"), text).expect("a file");
    run(folder, &["run"]);
    let (code, said) = run(folder, &["diff"]);
    assert_eq!(code, Some(0), "{said}");
    let line = said.lines().find(|line| line.contains(" half_life.csv "));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    // Stage, table, line, column, old, new: the samples are sorted, so the short one is in the last line.
    assert_eq!(
        words[..4],
        ["estimate", "half_life.csv", "3", "line"],
        "{said}"
    );
    assert!(
        words[4].starts_with("short,") && words[5].starts_with("short,"),
        "{said}"
    );
}

#[test]
fn a_program_can_ask_what_would_run() {
    let folder = repository();
    let open = || Engine::open(folder.path(), half_life::kinds()).expect("a pipeline");
    let engine = open();
    let states = engine.states(&["count_long"]).expect("states");
    assert_eq!(states.len(), 1);
    assert!(
        matches!(states["count_long"], State::Stale(_)),
        "{states:?}"
    );
    assert_eq!(engine.run(&["count_long"]).expect("a run").ran, 1);
    let engine = open();
    let states = engine.states(&[]).expect("states");
    assert_eq!(states["count_long"], State::Fresh);
    assert!(matches!(states["estimate"], State::Waits(_)), "{states:?}");
    for (stage, output, near) in [
        ("estimat", "table", "estimate"),
        ("estimate", "tabel", "table"),
    ] {
        let error = engine.output(stage, output).expect_err("no such name");
        let hint = error.hint.unwrap_or_default();
        assert_eq!(hint, format!("did you mean `{near}`?"));
    }
    let error = engine.run(&["count_lon"]).expect_err("no such target");
    assert!(error.hint.unwrap_or_default().contains("count_long"));
}

/// The README says how many lines of code one's own pipeline takes.
#[test]
fn the_lines_of_code_are_counted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lines = |file: &str| {
        let text = std::fs::read_to_string(folder.join(file)).expect(file);
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let code = code.lines().map(str::trim);
        code.filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count()
    };
    let program = ["build.rs", "src/main.rs", "src/lib.rs"].map(lines);
    let kinds = std::fs::read_dir(folder.join("src/kinds")).expect("a folder");
    let kinds = kinds.map(|entry| {
        let name = entry.expect("an entry").file_name();
        lines(&format!("src/kinds/{}", name.to_string_lossy()))
    });
    let program: usize = program.iter().sum();
    let all = program + kinds.sum::<usize>();
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("the README");
    let said = format!("{program} lines make a program of it, {all} are all of its Rust");
    assert!(readme.contains(&said), "{said}");
}
