//! Hand-written attacks on pipeline.yaml, and links and special files in place of data and outputs:
//! each ends in a pipeline or in a message, soon, within little memory. `--nocapture` shows which took
//! longest; `tests/hostile/fuzz.rs` tries mutants of them.

use crate::hostile::{MEMORY_KB, peak_memory_kb, within_reason};
use crate::toy::{Ask, Repo};
use crate::yaml::{attacks, open};
use icl_repro::registry;
use retrace::base::error::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn attacks_end_soon() {
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    for (name, bytes) in attacks() {
        let start = Instant::now();
        let result = within_reason(&name, move || open(&bytes, &[], &registry::kinds()));
        slowest.push((
            start.elapsed(),
            format!("{name}: {:.100}", format!("{result:?}")),
        ));
        let peak = peak_memory_kb();
        assert!(peak < MEMORY_KB, "{name}: {peak} kB");
    }
    slowest.sort();
    let count = slowest.len();
    eprintln!("{count} attacks, peak memory {} kB", peak_memory_kb());
    slowest
        .iter()
        .rev()
        .take(8)
        .for_each(|(time, what)| eprintln!("{time:>10.1?}  {what}"));
}

#[test]
fn known_attacks_get_their_message() {
    let told = |wanted: &str| {
        let (_, bytes) = attacks()
            .into_iter()
            .find(|(name, _)| name == wanted)
            .expect(wanted);
        open(&bytes, &[], &registry::kinds())
    };
    assert_eq!(told("a small pipeline"), Ok(1));
    assert_eq!(told("a matrix of 2 axes with 100 items"), Ok(10_000));
    assert_eq!(told("a fan of as many names"), Ok(40_000));
    for (name, message) in [
        ("variables in a ring", "refers to itself"),
        ("variables that blow up as lists", "too much"),
        ("variables that blow up as texts", "too much"),
        ("a matrix of 60 axes with 2 items", "combinations"),
        ("a billion laughs", ""),
        ("a fan of patterns of any stage", "too many stages"),
        (
            "a matrix of 1 axes with 150000 items",
            "more than 100000 stages",
        ),
        ("the output \"../x\"", "without `.` or `..`"),
        ("the output \"/etc/passwd\"", "absolute"),
        ("the input \"../x\"", "without `.` or `..`"),
        ("larger than allowed", "bytes"),
        (
            "facets by curves",
            "panels: there are 50000, facets counted",
        ),
        ("many looks that are one", "it looks like `0`"),
        ("many values in another notation", "`looks` has no `0.0`"),
        ("a colour that is a list", "a colour such as"),
        ("a colour map of three", "expected 2 values, not 3"),
        ("facets of facets", "unknown key `facets`"),
        ("guides nowhere", "it has no place"),
        ("bars of minus one", "a finite number above 0"),
        ("stars in a table", "one `*` at most"),
    ] {
        let found = told(name).expect_err(name);
        assert!(found.contains(message), "{name}: {found}");
    }
}

const READER: &str = "version: 2\nstages:\n  s: {kind: join, params: {text: s}, inputs: {file: data/x}, outputs: {out: figures/deep/s.txt}}\n";

#[test]
fn links_and_special_files_as_data_are_refused() {
    type Put = fn(&Path, &Path);
    let cases: [(&str, Put, &str); 7] = [
        (
            "a link to a file outside",
            |x, outside| symlink(outside.join("secret"), x).expect("a link"),
            "leads out",
        ),
        (
            "a link to a device",
            |x, _| symlink("/dev/zero", x).expect("a link"),
            "leads out",
        ),
        (
            "a link to nothing",
            |x, _| symlink("nowhere", x).expect("a link"),
            "not there",
        ),
        (
            "a link to itself",
            |x, _| symlink("x", x).expect("a link"),
            "not there",
        ),
        (
            "a climbing link",
            |x, _| symlink("../../../../../../etc/passwd", x).expect("a link"),
            "leads out",
        ),
        (
            "a folder",
            |x, _| std::fs::create_dir(x).expect("a folder"),
            "data/x",
        ),
        ("a pipe", |x, _| make_pipe(x), "data/x"),
    ];
    for (name, put, message) in cases {
        let told = within_reason(name, move || {
            let (repo, outside) = (Repo::new(READER), outside());
            std::fs::create_dir(repo.path("data")).expect("a folder");
            put(&repo.path("data/x"), outside.path());
            let error = repo.run(&Ask::default()).expect_err("nothing runs");
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(repo.take_runs().is_empty() && !repo.path("figures").exists());
            error.to_string()
        });
        assert!(told.contains(message), "{name}: {told}");
    }
    // The folder itself may be the link.
    let (repo, outside) = (Repo::new(READER), outside());
    std::fs::write(outside.path().join("x"), "secret").expect("a file");
    symlink(outside.path(), repo.path("data")).expect("a link");
    let error = repo.run(&Ask::default()).expect_err("nothing runs");
    assert!(error.to_string().contains("leads out"), "{error}");
    // A link that stays inside is the user's own affair.
    let repo = Repo::new(READER);
    repo.write("data/y", "inside");
    symlink("y", repo.path("data/x")).expect("a link");
    assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 1);
    assert_eq!(repo.read("figures/deep/s.txt"), "s(inside)");
}

#[test]
fn nothing_is_written_through_links_or_into_special_files() {
    type Put = fn(&Repo, &Path);
    let file = |repo: &Repo| repo.path("figures/deep/s.txt");
    let cases: [(&str, Put, bool); 5] = [
        (
            "figures is a link",
            |repo, outside| symlink(outside, repo.path("figures")).expect("a link"),
            false,
        ),
        (
            "a folder below figures is a link",
            |repo, outside| {
                std::fs::create_dir(repo.path("figures")).expect("a folder");
                symlink(outside, repo.path("figures/deep")).expect("a link");
            },
            false,
        ),
        (
            "the output is a link to a file outside",
            |repo, outside| {
                std::fs::create_dir_all(repo.path("figures/deep")).expect("a folder");
                symlink(outside.join("secret"), repo.path("figures/deep/s.txt")).expect("a link");
            },
            true,
        ),
        (
            "the output is a link to a device",
            |repo, _| {
                std::fs::create_dir_all(repo.path("figures/deep")).expect("a folder");
                symlink("/dev/zero", repo.path("figures/deep/s.txt")).expect("a link");
            },
            true,
        ),
        (
            "the output is a pipe",
            |repo, _| {
                std::fs::create_dir_all(repo.path("figures/deep")).expect("a folder");
                make_pipe(&repo.path("figures/deep/s.txt"));
            },
            true,
        ),
    ];
    for (name, put, replaced) in cases {
        within_reason(name, move || {
            let (repo, outside) = (Repo::new(READER), outside());
            repo.write("data/x", "x");
            put(&repo, outside.path());
            let summary = repo.run(&Ask::default()).expect("it runs");
            assert_eq!(summary.failed.is_empty(), replaced, "{name}: {summary:?}");
            if replaced {
                let kind = file(&repo)
                    .symlink_metadata()
                    .expect("it is there")
                    .file_type();
                assert!(kind.is_file(), "{name}: {kind:?}");
                assert_eq!(repo.read("figures/deep/s.txt"), "s(x)", "{name}");
            } else {
                assert!(
                    summary.failed[0].1.message.contains("symbolic link"),
                    "{summary:?}"
                );
            }
            let left: Vec<_> = std::fs::read_dir(outside.path())
                .expect("a folder")
                .collect();
            assert_eq!(left.len(), 1, "{name}");
            assert_eq!(
                std::fs::read_to_string(outside.path().join("secret")).expect("a file"),
                "secret",
                "{name}"
            );
        });
    }
}

/// A folder outside of the repository with something in it that nobody may touch.
fn outside() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("secret"), "secret").expect("a file");
    folder
}

/// A pipe that nobody writes to: opening it waits for ever.
fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is there").success());
}
