//! The program as a user runs it: cleared environment, temporary home, its own copy of the pipeline.

use crate::finished::Finished;
use crate::schema::answers::held;
use icl_repro::registry;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tables::table::Table;

/// A folder with the project's pipeline and data, and nothing else.
pub struct Clone {
    folder: PathBuf,
    /// What removes the folder with the value.
    _owned: Option<tempfile::TempDir>,
}

impl Clone {
    fn new() -> Self {
        let owned = tempfile::tempdir().expect("a temporary folder");
        let clone = Clone::within(owned.path().to_owned());
        Clone {
            _owned: Some(owned),
            ..clone
        }
    }

    /// One in which the profile `smoke` has been run.
    fn finished() -> Self {
        let clone = Clone::new();
        Finished::once().copy_to(&clone.folder);
        clone
    }

    /// One in a folder that somebody else owns.
    pub fn within(folder: PathBuf) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let copy = |name: &str| {
            let to = folder.join(name);
            std::fs::create_dir_all(to.parent().expect("inside")).expect("a folder");
            std::fs::copy(root.join(name), to).expect("a copy");
        };
        copy("pipeline.yaml");
        copy("data/fonts/DejaVuSans.ttf");
        copy("data/digits/digits.csv.gz");
        copy("data/words/names.tsv.gz");
        copy("data/language/tasks.tsv.gz");
        copy("data/mmlu/made_up_items.csv");
        for name in [
            "page.html",
            "page.css",
            "page.js",
            "prompt.svg",
            "what_if.html",
            "what_if.js",
            "vendor/echarts.common.min.js",
        ] {
            copy(&format!("data/report/{name}"));
        }
        let _owned = None;
        Clone { folder, _owned }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("a file");
        name.to_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_icl-repro"))
            .args(args)
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .output()
            .expect("the program starts")
    }

    /// Runs, expects an exit code, returns stdout and stderr.
    pub fn expect(&self, code: i32, args: &[&str]) -> (String, String) {
        let output = self.run(args);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        (out, err)
    }
}

/// What pipeline.yaml comes to at the scale of the profile `smoke`.
const STAGES: usize = 973;
const OUTPUTS: usize = 1912;
/// What a run says of the stages that it leaves out.
const LEFT_OUT: &str = "; 926 stages of opt-in groups left out: robustness, bridge_rest, llm, llm_check, llm_full, mmlu, mmlu_peft";

const SMOKE: [&str; 2] = ["--profile", "smoke"];
const OUT: &str = ".icl-repro/profiles/smoke";

pub fn smoke<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(&SMOKE).copied().collect()
}

#[test]
fn the_whole_pipeline_runs_once_restores_and_verifies() {
    let first = Finished::once();
    assert!(
        first
            .out
            .starts_with(&format!("{STAGES} stages: 0 fresh, {STAGES} ran (")),
        "{}{}",
        first.out,
        first.err
    );
    assert!(!first.path("figures").exists() && !first.path("pipeline.lock").exists());
    let clone = Clone::finished();
    for stem in [
        "train_losses",
        "optimal_pretrained",
        "optimal_zs_finetune",
        "optimal_zs_finetune_v_only",
        "optimal_zs_finetune_v_only_with_c",
        "linear_tf_pretrained",
        "linear_tf_zs",
        "linear_tf_zs_v",
        "linear_tf_both_v",
        "linear_tf_legend",
        "linear_tf_thetas",
        "linear_tf_thetas_qkv_h2_l2_sgd",
        "train_losses_qkv_h1_l1_adam",
        "appendix_summary",
        "digits_strict_accuracy",
        "depth",
        "depth_summary",
    ] {
        for (ending, magic) in [("svg", "<svg"), ("pdf", "%PDF"), ("png", "\u{89}PNG")] {
            let bytes = std::fs::read(clone.path(&format!("{OUT}/figures/{stem}.{ending}")));
            let bytes = bytes.unwrap_or_else(|e| panic!("{stem}.{ending}: {e}"));
            let magic: Vec<u8> = magic.chars().map(|c| c as u8).collect();
            assert!(bytes.starts_with(&magic), "{stem}.{ending}");
        }
    }
    let (out, err) = clone.expect(0, &smoke(&["run"]));
    assert_eq!(
        out.lines().next(),
        Some(
            format!(
                "{STAGES} stages: {STAGES} fresh; {OUTPUTS} of {OUTPUTS} outputs equal the lock{LEFT_OUT}"
            )
            .as_str()
        )
    );
    assert_eq!(err, "");
    clone.expect(0, &smoke(&["status", "--exit-code"]));
    clone.expect(0, &smoke(&["verify"]));

    let figure = format!("{OUT}/figures/train_losses.png");
    clone.write(&figure, "not a picture");
    let (out, _) = clone.expect(3, &smoke(&["verify"]));
    assert!(
        out.contains("figures/train_losses.png differs from the lock"),
        "{out}"
    );
    let (out, _) = clone.expect(6, &smoke(&["status", "--exit-code", "train_losses"]));
    assert!(out.contains("modified  train_losses"), "{out}");
    let (out, _) = clone.expect(0, &smoke(&["run", "train_losses"]));
    assert!(out.contains("1 restored"), "{out}");
}

/// The appendix from end to end, with a configuration that a user adds: one line.
#[test]
fn a_configuration_of_the_appendix_is_one_line() {
    let clone = Clone::new();
    let yaml = std::fs::read_to_string(clone.path("pipeline.yaml")).expect("the pipeline");
    let known = "        h1_l1_adam: {";
    let line = "        h3_l2_sgd_slow: {words: slow, heads: 3, layers: 2, steps: 9, optimizer: {sgd: {learning_rate: 0.001, momentum: 0}}}\n";
    assert!(yaml.contains(known));
    clone.write(
        "pipeline.yaml",
        &yaml.replacen(known, &format!("{line}{known}"), 1),
    );
    clone.expect(0, &smoke(&["run", "appendix"]));
    for stem in ["linear_tf_thetas_qkv", "train_losses_qkv"] {
        let figure = format!("{OUT}/figures/{stem}_h3_l2_sgd_slow.png");
        assert!(clone.path(&figure).exists(), "{figure}");
    }
    let read = |name: &str| std::fs::read_to_string(clone.path(&format!("{OUT}/figures/{name}")));
    let csv = read("tables/appendix.csv").expect("a table");
    let mine = |line: &&str| line.starts_with("h3_l2_sgd_slow,\"2 layers, 3 heads\",SGD slow,");
    // Three seeds, the pretrained and eight fine-tuned models, three errors of each.
    assert_eq!(csv.lines().filter(mine).count(), 3 * 9 * 3);
    let words = "did not learn: loss 1.";
    assert!(
        csv.lines().filter(mine).all(|line| line.contains(words)),
        "{csv}"
    );
    let exact = |row: &str| !row.rsplit(',').nth(7).expect("a column").is_empty();
    assert!(
        csv.lines()
            .skip(1)
            .all(|row| exact(row) == row.contains("1 layer")),
        "{csv}"
    );
    let tex = read("tables/appendix.tex").expect("a table");
    assert!(
        tex.contains("2 layers, 3 heads, SGD slow & Pretrained &"),
        "{tex}"
    );
}

#[test]
fn threads_do_not_change_a_byte() {
    let clone = Clone::new();
    clone.expect(0, &smoke(&["run", "-j", "1"]));
    let lock = format!("{OUT}/pipeline.lock");
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("a lock");
    // That one was made by three threads.
    assert_eq!(read(clone.path(&lock)), read(Finished::once().path(&lock)));
}

#[test]
fn a_change_runs_what_it_must_and_its_reverse_runs_nothing() {
    let clone = Clone::finished();
    let yaml = std::fs::read_to_string(clone.path("pipeline.yaml")).expect("the pipeline");
    let edit = |from: &str, to: &str| {
        assert!(yaml.contains(from));
        clone.write("pipeline.yaml", &yaml.replacen(from, to, 1));
    };
    // One constant of one figure.
    edit("range: [0.3, 1.15]", "range: [0.3, 1.2]");
    let (out, err) = clone.expect(0, &smoke(&["run"]));
    assert!(
        out.starts_with(&format!("{STAGES} stages: {} fresh, 2 ran", STAGES - 2)),
        "{out}"
    );
    assert!(err.contains("train_losses") && err.contains("param panels.0.y.range.1: 1.15 -> 1.2"));
    // The learning rate of fine-tuning: a line of its own in the stage.
    let tuned = "finetune.training.optimizer={sgd: {learning_rate: 0.005, momentum: 0.9}}";
    let (out, err) = clone.expect(0, &smoke(&["run", "--dry-run", "--set", tuned]));
    assert!(
        out.lines()
            .any(|line| line.starts_with("stale     finetune@* (")),
        "{out}{err}"
    );
    assert!(
        out.lines()
            .any(|line| line.starts_with("missing   pretrain@* (")),
        "{out}"
    );
    clone.write("pipeline.yaml", &yaml);
    let (out, _) = clone.expect(0, &smoke(&["run"]));
    assert!(
        out.starts_with(&format!(
            "{STAGES} stages: {} fresh, 2 restored;",
            STAGES - 2
        )),
        "{out}"
    );
}

#[test]
fn explain_and_graph_answer() {
    let clone = Clone::new();
    let (out, _) = clone.expect(0, &["explain", "pretrain@0"]);
    for part in [
        "param training.steps",
        "5000",
        "code crates/icl/src/train/optimizer.rs",
        "output model",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let (out, _) = clone.expect(0, &["graph", "linear_tf_zs"]);
    assert!(
        out.contains("linear_tf@zs (figure) <- evaluate, theory"),
        "{out}"
    );
    let (out, _) = clone.expect(0, &["graph", "--format", "dot"]);
    assert!(
        out.starts_with("digraph") && out.contains("\"pretrain@0\" -> \"finetune@0,zs\";"),
        "{out}"
    );
    let (out, _) = clone.expect(0, &["graph", "--format", "mermaid"]);
    assert!(
        out.starts_with("graph LR\n") && out.contains("s0 --> "),
        "{out}"
    );
}

/// Reference table of the paper's closed forms: pretrained, a = 20/26, d = 5, noise variance 0.1.
#[test]
fn risk_gives_the_reference_values() {
    let clone = Clone::new();
    let mut q = vec![vec![0.0; 7]; 7];
    (1..6).for_each(|i| q[i][i] = 20.0 / 26.0);
    let params = serde_json::json!({"v": [0, 0, 0, 0, 0, 0, 1], "q": q});
    let params = clone.write("params.json", &params.to_string());
    let task = clone.write("task.json", "[0.6, 0, 0, 0, 0.8]");
    let args = [
        "risk", "--params", &params, "--task", &task, "--shots", "0..20", "--json",
    ];
    let (out, _) = clone.expect(0, &args);
    let answer = held("risk", &out);
    let rows = answer["errors"].as_array().expect("an array");
    assert_eq!(rows.len(), 21);
    for (n, expected) in [(0, 1.1000), (1, 1.4402), (10, 0.5083), (20, 0.3459)] {
        assert_eq!(rows[n]["n"], n);
        let error = rows[n]["error"].as_f64().expect("a number");
        assert!((error - expected).abs() < 5e-5, "{n}: {error}");
    }
    let (out, _) = clone.expect(0, &args[..7]);
    assert_eq!(out.lines().count(), 22);
    assert!(
        out.lines().last().expect("rows").contains(" 0.3459"),
        "{out}"
    );
    // An explicit identity changes nothing; another covariance does.
    let identity = clone.write(
        "i.json",
        "[[1,0,0,0,0],[0,1,0,0,0],[0,0,1,0,0],[0,0,0,1,0],[0,0,0,0,1]]",
    );
    let (same, _) = clone.expect(0, &[&args[..7], &["--covariance", &identity]].concat());
    assert_eq!(same, out);
    let noise = [&args[..7], &["--noise-var", "0"]].concat();
    assert_ne!(clone.expect(0, &noise).0, out);
}

#[test]
fn risk_explains_bad_files() {
    let clone = Clone::new();
    let good = clone.write(
        "good.json",
        r#"{"v": [0, 1, 1], "q": [[1,0,0],[0,1,0],[0,0,0]]}"#,
    );
    let task = clone.write("task.json", "[1]");
    let run = |params: &str, task: &str, more: &[&str]| {
        let args = ["risk", "--params", params, "--task", task, "--shots", "1"];
        clone.expect(2, &[&args[..], more].concat()).1
    };
    let cases = [
        (r#"{"v": [0, 1, 1], "q": [[1,0,0],[0,1]]}"#, "bad.json: q:"),
        (
            r#"{"v": [0, 1, 1], "q": [[1,0,0],[0,1],[0,0,0]]}"#,
            "row 1 has 2 numbers, expected 3",
        ),
        (r#"{"v": [0], "q": [[1]]}"#, "v"),
        (r#"{"v": [0, 1, 1]}"#, "missing field `q`"),
        (
            r#"{"v": [0, 1, 1], "Q": []}"#,
            "bad.json:1:20: unknown field `Q`",
        ),
        (r#"{"v": [0, 1, NaN]}"#, "bad.json:1:"),
        (r#"{"v": [0, 1, 1e999]}"#, "bad.json:1:"),
        ("", "bad.json:1:0"),
    ];
    for (text, message) in cases {
        let bad = clone.write("bad.json", text);
        let err = run(&bad, &task, &[]);
        assert!(
            err.starts_with("error: ") && err.contains(message),
            "{text}\n{err}"
        );
    }
    let two = clone.write("two.json", "[1, 2]");
    assert!(
        run(&good, &two, &[]).contains("two.json: the task has 2 numbers, the model has d = 1")
    );
    assert!(run(&good, "none.json", &[]).contains("none.json"));
    assert!(run(&good, &task, &["--noise-var", "-1"]).contains("--noise-var"));
    for (text, message) in [
        ("[[-1]]", "not positive definite"),
        ("[[1, 2]]", "row 0 has 2"),
    ] {
        let covariance = clone.write("covariance.json", text);
        let err = run(&good, &task, &["--covariance", &covariance]);
        assert!(err.contains(message), "{err}");
    }
    for shots in ["x", "3..1", "0..99999999", "-1", "1..2..3"] {
        let args = ["risk", "--params", &good, "--task", &task, "--shots", shots];
        let err = clone.expect(2, &args).1;
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn bad_requests_say_what_to_type() {
    let clone = Clone::new();
    let cases: [(&[&str], &str); 7] = [
        (&["run", "pretrian"], "did you mean `pretrain`?"),
        (&["status", "--profile", "smok"], "did you mean `smoke`?"),
        (&["status", "--group", "mian"], "did you mean `main`?"),
        (
            &["run", "--set", "pretrain.d=0"],
            "--set pretrain.d=0: stage `pretrain@0`: 0 is not",
        ),
        (
            &["run", "--set", "vars.noise_var=-1"],
            "-1 is not a finite number of at least 0",
        ),
        (&["run", "-j", "0"], "0"),
        (&["-C", "nowhere", "status"], "nowhere"),
    ];
    for (args, message) in cases {
        let err = clone.expect(2, args).1;
        assert!(err.contains(message), "{args:?}\n{err}");
    }
    clone.write("pipeline.yaml", "version: 2\nstages: {a: [}\n");
    let err = clone.expect(2, &["run"]).1;
    assert!(err.contains("error: pipeline.yaml:2:"), "{err}");
    std::fs::remove_file(clone.path("pipeline.yaml")).expect("a file");
    let err = clone.expect(2, &["run"]).1;
    assert!(
        err.contains("there is no pipeline.yaml") && err.contains("-C DIR"),
        "{err}"
    );
    assert!(!clone.path(".icl-repro").exists(), "nothing was written");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let clone = Clone::new();
    clone.write("blocked", "a file where a folder should be");
    let err = clone
        .expect(1, &smoke(&["run", "tasks", "--cache-dir", "blocked/cache"]))
        .1;
    assert!(err.contains("blocked/cache"), "{err}");
    let err = clone
        .expect(1, &smoke(&["run", "tasks", "--out", "blocked/out"]))
        .1;
    assert!(err.contains("blocked/out"), "{err}");
}

#[test]
fn a_model_that_diverges_is_a_result() {
    let clone = Clone::new();
    // Diverges within a few steps: all that reads its models copes; and within the first.
    for (rate, rest) in [
        ("1.0e+100", &[][..]),
        ("1.0e+200", &["--group", "main"][..]),
    ] {
        let set = format!("vars.optimizer={{sgd: {{learning_rate: {rate}, momentum: 0.9}}}}");
        let args = [&["run", "--set", &set, "--out", rate], rest].concat();
        let (out, err) = clone.expect(0, &smoke(&args));
        assert!(
            !out.contains("failed")
                && (!rest.is_empty() || out.starts_with(&format!("{STAGES} stages: "))),
            "{out}{err}"
        );
        let model = clone.path(rate).join("artifacts/pretrain_0/model.json");
        let model = std::fs::read_to_string(model).expect("a model");
        let model: serde_json::Value = serde_json::from_str(&model).expect("JSON");
        assert!(model["diverged_at"].is_u64(), "{model}");
    }
}

#[test]
fn claims_are_shown_and_compared_in_the_default_profile_alone() {
    let clone = Clone::new();
    let (_, err) = clone.expect(1, &smoke(&["claims"]));
    assert!(
        err.contains("not decided yet") && err.contains("icl-repro run claims"),
        "{err}"
    );
    Finished::once().copy_to(&clone.folder);
    let (out, _) = clone.expect(0, &smoke(&["claims"]));
    assert_eq!(out.lines().count(), 40, "{out}");
    let (out, _) = clone.expect(0, &smoke(&["claims", "--json"]));
    let lines = held("claims", &out);
    let lines = lines["claims"].as_array().expect("an array");
    assert_eq!(lines.len(), 39);
    let mut keys: Vec<&str> = lines[7]
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "expected",
            "id",
            "measured",
            "statement",
            "std_error",
            "verdict"
        ]
    );
    let forgets = lines.iter().find(|line| line["id"] == "full-ft-forgets");
    let forgets = forgets.expect("a claim");
    assert_eq!(forgets["verdict"], "fails", "hardly trained");
    let (out, _) = clone.expect(0, &smoke(&["claims", "aux-loss-full"]));
    assert!(
        out.contains("rests on tasks@* (12), pretrain@* (12), finetune@* (72)"),
        "{out}"
    );
    let (_, err) = clone.expect(2, &smoke(&["claims", "w-sta"]));
    assert!(
        err.contains("there is no claim `w-sta`") && err.contains("w-star"),
        "{err}"
    );

    // The hardly trained models in the place of the default profile's.
    let json = format!("{OUT}/figures/tables/claims.json");
    let bytes = std::fs::read(clone.path(&json)).expect("the claims");
    std::fs::create_dir_all(clone.path("figures/tables")).expect("a folder");
    std::fs::write(clone.path("figures/tables/claims.json"), bytes).expect("a file");
    let (_, err) = clone.expect(4, &["claims"]);
    assert!(
        err.contains("but pipeline.yaml records") && err.contains("out of date"),
        "{err}"
    );
    clone.expect(0, &["claims", "few-shot-threshold"]);
}

#[test]
fn a_claim_about_nothing_lists_what_there_is() {
    let clone = Clone::new();
    let text = std::fs::read_to_string(clone.path("pipeline.yaml")).expect("the pipeline");
    for (from, to, known) in [
        (
            "- min(errors.error",
            "- mim(errors.error",
            "there is no function `mim`: did you mean `min`?",
        ),
        (
            "model=zs_v, task",
            "model=zs_vv, task",
            "there is no model `zs_vv`: did you mean `zs_v`?",
        ),
        (
            "within noise-floor",
            "within floor",
            "closed forms are noise-floor, pretraining-loss",
        ),
    ] {
        clone.write("pipeline.yaml", &text.replacen(from, to, 1));
        let err = clone.expect(2, &["status"]).1;
        assert!(err.contains(known), "{err}");
    }
}

#[test]
fn one_stage_alone_needs_its_inputs() {
    let clone = Clone::new();
    let alone = smoke(&["run", "--single-item", "theory"]);
    let (_, err) = clone.expect(2, &alone);
    assert!(
        err.contains("theory alone cannot run") && err.contains("icl-repro run"),
        "{err}"
    );
    clone.expect(0, &smoke(&["run", "tasks@0", "pretrain@0"]));
    let (out, _) = clone.expect(0, &alone);
    assert!(out.starts_with("1 stage: 0 fresh, 1 ran"), "{out}");
    let downstream = ["run", "--dry-run", "--downstream", "theory"];
    let (out, _) = clone.expect(0, &smoke(&downstream));
    // Those that read it, and the report with all that it shows: not the baselines of words with two seeds and the rest
    // of their grid, which nothing reads.
    let all = STAGES - 3;
    let summary = out.lines().last().expect("a summary");
    let expected = format!("{all} stages: 3 fresh, ");
    assert!(summary.starts_with(&expected), "{out}");
    // And it makes what is not there.
    let clone = Clone::finished();
    let figure = clone.path(&format!("{OUT}/figures/linear_tf_zs.png"));
    std::fs::remove_file(&figure).expect("a figure that rests on it");
    let (out, _) = clone.expect(0, &smoke(&["run", "--downstream", "theory"]));
    let expected = format!("{all} stages: {} fresh, 1 restored", all - 1);
    assert!(out.starts_with(&expected), "{out}");
    assert!(figure.exists());
}

#[test]
fn runs_are_remembered_and_status_speaks_json() {
    let clone = Clone::new();
    assert_eq!(clone.expect(0, &["runs"]).0, "no run yet\n");
    clone.expect(0, &smoke(&["run", "tasks@0"]));
    let (out, _) = clone.expect(0, &["runs"]);
    assert!(out.contains("exit 0  run tasks@0 --profile smoke"), "{out}");
    let (out, _) = clone.expect(0, &["runs", "1"]);
    assert!(
        out.contains("ran       tasks@0") && out.contains("new"),
        "{out}"
    );
    let (_, err) = clone.expect(2, &["runs", "2"]);
    assert!(err.contains("there is no run 2"), "{err}");
    let (out, _) = clone.expect(
        0,
        &smoke(&["status", "--json", "evaluate", "--set", "tasks.seed=5"]),
    );
    let status: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(status["all_fresh"], false);
    let stages = status["stages"].as_array().expect("stages");
    let stage = |id: &str| stages.iter().find(|s| s["stage"] == id).expect("a stage");
    assert_eq!(stage("tasks@0")["state"], "stale");
    assert!(stage("tasks@0")["estimated_seconds"].is_f64());
    assert_eq!(stage("evaluate")["chain"][0], "tasks@0");
    let (out, _) = clone.expect(0, &["gc", "--dry-run"]);
    assert!(out.starts_with("would free 0 B, "), "{out}");
    let (out, _) = clone.expect(0, &["clean"]);
    assert!(out.contains("removed"), "{out}");
    assert!(!clone.path(".icl-repro").exists());
}

/// What kinds say of the columns that they write, against the files.
#[test]
fn declared_columns_are_those_that_are_written() {
    let clone = Clone::finished();
    let text = std::fs::read_to_string(clone.path("pipeline.yaml")).expect("the pipeline");
    let spec = Spec::parse("pipeline.yaml", &text).expect("a pipeline");
    let settings = Settings {
        profile: Some("smoke".to_owned()),
        ..Settings::default()
    };
    let kinds = registry::kinds();
    let pipeline = Pipeline::resolve(spec, &kinds, &settings).expect("it resolves");
    let mut checked = BTreeSet::new();
    let made = pipeline
        .stages
        .iter()
        .filter(|stage| stage.opt_in.is_empty());
    for stage in made {
        for (output, path) in &stage.outputs {
            let Some(declared) = stage.job.columns(output) else {
                continue;
            };
            let file = clone.path(".icl-repro/profiles/smoke").join(path);
            let bytes = std::fs::read(&file).expect("an output");
            let is_csv = path.extension().is_some_and(|end| end == "csv");
            let table = match is_csv {
                true => tables::csv::read(&bytes).expect("a table"),
                false => Table::from_parquet(&bytes).expect("a table"),
            };
            let columns = table.columns().iter().map(|(name, _)| name.clone());
            assert_eq!(
                columns.collect::<Vec<_>>(),
                declared,
                "{}.{output}",
                stage.id
            );
            checked.insert((kinds[stage.kind].name(), output.clone()));
        }
    }
    assert!(checked.len() >= 25, "{checked:?}");
}
