//! A cache belongs to one repository: a second clone is refused, one that is gone or was moved is not
//! waited for.

use crate::mended::tree::{first_change, put, tree};
use crate::repository::Repository;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

fn copied(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp is there").success());
}

const VERBS: [&[&str]; 9] = [
    &["run"],
    &["run", "--dry-run"],
    &["run", "--set", "vars.seed=5"],
    &["status"],
    &["verify"],
    &["verify", "--rebuild"],
    &["gc", "--max-size", "0"],
    &["gc", "--dry-run"],
    &["clean"],
];

/// Every verb of the second clone is refused, and changes nothing of either.
fn refused(second: &Repository, around: &Path, cache: &[&str]) {
    for verb in VERBS {
        let before = tree(around);
        let said = second.run(&[verb, cache].concat());
        assert_eq!(said.code, Some(2), "{verb:?} {cache:?}\n{}", said.text);
        assert!(
            said.text.contains("belongs to the repository"),
            "{}",
            said.text
        );
        assert!(said.text.contains("hint: "), "{}", said.text);
        let after = tree(around);
        assert_eq!(first_change(&before, &after), None, "{verb:?} {cache:?}");
    }
}

#[test]
fn two_clones_do_not_share_a_cache() {
    let first = Repository::new();
    let around = first.root.parent().expect("a folder").to_owned();
    first.expect(0, &["run", "--cache-dir", "../cache"]);
    first.expect(0, &["run"]);
    let second = Repository::named("second", &around);
    symlink("cache", around.join("link")).expect("a link");
    let below = first.path(".icl-repro");
    let below = below.to_string_lossy();
    for cache in [
        "../../cache",
        "../../link",
        "../../cache/../link/.",
        &*below,
    ] {
        refused(&second, &around, &["--cache-dir", cache]);
    }
    // By the place where a clone keeps its own, also when nothing is recorded or nothing there.
    fs::remove_file(first.path(".icl-repro/repository")).expect("a record");
    refused(&second, &around, &["--cache-dir", &below]);
    fs::remove_dir_all(&*below).expect("a cache");
    refused(&second, &around, &["--cache-dir", &below]);
    // The default place is no better when it is a link.
    symlink("../../cache", second.path(".icl-repro")).expect("a link");
    refused(&second, &around, &[]);
    fs::remove_file(second.path(".icl-repro")).expect("a link");
    // Neither clone is the worse for it.
    second.expect(0, &["run"]);
    first.expect(0, &["status", "--exit-code", "--cache-dir", "../cache"]);
    first.expect(0, &["run", "--cache-dir", "../cache"]);
    // The same repository under another name is the same.
    symlink(&first.root, around.join("name")).expect("a link");
    let said = first.run(&["-C", "../name", "run", "--cache-dir", "../link"]);
    assert_eq!(said.code, Some(0), "{}", said.text);
}

#[test]
fn a_cache_of_a_clone_that_is_gone_or_moved_or_copied_is_taken_over() {
    let first = Repository::new();
    let around = first.root.parent().expect("a folder").to_owned();
    first.expect(0, &["run", "--cache-dir", "../cache"]);
    first.expect(0, &["run"]);
    let results = first.results();
    // Copied with its cache: both go on, each with its own.
    copied(&first.root, &around.join("copy"));
    for place in ["copy", "repository"] {
        let said = first.expect(0, &["-C", &format!("../{place}"), "run"]);
        assert!(said.contains("6 fresh"), "{place}: {said}");
        first.expect(0, &["-C", &format!("../{place}"), "gc", "--max-size", "0"]);
    }
    // Moved with its cache, and without.
    fs::rename(&first.root, around.join("moved")).expect("a move");
    let moved = |args: &[&str]| {
        let mut command = Command::new(crate::repository::PROGRAM);
        command
            .args(args)
            .current_dir(around.join("moved"))
            .env_clear();
        crate::repository::said(&mut command)
    };
    for args in [&["run"][..], &["run", "--cache-dir", "../cache"]] {
        let said = moved(args);
        assert_eq!(said.code, Some(0), "{args:?}\n{}", said.text);
        assert!(said.text.contains("6 fresh"), "{args:?}\n{}", said.text);
    }
    // Another clone in the place of one that is gone.
    fs::remove_dir_all(around.join("moved")).expect("a clone");
    let second = Repository::named("second", &around);
    let said = second.expect(0, &["run", "--cache-dir", "../../cache"]);
    assert!(
        !said.contains(" ran ("),
        "the results are still there: {said}"
    );
    assert!(second.results() == results);
    // A record that says nothing is as good as none.
    put(&around.join("cache/repository"), "nonsense");
    second.expect(0, &["run", "--cache-dir", "../../cache"]);
    let third = Repository::named("third", &around);
    refused(&third, &around, &["--cache-dir", "../../cache"]);
}
