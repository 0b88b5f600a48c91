//! A machine without a C compiler is told so at once, not after minutes of building.

use crate::repository::said;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = folders.iter().map(|folder| folder.join(program));
    places.find(|place| place.is_file()).expect(program)
}

/// What `make` says with nothing but these programs, and a cargo that does nothing.
fn make(programs: &[&str], arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for program in programs {
        let target = if *program == "cargo" { "true" } else { "false" };
        symlink(found(target), folder.path().join(program)).expect("a link");
    }
    let mut command = Command::new(found("make"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    command.current_dir(root).env_clear();
    command.env("PATH", folder.path()).args(arguments);
    let said = said(&mut command);
    (said.code, said.text)
}

#[test]
fn a_missing_compiler_is_named_before_anything_is_built() {
    let targets = ["all", "build", "test", "verify", "smoke", "bench"];
    for target in targets {
        let (code, text) = make(&["cargo"], &[target]);
        assert_eq!(code, Some(2), "{target}: {text}");
        assert!(text.contains("a C compiler (cc) is missing"), "{text}");
        assert!(text.contains("apt install gcc"), "{text}");
    }
    // With one, under its own name or another, cargo is what is asked.
    for (programs, arguments) in [
        (&["cargo", "cc"][..], &["build"][..]),
        (&["cargo", "clang"], &["build", "CC=clang"]),
    ] {
        let (code, text) = make(programs, arguments);
        assert_eq!(code, Some(0), "{text}");
    }
}
