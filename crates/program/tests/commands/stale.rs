//! Which stages an edit makes stale, where nobody has said what they read.

use crate::folder::Folder;

const PIPELINE: &str = r#"
version: 2
stages:
  train:
    kind: command
    params: {run: [python3, src/main.py, "{out.table}"]}
    outputs: {table: artifacts/table.csv}
  count:
    kind: command
    params: {run: [sh, scripts/count.sh, "{out.count}"]}
    outputs: {count: figures/count.txt}
  join:
    kind: command
    inputs: {table: train.table}
    params: {run: [sh, -c, "cat {in.table} > {out.all}"]}
    outputs: {all: figures/all.csv}
"#;

const MAIN: &str = r#"
import sys
import json
from helper import scale
rows = [scale(float(line)) for line in open("data/numbers.txt")]
open(sys.argv[1], "w").write(json.dumps(rows))
"#;

fn repository() -> Folder {
    Folder::with(&[
        ("pipeline.yaml", PIPELINE),
        ("src/main.py", MAIN),
        ("src/helper.py", "def scale(x):\n    return 2 * x\n"),
        ("data/numbers.txt", "1\n2\n"),
        (
            "scripts/count.sh",
            ". scripts/lib.sh\ncount data/words.txt > \"$1\"\n",
        ),
        ("scripts/lib.sh", "count() { wc -w < \"$1\"; }\n"),
        ("data/words.txt", "a b c\n"),
        ("notes/readme.txt", "nothing reads this\n"),
    ])
}

#[test]
fn a_module_a_data_file_and_a_shadow_make_their_stage_stale_and_no_other() {
    let folder = repository();
    assert_eq!(folder.ran(), ["count", "join", "train"]);
    assert_eq!(folder.ran(), [""; 0]);

    folder.write("notes/readme.txt", "other words\n");
    folder.write("notes/new.txt", "a new file\n");
    assert_eq!(folder.ran(), [""; 0], "nobody looked there");

    folder.write("src/helper.py", "def scale(x):\n    return 3 * x\n");
    assert_eq!(folder.ran(), ["join", "train"]);
    assert_eq!(folder.read("figures/all.csv"), "[3.0, 6.0]");

    folder.write("data/numbers.txt", "1\n2\n3\n");
    assert_eq!(folder.ran(), ["join", "train"]);

    // It stands before the one of Python's own library.
    folder.write("src/json.py", "def dumps(rows):\n    return 'mine'\n");
    assert_eq!(folder.ran(), ["join", "train"]);
    assert_eq!(folder.read("figures/all.csv"), "mine");

    // As it was: nothing runs, for that is known.
    std::fs::remove_file(folder.at("src/json.py")).expect("a file");
    assert_eq!(folder.ran(), [""; 0]);
    assert_eq!(folder.read("figures/all.csv"), "[3.0, 6.0, 9.0]");

    // Python lists the folder of a script: the stage runs once, and what reads it does not.
    folder.write("src/unrelated.py", "x = 1\n");
    assert_eq!(folder.ran(), ["train"]);
    assert_eq!(folder.ran(), [""; 0]);
}

#[test]
fn a_script_that_another_sources_is_found_too() {
    let folder = repository();
    folder.ran();
    folder.write("scripts/lib.sh", "count() { wc -c < \"$1\"; }\n");
    assert_eq!(folder.ran(), ["count"]);
    folder.write("data/words.txt", "a b c d\n");
    assert_eq!(folder.ran(), ["count"]);
    folder.write("scripts/other.sh", "echo\n");
    assert_eq!(folder.ran(), [""; 0]);
    // What is said agrees with what is done.
    folder.write("scripts/lib.sh", "count() { wc -l < \"$1\"; }\n");
    let said = folder.expect(6, &["status", "--exit-code"]);
    assert!(said.contains("scripts/lib.sh"), "{said}");
    let said = folder.expect(0, &["explain", "count"]);
    assert!(
        said.contains("scripts/lib.sh") && said.contains("data/words.txt"),
        "{said}"
    );
    assert!(!said.contains("helper.py"), "{said}");
}

#[test]
fn the_argument_list_and_the_variables_are_in_the_key() {
    let folder = repository();
    folder.ran();
    let edit = |from: &str, to: &str| {
        let text = folder.read("pipeline.yaml");
        assert!(text.contains(from), "{text}");
        folder.write("pipeline.yaml", text.replace(from, to));
    };
    edit("src/main.py,", "-O, src/main.py,");
    assert_eq!(folder.ran(), ["train"]);
    edit(
        "params: {run: [sh, scripts",
        "params: {env: {X: 1}, run: [sh, scripts",
    );
    assert_eq!(folder.ran(), ["count"]);
    // How long it may take is no part of what it makes.
    edit(
        "params: {env: {X: 1}, run",
        "params: {timeout: 100, env: {X: 1}, run",
    );
    assert_eq!(folder.ran(), [""; 0]);
}
