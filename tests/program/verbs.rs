//! `verify --rebuild`, `verify --json` and `diff`: in process with toy stages, and as a user runs them.

use crate::toy::{Ask, Repo};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::upkeep::rebuild::{self, Cause, Rebuild, Rebuilder};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use tables::table::{Column, Table};

const CHAIN: &str = "
version: 2
stages:
  a: {kind: join, params: {text: a}, inputs: {file: data/in}, outputs: {out: figures/a.txt}}
  b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: figures/b.txt}}
  c: {kind: join, params: {text: c}, inputs: {parts: b.out}, outputs: {out: artifacts/c.txt}}
  d: {kind: join, params: {text: d}, outputs: {out: figures/d.txt}}
";

fn chain() -> Repo {
    let repo = Repo::new(CHAIN);
    repo.write("data/in", "1");
    repo.run(&Ask::default()).expect("it runs");
    repo.take_runs();
    repo
}

fn rebuild(repo: &Repo, targets: &[&str]) -> Result<Rebuild> {
    repo.with(&Ask::default(), |context| {
        let targets: Vec<String> = targets.iter().map(|t| t.to_string()).collect();
        let selection = context.pipeline.select(&targets, &[])?;
        let how = Rebuilder {
            workers: 2,
            observer: &|_| {},
            cancelled: &repo.cancelled,
        };
        rebuild::rebuild(context, &selection, &how)
    })
}

/// Stage, cause and names of outputs of every mismatch.
fn mismatches(repo: &Repo, rebuild: &Rebuild) -> Vec<(String, String, usize)> {
    let named = |context: &retrace::run::plan::Context| {
        let id = |stage: usize| context.pipeline.stages[stage].id.clone();
        let all = rebuild.mismatches.iter().map(|m| {
            let cause = match m.cause {
                Cause::Upstream { root } => format!("upstream {}", id(root)),
                Cause::RecordedBefore { upstream } => format!("before {}", id(upstream)),
                cause => format!("{cause:?}"),
            };
            (id(m.stage), cause, m.outputs.len())
        });
        Ok(all.collect())
    };
    repo.with(&Ask::default(), named).expect("it opens")
}

fn found(entries: &[(&str, &str, usize)]) -> Vec<(String, String, usize)> {
    let owned = |&(a, b, n): &(&str, &str, usize)| (a.to_owned(), b.to_owned(), n);
    entries.iter().map(owned).collect()
}

/// Everything in the repository, with its bytes.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.push((path.clone(), Vec::new()));
            files.extend(snapshot(&path));
        } else {
            files.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
    files.sort();
    files
}

#[test]
fn a_rebuild_runs_everything_and_leaves_no_trace() {
    let repo = chain();
    let before = snapshot(repo.folder.path());
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(repo.take_runs(), ["a", "b", "c", "d"]);
    assert_eq!((rebuilt.stages, rebuilt.outputs, rebuilt.equal), (4, 4, 4));
    assert!(rebuilt.mismatches.is_empty() && rebuilt.failed.is_empty());
    drop(rebuilt);
    assert_eq!(snapshot(repo.folder.path()), before);

    // Only what is asked for, with what it needs; and also where there is no cache at all.
    std::fs::remove_dir_all(repo.path(".icl-repro")).expect("a cache");
    let before = snapshot(repo.folder.path());
    assert_eq!(rebuild(&repo, &["b"]).expect("it runs").stages, 2);
    assert_eq!(repo.take_runs(), ["a", "b"]);
    assert_eq!(snapshot(repo.folder.path()), before);
}

#[test]
fn a_stage_that_is_not_deterministic_is_the_root_of_what_follows() {
    let mut repo = chain();
    repo.hook = Arc::new(|text, io| match text {
        "b" => io.write("out", b"another b"),
        _ => Ok(()),
    });
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(
        mismatches(&repo, &rebuilt),
        found(&[("b", "SameKey", 1), ("c", "upstream b", 1)])
    );
    assert_eq!((rebuilt.outputs, rebuilt.equal), (4, 2));
    let output = &rebuilt.mismatches[0].outputs[0];
    let bytes = |path: &Path| std::fs::read_to_string(path).expect("a file");
    assert_eq!(bytes(&output.found_file), "another b");
    let expected = output.expected_file.as_ref().expect("it is in place");
    assert_eq!(bytes(expected), "b(a(1))");

    // Edited in place: then the cache has it. Nowhere: then only digests are known.
    repo.write("figures/b.txt", "edited");
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    let expected = rebuilt.mismatches[0].outputs[0].expected_file.clone();
    assert_eq!(bytes(&expected.expect("it is in the cache")), "b(a(1))");
    std::fs::remove_dir_all(repo.path(".icl-repro")).expect("a cache");
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(rebuilt.mismatches[0].outputs[0].expected_file, None);
}

#[test]
fn an_outdated_lock_says_what_changed() {
    let repo = chain();
    repo.write("data/in", "2");
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(
        mismatches(&repo, &rebuilt),
        found(&[
            ("a", "Changed", 1),
            ("b", "upstream a", 1),
            ("c", "upstream a", 1)
        ])
    );
    assert!(
        rebuilt.mismatches[0].changes[0]
            .to_string()
            .starts_with("input file: ")
    );
    drop(rebuilt);

    // The lock knows the new a and b, but c as it was: nothing is wrong with a and b.
    repo.run(&Ask {
        targets: &["b"],
        ..Ask::default()
    })
    .expect("it runs");
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(mismatches(&repo, &rebuilt), found(&[("c", "before b", 1)]));
    drop(rebuilt);

    // A note enters the key, not the output.
    repo.run(&Ask::default()).expect("it runs");
    repo.write(
        "pipeline.yaml",
        &CHAIN.replace("text: a}", "text: a, note: x}"),
    );
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!(mismatches(&repo, &rebuilt), found(&[("a", "Changed", 0)]));
    drop(rebuilt);

    // The same stage with another name, and one that the lock does not know under any.
    repo.write("pipeline.yaml", &CHAIN.replace("  d:", "  e:"));
    let rebuilt = rebuild(&repo, &["e"]).expect("it runs");
    assert_eq!(mismatches(&repo, &rebuilt), found(&[("e", "Moved", 0)]));
    drop(rebuilt);
    let new = CHAIN.replace(
        "  d: {kind: join, params: {text: d}",
        "  e: {kind: join, params: {text: e}",
    );
    repo.write("pipeline.yaml", &new);
    let rebuilt = rebuild(&repo, &["e"]).expect("it runs");
    assert_eq!(
        mismatches(&repo, &rebuilt),
        found(&[("e", "Unrecorded", 1)])
    );
}

#[test]
fn a_failed_stage_does_not_hide_what_others_differ_in() {
    let mut repo = chain();
    repo.hook = Arc::new(|text, io| match text {
        "b" => Err(Error::failed("no b today")),
        "d" => io.write("out", b"another d"),
        _ => Ok(()),
    });
    let rebuilt = rebuild(&repo, &[]).expect("it runs");
    assert_eq!((rebuilt.failed.len(), rebuilt.skipped), (1, 1));
    assert_eq!(mismatches(&repo, &rebuilt), found(&[("d", "SameKey", 1)]));
}

#[test]
fn without_a_lock_there_is_nothing_to_compare_and_a_dead_rebuild_is_cleared() {
    let repo = Repo::new(CHAIN);
    let error = rebuild(&repo, &[]).err().expect("no lock");
    assert!(error.message.contains("records nothing"), "{error}");
    assert!(!repo.path(".icl-repro").exists());

    let repo = chain();
    repo.write(".icl-repro/rebuild-dead/run.lock", "1");
    repo.write(".icl-repro/rebuild-dead/objects/x", "y");
    rebuild(&repo, &["d"]).expect("it runs");
    assert!(!repo.path(".icl-repro/rebuild-dead").exists());
}

/// A copy of the project's pipeline, as its own repository where a test makes one.
struct Clone {
    folder: tempfile::TempDir,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in [
            "pipeline.yaml",
            "data/fonts/DejaVuSans.ttf",
            "data/digits/digits.csv.gz",
            "data/report/page.html",
            "data/report/page.css",
            "data/report/page.js",
            "data/report/prompt.svg",
            "data/report/what_if.html",
            "data/report/what_if.js",
            "data/report/vendor/echarts.common.min.js",
        ] {
            let to = folder.path().join(name);
            std::fs::create_dir_all(to.parent().expect("inside")).expect("a folder");
            std::fs::copy(root.join(name), to).expect("a copy");
        }
        Clone { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn output(&self, program: &str, args: &[&str], path: Option<&str>) -> Output {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        if let Some(path) = path.map(Into::into).or_else(|| std::env::var_os("PATH")) {
            command.env("PATH", path);
        }
        command.output().expect("the program starts")
    }

    /// Runs the program, expects an exit code, returns stdout and stderr.
    fn expect(&self, code: i32, args: &[&str]) -> (String, String) {
        self.expect_in(code, args, None)
    }

    fn expect_in(&self, code: i32, args: &[&str], path: Option<&str>) -> (String, String) {
        let output = self.output(env!("CARGO_BIN_EXE_icl-repro"), args, path);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        (out, err)
    }

    fn git(&self, args: &[&str]) {
        let user = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let output = self.output("git", &[&user, args].concat(), None);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {err}");
    }

    /// Runs the smoke profile with its outputs and lock where the paper's are, and commits them.
    fn run_and_commit(&self, more: &[&str]) {
        self.run(more);
        self.git(&[
            "add",
            "figures",
            "pipeline.lock",
            "pipeline.keys",
            "pipeline.yaml",
        ]);
        self.git(&["commit", "--quiet", "--message", "results"]);
    }

    /// No profile writes to the repository: its results are put there as somebody would who lies.
    fn run(&self, more: &[&str]) {
        let smoke = ["run", "table_errors", "--profile", "smoke", "--out", "out"];
        self.expect(0, &[&smoke, more].concat());
        std::fs::create_dir_all(self.path("figures/tables")).expect("a folder");
        for entry in std::fs::read_dir(self.path("out/figures/tables")).expect("a folder") {
            let from = entry.expect("an entry").path();
            let to = self.path("figures/tables");
            let to = to.join(from.file_name().expect("a name"));
            std::fs::copy(from, to).expect("a copy");
        }
        for name in ["pipeline.lock", "pipeline.keys"] {
            std::fs::copy(self.path("out").join(name), self.path(name)).expect("a copy");
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_rebuild_says_where_files_differ() {
    let clone = Clone::new();
    let smoke = ["--profile", "smoke"];
    let targets = ["table_errors", "theory"];
    clone.expect(0, &[&["run"], &targets[..], &smoke].concat());
    let verify = [&["verify", "--rebuild"], &targets[..], &smoke].concat();
    let (out, err) = clone.expect(0, &verify);
    let last = out.lines().last().expect("a line");
    let counts: Vec<&str> = last
        .split("; ")
        .nth(1)
        .expect("counts")
        .split(' ')
        .collect();
    assert!(counts[0] == counts[2] && counts[0] != "0", "{out}");
    assert!(err.contains("theory") && err.contains("done in"), "{err}");
    let as_json =
        |code: i32, args: &[&str]| json(&clone.expect(code, &[args, &["--json"]].concat()).0);
    assert_eq!(as_json(0, &verify)["findings"], serde_json::json!([]));
    let plain = [&["verify"], &targets[..], &smoke].concat();
    assert_eq!(as_json(0, &plain)["format"], "retrace verify 1");

    // Expectations that no run meets: the task, and a table of a stage that reads it.
    let out_folder = clone.path(".icl-repro/profiles/smoke");
    let lock_path = out_folder.join("pipeline.lock");
    let keys_path = out_folder.join("pipeline.keys");
    let mut lock = std::fs::read_to_string(&lock_path).expect("a lock");
    let mut keys = std::fs::read_to_string(&keys_path).expect("its keys");
    let mut expect_instead = |path: &str, edit: &dyn Fn(&[u8]) -> Vec<u8>| {
        let file = out_folder.join(path);
        let old = std::fs::read(&file).expect("a file");
        let new = edit(&old);
        std::fs::write(&file, &new).expect("a file");
        let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
        lock = lock.replace(&digest(&old), &digest(&new));
        keys = keys.replace(&digest(&old), &digest(&new));
    };
    expect_instead("artifacts/tasks_0/task.json", &|bytes| {
        let mut theta: Vec<f64> = serde_json::from_slice(bytes).expect("numbers");
        theta[2] = f64::from_bits(theta[2].to_bits() + 3);
        serde_json::to_vec(&theta).expect("numbers")
    });
    expect_instead("artifacts/theory/weights.parquet", &|bytes| {
        let table = Table::from_parquet(bytes).expect("a table");
        let edited = |(name, column): &(String, Column)| match column {
            Column::Float(values) => {
                let mut values = values.clone();
                values[4] = f64::from_bits(values[4].to_bits() - 1);
                values[7] = f64::from_bits(values[7].to_bits() + 9);
                (name.clone(), Column::Float(values))
            }
            column => (name.clone(), column.clone()),
        };
        let columns: Vec<_> = table.columns().iter().map(edited).collect();
        let columns = columns
            .iter()
            .map(|(name, column)| (name.as_str(), column.clone()));
        let table = Table::new(columns.collect()).expect("a table");
        table.to_parquet().expect("Parquet")
    });
    std::fs::write(&lock_path, &lock).expect("a lock");
    std::fs::write(&keys_path, &keys).expect("its keys");

    let (out, _) = clone.expect(3, &verify);
    for line in [
        "tasks@0: other bytes from the same inputs, params and code",
        "    2: expected ",
        "3 ulps apart; 1 values differ; largest difference 3 ulps",
        "theory: its inputs already differ; the first stage upstream that differs is tasks@0",
        "row 4 (from 0), column weight: expected ",
        "1 ulp apart; 2 of 80 values differ; largest difference 9 ulps",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert_eq!(std::fs::read_to_string(&lock_path).expect("a lock"), lock);
    let report = as_json(3, &verify);
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings[0]["cause"], "same-key");
    assert_eq!(findings[0]["outputs"][0]["difference"]["by"], "json");
    let theory = findings
        .iter()
        .find(|f| f["stage"] == "theory")
        .expect("theory");
    assert_eq!(
        (&theory["cause"], &theory["root"]),
        (&"upstream".into(), &"tasks@0".into())
    );
    let difference = &theory["outputs"][0]["difference"];
    assert_eq!(difference["first"]["ulps"], 1);
    assert_eq!(difference["largest_ulps"], 9);

    let theta = clone.path(".icl-repro/profiles/smoke/artifacts/tasks_0/task.json");
    std::fs::write(theta, "[]").expect("a file");
    let (out, _) = clone.expect(3, &verify);
    assert!(out.contains("neither in place nor in the cache"), "{out}");
    let findings = as_json(3, &plain);
    assert_eq!(
        findings["findings"][0]["path"],
        "artifacts/tasks_0/task.json"
    );
}

#[test]
fn a_diff_shows_params_inputs_outputs_and_values() {
    let clone = Clone::new();
    clone.git(&["init", "--quiet"]);
    clone.run_and_commit(&[]);
    let (out, _) = clone.expect(0, &["diff"]);
    assert!(
        out.starts_with("nothing in pipeline.lock changed from HEAD ("),
        "{out}"
    );

    let set = ["--set", "evaluate.prompts=400"];
    clone.run(&set);
    let (out, _) = clone.expect(0, &["diff"]);
    assert!(out.starts_with("2 stages changed from HEAD ("), "{out}");
    let line = |words: &[&str]| {
        let same = |line: &&str| {
            line.split_whitespace()
                .take(words.len())
                .eq(words.iter().copied())
        };
        assert!(out.lines().any(|l| same(&l)), "{words:?}\n{out}");
    };
    line(&["stage", "what", "name", "old", "new"]);
    line(&["value", "old", "new", "in"]);
    line(&["prompts", "500", "400", "evaluate"]);
    line(&["evaluate", "output", "artifacts/evaluate/errors.parquet"]);
    line(&["table_errors", "input", "errors"]);
    line(&[
        "table_errors",
        "errors.parquet",
        "pretrained",
        "theta0",
        "0",
        "error",
    ]);
    line(&[
        "table_errors",
        "errors.parquet",
        "pretrained",
        "theta0",
        "0",
        "prompts",
        "500",
        "400",
        "-100",
    ]);
    assert!(out.contains(" more (--all shows them)"), "{out}");
    let (all, _) = clone.expect(0, &["diff", "HEAD", "--all"]);
    assert!(
        all.lines().count() > 500 && !all.contains("--all"),
        "{}",
        all.lines().count()
    );

    // Two revisions say the same as one and the working tree did.
    clone.run_and_commit(&set);
    let report = json(&clone.expect(0, &["diff", "--json", "HEAD~1", "HEAD"]).0);
    let text = clone.expect(0, &["diff", "--all", "HEAD~1", "HEAD"]).0;
    assert_eq!(
        text.lines().skip(1).collect::<Vec<_>>(),
        all.lines().skip(1).collect::<Vec<_>>()
    );
    assert_eq!(report["new"]["revision"], "HEAD");
    assert_eq!(report["stages"][0]["changes"][0]["part"], "param");
    let tables = report["tables"].as_array().expect("a list");
    assert_eq!(tables.len(), 1, "Parquet stands for its CSV twin");
    assert_eq!(
        tables[0]["values"]["key"],
        serde_json::json!(["model", "task", "n_shots"])
    );
    let back = json(&clone.expect(0, &["diff", "--json", "HEAD", "HEAD~1"]).0);
    assert_eq!(back["stages"][0]["changes"][0]["old"], 400);

    // A table that is not the recorded one, and one that is gone, are not compared.
    let table = clone.path("figures/tables/errors.parquet");
    std::fs::write(&table, "edited").expect("a file");
    let (out, _) = clone.expect(0, &["diff", "HEAD~1"]);
    assert!(
        out.contains("errors.parquet: the file of the working tree is not the one"),
        "{out}"
    );
    std::fs::remove_file(&table).expect("a file");
    let (out, _) = clone.expect(0, &["diff", "HEAD~1"]);
    assert!(
        out.contains("the working tree does not have the file"),
        "{out}"
    );
}

#[test]
fn a_diff_that_cannot_be_made_says_why() {
    let clone = Clone::new();
    let fails = |args: &[&str], path: Option<&str>, message: &str, hint: &str| {
        let err = clone.expect_in(2, args, path).1;
        assert!(
            err.contains(message) && err.contains(hint),
            "{args:?}\n{err}"
        );
    };
    fails(&["diff"], None, "is in no git repository", "git clone");
    fails(
        &["diff"],
        Some("/nowhere"),
        "`git` is not there",
        "install git",
    );
    clone.git(&["init", "--quiet"]);
    fails(&["diff"], None, "there is no revision `HEAD`", "git log");
    clone.git(&["add", "pipeline.yaml"]);
    clone.git(&["commit", "--quiet", "--message", "no lock"]);
    fails(
        &["diff"],
        None,
        "HEAD (",
        "git log --oneline -- pipeline.lock",
    );
    let lock = r#"{"format": 2, "stages": {}}"#;
    std::fs::write(clone.path("pipeline.lock"), lock).expect("a file");
    clone.git(&["add", "pipeline.lock"]);
    clone.git(&["commit", "--quiet", "--message", "a lock"]);
    clone.expect(0, &["diff"]);
    for wrong in [
        "nope",
        "--exec=x",
        "HEAD:pipeline.lock",
        "",
        "HEAD --all",
        "a\nb",
    ] {
        fails(
            &["diff", "--", wrong],
            None,
            "there is no revision `",
            "git branch",
        );
    }
    fails(
        &["diff", "HEAD", "nope"],
        None,
        "there is no revision `nope`",
        "git log",
    );
    fails(&["diff", "HEAD", "HEAD", "HEAD"], None, "unexpected", "");
    fails(
        &["diff", "--profile", "smoke"],
        None,
        "nothing was made with --profile smoke yet",
        "icl-repro run STAGE --profile smoke",
    );
    std::fs::write(clone.path("pipeline.lock"), "{").expect("a file");
    fails(&["diff"], None, "pipeline.lock cannot be read", "");
    std::fs::remove_file(clone.path("pipeline.lock")).expect("a file");
    fails(
        &["diff"],
        None,
        "the working tree has no pipeline.lock",
        "icl-repro run",
    );
}

#[test]
fn the_schema_is_printed_anywhere() {
    let clone = Clone::new();
    std::fs::remove_file(clone.path("pipeline.yaml")).expect("a file");
    let (out, err) = clone.expect(0, &["schema"]);
    assert_eq!(
        json(&out)["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(err, "");
}
