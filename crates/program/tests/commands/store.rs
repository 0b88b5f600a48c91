//! A shared store that does not do what it is asked, and what is said of it: by a second program of straw, or in a
//! folder.

use crate::folder::{self, Folder};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// As many stages as there are letters, none of which needs another.
const PIPELINE: &str = r#"
version: 2
stages:
  copy:
    kind: command
    matrix: {letter: [a, b, c, d, e, f]}
    params: {run: [sh, -c, "echo ${letter} > {out.text}"]}
    outputs: {text: "figures/${letter}.txt"}
"#;

const STAGES: usize = 6;

/// Everything is made and recorded, and nothing but the lock is left.
fn repository() -> Folder {
    let folder = Folder::with(&[("pipeline.yaml", PIPELINE)]);
    folder.expect(0, &["run"]);
    folder.expect(0, &["push", "--store", "../store"]);
    forget(&folder);
    folder
}

/// As in a new clone.
fn forget(folder: &Folder) {
    for name in ["figures", ".retrace"] {
        std::fs::remove_dir_all(folder.at(name)).expect("a folder");
    }
}

fn made(folder: &Folder) -> usize {
    let files = std::fs::read_dir(folder.at("figures"));
    files.into_iter().flatten().count()
}

const URL: &str = "s3://cache/a";

/// Says that it is `retrace-remote`, and fails in one way whatever it is asked.
fn remote_that_fails(folder: &Folder, kind: &str) {
    let script = format!(
        r#"#!/bin/sh
echo "{{\"retrace_remote\":1,\"url\":\"$1\"}}"
while read -r line; do
  id=$(printf '%s\n' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  echo "{{\"id\":$id,\"failed\":{{\"kind\":\"{kind}\",\"words\":\"words of a server\"}}}}"
done
"#
    );
    folder.write("../elsewhere/remote", script);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.at("../elsewhere/remote"), mode).expect("a program");
}

/// Runs with variables of the environment: exit code, and what was said.
fn with(folder: &Folder, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = folder.command(env!("CARGO_BIN_EXE_retrace"));
    command.args(arguments).envs(variables.iter().copied());
    folder::told(&mut command)
}

fn remotely(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let remote = folder.at("../elsewhere/remote").display().to_string();
    let arguments = [arguments, &["--store", URL]].concat();
    with(folder, &[("RETRACE_REMOTE", &remote)], &arguments)
}

/// The command that a text tells to type, which begins so.
fn hinted(said: &str, start: &str) -> String {
    let mut parts = said.split('`');
    let found = parts.find(|part| part.starts_with(start));
    found.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// Types it.
fn typed(folder: &Folder, command: &str) -> (Option<i32>, String) {
    folder::told(folder.command("sh").args(["-c", command]))
}

#[test]
fn a_store_that_does_not_answer_is_given_up_and_said_to_be_with_what_helps() {
    let folder = repository();
    remote_that_fails(&folder, "unreachable");
    let (code, said) = remotely(&folder, &["run", "-j1"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(
            "warning: the store s3://cache/a failed 3 times and was given up; first: words of a server\n"
        ),
        "{said}"
    );
    assert!(
        said.contains("hint: look whether the store is there"),
        "{said}"
    );
    assert_eq!(made(&folder), STAGES);
}

#[test]
fn a_run_that_requires_a_store_that_was_given_up_begins_nothing_more() {
    let folder = repository();
    remote_that_fails(&folder, "unreachable");
    let (code, said) = remotely(&folder, &["run", "-j1", "--store-required"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("error: the store s3://cache/a is required and was given up, so that no more stages were begun: words of a server\n"),
        "{said}"
    );
    assert!(
        said.contains("hint: look whether the store is there"),
        "{said}"
    );
    // Two were made after a failure each; the third failure was the last.
    assert_eq!(made(&folder), 2, "{said}");
    assert!(
        said.contains(" 2 ran (") && said.contains(", 4 not reached"),
        "{said}"
    );
    let past = folder.expect(0, &["runs"]);
    assert!(past.contains("exit 1  run -j1 --store-required"), "{past}");
    // With a store that gives what it has, the same run takes it.
    let said = folder.expect(0, &["run", "--store-required", "--store", "../store"]);
    assert!(said.contains("4 from the store"), "{said}");
}

#[test]
fn what_may_not_be_read_is_absent_and_said_once() {
    let folder = repository();
    remote_that_fails(&folder, "forbidden");
    let told =
        "of the store s3://cache/a 6 files that may not be read are taken for absent: objects/";
    for verb in [&["run", "-j1", "--dry-run"][..], &["pull"], &["run", "-j1"]] {
        let (code, said) = remotely(&folder, verb);
        assert_eq!(code, Some(0), "{said}");
        if verb.contains(&"--dry-run") {
            continue;
        }
        assert_eq!(said.matches("warning:").count(), 1, "{said}");
        assert!(said.contains(told), "{said}");
        assert!(said.contains("permission to list the bucket"), "{said}");
        assert!(!said.contains("given up"), "{said}");
        if verb == ["pull"] {
            assert!(
                said.contains("not whole in the store: 6 stages: "),
                "{said}"
            );
            assert_eq!(made(&folder), 0);
        }
    }
    assert_eq!(made(&folder), STAGES);
    // Wrong credentials are a failure, of a pull too.
    forget(&folder);
    remote_that_fails(&folder, "denied");
    let (code, said) = remotely(&folder, &["pull"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("taken for absent"), "{said}");
}

#[test]
fn a_disk_of_this_machine_that_is_full_is_not_the_stores_fault() {
    let folder = repository();
    remote_that_fails(&folder, "local");
    for verb in [&["pull"][..], &["run", "-j1"]] {
        let (code, said) = remotely(&folder, verb);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("words of a server") && said.contains("is on this machine"),
            "{said}"
        );
        assert!(!said.contains("the store s3://cache/a failed"), "{said}");
    }
}

#[test]
fn no_store_may_be_named_over_every_other() {
    let folder = repository();
    let nowhere = [("RETRACE_STORE", "../nowhere")];
    let (code, said) = with(&folder, &nowhere, &["run", "--store", ""]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        !said.contains("warning") && said.contains("6 ran"),
        "{said}"
    );
    let text = format!("store: ../nowhere\n{}", PIPELINE.trim_start());
    folder.write("pipeline.yaml", text);
    let said = folder.expect(0, &["run", "--store", ""]);
    assert!(!said.contains("warning"), "{said}");
    let said = folder.expect(2, &["run", "--store", "", "--store-required"]);
    assert!(said.contains("no store is named"), "{said}");
    let said = folder.expect(2, &["pull", "--store="]);
    assert!(said.contains("no store is named"), "{said}");
    folder.expect(1, &["run", "--store-required"]);
}

/// The first object of the store in a folder.
fn object(folder: &Folder) -> std::path::PathBuf {
    let first = |path: &Path| {
        let mut entries = std::fs::read_dir(path).expect("a folder");
        entries.next().expect("an entry").expect("an entry").path()
    };
    first(&first(&folder.at("../store/objects")))
}

#[test]
fn a_wrong_object_is_replaced_by_the_command_that_is_told() {
    let folder = repository();
    let damage = |object: &Path| std::fs::write(object, "wrong").expect("a file");
    let object = object(&folder);
    let variables: [&[(&str, &str)]; 2] = [&[], &[("RETRACE_STORE", "../store")]];
    for (variables, option) in variables
        .into_iter()
        .zip([&["--store", "../store"][..], &[]])
    {
        damage(&object);
        let (code, said) = with(&folder, variables, &[&["run"], option].concat());
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("has 1 file that is not what its name says, and none of that was used"),
            "{said}"
        );
        let command = hinted(&said, "retrace push");
        let (code, said) = typed(&folder, &command);
        assert_eq!(code, Some(0), "{command}: {said}");
        let store = ["store", "verify", "--store", "../store"];
        folder.expect(0, &store);
        damage(&object);
        let said = folder.expect(3, &store);
        let command = hinted(&said, "retrace push --paranoid");
        let (code, said) = typed(&folder, &command);
        assert_eq!(code, Some(0), "{command}: {said}");
        folder.expect(0, &store);
        forget(&folder);
    }
}

#[test]
fn a_pin_of_what_is_not_there_tells_the_command_that_puts_it_there() {
    let folder = repository();
    folder.expect(0, &["run", "--store", "../store"]);
    std::fs::remove_file(object(&folder)).expect("an object");
    let said = folder.expect(0, &["store", "pin", "first", "--store", "../store"]);
    let command = hinted(&said, "retrace push");
    let (code, said) = typed(&folder, &command);
    assert_eq!(code, Some(0), "{command}: {said}");
    assert!(said.contains("1 object ("), "{said}");
}

#[test]
fn what_a_killed_push_left_is_told_and_cleared() {
    let folder = repository();
    folder.write("../store/objects/ab/.retrace-tmp-Ab12Cd", "half of it");
    let store = ["--store", "../store"];
    let said = folder.expect(0, &[&["store", "list"], &store[..]].concat());
    assert!(
        said.contains("1 file on the way there or left by a put that was cut short, 10 B"),
        "{said}"
    );
    let gc = [&["store", "gc", "--older-than", "90"], &store[..]].concat();
    let said = folder.expect(0, &gc);
    assert!(!said.contains("cut short"), "it is young: {said}");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    let file = folder.at("../store/objects/ab/.retrace-tmp-Ab12Cd");
    std::fs::File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_modified(then))
        .expect("an old file");
    let said = folder.expect(0, &gc);
    assert!(
        said.contains(
            "removed 0 entries and 0 objects (0 B), 1 file of puts that were cut short (10 B); "
        ),
        "{said}"
    );
    assert!(!file.exists());
}

#[test]
fn a_secret_key_that_others_may_read_or_that_lies_in_the_repository_is_told() {
    let folder = repository();
    let key = |file: &str| folder.expect(0, &["store", "key", file, "--name", "ann"]);
    assert!(!key("../key").contains("warning"));
    assert!(key("key").contains("warning: key lies in a repository"));
    let push = || {
        let variables = [("RETRACE_KEY", "../key")];
        let arguments = ["push", "--store", "../store", "copy@a"];
        with(&folder, &variables, &arguments).1
    };
    folder.expect(0, &["run", "--store", "../store"]);
    assert!(!push().contains("chmod"));
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.at("../key"), permissions).expect("a file");
    };
    for open in [0o644, 0o640, 0o660] {
        mode(open);
        let said = push();
        assert!(said.contains("`chmod 600 ../key`"), "{open:o}: {said}");
        let (code, _) = typed(&folder, &hinted(&said, "chmod"));
        assert_eq!(code, Some(0));
        assert!(!push().contains("chmod"));
    }
}
