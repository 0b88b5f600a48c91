//! What the program `icl-repro` is made of.

use crate::code::SOURCES;
use crate::contents::formats::PaperFiles;
use crate::publisher::FilePublisher;
use crate::registry;
use crate::verbs::claims::decided_claims::CLAIMS_BESIDE;
use crate::verbs::claims::verdicts::VERDICT;
use crate::verbs::doctor::instructions;
use crate::verbs::examples::EXAMPLES;
use crate::verbs::verb::PaperVerb;
use retrace_cli::{App, Build};

/// The program, with the verbs that only it has.
pub fn app() -> App<PaperVerb> {
    App::new(PROGRAM, env!("CARGO_PKG_VERSION"), registry::kinds, SOURCES)
        .about(ABOUT)
        .publisher(FilePublisher::new())
        .formats(PaperFiles)
        .beside(CLAIMS_BESIDE)
        .prepare(|| instructions::cap().map(drop))
        .thread_variables(&[POLARS])
        .build(BUILD)
        .examples(EXAMPLES)
        .exits(&[VERDICT])
        .order(ORDER)
        .verbs()
}

/// The program's name.
pub const PROGRAM: &str = "icl-repro";

const ABOUT: &str =
    r#"Regenerates the figures and tables of "Fine-Tuning Without Forgetting In-Context Learning""#;

/// How many threads polars starts for itself when it first reads a table.
const POLARS: &str = "POLARS_MAX_THREADS";

const BUILD: Build = Build {
    program: "make",
    stage: "make stage STAGE=",
};

/// In help and manual: first what makes and compares, then what only this paper has answers to.
const ORDER: &[&str] = &[
    "run",
    "status",
    "explain",
    "graph",
    "verify",
    "diff",
    "schema",
    "runs",
    "gc",
    "clean",
    "claims",
    "report",
    "risk",
    "provenance",
    "completions",
    "man",
    "doctor",
    "export",
];
