//! What verbs print with `--json`: each of a committed schema, kept to its number, and printed as the schema says.

use crate::repository::Repository;
use crate::schema::promise::broken;
use crate::schema::validator::Validator;
use icl_repro::app::app;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

fn committed(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("docs/schemas/{name}.json"))
}

fn names() -> Vec<&'static str> {
    let answers = app().program().answers();
    answers.iter().map(|answer| answer.name).collect()
}

/// With `UPDATE_DOCS` they are written anew, unless that would break a promise.
#[test]
fn the_committed_schemas_are_current_and_keep_their_promise() {
    let folder = committed("").parent().expect("a folder").to_owned();
    for name in names() {
        let path = committed(name);
        let text = app().answer_schema(name).expect("a schema");
        let new: Value = serde_json::from_str(&text).expect("JSON");
        let format = new["title"].as_str().expect("a title");
        let number = format.strip_prefix(&format!("retrace {name} "));
        let number = number.or_else(|| format.strip_prefix(&format!("icl-repro {name} ")));
        let number = number.and_then(|number| number.parse::<u32>().ok());
        assert!(number.is_some(), "{format} is no name and number");
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if let Ok(old) = serde_json::from_str::<Value>(&found)
            && old["title"] == new["title"]
        {
            let broken = broken(&old, &new);
            assert_eq!(
                broken, None,
                "{format} is another format now: raise its number"
            );
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &text).expect("a file");
        } else {
            assert!(found == text, "{}: `make docs` rewrites it", path.display());
        }
    }
    let files = std::fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").file_name());
    let files: BTreeSet<String> = files.map(|f| f.to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = names().iter().map(|n| format!("{n}.json")).collect();
    assert_eq!(files, known);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/formats.md");
    let page = std::fs::read_to_string(page).expect("a page");
    for answer in app().program().answers() {
        let line = format!("| `{}` | [", answer.format);
        assert!(
            page.contains(&line),
            "docs/reference/formats.md lacks {line}"
        );
    }
}

/// Commands by the name of what they print, with their exit codes, in the order in which they are given.
const ASKED: &[(&str, i32, &[&str])] = &[
    ("status", 0, &["status", "--json"]),
    ("status", 0, &["run", "--dry-run", "--json"]),
    ("run", 0, &["run", "--json"]),
    ("run", 0, &["run", "--json"]),
    (
        "run",
        0,
        &["run", "--json", "--set", "vars.seed=3", "curve"],
    ),
    ("variations", 0, &["variations", "--json"]),
    ("diff", 0, &["diff", "--json", "--set", "vars.seed=3"]),
    ("compare", 0, &["compare", "--json", "this", "vars.seed=3"]),
    ("status", 0, &["status", "--json", "--set", "vars.seed=5"]),
    ("explain", 0, &["explain", "--json"]),
    ("explain", 0, &["explain", "--json", "--set", "vars.seed=5"]),
    ("graph", 0, &["graph", "--json"]),
    ("runs", 0, &["runs", "--json"]),
    ("runs", 0, &["runs", "2", "--json"]),
    ("verify", 0, &["verify", "--json"]),
    (
        "verify-rebuild",
        0,
        &["verify", "--rebuild", "--json", "tasks"],
    ),
    ("repeat", 0, &["repeat", "tasks", "--json"]),
    ("doctor", 0, &["doctor", "--json"]),
    (
        "provenance",
        0,
        &["provenance", "--json", "figures/curve.svg"],
    ),
    (
        "risk",
        0,
        &[
            "risk",
            "--params",
            "artifacts/pretrain/4/model.json",
            "--task",
            "artifacts/tasks/theta0.json",
            "--shots",
            "0..3",
            "--json",
        ],
    ),
    ("front", 0, &["front", "--zero-shot", "0.5", "--json"]),
];

/// Asked where there are claims, which the small repository has not: `claims` of tests/program/cli.rs.
const ELSEWHERE: [&str; 2] = ["claims", "claims-history"];

/// An answer, held to the committed schema of its name.
pub fn held(name: &str, printed: &str) -> Value {
    let schema = std::fs::read_to_string(committed(name)).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let answer: Value =
        serde_json::from_str(printed).unwrap_or_else(|e| panic!("{name}: {e}\n{printed}"));
    let start = format!("{{\n  \"format\": {},", schema["title"]);
    assert!(printed.starts_with(&start), "{name}: {printed}");
    if let Err(why) = Validator::strict(schema).check(&answer) {
        panic!("{name}: {why}\n{printed}");
    }
    answer
}

fn asked(repository: &Repository, args: &[&str]) -> Output {
    repository.command(args).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn what_verbs_print_is_what_the_committed_schemas_say() {
    let repository = Repository::new();
    let mut seen: BTreeSet<&str> = ELSEWHERE.into();
    for (name, code, args) in ASKED {
        let output = asked(&repository, args);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{args:?}\n{err}");
        held(name, &text(&output.stdout));
        seen.insert(name);
    }
    std::fs::write(repository.path("figures/curve.svg"), "edited").expect("a file");
    std::fs::write(repository.path("figures/old.png"), "left over").expect("a file");
    for (name, code, args) in [
        ("status", 0, &["status", "--json"][..]),
        ("verify", 3, &["verify", "--json"]),
        (
            "provenance",
            0,
            &["provenance", "--json", "figures/curve.png"],
        ),
    ] {
        let output = asked(&repository, args);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        held(name, &text(&output.stdout));
    }
    // `diff` has no type yet.
    assert_eq!(seen, names().into_iter().collect());
}

#[test]
fn a_run_says_what_ran_failed_and_differs() {
    let repository = Repository::new();
    let run = |code: i32, args: &[&str]| {
        let output = asked(&repository, &[&["run", "--json"], args].concat());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        held("run", &text(&output.stdout))
    };
    let first = run(0, &[]);
    assert_eq!(first["exit_code"], 0);
    assert_eq!(first["counts"]["ran"], first["counts"]["stages"]);
    let stages = first["stages"].as_array().expect("stages");
    let tasks = stages.iter().find(|stage| stage["stage"] == "tasks");
    let tasks = tasks.expect("a stage");
    assert_eq!(
        (&tasks["outcome"], &tasks["reason"]),
        (&"ran".into(), &"new".into())
    );
    assert_eq!(first["counts"]["outputs_equal"], 0, "no lock recorded them");
    assert_eq!(first["counts"]["outputs_new"], first["counts"]["outputs"]);

    // Nothing to do is said by another path of the program, and as the same object.
    let again = run(0, &[]);
    assert_eq!(again["counts"]["fresh"], first["counts"]["stages"]);
    assert_eq!(again["stages"], serde_json::json!([]));
    assert_eq!(again["counts"]["outputs_equal"], first["counts"]["outputs"]);
    assert_eq!(again["counts"]["outputs_new"], 0);

    // The lock records other bytes under the same key.
    let lock = std::fs::read_to_string(repository.path("pipeline.lock")).expect("a lock");
    let keys = std::fs::read_to_string(repository.path("pipeline.keys")).expect("keys");
    let line = lock
        .lines()
        .find(|line| line.starts_with("tasks "))
        .expect("a line");
    let digest = &line[line.find('#').expect("a digest") + 1..][..64];
    let other = digest.chars().rev().collect::<String>();
    std::fs::write(
        repository.path("pipeline.lock"),
        lock.replace(digest, &other),
    )
    .expect("a file");
    std::fs::write(
        repository.path("pipeline.keys"),
        keys.replace(digest, &other),
    )
    .expect("a file");
    let differs = run(3, &["--force", "tasks"]);
    assert_eq!(differs["differing"][0]["stage"], "tasks");
    assert_eq!(differs["differing"][0]["accepted"], false);
    assert_eq!(differs["exit_code"], 3);

    // What fails is in the object; what is refused before a stage runs prints none.
    std::fs::write(repository.path("data/fonts/DejaVuSans.ttf"), "no font").expect("a file");
    let failed = run(1, &["curve"]);
    assert_eq!(failed["counts"]["failed"], 1);
    let last = failed["stages"].as_array().and_then(|stages| stages.last());
    let last = last.expect("a stage");
    assert_eq!(
        (&last["stage"], &last["outcome"]),
        (&"curve".into(), &"failed".into())
    );
    assert!(
        last["reason"]
            .as_str()
            .is_some_and(|why| why.contains("font")),
        "{last}"
    );
    let refused = asked(&repository, &["run", "--json", "curv"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(text(&refused.stdout), "");
}

#[test]
fn a_graph_and_an_explanation_name_what_is_read_and_why() {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    let graph = held(
        "graph",
        &text(&asked(&repository, &["graph", "--json", "curve"]).stdout),
    );
    assert_eq!(
        graph["edges"],
        serde_json::json!([{"from": "optimum", "to": "curve"}])
    );
    let curve = &graph["stages"][1];
    assert_eq!(curve["inputs"][0]["path"], "data/fonts/DejaVuSans.ttf");
    assert_eq!(curve["outputs"][0]["published"], true);
    assert_eq!(graph["stages"][0]["outputs"][0]["published"], false);
    assert_eq!(graph["groups"][0]["stages"], serde_json::json!(["curve"]));
    let changed = ["explain", "--json", "tasks", "--set", "vars.seed=5"];
    let told = held("explain", &text(&asked(&repository, &changed).stdout));
    let key = &told["stages"][0]["key"];
    assert_eq!(key["params"]["seed"], 5);
    assert_eq!(key["lock"]["recorded"], "other-key");
    assert_eq!(key["changes"][0]["old"], 0);
}

/// Whose answer is asked for is said as the verbs are; another is refused with those that there are.
#[test]
fn a_schema_is_asked_for_by_the_name_of_its_verb() {
    let repository = Repository::new();
    let said = repository.expect(0, &["schema", "status"]);
    assert_eq!(
        said,
        std::fs::read_to_string(committed("status")).expect("a schema")
    );
    let said = repository.expect(2, &["schema", "gc"]);
    assert!(
        said.contains("`gc`") && said.contains("verify-rebuild"),
        "{said}"
    );
}
