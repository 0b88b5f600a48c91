//! git looks where it is sent, whatever surrounds it, and what it refuses comes with a remedy.

use crate::mended::git::{self, git};
use crate::repository::{PROGRAM, Repository, Said, said};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A repository with two commits that change a parameter.
fn committed() -> Repository {
    let repository = Repository::new();
    git(&repository.root, &["init", "--quiet"]);
    repository.expect(0, &["run"]);
    commit(&repository, "first");
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("the pipeline");
    let edited = yaml.replace("last: 2}", "last: 3}");
    assert_ne!(yaml, edited);
    std::fs::write(repository.path("pipeline.yaml"), edited).expect("a file");
    repository.expect(0, &["run"]);
    commit(&repository, "second");
    repository
}

fn commit(repository: &Repository, message: &str) {
    git(
        &repository.root,
        &[
            "add",
            "--all",
            "--",
            "figures",
            "pipeline.lock",
            "pipeline.keys",
            "pipeline.yaml",
            "data",
        ],
    );
    git(
        &repository.root,
        &["commit", "--quiet", "--message", message],
    );
}

/// Asks the program in a folder, with variables.
fn ask(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(PROGRAM);
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(variables.iter().copied());
    said(&mut command)
}

fn refused(said: &Said, message: &str, hint: &str) {
    assert!([1, 2].map(Some).contains(&said.code), "{}", said.text);
    assert!(said.text.contains(message), "{message}\n{}", said.text);
    let (_, hints) = said.text.split_once("hint: ").expect("a hint");
    assert!(hints.contains(hint), "{hint}\n{}", said.text);
}

#[test]
fn variables_of_a_hook_do_not_mislead_git() {
    let repository = committed();
    let other = Repository::new();
    git(&other.root, &["init", "--quiet"]);
    let root = &repository.root;
    let expected = ask(root, &["diff", "HEAD~1"], &[]);
    assert!(
        expected.code == Some(0) && expected.text.contains("last"),
        "{}",
        expected.text
    );
    let other_git = other.path(".git").display().to_string();
    let other_root = other.root.display().to_string();
    let ceiling = root.parent().expect("a folder").display().to_string();
    for variables in [
        &[("GIT_DIR", &*other_git)][..],
        &[("GIT_DIR", "nowhere")],
        &[("GIT_WORK_TREE", &other_root)],
        &[("GIT_DIR", &other_git), ("GIT_WORK_TREE", &other_root)],
        &[("GIT_COMMON_DIR", &other_git)],
        &[("GIT_OBJECT_DIRECTORY", "nowhere")],
        &[("GIT_INDEX_FILE", "nowhere/index")],
        &[("GIT_NAMESPACE", "other")],
        &[("GIT_CEILING_DIRECTORIES", &ceiling)],
        &[("GIT_PREFIX", "data/"), ("GIT_SHALLOW_FILE", "nowhere")],
        &[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.bare"),
            ("GIT_CONFIG_VALUE_0", "true"),
        ],
        &[
            ("GIT_TRACE", "1"),
            ("GIT_PAGER", "false"),
            ("GIT_EXTERNAL_DIFF", "false"),
        ],
        &[
            ("GIT_LITERAL_PATHSPECS", "x"),
            ("GIT_REPLACE_REF_BASE", "x"),
        ],
        &[
            ("LANGUAGE", "de"),
            ("LC_ALL", "de_DE.UTF-8"),
            ("LANG", "tr_TR.UTF-8"),
        ],
    ] {
        let found = ask(root, &["diff", "HEAD~1"], variables);
        assert_eq!(found.code, Some(0), "{variables:?}\n{}", found.text);
        assert_eq!(found.text, expected.text, "{variables:?}");
    }
    // Also where git itself starts the program, in a hook and from an alias.
    let hook = repository.path(".git/hooks/post-commit");
    std::fs::write(
        &hook,
        format!(
            "#!/bin/sh\ncd {other_root} && {PROGRAM} -C {} diff HEAD~1 >out 2>&1\n",
            root.display()
        ),
    )
    .expect("a hook");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("ours");
    git(
        root,
        &["commit", "--quiet", "--allow-empty", "--message", "third"],
    );
    let out = std::fs::read_to_string(other.path("out")).expect("the hook ran");
    assert!(
        out.starts_with("nothing in pipeline.lock changed from HEAD~1"),
        "{out}"
    );
}

#[test]
fn what_git_refuses_comes_with_a_remedy() {
    let repository = Repository::new();
    let root = &repository.root;
    refused(
        &ask(root, &["diff"], &[]),
        "is in no git repository",
        "git clone",
    );
    refused(
        &ask(root, &["diff"], &[("PATH", "/nowhere")]),
        "`git` is not there",
        "install git",
    );
    git(root, &["init", "--quiet"]);
    refused(
        &ask(root, &["diff"], &[]),
        "nothing is committed yet",
        "git commit",
    );
    let object = {
        repository.expect(0, &["run"]);
        commit(&repository, "first");
        git(root, &["rev-parse", "HEAD:pipeline.lock"])
    };
    refused(
        &ask(root, &["diff", "HEAD~7"], &[]),
        "no revision `HEAD~7`",
        "git log",
    );
    refused(
        &ask(root, &["diff", &object], &[]),
        "it is a blob",
        "git log",
    );
    // A commit, a tree and a file that the disk lost.
    for name in ["HEAD:pipeline.lock", "HEAD^{tree}", "HEAD"] {
        let object = git(root, &["rev-parse", name]);
        let path = root
            .join(".git/objects")
            .join(&object[..2])
            .join(&object[2..]);
        let kept = std::fs::read(&path).expect("a loose object");
        std::fs::remove_file(&path).expect("ours");
        let said = ask(root, &["diff"], &[]);
        refused(&said, "", "git fsck");
        std::fs::write(&path, kept).expect("ours");
    }
    assert_eq!(ask(root, &["diff"], &[]).code, Some(0));
    // Inside a repository without a working tree.
    let bare = tempfile::tempdir().expect("a folder");
    git(bare.path(), &["init", "--quiet", "--bare"]);
    std::fs::write(bare.path().join("pipeline.yaml"), "").expect("a file");
    refused(
        &ask(bare.path(), &["diff"], &[]),
        "no working tree",
        "git clone",
    );
}

#[test]
fn a_shallow_clone_says_how_to_get_the_rest() {
    let repository = committed();
    let old_figure = git(&repository.root, &["rev-parse", "HEAD~1"]);
    let place = tempfile::tempdir().expect("a folder");
    let from = format!("file://{}", repository.root.display());
    git(
        place.path(),
        &["clone", "--quiet", "--depth", "1", &from, "clone"],
    );
    let clone = place.path().join("clone");
    assert_eq!(ask(&clone, &["diff", "HEAD"], &[]).code, Some(0));
    for revision in ["HEAD~1", "HEAD^", &old_figure, "main~1"] {
        let said = ask(&clone, &["diff", revision], &[]);
        refused(&said, "there is no revision", "git fetch --unshallow");
    }
    // A published file that only an older lock knows.
    let table = git::command(&repository.root)
        .args(["show", "HEAD~1:figures/tables/losses.csv"])
        .output()
        .expect("git starts");
    std::fs::write(place.path().join("old.csv"), table.stdout).expect("a file");
    let said = ask(&clone, &["provenance", "../old.csv"], &[]);
    refused(&said, "knows its digest", "git fetch --unshallow");
    git(&clone, &["fetch", "--quiet", "--unshallow"]);
    assert_eq!(ask(&clone, &["diff", "HEAD~1"], &[]).code, Some(0));
    assert_eq!(
        ask(&clone, &["provenance", "../old.csv"], &[]).code,
        Some(0)
    );
}

#[test]
fn a_repository_of_another_user_is_answered_with_the_exception_to_make() {
    let repository = committed();
    let root = &repository.root;
    // git as it speaks of a repository of somebody else, its root above ours.
    let place = tempfile::tempdir().expect("a folder");
    let script = "#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '/the root/it is'\" >&2\nexit 128\n";
    let fake = place.path().join("git");
    std::fs::write(&fake, script).expect("a script");
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let path = format!("{}:/usr/bin:/bin", place.path().display());
    let said = ask(root, &["diff"], &[("PATH", &path)]);
    refused(
        &said,
        "dubious ownership",
        "git config --global --add safe.directory '/the root/it is'",
    );
    // The real one, where this test may give the repository away.
    if std::os::unix::fs::chown(root, Some(65_534), None).is_err() {
        eprintln!("skipped: only the administrator can give a folder to another user");
        return;
    }
    let said = ask(root, &["diff"], &[]);
    let remedy = format!(
        "git config --global --add safe.directory {}",
        root.display()
    );
    refused(&said, "dubious ownership", &remedy);
    let stray = root.join("stray.csv");
    std::fs::write(&stray, "x").expect("a file");
    refused(
        &ask(root, &["provenance", "stray.csv"], &[]),
        "knows its digest",
        &remedy,
    );
    // The remedy is one.
    git(
        root,
        &[
            "config",
            "--global",
            "--add",
            "safe.directory",
            &root.display().to_string(),
        ],
    );
    assert_eq!(ask(root, &["diff"], &[]).code, Some(0));
}
