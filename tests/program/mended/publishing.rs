//! What is committed changes in an unmodified default run and in no other, whatever the settings, the
//! folders and the spelling of paths.

use crate::mended::tree::{Tree, first_change, part, put, tree};
use crate::repository::{Repository, said};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// What a repository commits, and a letter beside each.
const COMMITTED: [&str; 5] = [
    "pipeline.yaml",
    "pipeline.lock",
    "figures",
    "data",
    "letter",
];

/// A repository with a profile, everything made, where the next plain run changes a figure; links to
/// it and to what it commits are below the folder around it.
fn world() -> (Repository, std::path::PathBuf) {
    let repository = Repository::named("a/b/c/repo", &std::env::temp_dir());
    let yaml = fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    let profiles = "profiles:\n  other: {vars.seed: 3}\n  same: {}\ngroups:\n";
    let yaml = yaml.replacen("groups:\n", profiles, 1);
    put(&repository.path("pipeline.yaml"), &yaml);
    repository.expect(0, &["run"]);
    let next = yaml.replacen("  seed: 0\n", "  seed: 7\n", 1);
    assert_ne!(next, yaml);
    put(&repository.path("pipeline.yaml"), &next);
    for folder in ["", "figures", "data", "artifacts", ".icl-repro", "other"] {
        put(&repository.path(folder).join("letter"), "dear");
    }
    let around = repository.root.parent().expect("a folder").to_owned();
    symlink(".", repository.path("here")).expect("a link");
    symlink("figures", repository.path("figs")).expect("a link");
    symlink("repo", around.join("link")).expect("a link");
    fs::create_dir(around.join("side")).expect("a folder");
    symlink("../repo/figures", around.join("side/figures")).expect("a link");
    put(&repository.path("inside/letter"), "dear");
    symlink("..", repository.path("inside/artifacts")).expect("a link");
    (repository, around)
}

fn committed(repository: &Repository) -> Tree {
    part(&tree(&repository.root), &COMMITTED)
}

#[test]
fn changed_settings_never_reach_what_is_committed() {
    let (repository, around) = world();
    let figures = around.join("figures");
    fs::rename(&repository.root, &figures).expect("a move");
    symlink("figures", &repository.root).expect("a link");
    let before = committed(&repository);
    let absolute = figures.to_string_lossy();
    for settings in [
        &["--set", "vars.seed=5"][..],
        &["--profile", "other"],
        // Also where the profile changes nothing: that is not how it was asked for.
        &["--profile", "same"],
        &["--profile", "other", "--set", "vars.seed=0"],
    ] {
        for out in [
            ".",
            "./",
            "../repo",
            "../figures",
            "../link",
            "../link/here/here",
            "here",
            "figures/..",
            "new/..",
            "new/folder/../../.",
            &*absolute,
            // The parent's `figures` is the repository.
            "..",
            "figures",
            "figures/tables",
            "Figures/new",
            "figs",
            "figs/new",
            "data",
            "data/new",
            "artifacts",
            ".git/new",
            "../side",
            "inside",
            ".icl-repro/objects",
            ".icl-repro/logs/new",
            ".icl-repro/profiles",
        ] {
            let args = [&["run"], settings, &["--out", out]].concat();
            let said = repository.run(&args);
            assert_eq!(said.code, Some(2), "{args:?}\n{}", said.text);
            assert!(said.text.contains("hint: "), "{args:?}\n{}", said.text);
            let after = committed(&repository);
            assert_eq!(first_change(&before, &after), None, "{args:?}");
        }
        // The variant's own folder may be a link as well.
        let args = [&["run"], settings].concat();
        let shown = repository.expect(0, &args);
        let variant = shown
            .lines()
            .find_map(|l| l.strip_prefix("outputs are in "));
        let variant = Path::new(variant.expect("a folder"));
        fs::remove_dir_all(variant).expect("ours");
        for to in [&figures, &figures.join("figures")] {
            symlink(to, variant).expect("a link");
            repository.expect(2, &args);
            repository.expect(2, &[&["clean"], settings].concat());
            let after = committed(&repository);
            assert_eq!(first_change(&before, &after), None, "{args:?}");
            fs::remove_file(variant).expect("a link");
        }
    }
    // The default's outputs go where they belong, whatever is said.
    for out in ["../link/here", "figures/..", "."] {
        let said = repository.expect(0, &["run", "--out", out]);
        assert!(said.contains("equal the committed lock"), "{said}");
    }
    let after = committed(&repository);
    let changed = |path: &str| before[Path::new(path)] != after[Path::new(path)];
    assert!(changed("pipeline.lock") && changed("figures/tables/losses.csv"));
}

#[test]
fn outputs_go_over_no_file_that_was_not_made_here() {
    let (repository, around) = world();
    let out = around.join("out");
    put(&out.join("figures/curve.png"), "mine");
    put(&out.join("letter"), "dear");
    for settings in [&[][..], &["--set", "vars.seed=5"]] {
        let args = [&["run", "--keep-going", "--out", "../out"], settings].concat();
        let said = repository.expect(1, &args);
        assert!(
            said.contains("was not made here") && said.contains("curve.png"),
            "{said}"
        );
        let read = |name: &str| fs::read_to_string(out.join(name)).expect("a file");
        assert_eq!(
            (read("figures/curve.png"), read("letter")),
            ("mine".into(), "dear".into())
        );
    }
    // Once it is out of the way the run completes, and what it made it may make again.
    fs::remove_file(out.join("figures/curve.png")).expect("a file");
    for seed in ["vars.seed=5", "vars.seed=6"] {
        repository.expect(0, &["run", "--out", "../out", "--set", seed]);
    }
    put(&out.join("figures/curve.svg"), "edited");
    repository.expect(0, &["run", "--out", "../out", "--set", "vars.seed=6"]);
    assert_ne!(
        fs::read_to_string(out.join("figures/curve.svg")).expect("a file"),
        "edited"
    );
    // So it is when a run was cut short before its lock was written.
    fs::remove_file(out.join("pipeline.lock")).expect("a lock");
    repository.expect(0, &["run", "--out", "../out", "--set", "vars.seed=5"]);
    // A link in its place leads to what is somebody else's.
    put(&around.join("notes"), "mine");
    let linked = around.join("linked/figures/tables");
    fs::create_dir_all(&linked).expect("a folder");
    symlink("../../../notes", linked.join("losses.csv")).expect("a link");
    repository.expect(1, &["run", "--out", "../linked"]);
    assert_eq!(
        fs::read_to_string(around.join("notes")).expect("a file"),
        "mine"
    );
    assert!(linked.join("losses.csv").is_symlink());
    let lock = around.join("locked/pipeline.lock");
    fs::create_dir_all(around.join("locked")).expect("a folder");
    symlink("../repo/pipeline.lock", &lock).expect("a link");
    repository.expect(2, &["run", "--out", "../locked"]);
    assert!(lock.is_symlink());
}

/// A verb with its options, and where the folders are.
#[derive(Clone, Debug)]
struct Asked {
    verb: &'static [&'static str],
    settings: &'static [&'static str],
    out: Option<String>,
    cache: Option<String>,
}

/// Of a path at most three: none leads out of the temporary folder.
const NAMES: [&str; 18] = [
    ".",
    "..",
    "..",
    "figures",
    "FIGURES",
    "tables",
    "artifacts",
    "data",
    "new",
    "here",
    "figs",
    "link",
    "repo",
    "side",
    "inside",
    ".icl-repro",
    "profiles",
    "other",
];

/// Spellings of the root.
const ROOTS: [&str; 5] = [".", "here", "../repo/", "figures/..", "../link/here"];

fn asked() -> impl Strategy<Value = Asked> {
    let verb = prop_oneof![
        6 => Just(&["run"][..]),
        1 => Just(&["run", "--force", "--accept"][..]),
        1 => Just(&["clean"][..]),
        1 => Just(&["gc", "--max-size", "0"][..]),
        1 => Just(&["verify", "--rebuild", "losses"][..]),
    ];
    let settings = prop_oneof![
        4 => Just(&[][..]),
        1 => Just(&["--profile", "other"][..]),
        1 => Just(&["--profile", "same"][..]),
        2 => Just(&["--set", "vars.seed=5"][..]),
        1 => Just(&["--profile", "other", "--set", "curve.dpi=50"][..]),
    ];
    let path = || {
        let parts = proptest::collection::vec(proptest::sample::select(&NAMES), 1..4);
        let root = proptest::sample::select(&ROOTS).prop_map(str::to_owned);
        let path = (parts, any::<bool>())
            .prop_map(|(parts, slash)| parts.join("/") + if slash { "/" } else { "" });
        prop_oneof![1 => root, 3 => path]
    };
    let out = proptest::option::weighted(0.7, path());
    let cache = proptest::option::weighted(0.25, path());
    (verb, settings, out, cache).prop_map(|(verb, settings, out, cache)| Asked {
        verb,
        settings,
        out,
        cache,
    })
}

#[test]
fn committed_files_change_in_an_unmodified_default_run_alone() {
    let (template, template_around) = world();
    let before = committed(&template);
    let defaults = ProptestConfig::default();
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => defaults.cases,
        None => 120,
    };
    let rng_seed = match defaults.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20260223),
        given => given,
    };
    let config = ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        ..defaults
    };
    let counts = std::cell::RefCell::new([0; 3]);
    let result = TestRunner::new(config).run(&asked(), |asked| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let around = folder.path().join("a/b/c");
        fs::create_dir_all(around.parent().expect("a folder")).expect("a folder");
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(&template_around).arg(&around);
        assert!(copy.status().expect("cp is there").success());
        let root = around.join("repo");
        let mut command = Command::new(crate::repository::PROGRAM);
        command.args(asked.verb).args(asked.settings);
        for (option, folder) in [("--out", &asked.out), ("--cache-dir", &asked.cache)] {
            if let Some(folder) = folder {
                command.args([option, folder]);
            }
        }
        command
            .current_dir(&root)
            .env_clear()
            .env("HOME", folder.path());
        // Of a path through folders that are missing it is not asked.
        let is_root = match &asked.out {
            None => Some(true),
            Some(out) => {
                let leads = root.join(out).canonicalize().ok();
                leads.map(|leads| Some(leads) == root.canonicalize().ok())
            }
        };
        let said = said(&mut command);
        let after = part(&tree(&root), &COMMITTED);
        let change = first_change(&before, &after);
        let publishes = match asked.verb[0] == "run" && asked.settings.is_empty() {
            true => is_root,
            false => Some(false),
        };
        let is_done = said.code == Some(0);
        let context = format!("{asked:?}: {:?}\n{}", said.code, said.text);
        match publishes {
            Some(true) if is_done => {
                let theirs = ["pipeline.yaml", "data", "letter", "figures/letter"];
                let [old, new] = [&before, &after].map(|tree| part(tree, &theirs));
                prop_assert!(change.is_some() && old == new, "{context}");
                counts.borrow_mut()[0] += 1;
            }
            Some(_) => {
                prop_assert_eq!(change, None, "{}", context);
                counts.borrow_mut()[if is_done { 1 } else { 2 }] += 1;
            }
            None => {}
        }
        prop_assert!(said.code.is_some_and(|code| code <= 3), "{context}");
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let [published, elsewhere, refused] = counts.into_inner();
    eprintln!("{published} published, {elsewhere} went elsewhere, {refused} were refused");
    assert!(published > 10 && elsewhere > 20 && refused > 20);
}
