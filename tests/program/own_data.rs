//! The comparison on a person's own table: the documented example runs, and wrong tables are explained.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of docs/own-data with the font that its figure needs.
struct Example {
    folder: tempfile::TempDir,
}

const TABLE: &str = "data/plants.csv";

impl Example {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (from, to) in [
            ("docs/own-data/pipeline.yaml", "pipeline.yaml"),
            ("docs/own-data/data/plants.csv", TABLE),
            ("data/fonts/DejaVuSans.ttf", "data/fonts/DejaVuSans.ttf"),
        ] {
            let to = folder.path().join(to);
            std::fs::create_dir_all(to.parent().expect("inside")).expect("a folder");
            std::fs::copy(root.join(from), to).expect("a copy");
        }
        Example { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program; returns its exit code and all that it printed.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .output()
            .expect("the program starts");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("UTF-8");
        (output.status.code(), printed)
    }

    /// Rewrites the table, each row a list of cells (row 0 is the header).
    fn edit(&self, change: impl FnOnce(&mut Vec<Vec<String>>)) {
        let text = std::fs::read_to_string(self.path(TABLE)).expect("the table");
        let mut rows: Vec<Vec<String>> = text
            .lines()
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect();
        change(&mut rows);
        let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        std::fs::write(self.path(TABLE), lines.join("\n") + "\n").expect("a file");
    }
}

#[test]
fn the_documented_example_runs() {
    let example = Example::new();
    let (code, printed) = example.run(&["run", "--set", "vars.steps=20", "--out", "out"]);
    assert_eq!(code, Some(0), "{printed}");
    let table = example.path("out/figures/tables/comparison.csv");
    let table = std::fs::read_to_string(table).expect("the table");
    for name in ["plants,zs_v,unseen,20,", "plants,ridge,target,20,"] {
        assert!(table.contains(name), "{table}");
    }
    assert!(example.path("out/figures/accuracy.png").is_file());
}

/// Every wrong table ends with exit code 1 and a message that says where, and nothing is written.
#[test]
fn wrong_tables_are_explained() {
    type Change = fn(&mut Vec<Vec<String>>);
    let cases: [(Change, &[&str]); 9] = [
        (
            |rows| rows.iter_mut().for_each(|row| drop(row.remove(3))),
            &["there is no column `weight_g`"],
        ),
        (
            |rows| rows[7][1] = "long".into(),
            &["row 7, column `length_mm`", "`long` is not a number"],
        ),
        (
            |rows| rows[12][4] = "NaN".into(),
            &["row 12, column `temperature_c`", "missing (empty or NaN)"],
        ),
        (
            |rows| rows[5][2] = String::new(),
            &["row 5, column `width_mm`"],
        ),
        (
            |rows| rows[9][7] = "0.5".into(),
            &["row 9, column `question_a`", "no label"],
        ),
        (
            |rows| rows[1..].iter_mut().for_each(|row| row[5] = "0.4".into()),
            &["column `humidity`", "0.4", "constant_features: drop"],
        ),
        (
            |rows| rows[1..].iter_mut().for_each(|row| row[8] = "1".into()),
            &["column `question_b`", "class -1 has 0 rows"],
        ),
        (
            |rows| rows.truncate(31),
            &["column `question_", "fewer than the 21 of a prompt"],
        ),
        (|rows| rows.truncate(1), &["it has no rows"]),
    ];
    for (change, expected) in cases {
        let example = Example::new();
        example.edit(change);
        let (code, printed) = example.run(&["run", "examples"]);
        assert_eq!(code, Some(1), "{printed}");
        for part in expected.iter().chain([&TABLE]) {
            assert!(printed.contains(part), "`{part}` is missing in\n{printed}");
        }
        assert!(!example.path("artifacts").exists(), "{printed}");
        assert!(!example.path("pipeline.lock").exists(), "{printed}");
    }
}

/// The images of the digits are refused when one byte of them differs.
#[test]
fn a_changed_file_of_images_is_refused() {
    let example = Example::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pipeline = std::fs::read_to_string(root.join("pipeline.yaml")).expect("the pipeline");
    std::fs::write(example.path("pipeline.yaml"), pipeline).expect("a file");
    let mut images = std::fs::read(root.join("data/digits/digits.csv.gz")).expect("the images");
    let middle = images.len() / 2;
    images[middle] ^= 1;
    std::fs::create_dir_all(example.path("data/digits")).expect("a folder");
    std::fs::write(example.path("data/digits/digits.csv.gz"), &images).expect("a file");
    let (code, printed) = example.run(&["run", "digits_table"]);
    assert_eq!(code, Some(1), "{printed}");
    let found = blake3::hash(&images).to_hex();
    for part in ["digits.csv.gz", "6e6d0820", &found[..8]] {
        assert!(printed.contains(part), "`{part}` is missing in\n{printed}");
    }
    assert!(!example.path("artifacts").exists(), "{printed}");
}
