//! Every command of docs/own-paper.md runs, in the order in which it stands there.

use crate::folder::Folder;
use std::path::Path;

/// What is not run, by how it starts: it needs the network.
const NOT_RUN: [&str; 2] = ["cargo install ", "jupyter "];

#[test]
fn every_block_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/own-paper.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let mut script = String::new();
    let mut blocks = 0;
    let mut language = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), language) {
            (Some(name), None) => {
                language = Some(name);
                blocks += usize::from(name == "sh");
            }
            (Some(_), Some(_)) => language = None,
            (None, Some("sh")) if !NOT_RUN.iter().any(|start| line.starts_with(start)) => {
                script += line;
                script += "\n";
            }
            _ => {}
        }
    }
    assert!(blocks > 5, "{blocks}");
    let folder = Folder::with(&[]);
    let mut bash = folder.command("bash");
    bash.args([
        "-euo",
        "pipefail",
        "-c",
        &format!("exec 2>&1\nset -x\n{script}"),
    ]);
    bash.env("GIT_CONFIG_NOSYSTEM", "1");
    for name in [
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_EMAIL",
    ] {
        bash.env(name, "a@example.org");
    }
    let output = bash.output().expect("bash");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("holds"), "{said}");
}
