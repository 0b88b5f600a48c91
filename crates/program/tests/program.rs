//! The program as another author uses it: a table that is committed becomes a figure, verdicts and a page.

use std::path::Path;
use std::process::Command;

/// Runs the program in a folder, without what the environment may say: exit code, answer, and the rest.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrace"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder);
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn expect(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let (found, out, err) = run(folder, arguments);
    assert_eq!(found, Some(code), "{arguments:?}: {out}{err}");
    out + &err
}

const PIPELINE: &str = include_str!("../example/pipeline.yaml");
const SCORES: &str = include_str!("../example/data/scores.csv");

/// The example with what `assets` writes.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("data")).expect("a folder");
    write(folder.path(), "pipeline.yaml", PIPELINE);
    write(folder.path(), "data/scores.csv", SCORES);
    expect(folder.path(), 0, &["assets"]);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file");
}

fn read(folder: &Path, name: &str) -> String {
    let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_committed_table_becomes_a_figure_verdicts_and_a_page() {
    let repository = repository();
    let folder = repository.path();
    let said = expect(folder, 0, &["run"]);
    assert!(said.contains("4 stages: 0 fresh, 4 ran"), "{said}");

    let svg = read(folder, "figures/learning_curves.svg");
    assert!(svg.contains("new method") && svg.contains("data/scores.csv"));
    // 64 points are drawn, and are the table's.
    let data = read(folder, "figures/data/learning_curves.csv");
    assert_eq!(data.lines().count(), 65);
    let told = expect(folder, 0, &["provenance", "figures/learning_curves.png"]);
    assert!(
        told.contains("data/scores.csv") && told.contains("retrace run learning_curves"),
        "{told}"
    );

    let table = read(folder, "figures/claims.csv");
    let verdict = |id: &str| {
        let line = table.lines().find(|line| line.starts_with(id));
        line.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    assert!(verdict("new-is-better").contains(",holds,holds,8,"));
    assert!(verdict("baseline-suffices").contains(",fails,fails,8,"));
    let told = expect(folder, 0, &["claims", "new-is-better"]);
    assert!(told.contains("t test over seed (8)"), "{told}");
    assert!(read(folder, "figures/verdicts.csv").contains("more-data-helps,all,holds"));

    let page = read(folder, "figures/report.html");
    for words in [
        "Does the new method learn faster?",
        "<strong>2 of 3 claims hold</strong>",
        "retrace claims new-is-better",
        "retrace verify --rebuild",
        "A file of the repository.",
        "data:image/svg+xml",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("icl-repro"));
    let path = expect(folder, 0, &["report"]);
    assert!(path.contains("report.html"), "{path}");
    expect(folder, 0, &["verify"]);
    let again = expect(folder, 0, &["run"]);
    assert!(again.contains("4 stages: 4 fresh"), "{again}");
}

#[test]
fn another_number_turns_a_verdict_and_only_what_shows_it_runs() {
    let repository = repository();
    let folder = repository.path();
    expect(folder, 0, &["run"]);
    // Another program wrote the same table in another format: the figure and the verdicts are the same bytes.
    let before = read(folder, "figures/claims.csv");
    let rows = SCORES.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        format!(
            r#"{{"method": "{}", "n": {}, "seed": {}, "accuracy": {}}}"#,
            cells[0], cells[1], cells[2], cells[3]
        )
    });
    let rows = rows.collect::<Vec<_>>().join(",\n");
    write(folder, "data/scores.csv", &format!("[{rows}]\n"));
    let said = expect(folder, 0, &["run"]);
    assert!(said.contains("3 ran"), "{said}");
    assert_eq!(read(folder, "figures/claims.csv"), before);

    let worse = SCORES
        .replace("new,80,0,0.8", "new,80,0,0.1")
        .replace("new,80,1,0.8", "new,80,1,0.1");
    assert_ne!(worse, SCORES);
    write(folder, "data/scores.csv", &worse);
    expect(folder, 0, &["run"]);
    let said = expect(folder, 4, &["claims"]);
    assert!(
        said.contains("more-data-helps: undecided, but pipeline.yaml records: holds"),
        "{said}"
    );
}

#[test]
fn what_is_named_must_be_there() {
    let repository = repository();
    let folder = repository.path();
    for (from, to, code, told) in [
        (
            "method=new, n=20}",
            "method=knew, n=20}",
            2,
            "there is no method `knew`: did you mean `new`?",
        ),
        (
            "method=baseline, n=80} above",
            "method=baseline, n=81} above",
            1,
            "has nothing at n = 81; the nearest is 80",
        ),
        (
            "scores.accuracy{method=baseline, n=80} above",
            "scores.method{n=80} above",
            1,
            "`scores.method` holds text",
        ),
        (
            "above 0.9\"",
            "above chance\"",
            2,
            "`chance` is neither TABLE.COLUMN, nor a function with (, nor a number",
        ),
        ("y: accuracy}", "y: acuracy}", 1, "did you mean `accuracy`?"),
        ("each: method", "each: methods", 1, "did you mean `method`?"),
        (
            "kind: claims\n",
            "kind: claim\n",
            2,
            "did you mean `claims`?",
        ),
        (
            "template: data/report/page.html",
            "template: data/report/pag.html",
            2,
            "data/report/pag.html",
        ),
    ] {
        let text = PIPELINE.replacen(from, to, 1);
        assert_ne!(text, PIPELINE, "{from}");
        write(folder, "pipeline.yaml", &text);
        let said = expect(folder, code, &["run"]);
        assert!(said.contains(told), "{to}: {said}");
        assert!(said.contains("pipeline.yaml:"), "{to}: {said}");
    }
    write(folder, "pipeline.yaml", PIPELINE);
    write(folder, "data/scores.csv", "method,n\nnew,1,2\n");
    let said = expect(folder, 1, &["run", "learning_curves"]);
    assert!(said.contains("row 1 of the CSV has 3 fields"), "{said}");
}

#[test]
fn assets_write_nothing_over_what_somebody_changed() {
    let repository = repository();
    let folder = repository.path();
    write(folder, "data/report/page.css", "mine");
    let said = expect(folder, 2, &["assets"]);
    assert!(
        said.contains("data/report/page.css") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(read(folder, "data/report/page.css"), "mine");
    let said = expect(folder, 0, &["assets", "--force"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    let said = expect(folder, 0, &["assets", "--folder", "shared/all"]);
    assert_eq!(said.lines().count(), 7, "{said}");
}

/// Commands that the help shows work in the example.
/// Commits all of a folder, for verbs that ask git.
fn commit(folder: &Path) {
    for args in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=all"],
    ] {
        let status = Command::new("git")
            .current_dir(folder)
            .args(["-c", "user.name=n", "-c", "user.email=e"])
            .args(args)
            .status();
        assert!(status.expect("git starts").success(), "{args:?}");
    }
}

#[test]
fn examples_of_the_help_run() {
    let repository = repository();
    let folder = repository.path();
    expect(folder, 0, &["run"]);
    commit(folder);
    for (verb, examples) in retrace_program::examples::EXAMPLES {
        assert!(
            retrace_program::app()
                .command()
                .find_subcommand(verb)
                .is_some(),
            "{verb}"
        );
        for (example, _) in *examples {
            let words: Vec<&str> = example.split(' ').collect();
            match *verb {
                "adopt" => drop(expect(scripts().path(), 0, &words)),
                _ => drop(expect(folder, 0, &words)),
            }
        }
    }
}

/// What `adopt` takes: a script by its number, as a command, and as a stage.
fn scripts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("scripts/01_clean.sh", "echo x > clean.csv\n");
    write("run.txt", "sh scripts/01_clean.sh\n");
    write(
        "dvc.yaml",
        "stages:\n  clean:\n    cmd: sh scripts/01_clean.sh\n    outs: [clean.csv]\n",
    );
    folder
}

#[test]
fn no_line_of_the_help_is_wider_than_80_columns() {
    fn check(command: &mut clap::Command) {
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        }
        command.get_subcommands_mut().for_each(check);
    }
    let mut command = retrace_program::app().command();
    command.build();
    check(&mut command);
}

/// The schemas of what its verbs print are those of every program.
#[test]
fn answers_for_programs_name_the_format_of_the_engine() {
    let repository = repository();
    let folder = repository.path();
    expect(folder, 0, &["run"]);
    for (args, format) in [
        (&["status"][..], "retrace status 1"),
        (&["run"], "retrace run 1"),
        (&["claims"], "retrace claims 1"),
    ] {
        let (code, out, err) = run(folder, &[args, &["--json"]].concat());
        assert_eq!(code, Some(0), "{err}");
        let first = format!("{{\n  \"format\": \"{format}\",");
        assert!(out.starts_with(&first), "{out}");
        let schema = expect(folder, 0, &["schema", args[0]]);
        assert!(
            schema.contains(&format!("\"const\": \"{format}\"")),
            "{schema}"
        );
    }
}
