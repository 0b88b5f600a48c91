//! Numbers of docs/artifact-evaluation.md that follow from what is committed.

use super::copy::{Copy, root};

fn document() -> String {
    std::fs::read_to_string(root().join("docs/artifact-evaluation.md")).expect("a document")
}

#[test]
fn what_verify_says_in_a_fresh_clone_is_what_the_route_says() {
    let copy = Copy::fresh();
    // A clone has no weights, whoever runs this may.
    copy.sh("rm -f data/models/*.gguf");
    let said = copy.sh("icl-repro verify");
    let line = said
        .lines()
        .find(|line| line.contains("files equal the lock"));
    let line = line.expect("verify counts files");
    assert!(
        document().contains(line),
        "docs/artifact-evaluation.md: {line}"
    );
}

/// Bytes of all files below a folder.
fn bytes(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let sizes = entries.map(|entry| {
        let entry = entry.expect("an entry");
        match entry.file_type().expect("a type").is_dir() {
            true => bytes(&entry.path()),
            false => entry.metadata().expect("its size").len(),
        }
    });
    sizes.sum()
}

#[test]
fn the_figures_weigh_what_the_table_says() {
    let text = document();
    let row = text.lines().find(|line| line.contains("`du -sb figures`"));
    let said = row.and_then(|row| row.split('|').nth(3)?.trim().strip_suffix(" MB"));
    let said: f64 = said
        .and_then(|said| said.parse().ok())
        .expect("a size in MB");
    let weight = bytes(&root().join("figures")) as f64 / 1e6;
    assert!(
        (said / weight - 1.0).abs() < 0.02,
        "{said} MB are {weight:.1} MB"
    );
}
