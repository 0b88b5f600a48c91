//! An output in another place, a stage under another name: not a difference, and nothing is left behind.

use crate::repository::Repository;
use crate::toy::{Ask, Repo, Signature};
use retrace::base::digest::Digest;
use retrace::lock::diff::{self, Presence};
use retrace::lock::file::Lock;
use retrace::run::leftover::Left;
use retrace::run::settle::Summary;
use retrace::upkeep::rebuild::{Cause, Rebuilder, rebuild};
use retrace::upkeep::verify::{Finding, verify};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CHAIN: &str = "
version: 2
stages:
  a: {kind: join, params: {text: a}, outputs: {out: figures/a.txt}}
  b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: figures/b.txt}}
  c: {kind: join, params: {text: c}, inputs: {parts: b.out}, outputs: {out: artifacts/c.txt}}
";

fn repo(yaml: &str, signed: bool) -> Repo {
    let mut repo = Repo::new(yaml);
    repo.publisher = signed.then(|| Signature::new("made by"));
    repo.run(&Ask::default()).expect("it runs");
    repo.take_runs();
    repo
}

fn edit(repo: &Repo, from: &str, to: &str) {
    let text = repo.read("pipeline.yaml");
    assert!(text.contains(from), "{from}");
    repo.write("pipeline.yaml", &text.replace(from, to));
}

fn findings(repo: &Repo) -> Vec<Finding> {
    let verified = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.select(&[], &[])?)
    });
    verified.expect("it can be verified").findings
}

fn lock(repo: &Repo) -> Lock {
    Lock::read(&repo.path("pipeline.lock")).expect("a lock")
}

/// Runs; nothing may be computed and nothing may differ. Says what was left of each move.
fn settle(repo: &Repo) -> (Summary, Vec<Left>) {
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(summary.differing.is_empty(), "{summary:?}");
    assert!(repo.take_runs().is_empty(), "the cache has all of it");
    let left = summary
        .moved
        .iter()
        .map(|(.., left)| left.clone())
        .collect();
    (summary, left)
}

fn is_settled(repo: &Repo) {
    assert_eq!(findings(repo), []);
    let again = repo.run(&Ask::default()).expect("it runs");
    assert!(!again.wrote_lock && again.moved.is_empty(), "{again:?}");
    assert_eq!(again.outputs_equal, again.outputs);
}

#[test]
fn an_output_in_another_place_is_a_move_and_its_old_file_goes() {
    for (from, to) in [
        ("figures/a.txt", "figures/fig1.txt"),
        ("figures/a.txt", "figures/deeper/a.txt"),
        // Another way to embed, and none.
        ("figures/a.txt", "figures/a.text"),
        ("figures/a.txt", "artifacts/a.txt"),
        ("artifacts/c.txt", "figures/c.txt"),
        // One letter's case.
        ("figures/a.txt", "figures/A.txt"),
    ] {
        for signed in [false, true] {
            let what = format!("{from} to {to}, signed: {signed}");
            let repo = repo(CHAIN, signed);
            edit(&repo, from, to);
            let found = findings(&repo);
            let is_move = |f: &Finding| {
                matches!(f, Finding::Moved { from: f, to: t, .. }
                    if f == Path::new(from) && t == Path::new(to))
            };
            assert!(found.len() == 1 && is_move(&found[0]), "{what}: {found:?}");
            let (summary, left) = settle(&repo);
            assert_eq!(left, [Left::Removed], "{what}");
            assert_eq!(
                (summary.outputs_equal, summary.outputs_moved),
                (2, 1),
                "{what}"
            );
            assert!(
                repo.path(to).is_file() && !repo.path(from).exists(),
                "{what}"
            );
            is_settled(&repo);
            // And back.
            edit(&repo, to, from);
            assert_eq!(settle(&repo).1, [Left::Removed], "{what}");
            is_settled(&repo);
        }
    }
}

#[test]
fn paths_that_change_hands_lose_no_file() {
    let repo = repo(CHAIN, true);
    edit(&repo, "figures/a.txt", "figures/swap.txt");
    edit(&repo, "figures/b.txt", "figures/a.txt");
    edit(&repo, "figures/swap.txt", "figures/b.txt");
    let (summary, left) = settle(&repo);
    assert_eq!(left, [Left::Nothing, Left::Nothing]);
    assert_eq!(summary.outputs_moved, 2);
    assert!(repo.read("figures/b.txt").starts_with("a()"));
    assert!(repo.read("figures/a.txt").starts_with("b(a())"));
    is_settled(&repo);
    // A row of three: only the first place is left empty.
    edit(&repo, "figures/a.txt", "figures/new.txt");
    edit(&repo, "figures/b.txt", "figures/a.txt");
    edit(&repo, "artifacts/c.txt", "figures/b.txt");
    let (_, left) = settle(&repo);
    let removed = left.iter().filter(|left| **left == Left::Removed).count();
    assert_eq!((left.len(), removed), (3, 1), "{left:?}");
    assert!(!repo.path("artifacts/c.txt").exists());
    is_settled(&repo);
}

#[test]
fn what_is_not_what_was_recorded_is_left_and_named() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 4] = [
        ("not what the lock recorded", |repo| {
            repo.write("figures/a.txt", "mine");
        }),
        ("no regular file", |repo| {
            let (file, kept) = (repo.path("figures/a.txt"), repo.path("kept.txt"));
            std::fs::rename(&file, &kept).expect("ours");
            std::os::unix::fs::symlink(&kept, &file).expect("a link");
        }),
        ("no regular file", |repo| {
            std::fs::remove_file(repo.path("figures/a.txt")).expect("ours");
            repo.write("figures/a.txt/mine", "mine");
        }),
        ("symbolic link", |repo| {
            std::fs::rename(repo.path("figures/sub"), repo.path("elsewhere")).expect("ours");
            std::os::unix::fs::symlink(repo.path("elsewhere"), repo.path("figures/sub"))
                .expect("a link");
        }),
    ];
    for (why, prepare) in cases {
        let below = CHAIN.replace("figures/a.txt", "figures/sub/a.txt");
        let is_link = why == "symbolic link";
        let repo = repo(if is_link { &below } else { CHAIN }, false);
        prepare(&repo);
        let from = if is_link {
            "figures/sub/a.txt"
        } else {
            "figures/a.txt"
        };
        let before = repo.path(from).symlink_metadata().expect("there");
        edit(&repo, from, "figures/new.txt");
        let (_, left) = settle(&repo);
        assert!(
            matches!(&left[..], [Left::Kept(said)] if said.contains(why)),
            "{why}: {left:?}"
        );
        let after = repo.path(from).symlink_metadata().expect("still there");
        assert_eq!(before.modified().ok(), after.modified().ok(), "{why}");
        assert_eq!(repo.read("figures/new.txt"), "a()");
    }
    let repo = repo(CHAIN, false);
    std::fs::remove_file(repo.path("figures/a.txt")).expect("ours");
    edit(&repo, "figures/a.txt", "figures/new.txt");
    assert_eq!(settle(&repo).1, [Left::Nothing]);
    is_settled(&repo);
}

#[test]
fn a_lock_cannot_name_a_file_that_is_no_output() {
    let through = "figures/../data/mine.txt";
    for foreign in ["data/mine.txt", "mine.txt", "pipeline.yaml", through] {
        let repo = repo(CHAIN, false);
        let mut forged = lock(&repo);
        let record = forged
            .stages
            .get_mut("a")
            .and_then(|block| block.outputs.get_mut("out"))
            .expect("recorded");
        record.path = foreign.into();
        // Even one with the recorded bytes.
        if foreign != "pipeline.yaml" {
            repo.write(foreign, "a()");
        }
        forged.write(&repo.path("pipeline.lock")).expect("written");
        let (_, left) = settle(&repo);
        // A path with a way up is none that a lock can have: its block counts for nothing.
        if foreign == through {
            assert_eq!(left, []);
        } else {
            assert!(
                matches!(&left[..], [Left::Kept(why)] if why.contains("not where outputs are")),
                "{left:?}"
            );
        }
        assert!(repo.path(foreign).is_file(), "{foreign}");
    }
}

#[test]
fn a_stage_with_another_name_is_the_same_stage() {
    for signed in [false, true] {
        let repo = repo(CHAIN, signed);
        edit(&repo, "  a: ", "  first: ");
        edit(&repo, "a.out", "first.out");
        edit(&repo, "figures/a.txt", "figures/first.txt");
        edit(&repo, "  c: ", "  last: ");
        let found = findings(&repo);
        let names: Vec<&str> = found
            .iter()
            .filter_map(|f| match f {
                Finding::Renamed { from, .. } => Some(from.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["a", "c"], "{found:?}");
        let (summary, left) = settle(&repo);
        assert_eq!(summary.renamed.len(), 2);
        assert_eq!(left, [Left::Removed]);
        let ids: Vec<String> = lock(&repo).stages.into_keys().collect();
        assert_eq!(ids, ["b", "first", "last"]);
        is_settled(&repo);
    }
}

#[test]
fn a_partial_run_takes_the_block_along_and_twins_keep_one_each() {
    let twins = CHAIN.replace(
        "  b: {",
        "  twin: {kind: join, params: {text: a}, outputs: {out: figures/twin.txt}}\n  b: {",
    );
    let repo = repo(&twins, false);
    edit(&repo, "  a: ", "  new: ");
    edit(&repo, "a.out", "new.out");
    edit(&repo, "  twin: ", "  other: ");
    edit(&repo, "figures/twin.txt", "figures/other.txt");
    let ask = Ask {
        targets: &["other"],
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert_eq!(summary.renamed.len(), 1);
    assert!(lock(&repo).stages.contains_key("other"));
    assert!(repo.path("figures/a.txt").is_file());
    let (_, _) = settle(&repo);
    let ids: Vec<String> = lock(&repo).stages.into_keys().collect();
    assert_eq!(ids, ["b", "c", "new", "other"]);
    assert!(repo.path("figures/a.txt").is_file() && repo.path("figures/other.txt").is_file());
    is_settled(&repo);
}

#[test]
fn other_bytes_are_a_finding_under_any_name_and_in_any_place() {
    for (from, to) in [("  b: ", "  new: "), ("figures/b.txt", "figures/new.txt")] {
        let mut repo = repo(CHAIN, false);
        let before = repo.read("pipeline.lock");
        repo.hook = Arc::new(|text, io| match text {
            "b" => io.write("out", b"other"),
            _ => Ok(()),
        });
        edit(&repo, from, to);
        if from == "  b: " {
            edit(&repo, "b.out", "new.out");
        }
        let ask = Ask {
            force: true,
            ..Ask::default()
        };
        let summary = repo.run(&ask).expect("it runs");
        assert_eq!(summary.differing.len(), 1, "{to}: {summary:?}");
        assert!(summary.moved.is_empty() && summary.renamed.is_empty());
        assert_eq!(repo.read("pipeline.lock"), before);
        assert!(!repo.read("figures/b.txt").is_empty());
    }
}

#[test]
fn a_rebuild_and_a_diff_tell_moves_from_differences() {
    let repo = repo(CHAIN, true);
    let old = lock(&repo);
    edit(&repo, "figures/b.txt", "figures/new.txt");
    edit(&repo, "  c: ", "  last: ");
    let causes = repo.with(&Ask::default(), |context| {
        let selection = context.pipeline.select(&[], &[])?;
        let how = Rebuilder {
            workers: 1,
            observer: &|_| {},
            cancelled: &repo.cancelled,
        };
        let rebuilt = rebuild(context, &selection, &how)?;
        assert_eq!((rebuilt.outputs, rebuilt.equal), (3, 3));
        let causes = rebuilt.mismatches.iter().map(|m| m.cause);
        Ok(causes.collect::<Vec<Cause>>())
    });
    assert_eq!(causes.expect("it runs"), [Cause::Moved, Cause::Moved]);
    repo.take_runs();
    settle(&repo);
    let found = diff::diff(&old, &lock(&repo));
    let shown: Vec<_> = found
        .iter()
        .map(|d| {
            (
                d.stage.as_str(),
                d.presence,
                d.renamed_from.as_deref(),
                d.outputs.len(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("b", Presence::Both, None, 1),
            ("last", Presence::Both, Some("c"), 0)
        ]
    );
    let output = &found[0].outputs[0];
    assert!(output.is_move());
    assert_eq!(output.moved_from.as_deref(), Some("figures/b.txt"));
    assert_eq!(output.path, "figures/new.txt");
    assert_eq!(output.new, Some(Digest::of(b"b(a())")));
}

#[test]
fn the_program_says_moved_everywhere_and_ends_well() {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("the pipeline");
    let edited = yaml
        .replace("png: figures/curve.png", "png: figures/fig1.png")
        .replace("\n  losses:\n", "\n  table:\n");
    std::fs::write(repository.path("pipeline.yaml"), edited).expect("a file");
    let said = repository.expect(3, &["verify"]);
    assert!(
        said.contains("figures/fig1.png moved, recorded as figures/curve.png")
            && said.contains("table: renamed, recorded as losses")
            && !said.contains("differs from"),
        "{said}"
    );
    let said = repository.expect(0, &["status"]);
    assert!(
        said.contains("figures/curve.png moved to figures/fig1.png")
            && said.contains("recorded as losses"),
        "{said}"
    );
    assert_eq!(
        said.lines()
            .filter(|line| line.starts_with("moved "))
            .count(),
        2
    );
    let said = repository.expect(0, &["run", "--dry-run"]);
    assert!(said.contains("moved to figures/fig1.png"), "{said}");
    assert!(repository.path("figures/curve.png").is_file());
    let said = repository.expect(0, &["run"]);
    assert!(
        said.contains(
            "curve: figures/curve.png moved to figures/fig1.png; the old file is removed"
        ) && said.contains("the lock recorded it as losses")
            && said.contains(" moved; the lock is brought up to date"),
        "{said}"
    );
    assert!(!repository.path("figures/curve.png").exists());
    repository.expect(0, &["verify"]);
    let left: Vec<PathBuf> = crate::repository::files_below(&repository.path("figures"));
    assert_eq!(left.len(), 7, "{left:?}");
    repository.expect(0, &["verify", "--rebuild"]);
}
