//! The paper's verbs as part of the command line.

use crate::verbs::claims::decided_claims;
use crate::verbs::claims::verdicts::ClaimsArgs;
use crate::verbs::doctor::findings::{self, DoctorArgs};
use crate::verbs::export::ro_crate::{self, RoCrateArgs};
use crate::verbs::report::{self, ReportArgs};
use crate::verbs::risk::{self, RiskArgs};
use clap::Subcommand;
use retrace::base::error::Result;
use retrace_cli::{Call, OwnVerbs};

/// What this program does that others do not.
#[derive(Debug, Subcommand)]
pub enum PaperVerb {
    /// Print the paper's claims with their verdicts; exit with 4 when one differs from the recorded one
    Claims(ClaimsArgs),
    /// Bring the report up to date from what is made already, and print its path
    Report(ReportArgs),
    /// Exact test error of your own one-layer model
    Risk(RiskArgs),
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
            PaperVerb::Claims(args) => decided_claims::claims(&call.session()?, call.scope, args),
            PaperVerb::Report(args) => report::report(call, args),
            PaperVerb::Risk(args) => risk::risk(args),
            PaperVerb::Doctor(args) => findings::doctor(call, args),
            PaperVerb::Export(Export::RoCrate(args)) => ro_crate::ro_crate(&call.session()?, args),
        }
    }
}
