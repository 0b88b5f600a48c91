//! What the program does not do: speak to a network, and be unsafe outside of two files.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that may hold `unsafe`: lane arithmetic, and calls of the kernel that no library has.
const UNSAFE: [&str; 2] = [
    "crates/icl/src/math/simd.rs",
    "crates/sandbox/src/linux/kernel/seccomp.rs",
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        // Where somebody has built the second program without saying where to.
        if path.is_dir() && !path.ends_with("remote/target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Whether a token of the source is `unsafe`; comments and strings have none.
fn is_unsafe(tokens: proc_macro2::TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(name) => name == "unsafe",
        proc_macro2::TokenTree::Group(group) => is_unsafe(group.stream()),
        _ => false,
    })
}

#[test]
fn two_files_are_unsafe_and_no_other_lifts_the_ban() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("build.rs")];
    for folder in ["src", "crates", "tests", "benches"] {
        rust_files(&root.join(folder), &mut files);
    }
    let mut unsafe_files = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let shown = path
            .strip_prefix(root)
            .expect("inside")
            .display()
            .to_string();
        let tokens: proc_macro2::TokenStream = text.parse().expect("tokens");
        if is_unsafe(tokens) {
            unsafe_files.push(shown.clone());
        }
        // The words are split so that this file does not hold them.
        let lifts = text.contains(concat!("allow(", "unsafe_code"))
            || text.contains(concat!("expect(", "unsafe_code"));
        assert!(
            !lifts || UNSAFE.contains(&shown.as_str()),
            "{shown} lifts the ban"
        );
    }
    unsafe_files.sort();
    assert_eq!(unsafe_files, UNSAFE);
    // One ban for the workspace, which every package takes over.
    let text = |path: PathBuf| std::fs::read_to_string(path).expect("a manifest");
    let root_manifest = text(root.join("Cargo.toml"));
    assert!(root_manifest.contains("unsafe_code = \"deny\""));
    let members = std::fs::read_dir(root.join("crates")).expect("a folder");
    let members = members.map(|entry| text(entry.expect("an entry").path().join("Cargo.toml")));
    for manifest in members.chain([root_manifest]) {
        assert!(manifest.contains("[lints]\nworkspace = true"), "{manifest}");
    }
}

/// `make deny` refuses more, where cargo-deny is there. A lock also lists what a library could have and has not:
/// cargo says what is built.
#[test]
fn no_network_client_is_built_but_in_the_second_program() {
    let clients = ["hyper", "object_store", "reqwest", "rustls"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = |manifest: &str| -> Vec<&'static str> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        let tree = ["tree", "--locked", "--workspace", "--prefix", "none"];
        cargo
            .args(tree)
            .arg("--manifest-path")
            .arg(root.join(manifest));
        let output = cargo.output().expect("cargo");
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let has = |name: &&str| {
            tree.lines()
                .any(|line| line.starts_with(&format!("{name} v")))
        };
        clients.into_iter().filter(has).collect()
    };
    assert_eq!(built("Cargo.toml"), [""; 0]);
    assert_eq!(built("crates/remote/Cargo.toml"), clients);
}

#[test]
fn a_run_makes_no_system_call_of_the_network() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: strace is not there");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=%network,execve", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_icl-repro"))
        .args(["run", "train_losses", "--profile", "smoke", "--cache-dir"])
        .arg(folder.path().join("cache"))
        .arg("--out")
        .arg(folder.path().join("out"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("strace runs");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ptrace") {
        eprintln!("skipped: this machine lets nobody trace: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    let calls = std::fs::read_to_string(&trace).expect("a trace");
    let calls: Vec<&str> = calls.lines().filter(|line| line.contains('(')).collect();
    // The start of the program itself shows that the trace works.
    assert!(
        calls.len() == 1 && calls[0].contains("execve("),
        "{calls:#?}"
    );
}
