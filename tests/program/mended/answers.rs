//! An answer that was not written is no success, whichever verb gives it.

use crate::mended::git::git;
use crate::repository::{PROGRAM, Repository, Said, said};
use icl_repro::app::app;
use std::path::Path;
use std::process::{Command, Stdio};

/// What each verb is asked; `report` and `claims` have their own pipelines elsewhere.
const ANSWERS: &[&[&str]] = &[
    &["schema"],
    &["schema", "status"],
    &["status"],
    &["status", "--json"],
    &["graph"],
    &["graph", "--format", "dot"],
    &["graph", "--json"],
    &["verify"],
    &["verify", "--json"],
    &["verify", "--rebuild", "tasks"],
    &["verify", "--rebuild", "--json", "tasks"],
    &["explain", "tasks"],
    &["explain", "tasks", "--json"],
    &["completions", "zsh"],
    &["man"],
    &["man", "run"],
    &["runs"],
    &["runs", "1", "--json"],
    &["run", "--dry-run"],
    &["run", "--json"],
    &["run", "--dry-run", "--json"],
    &["gc", "--dry-run"],
    &["clean", "--dry-run"],
    &["diff"],
    &["repeat", "tasks"],
    &["diff", "--json"],
    &["compare", "HEAD", "this"],
    &["compare", "HEAD", "this", "--json"],
    &["variations"],
    &["variations", "--json"],
    &["doctor", "--json"],
    &["provenance", "figures/curve.svg"],
    &[
        "risk",
        "--params",
        "artifacts/pretrain/4/model.json",
        "--task",
        "artifacts/tasks/theta0.json",
        "--shots",
        "0..3",
    ],
    &["front", "--zero-shot", "0.5"],
    &["front", "--zero-shot", "0.5", "--json"],
    &["--help"],
    &["help"],
    &["help", "run"],
    &["verify", "--help"],
    &["--version"],
    &["run", "--version"],
];

/// Verbs whose answer is a file or a folder that they make, or that are asked elsewhere.
const ELSEWHERE: [&str; 8] = [
    "claims", "report", "export", "push", "pull", "store", "plan", "work",
];

fn made() -> Repository {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    for args in [
        &["init", "--quiet"][..],
        &[
            "add",
            "--all",
            "--",
            "figures",
            "pipeline.lock",
            "pipeline.keys",
            "pipeline.yaml",
        ],
        &["commit", "--quiet", "--message", "results"],
    ] {
        git(&repository.root, args);
    }
    repository
}

fn ask(repository: &Repository, args: &[&str], redirection: &str) -> Said {
    let script = format!("\"$0\" \"$@\" {redirection}");
    let mut command = Command::new("bash");
    command
        .args(["-c", &script, PROGRAM])
        .args(args)
        .current_dir(&repository.root)
        .env("HOME", &repository.root);
    said(&mut command)
}

#[test]
fn every_answer_to_a_full_disk_ends_with_exit_code_1_and_the_reason() {
    let repository = made();
    let command = app().command();
    for verb in command.get_subcommands().map(|verb| verb.get_name()) {
        let is_asked = ANSWERS.iter().any(|args| args[0] == verb);
        assert!(is_asked || ELSEWHERE.contains(&verb), "{verb} is forgotten");
    }
    for args in ANSWERS {
        let full = ask(&repository, args, ">/dev/full");
        assert_eq!(full.code, Some(1), "{args:?}\n{}", full.text);
        let reason = "error: cannot write the answer to stdout: No space left";
        assert!(
            full.text.contains(reason) && full.text.contains("hint: "),
            "{args:?}\n{}",
            full.text
        );
    }
}

#[test]
fn a_reader_that_went_away_and_a_closed_stdout_are_no_errors() {
    let repository = made();
    for args in ANSWERS {
        let asked = ask(&repository, args, "");
        assert_eq!(asked.code, Some(0), "{args:?}\n{}", asked.text);
        let closed = ask(&repository, args, ">&-");
        assert_eq!(closed.code, Some(0), "{args:?}\n{}", closed.text);
        // The reader is gone before the first word.
        let mut command = repository.command(args);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        command.stdout(Stdio::from(writer)).stderr(Stdio::piped());
        let output = command.output().expect("it starts");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{err}");
        assert!(!err.contains("error"), "{args:?}\n{err}");
    }
}

#[test]
fn words_beside_what_was_made_change_nothing() {
    let repository = made();
    for args in [
        &["run", "--force", "tasks"][..],
        &["gc"],
        &["man", "--out", "pages"],
        &[
            "export",
            "ro-crate",
            "--to",
            "crate",
            "--date",
            "2026-02-26",
        ],
        &["clean"],
    ] {
        if args[0] == "export" {
            for name in ["CITATION.cff", "LICENSE", "README.md"] {
                let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
                std::fs::copy(from, repository.path(name)).expect("a copy");
            }
        }
        let full = ask(&repository, args, ">/dev/full");
        assert_eq!(full.code, Some(0), "{args:?}\n{}", full.text);
    }
}
