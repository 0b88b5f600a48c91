//! A table that a command writes, as CSV, JSON or Parquet, is as good as one of ours for figure, claims and page.

use crate::folder::Folder;
use tables::table::{Column, Table};

const EXAMPLE: &str = include_str!("../../example/pipeline.yaml");
const SCORES: &str = include_str!("../../example/data/scores.csv");

/// The example, where a command makes its table in a format.
fn repository(ending: &str, bytes: &[u8]) -> Folder {
    let text = EXAMPLE.replace("scores: data/scores.csv", "scores: scores.table");
    let stage = format!(
        "stages:\n  scores:\n    kind: command\n    params: {{run: [cp, data/made.{ending}, \"{{out.table}}\"]}}\n    outputs: {{table: artifacts/scores.{ending}}}\n\n"
    );
    assert_eq!(text.matches("\nstages:\n").count(), 1);
    let folder = Folder::with(&[("pipeline.yaml", &text.replace("stages:\n", &stage))]);
    folder.write(&format!("data/made.{ending}"), bytes);
    folder.expect(0, &["assets"]);
    folder
}

fn rows() -> Vec<Vec<&'static str>> {
    SCORES
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect()
}

fn as_json() -> String {
    let rows = rows();
    let rows = rows.iter().map(|row| {
        format!(
            r#"{{"method": "{}", "n": {}, "seed": {}, "accuracy": {}}}"#,
            row[0], row[1], row[2], row[3]
        )
    });
    format!("[{}]", rows.collect::<Vec<_>>().join(",\n"))
}

fn as_parquet() -> Vec<u8> {
    let rows = rows();
    let whole = |at: usize| {
        rows.iter()
            .map(|row| row[at].parse().expect("a number"))
            .collect()
    };
    let columns = vec![
        (
            "method",
            Column::Text(rows.iter().map(|row| row[0].to_owned()).collect()),
        ),
        ("n", Column::Int(whole(1))),
        ("seed", Column::Int(whole(2))),
        (
            "accuracy",
            Column::Float(
                rows.iter()
                    .map(|row| row[3].parse().expect("a number"))
                    .collect(),
            ),
        ),
    ];
    Table::new(columns)
        .and_then(|table| table.to_parquet())
        .expect("a table")
}

#[test]
fn every_format_gives_the_same_figure_verdicts_and_table_of_the_page() {
    let formats = [
        ("csv", SCORES.as_bytes().to_vec()),
        ("json", as_json().into_bytes()),
        ("parquet", as_parquet()),
    ];
    let made = formats.map(|(ending, bytes)| {
        let folder = repository(ending, &bytes);
        let said = folder.expect(0, &["run"]);
        assert!(said.contains("5 ran"), "{said}");
        let page = folder.read("figures/report.html");
        assert!(
            page.contains("<strong>2 of 3 claims hold</strong>"),
            "{ending}"
        );
        assert!(page.contains("new method"), "{ending}");
        let told = folder.expect(0, &["claims"]);
        let again = folder.expect(0, &["run"]);
        assert!(again.contains("5 fresh"), "{again}");
        (
            folder.read("figures/data/learning_curves.csv"),
            folder.read("figures/claims.csv"),
            told,
        )
    });
    assert_eq!(made[0], made[1]);
    assert_eq!(made[0], made[2]);
}

/// The example whose stages are all somebody's programs.
const PAPER: [(&str, &str); 7] = [
    (
        "pipeline.yaml",
        include_str!("../../python-paper/pipeline.yaml"),
    ),
    (
        "src/main.py",
        include_str!("../../python-paper/src/main.py"),
    ),
    (
        "src/helper.py",
        include_str!("../../python-paper/src/helper.py"),
    ),
    (
        "src/weeks.py",
        include_str!("../../python-paper/src/weeks.py"),
    ),
    (
        "scripts/counts.sh",
        include_str!("../../python-paper/scripts/counts.sh"),
    ),
    (
        "scripts/lib.sh",
        include_str!("../../python-paper/scripts/lib.sh"),
    ),
    (
        "data/growth.csv",
        include_str!("../../python-paper/data/growth.csv"),
    ),
];

#[test]
fn a_paper_of_commands_ends_in_verdicts() {
    let folder = Folder::with(&PAPER);
    folder.expect(0, &["assets"]);
    let said = folder.expect(0, &["run"]);
    assert!(
        said.contains("10 ran") && !said.contains("warning"),
        "{said}"
    );
    let table = folder.read("figures/claims.csv");
    for (id, verdict) in [
        ("light-helps", ",holds,holds,"),
        ("shade-stops-growth", ",fails,fails,"),
        ("groups-are-equal", ",holds,holds,"),
    ] {
        let line = table
            .lines()
            .find(|line| line.starts_with(id))
            .expect("a line");
        assert!(line.contains(verdict), "{line}");
    }
    folder.expect(0, &["claims"]);
    let page = folder.read("figures/report.html");
    assert!(
        page.contains("2 of 3 claims hold") && page.contains("Does light make the plants grow?")
    );
    folder.expect(0, &["verify", "--rebuild"]);
    // A plant less: the shell's count and the claim about it, and all that reads the data.
    let fewer = PAPER[6]
        .1
        .lines()
        .filter(|line| !line.starts_with("light,l3,"));
    folder.write(
        "data/growth.csv",
        fewer.collect::<Vec<_>>().join("\n") + "\n",
    );
    let said = folder.expect(0, &["run"]);
    assert!(said.contains("counts") && said.contains("weeks"), "{said}");
    let said = folder.expect(4, &["claims"]);
    assert!(
        said.contains("groups-are-equal") && said.contains("fails"),
        "{said}"
    );
    let said = folder.expect(0, &["repeat", "counts", "--only", "zone", "--only", "path"]);
    assert!(said.contains("same bytes"), "{said}");
}
