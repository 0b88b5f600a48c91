//! A disk that is full: at every page and every file that a run needs, at every size of a file, and at
//! every call that writes.

use crate::repository::{Files, PROGRAM, Repository, Said, nothing_half_written, results, said};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Fills a small file system of its own: runs, makes it larger, runs again and verifies. Both runs'
/// outputs are copied out.
const SCRIPT: &str = r#"
mount -t tmpfs -o "$1" none "$DISK" || exit 99
"$PROGRAM" run --cache-dir "$DISK/cache" --out "$DISK/out" 2>&1; code=$?
cp -R "$DISK/out" "$COPIES/first" 2>/dev/null
mount -o remount,size=64m,nr_inodes=10000 "$DISK" || exit 98
"$PROGRAM" run --cache-dir "$DISK/cache" --out "$DISK/out" >"$COPIES/second.txt" 2>&1 || exit 97
cp -R "$DISK/out" "$COPIES/second" || exit 96
"$PROGRAM" verify --cache-dir "$DISK/cache" --out "$DISK/out" >"$COPIES/verify.txt" 2>&1 || exit 95
exit $code
"#;

/// What came of a run on a small disk: what it said, and the outputs before and after more room.
fn on_a_disk(repository: &Repository, options: &str) -> (Said, Files) {
    let (disk, copies) = (repository.path("disk"), repository.path("copies"));
    let _ = fs::remove_dir_all(&copies);
    for folder in [&disk, &copies] {
        fs::create_dir_all(folder).expect("a folder");
    }
    let mut command = Command::new("unshare");
    command
        .args(["-r", "-m", "sh", "-c", SCRIPT, "sh", options])
        .current_dir(&repository.root)
        .env("PROGRAM", PROGRAM)
        .env("DISK", &disk)
        .env("COPIES", &copies);
    let said = said(&mut command);
    let read = |name: &str| fs::read_to_string(copies.join(name)).unwrap_or_default();
    assert!(
        said.code.is_some_and(|code| code < 90),
        "{options}: {:?} {}\n{}{}",
        said.code,
        said.text,
        read("second.txt"),
        read("verify.txt")
    );
    nothing_half_written(
        &results(&copies.join("first")),
        &[&results(&copies.join("second"))],
    );
    (said, results(&copies.join("second")))
}

/// Whether a file system of one's own can be mounted here.
fn can_mount() -> bool {
    let mount = "mount -t tmpfs -o size=64k none /tmp";
    let tried = Command::new("unshare")
        .args(["-r", "-m", "sh", "-c", mount])
        .output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("skipped: no file system can be mounted in a namespace here");
    }
    can
}

fn sweep(options: impl Fn(usize) -> String) {
    let repository = Repository::new();
    let (mut faults, mut expected) = (0, None);
    for n in 1.. {
        let (said, found) = on_a_disk(&repository, &options(n));
        match said.code {
            Some(0) => {
                assert!(faults > 0, "the first disk was large enough");
                assert!(expected.is_none_or(|expected| expected == found));
                break;
            }
            code => {
                assert_eq!(code, Some(1), "{}", said.text);
                assert!(
                    said.text.contains("No space left on device"),
                    "{}",
                    said.text
                );
                assert!(
                    said.text.contains("disk/"),
                    "the file is named: {}",
                    said.text
                );
                let first = expected.get_or_insert_with(|| found.clone());
                assert!(*first == found, "{}", options(n));
                faults += 1;
            }
        }
    }
    eprintln!("{faults} full disks ({})", options(0));
}

#[test]
fn a_disk_full_at_any_page_loses_nothing() {
    if can_mount() {
        sweep(|n| format!("size={}k,nr_inodes=10000", 4 * n));
    }
}

#[test]
fn a_disk_without_room_for_any_further_file_loses_nothing() {
    if can_mount() {
        sweep(|n| format!("size=64m,nr_inodes={}", n + 1));
    }
}

#[test]
fn files_that_must_not_grow_are_named_and_the_next_run_completes() {
    let whole = Repository::new();
    whole.expect(0, &["run"]);
    let expected = whole.results();
    let mut faults = 0;
    for blocks in 0.. {
        let repository = Repository::new();
        // The signal is ignored, so that the write fails as it does on a full disk.
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run 2>&1");
        let mut command = Command::new("sh");
        command
            .args(["-c", &limited, PROGRAM])
            .current_dir(&repository.root);
        let said = said(&mut command);
        nothing_half_written(&repository.results(), &[&expected]);
        repository.expect(0, &["run"]);
        assert!(repository.results() == expected, "{blocks} blocks");
        repository.expect(0, &["verify"]);
        if said.code == Some(0) {
            break;
        }
        assert_eq!(said.code, Some(1), "{}", said.text);
        assert!(said.text.contains("File too large"), "{}", said.text);
        faults += 1;
    }
    assert!(faults > 0);
    eprintln!("{faults} limits of file size");
}

/// Calls that change the disk; how each fails.
const CALLS: [(&str, &str); 6] = [
    ("write", "ENOSPC"),
    ("mkdir", "ENOSPC"),
    ("rename", "ENOSPC"),
    ("ftruncate", "EIO"),
    ("copy_file_range,sendfile", "ENOSPC"),
    ("chmod,fchmod,fsync,fdatasync", "EIO"),
];

#[test]
fn the_failure_of_any_call_that_writes_loses_nothing() {
    if !Command::new("strace")
        .arg("-V")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        eprintln!("skipped: strace is not here");
        return;
    }
    let whole = Repository::new();
    whole.expect(0, &["run"]);
    let expected = whole.results();
    let mut faults = 0;
    for (calls, error) in CALLS {
        for n in 1.. {
            let repository = Repository::new();
            let trace = repository.path("trace");
            let (failed, code) = with_failing_call(&repository, calls, error, n, &trace);
            nothing_half_written(&repository.results(), &[&expected]);
            repository.expect(0, &["run"]);
            assert!(repository.results() == expected, "{calls} {n}");
            repository.expect(0, &["verify"]);
            if !failed {
                assert_eq!(code, Some(0));
                break;
            }
            faults += 1;
        }
    }
    assert!(faults > 0);
    eprintln!("{faults} failing calls");
}

/// Runs with the n-th such call of each thread failing; whether one did, and the exit code.
fn with_failing_call(
    repository: &Repository,
    calls: &str,
    error: &str,
    n: usize,
    trace: &Path,
) -> (bool, Option<i32>) {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o"])
        .arg(trace)
        .args(["-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:error={error}:when={n}")])
        .args([PROGRAM, "run", "-j", "1"])
        .current_dir(&repository.root);
    let said = said(&mut command);
    let code = said.code;
    // Nothing panics, whatever fails; what is not needed for results may fail unseen.
    assert!(
        [Some(0), Some(1)].contains(&code),
        "{calls} {n}: {code:?}\n{}",
        said.text
    );
    assert!(
        !said.text.contains("panicked"),
        "{calls} {n}\n{}",
        said.text
    );
    let trace = fs::read_to_string(trace).expect("a trace");
    (trace.contains("(INJECTED)"), code)
}

#[test]
fn a_log_of_the_run_on_a_full_disk_does_not_end_the_run() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full");
        return;
    }
    let repository = Repository::new();
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec \"$0\" run >/dev/full 2>/dev/full", PROGRAM])
        .current_dir(&repository.root);
    assert_eq!(said(&mut command).code, Some(0));
    repository.expect(0, &["verify"]);
}
