//! What reads bytes that somebody else may have written, each as one function of the bytes.
//!
//! A target returns how much it found, or what the user is told. It may assert what must hold of
//! what was read; it may not panic otherwise.

use crate::hostile::Told;
use crate::yaml;
use findings::contents::foreign;
use icl_repro::kinds::exchange::model;
use icl_repro::registry;
use icl_repro::verbs::risk;
use plots::color::Color;
use retrace::base::digest::Digest;
use retrace::base::files;
use retrace::lock::file::Lock;
use retrace::stage::kind::{Io, Kind};
use retrace::store::actions::Actions;
use retrace::store::history;
use retrace::store::stat::{FileDigests, Stamp, seal, unseal};
use retrace::store::workspace::Workspace;
use retrace::yaml::node::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use tables::compare;
use tables::csv;
use tables::model_file::ModelFile;
use tables::table_diff;

/// What a target needs besides the bytes.
pub struct Bench {
    folder: tempfile::TempDir,
    kinds: Vec<Box<dyn Kind>>,
}

pub struct Target {
    /// Its corpus is `fuzz/corpus/NAME`.
    pub name: &'static str,
    /// How many mutants a test tries: more where they cost less.
    pub mutants: usize,
    pub tokens: &'static [&'static str],
    pub open: fn(&Bench, &[u8]) -> Told,
}

/// Words of locks.
const LOCK: &[&str] = &[
    "# retrace lock 4\n",
    "# retrace lock 5\n",
    "#",
    "=",
    " ",
    "\n",
    "\r",
    "~",
    "%",
    "%41",
    "..",
    "/",
    "<<<<<<< a\n",
    "=======\n",
    "|||||||\n",
    ">>>>>>> b\n",
    "0",
    "{",
];

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "-0.0",
    "1e-400",
    "\\u0000",
    "\"format\": 99",
    "\"format\": 1",
    "\"d\": 18446744073709551615",
    "\"layers\": []",
    "[[[[[[[[",
    "\"..\"",
    "\"/etc/passwd\"",
    "NaN",
    "99999999999999999999999999",
];
const TABLE: &[&str] = &[
    ",",
    "\n",
    "\"",
    "\"\"",
    "\r\n",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "-0",
    "1",
    "-1",
    "\u{feff}",
    "\0",
    "question_a",
    "site",
    "9223372036854775808",
    " ",
];
const LINES: &[&str] = &[
    " ",
    "\n",
    "retrace actions 9\n",
    "{",
    "}",
    "0",
    "-1",
    "18446744073709551616",
    "\0",
];
const BINARY: &[&str] = &[
    "PAR1", "\0\0\0\0", "\u{7f}", "\u{15}", "\u{1c}", "\0", "\u{1}", "~~~~~~~~",
];
const SETS: &[&str] = &[
    "vars.", "s.", "=", "${", "}", "*", "[", "d", ".", "seed", "{a: 1}", "\n", "pairs", "0",
];

/// Every parser of ours that bytes from outside reach, and Parquet, which a library parses.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pipeline",
        mutants: 60_000,
        tokens: yaml::TOKENS,
        open: pipeline,
    },
    Target {
        name: "set",
        mutants: 10_000,
        tokens: SETS,
        open: set,
    },
    Target {
        name: "lock",
        mutants: 10_000,
        tokens: LOCK,
        open: lock,
    },
    Target {
        name: "actions",
        mutants: 5_000,
        tokens: LINES,
        open: actions,
    },
    Target {
        name: "stat",
        mutants: 5_000,
        tokens: LINES,
        open: stat,
    },
    Target {
        name: "history",
        mutants: 5_000,
        tokens: JSON,
        open: past_runs,
    },
    Target {
        name: "run-lock",
        mutants: 1_000,
        tokens: LINES,
        open: run_lock,
    },
    Target {
        name: "model",
        mutants: 10_000,
        tokens: JSON,
        open: model,
    },
    Target {
        name: "head",
        mutants: 10_000,
        tokens: JSON,
        open: head,
    },
    Target {
        name: "csv",
        mutants: 10_000,
        tokens: TABLE,
        open: table,
    },
    Target {
        name: "tabular",
        mutants: 3_000,
        tokens: TABLE,
        open: tabular,
    },
    Target {
        name: "digits",
        mutants: 3_000,
        tokens: BINARY,
        open: digits,
    },
    Target {
        name: "parquet",
        // Two processes for each.
        mutants: 500,
        tokens: BINARY,
        open: parquet,
    },
    Target {
        name: "tabular-parquet",
        // Two processes for each.
        mutants: 200,
        tokens: BINARY,
        open: tabular_parquet,
    },
    Target {
        name: "compare",
        mutants: 10_000,
        tokens: JSON,
        open: compared,
    },
    Target {
        name: "color",
        mutants: 20_000,
        tokens: &["#", "0", "f", "é", "+"],
        open: color,
    },
];

impl Bench {
    pub fn new() -> Self {
        Bench {
            folder: tempfile::tempdir().expect("a folder"),
            kinds: registry::kinds(),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Runs a stage of a kind on one file.
    fn stage(&self, kind: &str, params: &str, role: &str, file: PathBuf) -> Told {
        let kind = self.kinds.iter().find(|k| k.name() == kind);
        let params = Node::parse("params", params).expect("params");
        let job = kind.expect("a kind").job(&params).expect("a job");
        let inputs = BTreeMap::from([(role.to_owned(), vec![(String::new(), file)])]);
        let cancelled = AtomicBool::new(false);
        let out = tempfile::tempdir_in(self.folder.path()).expect("a folder");
        let io = Io::new(inputs, out.path().to_owned(), &cancelled, &|_| {});
        job.run(&io).map_err(|e| e.to_string()).map(|()| 1)
    }
}

fn pipeline(bench: &Bench, bytes: &[u8]) -> Told {
    yaml::open(bytes, &[], &bench.kinds)
}

fn set(bench: &Bench, bytes: &[u8]) -> Told {
    let file = yaml::pipeline("{a: 5, b: {c: [1, 2]}}", &yaml::stage("s", ""));
    let set = String::from_utf8_lossy(bytes).into_owned();
    yaml::open(file.as_bytes(), &[set], &bench.kinds)
}

fn lock(bench: &Bench, bytes: &[u8]) -> Told {
    // What is read of a damaged one can be written, and is whole then.
    if let Ok((lock, problems)) = Lock::salvage("pipeline.lock", bytes) {
        let path = bench.folder.path().join("salvaged.lock");
        lock.write(&path).map_err(|e| e.to_string())?;
        let again = Lock::read(&path).expect("what was written");
        // Code that is not there has no name.
        assert_eq!((again.stages, again.rivals.len()), (lock.stages, 0));
        for problem in problems {
            assert!(!problem.text("pipeline.lock").trim().is_empty());
        }
    }
    let lock = Lock::parse("pipeline.lock", bytes).map_err(|e| e.to_string())?;
    for record in lock
        .stages
        .values()
        .flat_map(|block| block.outputs.values())
    {
        assert!(files::inside(&record.path).is_ok(), "{}", record.path);
    }
    let path = bench.folder.path().join("pipeline.lock");
    lock.write(&path).map_err(|e| e.to_string())?;
    assert_eq!(Lock::read(&path).expect("what was written"), lock);
    Ok(lock.stages.len())
}

fn actions(bench: &Bench, bytes: &[u8]) -> Told {
    let actions = Actions::open(bench.put("actions.log", bytes)).map_err(|e| e.to_string())?;
    Ok(actions.all().len())
}

fn stat(bench: &Bench, bytes: &[u8]) -> Told {
    const TITLE: &str = "retrace stat 3";
    drop(FileDigests::remembered_in(bench.put("stat", bytes)));
    // A checksum refuses nearly all of these, so the lines are tried below one that is right, too.
    let sealed = seal(TITLE, bytes);
    assert_eq!(unseal(TITLE, &sealed), Some(bytes));
    drop(FileDigests::remembered_in(bench.put("stat", &sealed)));
    let lines = bytes.split(|&byte| byte == b'\n');
    Ok(lines.filter_map(Stamp::read).count())
}

fn past_runs(bench: &Bench, bytes: &[u8]) -> Told {
    let runs = history::read(&bench.put("history", bytes)).map_err(|e| e.to_string())?;
    Ok(runs.len())
}

fn run_lock(bench: &Bench, bytes: &[u8]) -> Told {
    let root = bench.folder.path().to_owned();
    let cache = root.join("cache");
    std::fs::create_dir_all(&cache).expect("a folder");
    std::fs::write(cache.join("run.lock"), bytes).expect("a file");
    let out = root.join("out");
    let workspace = Workspace::apart(root, cache, out);
    let held = workspace.lock_for_run(false, |_| {});
    held.map(|_| 1).map_err(|e| e.to_string())
}

fn model(_: &Bench, bytes: &[u8]) -> Told {
    let file = ModelFile::from_bytes(bytes)?;
    let model = model::from_file(&file)?;
    let again = model::to_bytes(&model, None).expect("bytes");
    let again = model::from_file(&ModelFile::from_bytes(&again)?)?;
    assert_eq!(again, model);
    Ok(1)
}

fn head(_: &Bench, bytes: &[u8]) -> Told {
    let head = risk::parse_head(Path::new("model.json"), bytes).map_err(|e| e.to_string())?;
    Ok(head.d())
}

fn table(_: &Bench, bytes: &[u8]) -> Told {
    let table = csv::read(bytes)?;
    assert_eq!(
        foreign::table(bytes, "csv").map(|t| t.rows()),
        Ok(table.rows())
    );
    table_diff::diff(&table, &table);
    Ok(table.rows())
}

fn tabular(bench: &Bench, bytes: &[u8]) -> Told {
    let params = "{features: ['*_mm', weight_g], tasks: ['question_*'], stratify: site, held_out: 0.3, \
                  scale: standard, d: 2, shots: 2, seed: 0}";
    bench.stage("tabular-tasks", params, "table", bench.put("table", bytes))
}

fn digits(bench: &Bench, bytes: &[u8]) -> Told {
    let params = format!("{{blake3: \"{}\"}}", Digest::of(bytes));
    bench.stage(
        "digits",
        &params,
        "images",
        bench.put("digits.csv.gz", bytes),
    )
}

/// By the program itself: one mutant in some thousands ends the process that reads it, which only the
/// program's child may be.
fn parquet(bench: &Bench, bytes: &[u8]) -> Told {
    let output = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(["provenance", "--json"])
        .arg(bench.put("table", bytes))
        .current_dir(bench.folder.path())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0 | 3) => Ok(1),
        Some(2) => Err(said),
        other => panic!("exit {other:?}: {said}"),
    }
}

/// A stage's own table, read by the program: as above.
fn tabular_parquet(bench: &Bench, bytes: &[u8]) -> Told {
    std::fs::create_dir_all(bench.folder.path().join("data")).expect("a folder");
    bench.put("data/table.parquet", bytes);
    let stage = "version: 2\nstages:\n  s:\n    kind: tabular-tasks\n    inputs: {table: data/table.parquet}\n    \
                 params: {features: ['*_mm', age_days], tasks: ['question_*'], stratify: site, held_out: 0.3, \
                 scale: standard, d: 2, shots: 2, seed: 0}\n    outputs: {train: artifacts/t.parquet, held_out: \
                 artifacts/h.parquet, features: artifacts/f.parquet}\n";
    bench.put("pipeline.yaml", stage.as_bytes());
    let output = Command::new(env!("CARGO_BIN_EXE_icl-repro"))
        .args(["run", "--quiet", "-j", "1"])
        .current_dir(bench.folder.path())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(1),
        Some(1) if said.contains("data/table.parquet") => Err(said),
        other => panic!("exit {other:?}: {said}"),
    }
}

/// The first byte says where the second file begins, and the format of both.
fn compared(_: &Bench, bytes: &[u8]) -> Told {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(0);
    };
    let ending = ["json", "csv", "svg", "bin"][usize::from(first) % 4];
    let (a, b) = rest.split_at(rest.len() * usize::from(first) / 256);
    assert_eq!(compare::compare(a, b, ending).is_none(), a == b);
    assert!(foreign::compare(rest, rest, ending).is_none());
    Ok(1)
}

fn color(_: &Bench, bytes: &[u8]) -> Told {
    let text = String::from_utf8_lossy(bytes).into_owned();
    drop(Digest::try_from(text.clone()));
    let color = Color::try_from(text.clone())?;
    assert_eq!(color.to_string(), text.to_uppercase());
    Ok(1)
}
