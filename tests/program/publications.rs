//! Provenance in published files: in the engine on a toy pipeline, in the file formats, and read back
//! by the program.

use crate::toy::{Ask, Repo, Signature};
use provenance::embed::{Format, embed, take_apart};
use retrace::base::digest::Digest;
use retrace::lock::file::Lock;
use retrace::upkeep::gc;
use retrace::upkeep::rebuild::{Rebuilder, rebuild};
use retrace::upkeep::verify::{Finding, verify};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;

/// a -> b, both published; c reads b and its own trace.
const CHAIN: &str = r#"
version: 2
stages:
  a: {kind: join, params: {text: a}, outputs: {out: figures/a.txt}}
  b: {kind: join, params: {text: b, note: x}, inputs: {parts: a.out}, outputs: {out: figures/b.txt}}
  c: {kind: tell, params: {text: c}, inputs: {parts: b.out}, outputs: {out: artifacts/c.txt}}
"#;

fn signed(words: &str) -> Repo {
    let mut repo = Repo::new(CHAIN);
    repo.publisher = Some(Signature::new(words));
    repo
}

fn run(repo: &Repo) -> Vec<String> {
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.failed.is_empty() && summary.differing.is_empty(),
        "{summary:?}"
    );
    repo.take_runs()
}

fn findings(repo: &Repo) -> Vec<Finding> {
    let verified = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.select(&[], &[])?)
    });
    verified.expect("it can be verified").findings
}

/// The record behind the signature.
fn record(repo: &Repo, file: &str) -> Json {
    let text = repo.read(file);
    let (_, json) = text.split_once(": ").expect("a signature");
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn files_below_figures_say_where_they_come_from_and_nothing_reads_that() {
    let repo = signed("made by");
    assert_eq!(run(&repo), ["a", "b", "c"]);
    let b = record(&repo, "figures/b.txt");
    assert_eq!(b["stage"], "b");
    assert_eq!(b["kind"], "join");
    assert_eq!(b["params"]["note"], "x");
    assert_eq!(b["content"], Digest::of(b"b(a())").to_string());
    let input = &b["inputs"][0];
    assert_eq!(input["from"], "a.out");
    assert_eq!(input["digest"], Digest::of(b"a()").to_string());
    assert!(repo.read("artifacts/c.txt").starts_with("c(b(a())"));
    assert!(run(&repo).is_empty());
    assert_eq!(findings(&repo), []);
}

#[test]
fn a_published_file_that_is_lost_or_edited_comes_back_without_a_run() {
    let repo = signed("made by");
    run(&repo);
    let before = repo.read("figures/b.txt");
    std::fs::remove_file(repo.path("figures/b.txt")).unwrap();
    // The artifact itself is not the published file.
    repo.write("figures/a.txt", "a()");
    let differing = findings(&repo);
    assert_eq!(differing.len(), 2, "{differing:?}");
    assert!(run(&repo).is_empty());
    assert_eq!(repo.read("figures/b.txt"), before);
    assert_eq!(findings(&repo), []);
}

#[test]
fn other_embedding_code_publishes_anew_without_a_run() {
    let mut repo = signed("made by");
    run(&repo);
    repo.publisher = Some(Signature::new("from"));
    let outdated = findings(&repo);
    let is_publication = |f: &Finding| matches!(f, Finding::Publication { .. });
    assert!(outdated.len() == 2 && outdated.iter().all(is_publication));
    assert!(run(&repo).is_empty());
    assert!(repo.read("figures/a.txt").contains("from: "));
    assert_eq!(findings(&repo), []);
}

#[test]
fn the_same_code_that_publishes_other_bytes_is_a_finding() {
    let mut repo = signed("made by");
    run(&repo);
    let lock = std::fs::read(repo.path("pipeline.lock")).unwrap();
    std::fs::remove_dir_all(repo.path(".icl-repro")).unwrap();
    // The words change, the code digest does not: as if embedding depended on the machine.
    let signature = repo.publisher.as_mut().unwrap();
    signature.words = "MADE BY".into();
    let summary = repo.run(&Ask::default()).unwrap();
    let stages: Vec<usize> = summary.differing.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, [0, 1]);
    assert_eq!(std::fs::read(repo.path("pipeline.lock")).unwrap(), lock);
}

#[test]
fn a_stage_that_asks_is_told_of_all_stages_before_it() {
    let repo = signed("made by");
    run(&repo);
    let text = repo.read("artifacts/c.txt");
    let trace = text
        .strip_prefix("c(b(a())")
        .and_then(|t| t.strip_suffix(')'));
    let trace: Json = serde_json::from_str(trace.expect("a trace")).expect("JSON");
    let stages = trace["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[0]["stage"], "a");
    assert_eq!(stages[1]["inputs"][0]["from"], "a.out");
    let output = &stages[1]["outputs"][0];
    assert_eq!(output["path"], "figures/b.txt");
    assert_eq!(output["digest"], Digest::of(b"b(a())").to_string());
    // The note changes no byte of b, but it is what the trace tells.
    repo.write("pipeline.yaml", &CHAIN.replace("note: x", "note: y"));
    assert_eq!(run(&repo), ["b", "c"]);
    assert!(run(&repo).is_empty());
    assert_eq!(findings(&repo), []);
}

#[test]
fn what_the_lock_publishes_survives_gc_and_a_rebuild_makes_the_same() {
    let repo = signed("made by");
    run(&repo);
    let freed = repo.with(&Ask::default(), |context| {
        let plan = gc::plan(context.workspace, context.store, Some(0))?;
        plan.execute(context.store)?;
        Ok(plan.freed())
    });
    assert_eq!(freed.unwrap(), 0);
    assert!(run(&repo).is_empty());
    let rebuilt = repo.with(&Ask::default(), |context| {
        let selection = context.pipeline.select(&[], &[])?;
        let how = Rebuilder {
            workers: 1,
            observer: &|_| {},
            cancelled: &AtomicBool::new(false),
        };
        let rebuilt = rebuild(context, &selection, &how)?;
        Ok((rebuilt.equal, rebuilt.mismatches.len()))
    });
    assert_eq!(rebuilt.unwrap(), (3, 0));
}

#[test]
fn a_lock_without_publications_is_brought_up_to_date() {
    let mut repo = signed("made by");
    repo.publisher = None;
    run(&repo);
    repo.publisher = Some(Signature::new("made by"));
    assert!(run(&repo).is_empty());
    let lock = Lock::read(&repo.path("pipeline.lock")).unwrap();
    let published = lock.stages["a"].outputs["out"].published.unwrap();
    assert_eq!(
        published.digest,
        Digest::of(repo.read("figures/a.txt").as_bytes())
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A committed file of each format.
fn samples() -> Vec<(Format, PathBuf)> {
    [
        (Format::Svg, "figures/linear_tf_zs.svg"),
        (Format::Png, "figures/linear_tf_zs.png"),
        (Format::Pdf, "figures/linear_tf_zs.pdf"),
        (Format::Parquet, "figures/tables/losses.parquet"),
    ]
    .map(|(format, path)| (format, root().join(path)))
    .into()
}

#[test]
fn committed_files_carry_their_provenance_and_are_their_artifacts_without_it() {
    let lock = Lock::read(&root().join("pipeline.lock")).unwrap();
    let mut seen = 0;
    for (stage, block) in &lock.stages {
        for (output, record) in &block.outputs {
            let path = root().join(&record.path);
            let format = Format::of_name(&path).filter(|_| record.path.starts_with("figures"));
            let Some(format) = format else {
                assert!(record.published.is_none(), "{stage}.{output}");
                continue;
            };
            let file = std::fs::read(&path).unwrap();
            assert_eq!(Format::of_bytes(&file), Some(format));
            assert_eq!(Digest::of(&file), record.file_digest());
            let parts = block.parts.as_ref().unwrap();
            let apart = take_apart(format, &file).unwrap();
            assert_eq!(Digest::of(&apart.content), record.digest);
            let json: Json = serde_json::from_str(&apart.provenance.unwrap()).unwrap();
            assert_eq!(json["stage"], *stage);
            assert_eq!(json["output"], *output);
            assert_eq!(json["kind"], parts.kind);
            assert_eq!(json["content"], record.digest.to_string());
            let inputs = json["inputs"].as_array().unwrap().iter();
            let inputs =
                inputs.map(|i| (i["role"].as_str().unwrap(), i["digest"].as_str().unwrap()));
            let recorded = parts.inputs.iter();
            let mut inputs: Vec<(String, String)> =
                inputs.map(|(r, d)| (r.to_owned(), d.to_owned())).collect();
            inputs.sort();
            let recorded: Vec<(String, String)> = recorded
                .map(|(role, digest)| (role.clone(), digest.to_string()))
                .collect();
            assert_eq!(inputs, recorded);
            seen += 1;
        }
    }
    assert!(seen > 90, "{seen}");
}

#[test]
fn every_format_keeps_any_json_and_refuses_a_second_one() {
    let nasty =
        r#"{"a":"θ₀ <&>\"]]> %%EOF endobj ) \\ \u0000 \ud83d\ude00 é","b":[1.0,-0.0,1e300]}"#;
    let expected: Json = serde_json::from_str(nasty).unwrap();
    for (format, path) in samples() {
        let content = take_apart(format, &std::fs::read(&path).unwrap())
            .unwrap()
            .content;
        let file = embed(format, &content, nasty).unwrap();
        assert_eq!(file, embed(format, &content, nasty).unwrap());
        let apart = take_apart(format, &file).unwrap();
        let found: Json = serde_json::from_str(&apart.provenance.unwrap()).unwrap();
        assert_eq!((found, &apart.content), (expected.clone(), &content));
        assert!(embed(format, &file, nasty).is_err(), "{format:?}");
    }
}

/// Cut or changed anywhere, a file is either refused or no longer its artifact with its record.
#[test]
fn damage_is_never_taken_for_the_file() {
    for (format, path) in samples() {
        let file = std::fs::read(&path).unwrap();
        let whole = take_apart(format, &file).unwrap();
        for at in (0..file.len()).step_by(file.len() / 60) {
            // White space behind the root element of an SVG is no part of what it shows.
            let cut = take_apart(format, &file[..at]);
            assert!(
                cut.is_err() || cut.unwrap() != whole,
                "{format:?} cut at {at}"
            );
            let mut other = file.clone();
            other[at] ^= 1 << (at % 8);
            let read = std::panic::catch_unwind(|| take_apart(format, &other));
            if let Ok(Ok(read)) = read
                && format != Format::Parquet
                && format != Format::Pdf
            {
                assert_ne!(read, whole, "{format:?} changed at {at}");
            }
        }
    }
}

fn provenance(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .arg("provenance")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_copy_anywhere_tells_its_stage_and_the_repository_tells_the_command() {
    let away = tempfile::tempdir().unwrap();
    for (format, path) in samples() {
        let copy = away.path().join("picture.dat");
        std::fs::copy(&path, &copy).unwrap();
        let alone = provenance(away.path(), &["picture.dat"]);
        assert_eq!(
            alone.status.code(),
            Some(0),
            "{format:?} {}",
            text(&alone.stderr)
        );
        assert!(text(&alone.stdout).contains("as it left the stage"));
        assert!(text(&alone.stdout).contains("no repository here"));
        let copy = copy.to_str().unwrap();
        let here = provenance(root(), &["--json", copy]);
        let json: Json = serde_json::from_slice(&here.stdout).unwrap();
        assert_eq!(json["lock"]["exact"], true, "{format:?}");
        let command = json["lock"]["commands"][0].as_str().unwrap();
        let stage = json["carried"]["stage"].as_str().unwrap();
        assert_eq!(command, format!("icl-repro run {stage}"));
    }
}

#[test]
fn stripped_foreign_edited_and_cut_files_are_told_apart() {
    let away = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = away.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (format, path) in samples() {
        let file = std::fs::read(&path).unwrap();
        let content = take_apart(format, &file).unwrap().content;
        let stripped = provenance(root(), &[&put("stripped", &content)]);
        assert_eq!(
            stripped.status.code(),
            Some(0),
            "{}",
            text(&stripped.stderr)
        );
        let said = text(&stripped.stdout);
        assert!(
            said.contains("it was removed") && said.contains("again"),
            "{said}"
        );
        let alone = provenance(away.path(), &["stripped"]);
        assert_eq!(alone.status.code(), Some(2));
        assert!(text(&alone.stderr).contains("without provenance"));
        let cut = provenance(root(), &[&put("cut", &file[..file.len() / 2])]);
        assert_eq!(cut.status.code(), Some(2));
        assert!(
            text(&cut.stderr).contains("cut short"),
            "{}",
            text(&cut.stderr)
        );
    }
    let foreign = provenance(root(), &[&put("foreign", b"hello")]);
    assert_eq!(foreign.status.code(), Some(2));
    assert!(text(&foreign.stderr).contains("no pipeline.lock of this repository knows"));
    let svg = std::fs::read_to_string(root().join("figures/linear_tf_zs.svg")).unwrap();
    let edited = svg.replacen("#ffffff", "#fffffe", 1);
    let edited = provenance(root(), &[&put("edited", edited.as_bytes())]);
    assert_eq!(edited.status.code(), Some(3));
    assert!(text(&edited.stdout).contains("CHANGED since"));
    let newer = svg.replacen("\"retrace\":1", "\"retrace\":2", 1);
    let newer = provenance(root(), &[&put("newer", newer.as_bytes())]);
    assert_eq!(newer.status.code(), Some(2));
    assert!(text(&newer.stderr).contains("update icl-repro"));
    // Found by mutation: polars asks for 2^61 bytes, which no process survives.
    let fatal = provenance(root(), &["fuzz/corpus/parquet/asks-for-2-exabytes.parquet"]);
    assert_eq!(fatal.status.code(), Some(2), "{}", text(&fatal.stderr));
    assert!(
        text(&fatal.stderr).contains("signal"),
        "{}",
        text(&fatal.stderr)
    );
    let missing = provenance(root(), &["no/such/file.png"]);
    assert_eq!(missing.status.code(), Some(2));
}
