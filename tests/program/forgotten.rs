//! Every file of a test is part of one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files below a folder that no `mod` names, each as the module's file it would be.
fn forgotten(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut named = BTreeSet::new();
    collect(folder, &mut files);
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a source");
        let stem = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let parent = file.parent().expect("a folder");
        let below = match stem.as_str() {
            "main" | "mod" => parent.to_owned(),
            stem => parent.join(stem),
        };
        for line in text.lines().map(str::trim) {
            let name = line
                .strip_prefix("pub ")
                .unwrap_or(line)
                .strip_prefix("mod ");
            if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
                named.insert(below.join(format!("{name}.rs")));
                named.insert(below.join(name).join("mod.rs"));
            }
        }
    }
    files.retain(|file| !file.ends_with("main.rs") && !named.contains(file));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_test_is_forgotten() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests")];
    for entry in std::fs::read_dir(root.join("crates")).expect("a folder") {
        folders.push(entry.expect("an entry").path().join("tests"));
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let mut left = forgotten(folder);
        // A file right in `tests/` is a binary by itself.
        left.retain(|file| file.parent() != Some(folder));
        assert_eq!(left, Vec::<PathBuf>::new());
    }
    // The rule can fail.
    let place = tempfile::tempdir().expect("a folder");
    std::fs::write(place.path().join("main.rs"), "mod a;").expect("a file");
    for name in ["a.rs", "b.rs"] {
        std::fs::write(place.path().join(name), "").expect("a file");
    }
    assert_eq!(forgotten(place.path()), [place.path().join("b.rs")]);
}
