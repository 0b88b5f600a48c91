//! Odd names, folders on other file systems, a narrow umask, clocks that jump, two runs at once, and a
//! cache of a newer format.

use crate::repository::{PROGRAM, Repository, files_below, said};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

fn expected() -> crate::repository::Files {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    repository.results()
}

#[test]
fn names_with_spaces_and_letters_of_any_script_change_no_byte() {
    let expected = expected();
    for name in [
        "two words",
        "Größe π 図",
        "-n",
        "quote\"'$(x)`",
        "line\nbreak",
        "%41&;*?[a]",
    ] {
        let repository = Repository::named(name, &std::env::temp_dir());
        repository.expect(0, &["run"]);
        assert!(repository.results() == expected, "{name:?}");
        repository.expect(0, &["run"]);
        repository.expect(0, &["verify"]);
        let cache = repository.path(&format!("cache {name}"));
        let out = repository.path(&format!("out {name}"));
        let folders = [
            "--cache-dir",
            &cache.to_string_lossy(),
            "--out",
            &out.to_string_lossy(),
        ];
        let with = |verb: &'static str| [&[verb], &folders[..]].concat();
        repository.expect(0, &with("run"));
        assert!(crate::repository::results(&out) == expected, "{name:?}");
        repository.expect(0, &with("verify"));
        repository.expect(0, &with("clean"));
        assert!(!cache.exists());
    }
}

#[test]
fn a_cache_on_another_file_system_changes_no_byte() {
    let other = Path::new("/dev/shm");
    let Ok(folder) = tempfile::tempdir_in(other) else {
        eprintln!("skipped: {} cannot be written", other.display());
        return;
    };
    let cache = folder.path().join("cache");
    let cache = ["--cache-dir", &cache.to_string_lossy()];
    let repository = Repository::new();
    for verb in ["run", "run", "verify"] {
        repository.expect(0, &[&[verb], &cache[..]].concat());
    }
    assert!(repository.results() == expected());
    let kept = Repository::named("repository", other);
    kept.expect(0, &["run"]);
    assert!(kept.results() == expected());
}

#[test]
fn a_narrow_umask_changes_no_byte() {
    let repository = Repository::new();
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 077; exec \"$0\" run", PROGRAM])
        .current_dir(&repository.root);
    assert_eq!(said(&mut command).code, Some(0));
    assert!(repository.results() == expected());
    repository.expect(0, &["run"]);
    repository.expect(0, &["verify"]);
}

#[test]
fn files_from_the_future_and_the_past_are_read_and_not_believed() {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    let expected = repository.results();
    let now = SystemTime::now();
    let jump = Duration::from_secs(400_000_000);
    for time in [now + jump, now - jump, SystemTime::UNIX_EPOCH] {
        for folder in [
            ".icl-repro",
            "figures",
            "artifacts",
            "pipeline.lock",
            "data",
        ] {
            for path in files_below(&repository.path(folder)) {
                fs::File::open(&path)
                    .and_then(|file| file.set_modified(time))
                    .expect("ours");
            }
        }
        let said = repository.expect(0, &["run"]);
        assert!(!said.contains(" ran ("), "times make nothing stale: {said}");
        // The clock tells nothing of contents: an edit that keeps size and time is seen.
        for output in files_below(&repository.path("figures")) {
            let mut bytes = fs::read(&output).expect("readable");
            bytes[0] ^= 1;
            fs::write(&output, bytes).expect("ours");
            fs::File::open(&output)
                .and_then(|file| file.set_modified(time))
                .expect("ours");
        }
        repository.expect(3, &["verify"]);
        repository.expect(0, &["run"]);
        assert!(repository.results() == expected);
    }
}

#[test]
fn of_two_runs_at_once_one_waits_or_says_that_it_does_not() {
    let repository = Repository::new();
    fs::create_dir_all(repository.path(".icl-repro")).expect("a folder");
    let lock = fs::File::create(repository.path(".icl-repro/run.lock")).expect("a file");
    lock.lock().expect("free");
    let said = repository.expect(5, &["run", "--no-wait"]);
    assert!(said.contains("is running this pipeline"), "{said}");
    drop(lock);
    // All of these at once: each waits for those before it.
    let start = |_| repository.command(&["run"]).spawn().expect("it starts");
    let children: Vec<_> = (0..6).map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("it is ours").success());
    }
    assert!(repository.results() == expected());
    let runs = repository.expect(0, &["runs"]);
    assert_eq!(
        runs.matches(", 6 ran (").count(),
        1,
        "one made everything: {runs}"
    );
    repository.expect(0, &["verify"]);
}

#[test]
fn a_newer_format_is_refused_and_every_byte_left_alone() {
    for (name, from, to) in [
        (".icl-repro/format", "3", "4"),
        (".icl-repro/actions.log", "actions 1", "actions 2"),
        ("pipeline.lock", "lock 4", "lock 5"),
    ] {
        let repository = Repository::new();
        repository.expect(0, &["run"]);
        let path = repository.path(name);
        let text = fs::read_to_string(&path).expect("text");
        fs::write(&path, text.replacen(from, to, 1)).expect("ours");
        fs::remove_file(repository.path("figures/curve.png")).expect("ours");
        let all = || -> BTreeMap<_, _> {
            let files = files_below(&repository.root).into_iter();
            files
                .map(|path| (path.clone(), fs::read(path).expect("readable")))
                .collect()
        };
        let before = all();
        for args in [
            &["run"][..],
            &["status"],
            &["verify"],
            &["gc"],
            &["verify", "--rebuild"],
        ] {
            let said = repository.run(args);
            // What is fresh is known without the lock.
            if *args != ["status"] || name != "pipeline.lock" {
                assert_eq!(said.code, Some(2), "{name} {args:?}\n{}", said.text);
                assert!(said.text.contains("has format"), "{}", said.text);
                assert!(
                    said.text.contains("hint: update icl-repro"),
                    "{}",
                    said.text
                );
            }
            let after = all();
            let differ = |path: &&PathBuf| after.get(*path) != before.get(*path);
            let changed = after.keys().chain(before.keys()).find(differ);
            assert_eq!(changed, None, "{name} {args:?}");
        }
    }
}
