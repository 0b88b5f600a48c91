//! The program as one uses it: in a temporary repository, without what the environment may say.

use std::path::Path;
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_half-life"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the program starts");
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
