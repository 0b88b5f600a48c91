//! Verb `new`: what it makes runs, and its verdicts hold.

use crate::folder::Folder;

#[test]
fn what_it_makes_runs_to_its_verdicts() {
    let folder = Folder::with(&[]);
    let said = folder.expect(0, &["new", "x"]);
    assert!(
        said.contains("cd x") && said.contains("retrace run"),
        "{said}"
    );
    let within =
        |code: i32, arguments: &[&str]| folder.expect(code, &[&["-C", "x"], arguments].concat());
    let said = within(0, &["run"]);
    assert!(
        said.contains("7 ran") && !said.contains("warning"),
        "{said}"
    );
    let said = within(0, &["claims"]);
    assert_eq!(said.matches("holds").count(), 2, "{said}");
    assert!(
        folder
            .read("x/figures/report.html")
            .contains("2 of 2 claims hold")
    );
    let said = within(0, &["run"]);
    assert!(said.contains("7 fresh"), "{said}");
    within(0, &["verify"]);
    // A helper that no line names.
    let text = folder.read("x/src/estimates.py");
    folder.write(
        "x/src/estimates.py",
        text.replace("sum(sample) / len(sample)", "sum(sample) / len(sample) + 1"),
    );
    let said = within(0, &["run"]);
    assert!(
        said.contains("measure@0") && said.contains("measure@1"),
        "{said}"
    );
    let mut tests = folder.command("/usr/bin/python3");
    tests
        .args(["-B", "-m", "unittest", "discover", "tests"])
        .current_dir(folder.at("x"));
    assert!(
        !tests.output().expect("python3").status.success(),
        "the tests see it too"
    );
    folder.write("x/src/estimates.py", text);
    assert!(tests.output().expect("python3").status.success());
    let said = within(0, &["run"]);
    assert!(
        said.contains("restored") || said.contains("7 fresh"),
        "{said}"
    );
}

#[test]
fn a_folder_that_has_something_is_left_alone() {
    let folder = Folder::with(&[("x/mine.txt", "1"), ("file", "1")]);
    let said = folder.expect(2, &["new", "x"]);
    assert!(
        said.contains("x is not empty: it has mine.txt") && said.contains("retrace adopt"),
        "{said}"
    );
    let said = folder.expect(2, &["new", "file"]);
    assert!(said.contains("file is a file"), "{said}");
    assert_eq!(
        std::fs::read_dir(folder.at("x")).expect("a folder").count(),
        1
    );
    // An empty one is as good as none, and so is this one.
    std::fs::create_dir(folder.at("empty")).expect("a folder");
    folder.expect(0, &["-C", "empty", "new", "."]);
    assert!(folder.at("empty/pipeline.yaml").is_file() && folder.at("empty/.gitignore").is_file());
    folder.expect(0, &["new", "deep/er"]);
    let left = std::fs::read_dir(folder.at("deep"))
        .expect("a folder")
        .count();
    assert_eq!(left, 1, "nothing is left beside it");
}

/// The workflow's own commands, but for the one that needs an address.
#[test]
fn the_workflow_runs_once_its_addresses_are_filled_in() {
    let folder = Folder::with(&[]);
    folder.expect(0, &["new", "x"]);
    let text = folder.read("x/.github/workflows/pipeline.yml");
    assert!(text.contains("RETRACE_SOURCE: \"\"") && text.matches("FILL IN").count() == 2);
    let yaml: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
    let steps = yaml["jobs"]["pipeline"]["steps"].as_array().expect("steps");
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert_eq!(commands.len(), 6);
    for (source, code) in [("", false), ("https://example.org/retrace", true)] {
        for command in commands
            .iter()
            .filter(|command| !command.starts_with("cargo "))
        {
            let mut bash = folder.command("bash");
            bash.args(["-euo", "pipefail", "-c", command])
                .current_dir(folder.at("x"));
            bash.env("RETRACE_SOURCE", source);
            let output = bash.output().expect("bash");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let asks = command.contains("RETRACE_SOURCE");
            assert_eq!(output.status.success(), code || !asks, "{command}: {said}");
        }
    }
}
