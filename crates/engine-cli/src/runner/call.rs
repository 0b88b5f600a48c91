//! A command line that was read: what a verb of a program's own is handed.

use crate::pipeline::scope::Scope;
use crate::pipeline::session::{Session, locate};
use crate::program::description::Program;
use crate::verbs::run::{self, RunArgs};
use clap::Subcommand;
use retrace::base::error::Result;
use retrace::store::workspace::Workspace;

/// The verbs that only one program has.
pub trait OwnVerbs: Subcommand {
    /// Does what was asked for; the exit code.
    ///
    /// # Errors
    /// What went wrong, which is shown with its hint and decides the exit code.
    fn run(&self, call: &Call) -> Result<u8>;
}

/// No verbs.
#[derive(Subcommand)]
pub enum NoVerbs {}

impl OwnVerbs for NoVerbs {
    fn run(&self, _: &Call) -> Result<u8> {
        match *self {}
    }
}

/// What a verb knows besides its own options.
pub struct Call<'a> {
    pub program: &'a Program,
    pub scope: &'a Scope,
}

impl<'a> Call<'a> {
    /// Opens the pipeline that the options mean.
    ///
    /// # Errors
    /// There is none, or it is wrong.
    pub fn session(&self) -> Result<Session<'a>> {
        Session::open(self.program, self.scope)
    }

    /// The folders that the options mean; reads nothing.
    ///
    /// # Errors
    /// There is no pipeline.yaml.
    pub fn workspace(&self) -> Result<Workspace> {
        Ok(locate(self.program, self.scope)?.0)
    }

    /// What verb `run` does.
    ///
    /// # Errors
    /// As `run` says.
    pub fn run(&self, args: &RunArgs) -> Result<u8> {
        run::run(self.program, self.scope, args)
    }
}
