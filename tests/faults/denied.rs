//! Folders and files that must not be written.

use crate::repository::{PROGRAM, Repository, files_below, said};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// A user without rights, for tests that root runs: root may write anywhere.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// Whether the program can be run as somebody whom permissions bind.
fn permissions_bind() -> bool {
    let setpriv = || Command::new("setpriv").arg("--version").output();
    let bind = !is_root() || setpriv().is_ok_and(|output| output.status.success());
    if !bind {
        eprintln!("skipped: permissions do not bind root, and setpriv is not here");
    }
    bind
}

/// Runs the program as somebody whom permissions bind.
fn as_somebody(repository: &Repository, args: &[&str]) -> (Option<i32>, String) {
    let mut command = repository.command(args);
    if is_root() {
        // The built one may be where only root can look.
        let program = repository.root.parent().expect("a folder").join("program");
        if !program.exists() {
            // A file that this process has open to write cannot be started while a process that
            // another test has just started still holds it.
            let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
            assert!(copied.expect("cp is there").success());
        }
        let id = NOBODY.to_string();
        command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
        command
            .arg(program)
            .args(args)
            .current_dir(&repository.root);
    }
    let said = said(&mut command);
    (said.code, said.text)
}

/// Hands everything to the user without rights, where that is allowed.
fn hand_over(repository: &Repository) {
    let give = |path: &Path| drop(chown(path, Some(NOBODY), Some(NOBODY)));
    give(repository.root.parent().expect("a folder"));
    let mut folders = vec![repository.root.clone()];
    while let Some(folder) = folders.pop() {
        give(&folder);
        for entry in fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            give(&path);
            folders.extend(path.is_dir().then_some(path));
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn what_must_not_be_written_is_named_and_the_run_completes_when_it_may() {
    if !permissions_bind() {
        return;
    }
    let mut tried = 0;
    for name in [
        "",
        ".icl-repro",
        ".icl-repro/objects",
        ".icl-repro/scratch",
        ".icl-repro/actions.log",
        ".icl-repro/run.lock",
        ".icl-repro/history.jsonl",
        "figures",
        "figures/tables",
        "artifacts",
    ] {
        let repository = Repository::new();
        repository.expect(0, &["run", "pretrain", "losses"]);
        let path = repository.path(name);
        let scratch = repository.path(".icl-repro/scratch");
        match name {
            // Nothing else is sure to be new there: what is remembered of files may be as it was.
            ".icl-repro" => fs::remove_dir_all(scratch).expect("a folder"),
            _ => fs::create_dir_all(scratch).expect("a folder"),
        }
        let is_folder = path.is_dir();
        if name == ".icl-repro/objects" {
            // New objects may go to folders that are there.
            files_below(&path)
                .iter()
                .for_each(|object| set_mode(object.parent().expect("a folder"), 0o555));
        }
        hand_over(&repository);
        // The rest is to be done, and the table again.
        let _ = fs::remove_file(repository.path("figures/tables/losses.csv"));
        let _ = fs::remove_file(repository.path("artifacts/pretrain/few/model.json"));
        set_mode(&path, if is_folder { 0o555 } else { 0o444 });
        let (code, text) = as_somebody(&repository, &["run"]);
        assert_eq!(code, Some(1), "{name}\n{text}");
        assert!(text.contains("Permission denied"), "{name}\n{text}");
        assert!(
            text.contains(path.to_string_lossy().trim_end_matches('/')),
            "{name} is named\n{text}"
        );
        assert!(text.contains("hint: "), "{name}\n{text}");
        for folder in files_below(&repository.path(".icl-repro/objects")) {
            set_mode(folder.parent().expect("a folder"), 0o755);
        }
        set_mode(&path, if is_folder { 0o755 } else { 0o644 });
        let (code, text) = as_somebody(&repository, &["run"]);
        assert_eq!(code, Some(0), "{name}\n{text}");
        let (code, text) = as_somebody(&repository, &["verify"]);
        assert_eq!(code, Some(0), "{name}\n{text}");
        tried += 1;
    }
    eprintln!("{tried} places that must not be written");
}

/// Binds the folder to itself, without the right to write, in a namespace of its own.
const READ_ONLY: &str = r#"
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
shift
exec "$PROGRAM" "$@"
"#;

#[test]
fn on_a_read_only_file_system_looking_works_and_writing_is_refused_by_name() {
    let repository = Repository::new();
    repository.expect(0, &["run", "losses"]);
    let run = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(["-r", "-m", "sh", "-c", READ_ONLY, "sh"])
            .arg(&repository.root)
            .args(args)
            .current_dir(repository.root.parent().expect("a folder"))
            .env("PROGRAM", PROGRAM);
        said(&mut command)
    };
    let root = repository.root.to_string_lossy();
    let there = |args: &[&'static str]| run(&[&["-C", &root], args].concat());
    let looked = there(&["status", "losses"]);
    if looked.code == Some(99) || looked.text.contains("unshare") {
        eprintln!("skipped: no file system can be mounted in a namespace here");
        return;
    }
    assert_eq!(looked.code, Some(0), "{}", looked.text);
    assert_eq!(there(&["verify", "losses"]).code, Some(0));
    let ran = there(&["run"]);
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    assert!(ran.text.contains("Read-only file system"), "{}", ran.text);
    assert!(
        ran.text.contains(".icl-repro") && ran.text.contains("hint: "),
        "{}",
        ran.text
    );
    repository.expect(0, &["run"]);
}
