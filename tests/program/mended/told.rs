//! The program itself: a warning reaches whoever runs it, the stage's log and the file; an error has a
//! place and ends with exit code 1.

use crate::mended::sketch::{FIGURE, edited, font, table};
use std::path::Path;
use std::process::Command;

/// A repository with one figure of one table.
fn repository(params: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("font.ttf"), font()).expect("a file");
    let bytes = table().to_parquet().expect("bytes");
    std::fs::write(data.join("t.parquet"), bytes).expect("a file");
    let params = params.trim().replace('\n', "\n      ");
    let yaml = format!(
        "version: 2\nstages:\n  curves:\n    kind: figure\n    inputs: {{font: data/font.ttf, tables: {{t: data/t.parquet}}}}\n    \
         params:\n      {params}\n    outputs: {{svg: figures/curves.svg, pdf: figures/curves.pdf, \
         png: figures/curves.png, data: figures/curves.csv}}\n"
    );
    std::fs::write(folder.path().join("pipeline.yaml"), yaml).expect("a file");
    folder
}

/// Exit code and words on stderr.
fn run(folder: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(["run", "--color", "never"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), words)
}

#[test]
fn a_warning_reaches_the_run_the_log_and_the_file() {
    let beyond = [("[-0.5, 3.5], ticks: [0, 1, 2, 3]", "[-0.5, 2.5]")];
    let folder = repository(&edited(&beyond));
    let (code, words) = run(folder.path());
    let warning =
        "panels.0.series.0: 3 of 12 points of `ZS`, `both`, `value` have a place beyond the x axis";
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains(&format!("warning: curves: {warning}")),
        "{words}"
    );
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).expect(path);
    assert!(read(".icl-repro/logs/curves.log").contains(&format!("warning: {warning}")));
    assert!(read("figures/curves.svg").contains(warning));
    // What was said is in the file, also when nothing runs any more.
    let (code, words) = run(folder.path());
    assert!(code == 0 && !words.contains("warning"), "{words}");

    let sound = repository(FIGURE);
    let (code, words) = run(sound.path());
    assert!(code == 0 && !words.contains("warning"), "{words}");
}

#[test]
fn a_curve_that_is_not_there_ends_the_run_where_it_is_named() {
    let folder = repository(&edited(&[
        ("  both_v: {label", "  both_V: {label"),
        ("both, both_v]", "both, both_V]"),
    ]));
    let yaml = std::fs::read_to_string(folder.path().join("pipeline.yaml")).expect("a file");
    let line = yaml
        .lines()
        .position(|line| line.contains("both_V]"))
        .expect("the edit")
        + 1;
    let (code, words) = run(folder.path());
    assert_eq!(code, 1, "{words}");
    for wanted in [
        &format!("pipeline.yaml:{line}:"),
        "has no `both_V`",
        "did you mean `both_v`?",
    ] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
    assert!(!folder.path().join("figures/curves.svg").exists());
}

#[test]
fn what_the_params_alone_tell_is_told_before_anything_runs() {
    let folder = repository(&edited(&[("legend: {panel: 0}", "legend: {panel: 7}")]));
    let yaml = std::fs::read_to_string(folder.path().join("pipeline.yaml")).expect("a file");
    let line = yaml.lines().position(|line| line.contains("panel: 7"));
    let place = format!("pipeline.yaml:{}:", line.expect("the edit") + 1);
    let (code, words) = run(folder.path());
    assert_eq!(code, 2, "{words}");
    assert!(
        words.contains("legend.panel: there is no panel 7") && words.contains(&place),
        "{words}"
    );
}

#[test]
fn of_many_warnings_the_first_are_shown_and_the_others_counted() {
    // An axis for each, which ends before the last of the points.
    let beyond = [("[-0.5, 3.5], ticks: [0, 1, 2, 3]", "[-0.5, \"${end}\"]")];
    let folder = repository(&edited(&beyond));
    let place = folder.path().join("pipeline.yaml");
    let yaml = std::fs::read_to_string(&place).expect("a pipeline");
    let ends = [
        "2.05", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9",
    ];
    let matrix = format!("kind: figure\n    matrix: {{end: [{}]}}\n", ends.join(", "));
    let many = ["svg", "pdf", "png", "csv"].iter().fold(
        yaml.replace("kind: figure\n", &matrix),
        |yaml, ending| {
            let each = format!("\"figures/curves_${{end}}.{ending}\"");
            yaml.replace(&format!("figures/curves.{ending}"), &each)
        },
    );
    std::fs::write(&place, many).expect("a file");
    let (code, words) = run(folder.path());
    assert_eq!(code, 0, "{words}");
    assert_eq!(words.matches(" points of ").count(), 8, "{words}");
    assert!(
        words.contains(
            "warning: 2 more warnings of curves@* (2); the logs of these stages have them"
        ),
        "{words}"
    );
    for end in ends {
        let log = folder
            .path()
            .join(format!(".icl-repro/logs/curves@{end}.log"));
        let log = std::fs::read_to_string(log).expect("a log");
        assert!(log.contains("warning: "), "{log}");
    }
}
