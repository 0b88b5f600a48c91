//! The program `retrace`: a reproducible pipeline for anybody's paper, without the science of one.
//!
//! Its kinds of stages are `command`, which runs anybody's program, and those of [`findings`], over tables that a pipeline's other stages or a person made; its verbs
//! those of [`retrace_cli`], with `claims`, `report`, `assets`, `new` and `adopt`. It knows nothing of what a table is about.

pub mod assets;
pub mod examples;

use crate::assets::{ASSETS, AssetsArgs};
use crate::examples::EXAMPLES;
use clap::Subcommand;
use findings::claims::kind::Claims;
use findings::claims::verdict_table::VerdictTable;
use findings::contents::formats::TableFiles;
use findings::figure::kind::DrawFigure;
use findings::page::kind::Report;
use findings::publisher::FilePublisher;
use findings::verbs::claims::decided_claims::CLAIMS_BESIDE;
use findings::verbs::claims::verdicts::{ClaimsArgs, VERDICT};
use findings::verbs::claims::{self, decided_claims, history, turned};
use findings::verbs::report::{self, ReportArgs};
use retrace::base::error::Result;
use retrace::{Kind, Registered, Sources, StageKind};
use retrace_cli::{App, Build, Call, OwnVerbs};
use start::adopt::{self, AdoptArgs};
use start::new::{self, NewArgs};

include!(concat!(env!("OUT_DIR"), "/code.rs"));

/// What this program was built from.
const SOURCES: Sources = Sources {
    roots: ROOTS,
    raw: RAW,
    program: PROGRAM,
};

/// The kinds of stages that a pipeline.yaml may name.
pub fn kinds() -> Vec<Box<dyn Kind>> {
    vec![
        Box::new(command::Command::default()),
        with_code::<DrawFigure>(),
        with_code::<Claims>(),
        with_code::<VerdictTable>(),
        with_code::<Report>(),
    ]
}

/// A kind with the digest of all code that it reaches.
fn with_code<K: StageKind>() -> Box<dyn Kind> {
    Box::new(Registered::<K>::new(SOURCES.reach(K::SOURCE)))
}

/// The command line.
pub fn app() -> App<OwnVerb> {
    App::new("retrace", env!("CARGO_PKG_VERSION"), kinds, SOURCES)
        .about("Makes the figures, verdicts and report of a paper again, and says where each came from")
        .publisher(FilePublisher::new(&SOURCES))
        .formats(TableFiles)
        .beside(CLAIMS_BESIDE)
        .verdicts(turned::turned)
        .thread_variables(&["POLARS_MAX_THREADS"])
        .build(Build {
            program: "cargo build --release -p retrace-program",
            stage: "retrace run ",
        })
        .examples(EXAMPLES)
        .exits(&[VERDICT])
        .answers(&[claims::ANSWERS])
        .order(&["new", "adopt", "run", "status", "explain", "claims", "report", "verify"])
        .verbs()
}

/// What the verbs of every pipeline do not do.
#[derive(Debug, Subcommand)]
pub enum OwnVerb {
    /// Print the claims with their verdicts; exit with 4 when one differs from the recorded one
    Claims(ClaimsArgs),
    /// Bring the report up to date from what is made already, and print its path
    Report(ReportArgs),
    /// Make a small pipeline that works, to be changed into your own
    New(NewArgs),
    /// Run what is there (a dvc.yaml, commands, numbered scripts) watched, and write the pipeline that was seen
    Adopt(AdoptArgs),
    /// Write the font of figures, and the template, style and scripts of the report
    Assets(AssetsArgs),
}

impl OwnVerbs for OwnVerb {
    fn run(&self, call: &Call) -> Result<u8> {
        match self {
            OwnVerb::Claims(args) if args.history => {
                history::history(&call.session()?, call.scope, args)
            }
            OwnVerb::Claims(args) => decided_claims::claims(&call.session()?, call.scope, args),
            OwnVerb::Report(args) => report::report(call, args),
            OwnVerb::New(args) => new::new(args, &ASSETS, call.program.name),
            OwnVerb::Adopt(args) => adopt::adopt(args, call),
            OwnVerb::Assets(args) => assets::assets(args),
        }
    }
}
