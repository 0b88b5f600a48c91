//! Only what was made here and recorded is ever removed or written over; a look writes nothing.

use crate::mended::tree::{Entry, Tree, first_change, part, put, tree};
use crate::repository::{Repository, said};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Verbs that look only.
const LOOKS: [&[&str]; 12] = [
    &["run", "--dry-run"],
    &["run", "--dry-run", "--force", "--set", "vars.seed=5"],
    &["gc", "--dry-run"],
    &["gc", "--dry-run", "--max-size", "0"],
    &["clean", "--dry-run"],
    &["clean", "--dry-run", "--set", "vars.seed=5"],
    &["status"],
    &["status", "--json", "--set", "vars.seed=5"],
    &["verify"],
    &["explain", "losses"],
    &["graph"],
    &["runs"],
];
/// Verbs that write, or remove.
const DEEDS: [&[&str]; 6] = [
    &["run"],
    &["run", "--set", "vars.seed=5"],
    &["verify", "--rebuild"],
    &["gc"],
    &["gc", "--max-size", "0"],
    &["clean"],
];

/// A repository in a folder of its own, everything made, and the folder.
fn made() -> (Repository, PathBuf) {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    let around = repository.root.parent().expect("a folder").to_owned();
    (repository, around)
}

fn unchanged(before: &Tree, folder: &Path, context: &str) {
    let after = tree(folder);
    assert_eq!(first_change(before, &after), None, "{context}");
}

#[test]
fn somebody_elses_folder_never_becomes_a_cache() {
    let (repository, around) = made();
    let root = &repository.root;
    let other = around.join("other clone");
    put(&other.join("pipeline.yaml"), "version: 2\nstages: {}\n");
    fs::create_dir_all(around.join("home/me")).expect("a folder");
    fs::create_dir_all(root.join(".git/objects")).expect("a folder");
    put(&around.join("letters/letter"), "dear");
    for (folder, text) in [
        ("number", "2\n"),
        ("older", "1"),
        ("quilt", "3.0 (quilt)\n"),
    ] {
        put(&around.join(folder).join("format"), text);
        put(&around.join(folder).join("letter"), "dear");
    }
    for name in ["objects/aa/x", "scratch/notes", "actions/x", "stat.json"] {
        put(&around.join("names").join(name), "mine");
    }
    fs::create_dir_all(around.join("linked")).expect("a folder");
    put(&around.join("linked/run.lock"), "");
    put(&around.join("linked/format"), "2\n");
    put(&around.join("thesis/chapter"), "one");
    symlink("../thesis", around.join("linked/objects")).expect("a link");
    fs::create_dir_all(around.join("truncated")).expect("a folder");
    symlink("../thesis/chapter", around.join("truncated/run.lock")).expect("a link");
    symlink("repository", around.join("link")).expect("a link");
    symlink("repository/figures/../..", around.join("up")).expect("a link");
    for cache in [
        ".",
        "..",
        "../..",
        "/",
        "../home",
        "../home/me",
        "data/..",
        "new/..",
        "../link",
        "../up",
        ".git",
        ".git/cache",
        ".GIT/cache",
        "data",
        "data/cache",
        "figures",
        "Figures/cache",
        "artifacts/cache",
        "../other clone",
        "../letters",
        "../number",
        "../older",
        "../quilt",
        "../names",
        "../linked",
        "../truncated",
    ] {
        for verb in LOOKS.iter().chain(&DEEDS) {
            let args = [verb, &["--cache-dir", cache][..]].concat();
            let before = tree(&around);
            let mut command = repository.command(&args);
            command.env("HOME", around.join("home/me"));
            let said = said(&mut command);
            assert_eq!(said.code, Some(2), "{args:?}\n{}", said.text);
            assert!(said.text.contains("hint: "), "{args:?}\n{}", said.text);
            unchanged(&before, &around, &format!("{args:?}\n{}", said.text));
        }
    }
    // What is missing or empty may become one.
    fs::create_dir_all(around.join("empty")).expect("a folder");
    for cache in ["../empty", "../missing/cache", "cache"] {
        repository.expect(0, &["run", "--cache-dir", cache]);
        repository.expect(0, &["clean", "--cache-dir", cache]);
        assert!(!root.join(cache).exists(), "{cache}");
    }
}

#[test]
fn a_root_that_an_older_program_took_for_a_cache_is_a_root_still() {
    let (repository, around) = made();
    for name in ["format", "run.lock", "actions.log", "history.jsonl", "stat"] {
        let from = repository.path(".icl-repro").join(name);
        fs::copy(&from, repository.path(name)).unwrap_or_default();
    }
    for verb in DEEDS {
        let before = tree(&around);
        repository.expect(2, &[verb, &["--cache-dir", "."]].concat());
        unchanged(&before, &around, &format!("{verb:?}"));
    }
}

#[test]
fn a_look_writes_nothing() {
    let clone = Repository::new();
    let (made, _) = made();
    made.expect(0, &["run", "--set", "vars.seed=5"]);
    // As the format before left it, with what this one does not read.
    let (older, _) = self::made();
    put(&older.path(".icl-repro/format"), "1\n");
    put(&older.path(".icl-repro/stat.json"), "{}");
    put(&older.path(".icl-repro/actions/ab/cd"), "{}");
    // As a run left it that was killed.
    let (killed, _) = self::made();
    let root = killed.root.display();
    put(
        &killed.path(".icl-repro/run.lock"),
        &format!("12345\n{root}"),
    );
    put(
        &killed.path(".icl-repro/scratch/.retrace-tmp-a-x7Y9z1/out"),
        "half",
    );
    put(&killed.path("figures/.retrace-tmp-x7Y9z1"), "half");
    let (orphaned, _) = self::made();
    put(&orphaned.path("figures/old.png"), "old");
    put(&orphaned.path(".icl-repro/objects/aa/letter"), "dear");
    let more: [&[&str]; 6] = [
        &["verify", "--rebuild"],
        &["verify", "--rebuild", "--cache-dir", "a/new/one"],
        &["provenance", "figures/curve.png"],
        &["schema"],
        &["man", "run"],
        &["completions", "bash"],
    ];
    for repository in [&clone, &made, &older, &killed, &orphaned] {
        let around = repository.root.parent().expect("a folder");
        for verb in LOOKS.iter().chain(&more) {
            let before = tree(around);
            let said = repository.run(verb);
            let context = format!("{verb:?}: {:?}\n{}", said.code, said.text);
            unchanged(&before, around, &context);
        }
    }
    // A run does bring the older cache up to date, and clears what was killed.
    older.expect(0, &["run"]);
    assert!(!older.path(".icl-repro/actions").exists());
    assert!(!older.path(".icl-repro/stat.json").exists());
    killed.expect(0, &["run"]);
    let left = |path: &PathBuf| path.to_string_lossy().contains("-tmp-");
    assert_eq!(tree(&killed.root).keys().find(|path| left(path)), None);
}

/// Puts files and links of somebody's wherever a verb could reach, and where links of them lead; gives
/// their paths below the folder around the repository.
fn litter(repository: &Repository, around: &Path) -> Vec<PathBuf> {
    let root = &repository.root;
    put(&around.join("thesis/model.json"), "mine");
    put(&around.join("thesis/deep/notes"), "mine");
    let objects = tree(&root.join(".icl-repro/objects"));
    let is_shard = |path: &&PathBuf| path.components().count() == 1;
    let shard = objects.keys().find(is_shard).expect("a shard");
    let of_another = "0".repeat(62);
    let upper = "AB".repeat(31);
    let mut files = vec![
        "figures/notes.txt".to_owned(),
        "figures/tables/.notes".to_owned(),
        "figures/mine/notes".to_owned(),
        "artifacts/notes".to_owned(),
        "artifacts/pretrain/notes".to_owned(),
        "artifacts/mine/deep/notes".to_owned(),
        "data/notes".to_owned(),
        "data/objects/aa/notes".to_owned(),
    ];
    let below_cache = [
        "notes",
        ".notes",
        ".retrace-tmp-notes.txt",
        "actions/notes",
        "actions/ab/cd",
        "stat.json",
        "objects/notes",
        "objects/aa/notes",
        "objects/mine/notes",
        "scratch/notes",
        "scratch/pretrain-mine/notes",
        "scratch/.retrace-tmp-notes/notes",
        "logs/notes.txt",
        "logs/notes.log",
        "logs/mine/notes",
        "confirmed/notes",
        "profiles/notes",
        "profiles/mine/notes",
        "profiles/mine/figures/notes",
        "rebuild-mine/notes",
        "rebuild-mine/out/figures/notes",
    ];
    files.extend(below_cache.map(|name| format!(".icl-repro/{name}")));
    files.push(format!(".icl-repro/objects/{}/notes", shard.display()));
    files.push(format!(
        ".icl-repro/objects/{}/{of_another}",
        shard.display()
    ));
    files.push(format!(".icl-repro/objects/aa/{upper}"));
    files.push(format!(".icl-repro/confirmed/00{of_another}"));
    for name in &files {
        put(&root.join(name), "mine");
    }
    let links = [
        ("artifacts/link", "../../thesis/model.json"),
        ("artifacts/folder", "../../thesis"),
        ("figures/folder", "../../thesis"),
        (".icl-repro/link", "../../thesis/model.json"),
        (".icl-repro/folder", "../../thesis"),
        (".icl-repro/rebuild-link", "../../thesis"),
        (".icl-repro/objects/ab", "../../../thesis"),
        (".icl-repro/objects/link", "../../../thesis/model.json"),
        (".icl-repro/scratch/link", "../../../thesis/deep"),
        (
            ".icl-repro/scratch/.retrace-tmp-x7Y9z1",
            "../../../thesis/deep",
        ),
        (".icl-repro/logs/link.log", "../../../thesis/model.json"),
        (".icl-repro/confirmed/link", "../../../thesis/model.json"),
        (".icl-repro/profiles/link", "../../../thesis"),
        (".icl-repro/profiles/mine/artifacts", "../../../../thesis"),
    ];
    let mut paths: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
    for (name, to) in links {
        let at = root.join(name);
        // A shard that the cache has already is as good as any other.
        if at.symlink_metadata().is_err() {
            symlink(to, &at).unwrap_or_else(|e| panic!("{name}: {e}"));
            paths.push(name.into());
        }
    }
    let name = root.file_name().expect("a name");
    let mut paths: Vec<PathBuf> = paths
        .iter()
        .map(|path| Path::new(name).join(path))
        .collect();
    paths.extend(["thesis/model.json".into(), "thesis/deep/notes".into()]);
    paths
}

#[test]
fn what_was_not_made_here_survives_every_verb() {
    let (repository, around) = made();
    repository.expect(0, &["run", "--set", "vars.seed=5"]);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["CITATION.cff", "LICENSE", "README.md"] {
        fs::copy(project.join(name), repository.path(name)).expect("a copy");
    }
    let theirs = litter(&repository, &around);
    let found = |folder: &Path| {
        let all = tree(folder);
        let entries = theirs
            .iter()
            .map(|path| (path.clone(), all.get(path).cloned()));
        entries.collect::<Vec<(PathBuf, Option<Entry>)>>()
    };
    let before = found(&around);
    assert!(before.iter().all(|(_, entry)| entry.is_some()));
    let export = [
        "export",
        "ro-crate",
        "--date",
        "2026-02-26",
        "--to",
        "../crate",
    ];
    let again: [&[&str]; 5] = [
        &["run", "--force"],
        &["run", "--force", "--out", "../out"],
        &["clean", "--out", "../out", "--set", "vars.seed=5"],
        &["clean", "--set", "vars.seed=5"],
        &export,
    ];
    // In an order in which each finds something to do; the last `clean` leaves nothing of ours.
    let deeds = DEEDS.iter().chain(&again).chain(&DEEDS).chain(&DEEDS[..1]);
    for verb in deeds.chain(&DEEDS[5..]) {
        let said = repository.run(verb);
        // A killed run's process is named in the lock: then it is swept.
        let note = format!("12345\n{}", repository.root.display());
        if repository.path(".icl-repro").is_dir() {
            put(&repository.path(".icl-repro/run.lock"), &note);
        }
        let code = match **verb == export && !repository.path("figures").exists() {
            true => 1,
            false => 0,
        };
        assert_eq!(said.code, Some(code), "{verb:?}\n{}", said.text);
        for (before, after) in before.iter().zip(found(&around)) {
            assert_eq!(*before, after, "{verb:?}\n{}", said.text);
        }
    }
    let kept = ["format", "repository", "run.lock"];
    let mut left = tree(&repository.path(".icl-repro"));
    let name = Path::new(repository.root.file_name().expect("a name")).join(".icl-repro");
    for path in &theirs {
        let below = path.strip_prefix(&name).ok();
        let ways = below.into_iter().flat_map(Path::ancestors);
        ways.for_each(|path| drop(left.remove(path)));
    }
    let is_ours = |path: &&PathBuf| !kept.contains(&&*path.to_string_lossy());
    let ours: Vec<&PathBuf> = left.keys().filter(is_ours).collect();
    assert_eq!(
        ours,
        Vec::<&PathBuf>::new(),
        "`clean` leaves nothing of its own"
    );
}

#[test]
fn clean_names_what_it_leaves_and_leaves_what_was_edited() {
    let (repository, around) = made();
    repository.expect(0, &["run", "--out", "../out"]);
    let edited = "artifacts/tasks/theta0.json";
    for out in [repository.root.clone(), around.join("out")] {
        put(&out.join(edited), "[1, 2]");
        put(&out.join("artifacts/letter"), "dear");
        put(&out.join("letter"), "dear");
    }
    let before = tree(&around.join("out"));
    let said = repository.expect(0, &["clean"]);
    for name in [edited, "artifacts/letter"] {
        assert!(
            said.contains(&*repository.path(name).to_string_lossy()),
            "{said}"
        );
    }
    let left = tree(&repository.path("artifacts"));
    let left: Vec<_> = left.keys().map(|path| path.to_string_lossy()).collect();
    assert_eq!(left, ["letter", "tasks", "tasks/theta0.json"]);
    assert!(!repository.path(".icl-repro").exists(), "{said}");
    unchanged(&before, &around.join("out"), "another folder");
    // The lock beside them tells what was made, also without a cache.
    let figures = part(&before, &["figures", "pipeline.lock", "letter"]);
    repository.expect(0, &["clean", "--out", "../out"]);
    let after = tree(&around.join("out"));
    assert_eq!(
        part(&after, &["figures", "pipeline.lock", "letter"]),
        figures
    );
    let left: Vec<_> = part(&after, &["artifacts"]).into_keys().collect();
    let expected = ["artifacts", "artifacts/letter", "artifacts/tasks", edited];
    assert_eq!(left, expected.map(PathBuf::from));
    // A cache in which something of somebody's is stays a cache.
    repository.expect(0, &["run", "-q", "optimum"]);
    put(&repository.path(".icl-repro/letter"), "dear");
    repository.expect(0, &["clean"]);
    repository.expect(0, &["run", "-q", "optimum"]);
    assert_eq!(
        fs::read_to_string(repository.path(".icl-repro/letter")).expect("a file"),
        "dear"
    );
}

#[test]
fn clean_of_a_profile_or_of_a_set_touches_its_own_outputs_alone() {
    let (repository, _) = made();
    let yaml = fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    let profiles = "profiles:\n  one: {vars.seed: 1}\n  two: {vars.seed: 2}\ngroups:\n";
    put(
        &repository.path("pipeline.yaml"),
        &yaml.replacen("groups:\n", profiles, 1),
    );
    let variants: [&[&str]; 5] = [
        &["--profile", "one"],
        &["--profile", "two"],
        &["--set", "vars.seed=5"],
        &["--profile", "two", "--set", "vars.seed=5"],
        &["--profile", "one", "--out", "out"],
    ];
    for variant in variants {
        repository.expect(0, &[&["run", "-q"], variant].concat());
    }
    for variant in variants {
        let before = tree(&repository.root);
        let shown = repository.expect(0, &[&["clean", "--dry-run"], variant].concat());
        let folder = shown.trim().rsplit(' ').next().expect("a path");
        let folder = Path::new(folder)
            .strip_prefix(&repository.root)
            .expect("below");
        let said = repository.expect(0, &[&["clean"], variant].concat());
        assert_eq!(said, shown.replace("would remove", "removed"));
        let after = tree(&repository.root);
        assert!(
            before.contains_key(folder) && !after.contains_key(folder),
            "{said}"
        );
        let rest = |tree: &Tree| -> Tree {
            let is_rest = |path: &PathBuf| !path.starts_with(folder);
            let rest = tree.iter().filter(|(path, _)| is_rest(path));
            rest.map(|(path, entry)| (path.clone(), entry.clone()))
                .collect()
        };
        assert_eq!(
            first_change(&rest(&before), &rest(&after)),
            None,
            "{variant:?}"
        );
        let again = repository.expect(0, &[&["clean"], variant].concat());
        assert_eq!(again, "nothing to remove\n");
        unchanged(&after, &repository.root, &format!("{variant:?}"));
    }
    assert!(
        repository.path("out/figures/curve.png").exists(),
        "figures stay"
    );
}

#[test]
fn nothing_is_removed_through_a_link() {
    for (name, to) in [
        ("artifacts", "thesis"),
        ("artifacts/pretrain", "thesis/pretrain"),
        ("artifacts/pretrain/4", "thesis/pretrain/4"),
        (".icl-repro/objects", "thesis"),
        (".icl-repro/profiles", "thesis"),
        (".icl-repro/scratch", "thesis"),
        (".icl-repro/run.lock", "thesis/notes"),
        (".icl-repro/history.jsonl", "thesis/notes"),
        (".icl-repro/actions.log", "thesis/notes"),
    ] {
        let (repository, around) = made();
        // What the link leads to is what the program made, moved: the bytes are no excuse.
        let (link, target) = (repository.path(name), around.join(to));
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        match link.symlink_metadata() {
            Ok(_) => fs::rename(&link, &target).expect("a move"),
            Err(_) => fs::create_dir_all(&target).expect("a folder"),
        }
        put(&around.join("thesis/letter"), "dear");
        symlink(&target, &link).expect("a link");
        let before = tree(&around);
        for verb in [
            &["clean"][..],
            &["clean", "--dry-run"],
            &["gc", "--max-size", "0"],
        ] {
            let said = repository.run(verb);
            let is_gc = verb[0] == "gc" && name.starts_with("artifacts");
            assert_eq!(
                said.code == Some(0),
                is_gc,
                "{name} {verb:?}\n{}",
                said.text
            );
            assert!(
                is_gc || said.text.contains("symbolic link"),
                "{}",
                said.text
            );
            unchanged(&before, &around, &format!("{name} {verb:?}\n{}", said.text));
        }
        // Nor is anything written, which outputs that are as they should be need not be.
        let said = repository.run(&["run", "--force", "--set", "vars.seed=5"]);
        let is_output = name.starts_with("artifacts");
        assert_eq!(said.code == Some(0), is_output, "{name}\n{}", said.text);
        let yaml = fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
        let other = yaml.replacen("  seed: 0\n", "  seed: 7\n", 1);
        put(&repository.path("pipeline.yaml"), &other);
        let said = repository.run(&["run", "--keep-going"]);
        assert_ne!(said.code, Some(0), "{name}\n{}", said.text);
        let thesis = |tree: &Tree| part(tree, &["thesis"]);
        assert_eq!(thesis(&before), thesis(&tree(&around)), "{name}");
    }
}

#[test]
fn a_log_an_object_and_a_page_are_not_written_through_links_or_over_files() {
    let (repository, around) = made();
    put(&around.join("notes"), "mine");
    // The log of a stage that says something.
    let logs = repository.path(".icl-repro/logs");
    let log = tree(&logs).into_keys().next();
    let log = logs.join(log.unwrap_or_else(|| "curve.log".into()));
    let _ = fs::remove_file(&log);
    fs::create_dir_all(&logs).expect("a folder");
    symlink(around.join("notes"), &log).expect("a link");
    let said = repository.expect(1, &["run", "--force"]);
    assert!(said.contains("symbolic link"), "{said}");
    fs::remove_file(&log).expect("a link");
    // A page of the manual.
    for file in ["icl-repro.1", "icl-repro-run.1"] {
        let page = around.join("pages").join(file);
        put(&page, "mine");
        let before = tree(&around);
        let said = repository.expect(2, &["man", "--out", "../pages"]);
        assert!(said.contains(file) && said.contains("hint: "), "{said}");
        unchanged(&before, &around, file);
        fs::remove_file(&page).expect("a file");
        symlink("../notes", &page).expect("a link");
        repository.expect(2, &["man", "--out", "../pages"]);
        fs::remove_file(&page).expect("a link");
    }
    for _ in 0..2 {
        repository.expect(0, &["man", "--out", "../pages"]);
    }
    assert_eq!(
        fs::read_to_string(around.join("notes")).expect("a file"),
        "mine"
    );
}

#[test]
fn a_package_goes_to_a_folder_of_its_own() {
    let (repository, around) = made();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["CITATION.cff", "LICENSE", "README.md"] {
        fs::copy(project.join(name), repository.path(name)).expect("a copy");
    }
    fs::create_dir_all(repository.path(".git")).expect("a folder");
    put(&around.join("letters/letter"), "dear");
    symlink("repository", around.join("link")).expect("a link");
    for to in [
        ".",
        "figures",
        "figures/crate",
        "../link/figures/crate",
        "data/crate",
        ".git/crate",
        ".icl-repro/crate",
        ".icl-repro/objects/aa",
        "../letters",
    ] {
        let before = tree(&around);
        let args = ["export", "ro-crate", "--date", "2026-02-26", "--to", to];
        let said = repository.expect(2, &args);
        assert!(said.contains("hint: "), "{said}");
        unchanged(&before, &around, to);
    }
    repository.expect(
        0,
        &[
            "export",
            "ro-crate",
            "--date",
            "2026-02-26",
            "--to",
            "crate",
        ],
    );
}

#[test]
fn files_that_no_stage_makes_are_named() {
    let (repository, _) = made();
    let yaml = fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    assert!(
        !repository
            .expect(0, &["status"])
            .contains("no stage makes it")
    );
    let gone = yaml.replacen("png: figures/curve.png", "png: figures/renamed.png", 1);
    put(&repository.path("pipeline.yaml"), &gone);
    put(&repository.path("figures/tables/old.csv"), "x");
    put(&repository.path("figures/.DS_Store"), "x");
    symlink("curve.svg", repository.path("figures/link.svg")).expect("a link");
    repository.run(&["run", "--accept"]);
    put(&repository.path("figures/curve.png"), "as it was");
    let orphans = [
        "figures/curve.png",
        "figures/link.svg",
        "figures/tables/old.csv",
    ];
    for verb in ["status", "verify"] {
        for args in [&[verb][..], &[verb, "-q"]] {
            let said = repository.run(args).text;
            let lines = said
                .lines()
                .filter(|line| line.ends_with(": no stage makes it"));
            let named: Vec<&str> = lines.filter_map(|line| line.split(": ").next()).collect();
            assert_eq!(named, orphans, "{args:?}\n{said}");
        }
        let said = repository.run(&[verb, "--json"]).text;
        let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(json["orphans"], serde_json::json!(orphans), "{said}");
        // Who asks for one stage is told of that.
        let said = repository.run(&[verb, "optimum"]).text;
        assert!(!said.contains("no stage makes it"), "{said}");
    }
    for name in orphans {
        assert!(
            repository.path(name).exists(),
            "{name}: a look removes nothing"
        );
    }
    // What is beside the outputs of a variant is named there.
    let set = ["--set", "vars.seed=5", "--out", "out"];
    repository.expect(0, &[&["run"], &set[..]].concat());
    put(&repository.path("out/figures/old.png"), "x");
    let said = repository.expect(0, &[&["verify"], &set[..]].concat());
    assert!(
        said.contains("figures/old.png: no stage makes it"),
        "{said}"
    );
    assert!(!said.contains("old.csv"), "{said}");
}
