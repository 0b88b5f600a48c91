//! How long the engine takes when it has nothing to do, and what it adds to a stage that does nothing.
//!
//! `make bench`. Nothing here is asserted: a test that fails when the machine is busy helps nobody.

#[allow(dead_code, reason = "tests use the rest of it")]
#[path = "../tests/engine/toy.rs"]
mod toy;

use divan::Bencher;
use icl_repro::registry;
use retrace::base::digest::Digest;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use retrace::store::content::Store;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use toy::{Ask, Repo};

fn main() {
    divan::main();
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const SMOKE: [&str; 2] = ["--profile", "smoke"];

/// A repository of its own in which everything is up to date.
struct Copy {
    folder: tempfile::TempDir,
    profile: &'static [&'static str],
}

impl Copy {
    /// The whole pipeline with its data, in the smoke profile: as many stages, smaller outputs.
    fn smoke() -> Self {
        let yaml = Path::new(ROOT).join("pipeline.yaml");
        Copy::with(
            &std::fs::read_to_string(yaml).expect("the pipeline"),
            &SMOKE,
        )
    }

    /// So many small stages of a kind of the program.
    fn generated(count: usize) -> Self {
        let mut yaml = String::from("version: 2\nstages:\n");
        for i in 0..count {
            let _ = writeln!(
                yaml,
                "  s{i}: {{kind: tasks, params: {{d: 2, noise_var: 0.1, pairs: 4, seed: {i}}}, \
                 outputs: {{task: artifacts/{i}.json, data_set: artifacts/{i}.parquet}}}}"
            );
        }
        Copy::with(&yaml, &[])
    }

    fn with(yaml: &str, profile: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in [
            "data/fonts/DejaVuSans.ttf",
            "data/digits/digits.csv.gz",
            "data/report/page.html",
            "data/report/page.css",
            "data/report/page.js",
            "data/report/vendor/echarts.common.min.js",
        ] {
            let to = folder.path().join(name);
            std::fs::create_dir_all(to.parent().expect("inside")).expect("a folder");
            std::fs::copy(Path::new(ROOT).join(name), to).expect("a copy");
        }
        std::fs::write(folder.path().join("pipeline.yaml"), yaml).expect("a file");
        let copy = Copy { folder, profile };
        copy.run("run");
        // What was written a moment ago is read again, until its times can tell a change.
        std::thread::sleep(std::time::Duration::from_millis(200));
        copy.run("run");
        copy
    }

    fn run(&self, verb: &str) {
        run_program(self.folder.path(), &[&[verb], self.profile].concat());
    }
}

fn run_program(folder: &Path, args: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("the program starts").success());
}

/// `run` as a process, from start to end, with nothing to do in the whole pipeline.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn noop_run(bencher: Bencher) {
    let copy = Copy::smoke();
    bencher.bench_local(|| copy.run("run"));
}

/// The same with a generated pipeline.
#[divan::bench(args = [1000], sample_count = 20, sample_size = 1)]
fn noop_run_generated(bencher: Bencher, stages: usize) {
    let copy = Copy::generated(stages);
    bencher.bench_local(|| copy.run("run"));
}

/// The same on this repository itself, at paper scale; without `make all` before there is nothing to measure.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn noop_run_here(bencher: Bencher) {
    let status = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(["-C", ROOT, "status", "--exit-code"])
        .stdout(Stdio::null())
        .status();
    if !status.expect("the program starts").success() {
        eprintln!("noop_run_here: something is stale, run `make all` first");
        return;
    }
    run_program(Path::new(ROOT), &["run"]);
    bencher.bench_local(|| run_program(Path::new(ROOT), &["run"]));
}

/// `status` as a process: it reads and resolves the pipeline and looks at every stage, as `run` does
/// when anything has changed.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn status(bencher: Bencher) {
    let copy = Copy::smoke();
    bencher.bench_local(|| copy.run("status"));
}

/// The same with a generated pipeline.
#[divan::bench(args = [1000], sample_count = 20, sample_size = 1)]
fn status_generated(bencher: Bencher, stages: usize) {
    let copy = Copy::generated(stages);
    bencher.bench_local(|| copy.run("status"));
}

/// A process that does nothing with a pipeline: what the operating system takes.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn process_start(bencher: Bencher) {
    bencher.bench_local(|| run_program(Path::new(ROOT), &["--version"]));
}

#[divan::bench]
fn parse_pipeline_yaml(bencher: Bencher) {
    let text =
        std::fs::read_to_string(Path::new(ROOT).join("pipeline.yaml")).expect("the pipeline");
    bencher.bench_local(|| Spec::parse("pipeline.yaml", &text).expect("it parses"));
}

#[divan::bench]
fn resolve_pipeline(bencher: Bencher) {
    let text =
        std::fs::read_to_string(Path::new(ROOT).join("pipeline.yaml")).expect("the pipeline");
    let spec = Spec::parse("pipeline.yaml", &text).expect("it parses");
    let kinds = registry::kinds();
    bencher
        .with_inputs(|| spec.clone())
        .bench_local_values(|spec| {
            Pipeline::resolve(spec, &kinds, &Settings::default()).expect("it resolves")
        });
}

/// `count` stages in layers of 50, each reading two of the layer before.
fn layered(count: usize) -> String {
    const WIDTH: usize = 50;
    let mut yaml = String::from("version: 2\nstages:\n");
    for i in 0..count {
        let inputs = match i.checked_sub(WIDTH) {
            // Two parts, one text of fixed length each: contents must not grow from layer to layer.
            Some(above) if i < 2 * WIDTH => format!("inputs: {{parts: s{above}.out}}, "),
            Some(_) => format!(
                "inputs: {{parts: {{a: s{}.out, b: s{}.out}}}}, ",
                i % WIDTH,
                (i + 1) % WIDTH
            ),
            None => String::new(),
        };
        let _ = writeln!(
            yaml,
            "  s{i}: {{kind: join, params: {{text: t{i}}}, {inputs}outputs: {{out: artifacts/{i}.txt}}}}"
        );
    }
    yaml
}

fn up_to_date(count: usize) -> Repo {
    let repo = Repo::new(&layered(count));
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!(summary.ran, count);
    repo
}

/// Reading, resolving and confirming stages that depend on each other, in this process.
#[divan::bench(args = [100, 1000], sample_count = 20, sample_size = 1)]
fn noop_in_process(bencher: Bencher, stages: usize) {
    let repo = up_to_date(stages);
    bencher.bench_local(|| assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 0));
}

/// The same without the run: reading and resolving only.
#[divan::bench(args = [1000], sample_count = 20, sample_size = 1)]
fn open_in_process(bencher: Bencher, stages: usize) {
    let repo = up_to_date(stages);
    bencher.bench_local(|| repo.with(&Ask::default(), |_| Ok(())).expect("it opens"));
}

/// A hundred stages that write a few bytes, from nothing, one after the other, on the disk of the
/// temporary folder. "fastest" to "mean" say how many stages pass in a second: the inverse is what the
/// engine adds to one.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn hundred_trivial_stages(bencher: Bencher) {
    let yaml = layered(100);
    let ask = || Ask {
        workers: Some(1),
        ..Ask::default()
    };
    bencher
        .counter(divan::counter::ItemsCount::new(100usize))
        .with_inputs(|| Repo::new(&yaml))
        .bench_local_refs(|repo| assert_eq!(repo.run(&ask()).expect("it runs").ran, 100));
}

#[divan::bench(args = [1 << 10, 1 << 20, 16 << 20])]
fn hash_a_file(bencher: Bencher, bytes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, vec![7; bytes]).expect("a file");
    bencher
        .counter(divan::counter::BytesCount::new(bytes))
        .bench_local(|| Digest::of_file(&path).expect("it is there"));
}

#[divan::bench(args = [1 << 10, 1 << 20], sample_count = 50, sample_size = 1)]
fn insert_into_the_store(bencher: Bencher, bytes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("cache"), false).expect("it opens");
    let file = folder.path().join("file");
    let mut content = vec![0u8; bytes];
    let mut number = 0u64;
    bencher
        .with_inputs(|| {
            // New content each time: what the store has already is not written again.
            number += 1;
            content[..8].copy_from_slice(&number.to_le_bytes());
            std::fs::write(&file, &content).expect("a file");
        })
        .bench_local_values(|()| store.insert(&file).expect("it is kept"));
}
