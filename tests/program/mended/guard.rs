//! A damaged Parquet file ends a child and nothing else: whatever the program is called, and whoever
//! reads the file.

use crate::mended::tables::root;
use crate::toy::{Ask, Repo};
use retrace::base::error::{Error, Result};
use retrace::run::inspection::Inspector;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_icl-repro");

/// Found by mutation: polars asks for 2^61 bytes, which no process survives.
fn fatal() -> PathBuf {
    root().join("fuzz/corpus/parquet/asks-for-2-exabytes.parquet")
}

/// A file that says of itself that it has 2^31 columns.
fn fatal_footer() -> Vec<u8> {
    // Thrift: version 2, then the list of the schema with its length.
    let footer = [0x15, 0x04, 0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1".as_slice(), &footer, &length, b"PAR1"].concat()
}

/// A folder on the file system of the program, so that it can be linked there.
fn beside() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// The file is refused by name, and the program lives to say so.
fn is_refused(output: &Output, what: &str) {
    let said = text(output);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{what}: {} {said}",
        output.status
    );
    assert!(
        said.contains("signal 6") && said.contains(".parquet"),
        "{what}: {said}"
    );
}

#[test]
fn no_name_of_the_program_turns_the_guard_off() {
    let folder = beside();
    let path = |name: &str| folder.path().join(name);
    std::fs::hard_link(PROGRAM, path("renamed")).expect("a link");
    std::fs::hard_link(PROGRAM, path("a name with blanks, é and \"quotes\"")).expect("a link");
    symlink(PROGRAM, path("linked")).expect("a link");
    symlink(path("linked"), path("linked again")).expect("a link");
    for name in [
        "renamed",
        "a name with blanks, é and \"quotes\"",
        "linked",
        "linked again",
    ] {
        let mut command = Command::new(path(name));
        is_refused(&provenance(&mut command), name);
    }
    for zeroth in ["", "x", "icl-repro", "/bin/true", "--try-foreign-file"] {
        let mut command = Command::new(PROGRAM);
        is_refused(
            &provenance(command.arg0(zeroth)),
            &format!("argv[0] = {zeroth:?}"),
        );
    }
    let mut command = Command::new(path("renamed"));
    is_refused(
        &provenance(command.env_clear().env("PATH", "/nowhere")),
        "no search path",
    );
    let mut command = Command::new("./renamed");
    is_refused(
        &provenance(command.current_dir(folder.path())),
        "by a relative path",
    );
}

fn provenance(command: &mut Command) -> Output {
    command
        .arg("provenance")
        .arg(fatal())
        .output()
        .expect("the program starts")
}

/// The program's file is gone, or is another one, by the time that it starts its child.
#[test]
fn a_program_that_is_deleted_or_replaced_is_its_own_child() {
    for change in [
        "rm \"$1\"",
        "rm \"$1\" && cp /bin/true \"$1\"",
        "rm \"$1\" && mkdir \"$1\"",
        "mv \"$1\" \"$1.moved\"",
    ] {
        let folder = beside();
        let program = folder.path().join("icl-repro");
        // A copy could be busy: another test may start a process while it is written.
        std::fs::hard_link(PROGRAM, &program).expect("a link");
        let script = format!("exec 3<\"$1\" && {change} && exec /proc/self/fd/3 provenance \"$2\"");
        let output = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(&program)
            .arg(fatal())
            .output()
            .expect("a shell");
        is_refused(&output, change);
    }
}

#[test]
fn what_a_file_says_of_itself_may_be_fatal_too() {
    let folder = beside();
    let path = folder.path().join("footer.parquet");
    std::fs::write(&path, fatal_footer()).expect("a file");
    let output = Command::new(PROGRAM)
        .arg("provenance")
        .arg(&path)
        .output()
        .expect("it starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{} {said}", output.status);
    assert!(said.contains("footer.parquet"), "{said}");
}

/// Stages of several kinds on one damaged file, and one on a whole file.
const STAGES: &str = r#"
version: 2
stages:
  examples:
    kind: tabular-tasks
    inputs: {table: data/bad.parquet}
    params: {features: ["x*"], tasks: ["t*"], held_out: 0.3, scale: none, d: 1, shots: 1, seed: 0}
    outputs: {train: artifacts/train.parquet, held_out: artifacts/held.parquet, features: artifacts/f.parquet}
  figure:
    kind: figure
    inputs: {font: data/DejaVuSans.ttf, tables: {t: data/bad.parquet}}
    params: {width_pt: 100, height_pt: 100, font_pt: 8, dpi: 50, panels: []}
    outputs: {svg: figures/f.svg, pdf: figures/f.pdf, png: figures/f.png, data: figures/f.csv}
  roles:
    kind: task-roles
    inputs: {train: data/bad.parquet}
    params: {target: a, pretraining: 1, unseen: 1, seed: 0}
    outputs: {roles: artifacts/roles.json, data_set: artifacts/data_set.parquet}
  healthy:
    kind: tabular-tasks
    inputs: {table: data/plants.csv}
    params: {features: ["*_mm"], tasks: ["question_*"], held_out: 0.3, scale: none, d: 1, shots: 1, seed: 0}
    outputs: {train: artifacts/h/train.parquet, held_out: artifacts/h/held.parquet, features: artifacts/h/f.parquet}
"#;

#[test]
fn a_damaged_table_fails_the_stages_that_read_it_and_no_other() {
    let mut headless = std::fs::read(fatal()).expect("a file");
    // The library looks for the mark at the end.
    headless[..4].copy_from_slice(b"????");
    let damaged = [
        std::fs::read(fatal()).expect("a file"),
        headless,
        fatal_footer(),
    ];
    for (number, bytes) in damaged.iter().enumerate() {
        let folder = beside();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("data")).expect("a folder");
        std::fs::write(path("pipeline.yaml"), STAGES).expect("a file");
        std::fs::write(path("data/bad.parquet"), bytes).expect("a file");
        for (from, to) in [
            ("data/fonts/DejaVuSans.ttf", "data/DejaVuSans.ttf"),
            ("docs/own-data/data/plants.csv", "data/plants.csv"),
        ] {
            std::fs::copy(root().join(from), path(to)).expect("a copy");
        }
        std::fs::hard_link(PROGRAM, path("mine")).expect("a link");
        let mut run = Command::new(path("mine"));
        let run = run
            .args(["run", "--keep-going", "-j", "2"])
            .current_dir(folder.path());
        let output = run
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .expect("it starts");
        let said = text(&output);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{number}: {} {said}",
            output.status
        );
        for stage in ["examples", "figure", "roles"] {
            let start = format!("error: {stage}: ");
            let line = said.lines().find(|line| line.contains(&start));
            let line = line.unwrap_or_else(|| panic!("{number}: {stage} is missing in {said}"));
            assert!(line.contains("data/bad.parquet"), "{line}");
        }
        assert!(
            path("artifacts/h/train.parquet").is_file(),
            "{number}: {said}"
        );
        assert!(!path("artifacts/train.parquet").exists() && !path("figures/f.svg").exists());
    }
}

/// Remembers what it was shown, and refuses files named `bad`.
struct Seen(Arc<Mutex<Vec<PathBuf>>>);

impl Inspector for Seen {
    fn inspect(&self, path: &Path) -> Result<()> {
        self.0.lock().expect("no panic").push(path.to_owned());
        match path.ends_with("data/bad") {
            true => Err(Error::failed("data/bad is damaged")),
            false => Ok(()),
        }
    }
}

/// The engine shows every file that no stage made, before the stage runs, and nothing else.
#[test]
fn the_engine_has_foreign_files_looked_at_and_no_others() {
    let mut repo = Repo::new(
        "version: 2\nstages:\n  a: {kind: join, params: {text: a}, inputs: {file: data/good}, outputs: {out: artifacts/a}}\n  \
         b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: artifacts/b}}\n  \
         c: {kind: join, params: {text: c}, inputs: {file: data/bad}, outputs: {out: artifacts/c}}\n",
    );
    repo.write("data/good", "good");
    repo.write("data/bad", "bad");
    let seen = Arc::new(Mutex::new(Vec::new()));
    repo.inspector = Some(Box::new(Seen(seen.clone())));
    let ask = Ask {
        keep_going: true,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert_eq!(summary.failed.len(), 1, "{summary:?}");
    assert_eq!(repo.take_runs(), ["a", "b"]);
    let mut shown = seen.lock().expect("no panic").clone();
    shown.sort();
    assert_eq!(shown, [repo.path("data/bad"), repo.path("data/good")]);
    assert_eq!(repo.read("artifacts/b"), "b(a(good))");
    // No part of a key: without an inspector nothing is stale.
    repo.inspector = None;
    repo.run(&Ask {
        targets: &["b"],
        ..Ask::default()
    })
    .expect("it runs");
    assert_eq!(repo.take_runs(), Vec::<String>::new());
}

/// What a stage made is not shown to the inspector, because no stage is given another thing than that.
#[test]
fn a_result_that_lost_a_bit_reaches_no_stage() {
    let mut repo = Repo::new(
        "version: 2\nstages:\n  a: {kind: join, params: {text: a}, outputs: {out: artifacts/a}}\n  \
         b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: artifacts/b}}\n  \
         c: {kind: join, params: {text: c}, inputs: {parts: b.out}, outputs: {out: artifacts/c}}\n  \
         d: {kind: join, params: {text: d}, inputs: {parts: {x: a.out, y: c.out}}, outputs: {out: artifacts/d}}\n",
    );
    let objects = repo.path(".icl-repro/objects");
    repo.hook = Arc::new(move |text, _| {
        if text == "c" {
            damage(&objects, b"a()", b"a[]");
        }
        Ok(())
    });
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!(summary.failed.len(), 1, "{summary:?}");
    assert_eq!(repo.take_runs(), ["a", "b", "c"]);
    repo.hook = Arc::new(|_, _| Ok(()));
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!(
        (summary.failed.len(), repo.read("artifacts/d")),
        (0, "d(a()c(b(a())))".into())
    );
}

/// Gives the one file with some content another.
fn damage(folder: &Path, from: &[u8], to: &[u8]) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            damage(&path, from, to);
        } else if std::fs::read(&path).expect("a file") == from {
            std::fs::remove_file(&path).expect("it goes");
            std::fs::write(&path, to).expect("a file");
        }
    }
}
