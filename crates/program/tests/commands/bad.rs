//! Input that cannot be: what is said, and that nothing is recorded.

use crate::folder::Folder;

fn pipeline(params: &str, outputs: &str) -> String {
    format!(
        "version: 2\nstages:\n  one:\n    kind: command\n    params: {{{params}}}\n    outputs: {{{outputs}}}\n"
    )
}

/// A stage that fails when it runs: its message has these words.
#[track_caller]
fn fails(params: &str, words: &[&str]) {
    let folder = Folder::with(&[("pipeline.yaml", &pipeline(params, "x: figures/x.txt"))]);
    let said = folder.expect(1, &["run"]);
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    folder.nothing_recorded("one");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    fails(
        "run: [no-such-program]",
        &["no program `no-such-program`", "hint"],
    );
    fails("run: [./none.sh]", &["there is no program ./none.sh"]);
    fails("run: [python3, none.py]", &["exit code 2", "none.py"]);
}

#[test]
fn an_output_must_be_a_file_that_was_written() {
    fails(
        "run: ['true']",
        &["did not write its output `x`", "{out.x}"],
    );
    fails(
        "run: [sh, -c, 'echo 1 > other.txt']",
        &[
            "did not write its output `x`",
            "it wrote other.txt",
            "places: {x:",
        ],
    );
    fails("run: [mkdir, '{out.x}']", &["figures/x.txt, is a folder"]);
    fails(
        "run: [ln, -s, /etc/passwd, '{out.x}']",
        &["figures/x.txt, is a link"],
    );
    fails(
        "run: [sh, -c, 'echo 1 > {out.x}; exit 3']",
        &["exit code 3"],
    );
    fails(
        "run: [sh, -c, 'echo the last words >&2; kill -9 $$']",
        &["signal 9", "the last words"],
    );
}

#[test]
fn params_are_refused_before_anything_runs() {
    for (params, words) in [
        ("run: []", "run: it names no program"),
        (
            "run: [python3 main.py]",
            "write each argument apart, [python3, main.py]",
        ),
        (
            "run: [cp, '{in.data}', '{out.x}']",
            "there is no input `data`",
        ),
        (
            "run: [cp, a, '{out.y}']",
            "there is no output `y`; there is x",
        ),
        ("run: [a], timeout: 0", "timeout: must be above 0"),
        ("run: [a], memory: lots", "memory: `lots` is no size"),
        (
            "run: [a], folder: ../x",
            "folder: `../x` is no folder below the root",
        ),
        (
            "run: [a], env: {PATH: x}",
            "env.PATH: every command has its own",
        ),
        (
            "run: [a], places: {z: a/b}",
            "places: `z` is neither an input nor an output",
        ),
        ("run: [a], cores: 0", "cores: must be from 1 to 1024"),
        ("ruN: [a]", "run"),
    ] {
        let folder = Folder::with(&[("pipeline.yaml", &pipeline(params, "x: figures/x.txt"))]);
        let said = folder.expect(2, &["run"]);
        assert!(
            said.contains(words) && said.contains("pipeline.yaml:"),
            "{params}: {said}"
        );
        folder.nothing_recorded("one");
    }
}

/// A folder of packages as tools make it, with a package of that version.
fn with_environment(folder: &Folder) {
    folder.write(
        ".venv/pyvenv.cfg",
        "home = /usr/bin\ninclude-system-site-packages = false\n",
    );
    std::fs::create_dir_all(folder.at(".venv/bin")).expect("a folder");
    std::os::unix::fs::symlink("/usr/bin/python3", folder.at(".venv/bin/python3")).expect("a link");
    let asked = folder
        .command("/usr/bin/python3")
        .args([
            "-c",
            "import sys; print('python%d.%d' % sys.version_info[:2])",
        ])
        .output()
        .expect("python3");
    let version = String::from_utf8(asked.stdout).expect("UTF-8");
    let packages = format!(".venv/lib/{}/site-packages", version.trim());
    folder.write(&format!("{packages}/demo/__init__.py"), "value = 5\n");
    folder.write(
        &format!("{packages}/demo-1.0.dist-info/RECORD"),
        "demo/__init__.py,,\n",
    );
}

#[test]
fn packages_are_held_to_their_lock() {
    let params = "run: [python3, -c, 'import demo; open(\"{out.x}\", \"w\").write(str(demo.value))'], environment: .venv, packages: requirements.txt";
    let folder = Folder::with(&[
        ("pipeline.yaml", &pipeline(params, "x: figures/x.txt")),
        ("requirements.txt", "demo==2.0\n"),
    ]);
    let said = folder.expect(1, &["run"]);
    assert!(
        said.contains("the environment .venv is not there"),
        "{said}"
    );
    with_environment(&folder);
    let said = folder.expect(1, &["run"]);
    assert!(said.contains("demo is 1.0, and 2.0 is locked"), "{said}");
    folder.nothing_recorded("one");
    folder.write("requirements.txt", "other==1\n");
    let said = folder.expect(1, &["run"]);
    assert!(said.contains("demo 1.0 is used, and not locked"), "{said}");
    folder.write("requirements.txt", "demo>=1\n");
    let said = folder.expect(1, &["run"]);
    assert!(said.contains("line 1 locks no version"), "{said}");
    folder.nothing_recorded("one");
    folder.write("requirements.txt", "demo==1.0\n");
    assert_eq!(folder.ran(), ["one"]);
    assert_eq!(folder.read("figures/x.txt"), "5");
    // The file is in the key.
    folder.write("requirements.txt", "demo==1.0\nother==3\n");
    assert_eq!(folder.ran(), ["one"]);
}

#[test]
fn what_another_stage_makes_is_read_by_name_or_not_at_all() {
    let text = r#"
version: 2
stages:
  first:
    kind: command
    params: {run: [sh, -c, "cat artifacts/second.txt > {out.x}"]}
    outputs: {x: artifacts/first.txt}
  second:
    kind: command
    inputs: {x: first.x}
    params: {run: [cp, "{in.x}", "{out.y}"]}
    outputs: {y: artifacts/second.txt}
"#;
    let folder = Folder::with(&[("pipeline.yaml", text)]);
    // Each would need the other: the first does not see what the second made, whether it ever ran or not.
    for _ in 0..2 {
        let said = folder.expect(1, &["run"]);
        assert!(
            said.contains("it looked for artifacts/second.txt"),
            "{said}"
        );
        assert!(said.contains("name it under `inputs`"), "{said}");
        folder.nothing_recorded("first");
    }
    folder.write("artifacts/second.txt", "from before\n");
    let said = folder.expect(1, &["run"]);
    assert!(
        said.contains("it looked for artifacts/second.txt"),
        "{said}"
    );
    // Named, it is a circle, and said to be one.
    let named = text.replace(
        "params: {run: [sh",
        "inputs: {y: second.y}\n    params: {run: [sh",
    );
    folder.write("pipeline.yaml", named);
    let said = folder.expect(2, &["run"]);
    assert!(said.contains("first") && said.contains("second"), "{said}");
}

#[test]
fn a_claim_that_asks_for_nothing_or_for_text_is_no_verdict() {
    let text = r#"
version: 2
stages:
  scores:
    kind: command
    params: {run: [sh, -c, "printf 'method,note,score\na,x,1.5\nb,y,2.5\n' > {out.table}"]}
    outputs: {table: artifacts/scores.csv}
  claims:
    kind: claims
    inputs: {tables: {scores: scores.table}}
    params:
      confidence: {pass: 0.99, false_refutations: 0.01}
      claims:
        - {id: one, statement: a, refuted_by: b, checks: ["QUERY above 1"]}
    outputs: {csv: figures/claims.csv, parquet: figures/claims.parquet, tex: figures/claims.tex, md: figures/claims.md}
"#;
    for (query, words) in [
        ("scores.score{method=c}", "`c`"),
        ("scores.note{method=a}", "text"),
        ("scores.scores{method=a}", "scores"),
    ] {
        let folder = Folder::with(&[("pipeline.yaml", &text.replace("QUERY", query))]);
        let said = folder.expect(1, &["run"]);
        assert!(
            said.contains(words) && said.contains("pipeline.yaml:"),
            "{query}: {said}"
        );
        assert!(!folder.at("figures/claims.csv").exists());
        let lock = folder.read("pipeline.lock");
        assert!(
            lock.contains("scores") && !lock.contains("claims.csv"),
            "{lock}"
        );
    }
}
