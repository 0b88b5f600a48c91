//! What the program `icl-repro` is made of.

use crate::code::SOURCES;
use crate::registry;
use crate::verbs::doctor::findings::{Diagnosis, DoctorArgs, doctor};
use crate::verbs::doctor::{instructions, quick};
use crate::verbs::examples::EXAMPLES;
use crate::verbs::export::ro_crate::{self, RoCrateArgs};
use crate::verbs::front::{self, Front, FrontArgs};
use crate::verbs::risk::{self, Risk, RiskArgs};
use clap::Subcommand;
use findings::contents::formats::TableFiles;
use findings::publisher::FilePublisher;
use findings::verbs::claims;
use findings::verbs::claims::decided_claims::{self, CLAIMS_BESIDE};
use findings::verbs::claims::history;
use findings::verbs::claims::turned;
use findings::verbs::claims::verdicts::{ClaimsArgs, VERDICT};
use findings::verbs::report::{self, ReportArgs};
use retrace::base::error::Result;
use retrace_cli::{App, Build, Call, Described, OwnVerbs};

/// The program, with the verbs that only it has.
pub fn app() -> App<PaperVerb> {
    App::new(PROGRAM, env!("CARGO_PKG_VERSION"), registry::kinds, SOURCES)
        .about(ABOUT)
        .publisher(FilePublisher::new(&SOURCES))
        .formats(TableFiles)
        .beside(CLAIMS_BESIDE)
        .verdicts(turned::turned)
        .prepare(|| instructions::cap().map(drop))
        .thread_variables(&[POLARS])
        .check(quick::check)
        .build(BUILD)
        .examples(EXAMPLES)
        .exits(&[VERDICT])
        .answers(&[claims::ANSWERS, ANSWERS])
        .order(ORDER)
        .verbs()
}

/// What this program does that others do not.
#[derive(Debug, Subcommand)]
pub enum PaperVerb {
    /// Print the paper's claims with their verdicts; exit with 4 when one differs from the recorded one
    Claims(ClaimsArgs),
    /// Bring the report up to date from what is made already, and print its path
    Report(ReportArgs),
    /// Exact test error of your own one-layer model
    Risk(RiskArgs),
    /// The least few-shot error that one head, or any number, can have under a bound on the zero-shot error
    Front(FrontArgs),
    /// Say what this machine is, and whether it computes the bits that others do; exit with 3 when not
    Doctor(DoctorArgs),
    /// Package the results for others, with what they were made of
    #[command(subcommand)]
    Export(Export),
}

/// In which form.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// A Workflow Run RO-Crate: files, and each stage's run with its inputs, outputs and parameters
    RoCrate(RoCrateArgs),
}

impl OwnVerbs for PaperVerb {
    fn run(&self, call: &Call) -> Result<u8> {
        match self {
            PaperVerb::Claims(args) if args.history => {
                history::history(&call.session()?, call.scope, args)
            }
            PaperVerb::Claims(args) => decided_claims::claims(&call.session()?, call.scope, args),
            PaperVerb::Report(args) => report::report(call, args),
            PaperVerb::Risk(args) => risk::risk(args),
            PaperVerb::Front(args) => front::front(args),
            PaperVerb::Doctor(args) => doctor(call, args),
            PaperVerb::Export(Export::RoCrate(args)) => ro_crate::ro_crate(&call.session()?, args),
        }
    }
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

/// What the verbs here print with `--json`.
const ANSWERS: &[Described] = &[
    Described::of::<Diagnosis>(),
    Described::of::<Front>(),
    Described::of::<Risk>(),
];

/// In help and manual: first what makes and compares, then what only this paper has answers to.
const ORDER: &[&str] = &[
    "run",
    "status",
    "explain",
    "graph",
    "verify",
    "diff",
    "compare",
    "variations",
    "schema",
    "runs",
    "gc",
    "clean",
    "push",
    "pull",
    "store",
    "plan",
    "work",
    "claims",
    "report",
    "risk",
    "front",
    "provenance",
    "completions",
    "man",
    "doctor",
    "export",
];
