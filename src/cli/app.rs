//! From arguments to a verb, from its outcome to an exit code.

use crate::cli::args::{Cli, Export, Verb};
use crate::cli::session::Session;
use crate::cli::{
    claims, clean, diff, exit, explain, export, gc, graph, rebuild, risk, run, runs, schema,
    status, terminal, verify,
};
use crate::pipeline::error::{Error, ErrorKind, Result};
use clap::Parser;
use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows which stream each belongs to.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                exit::USAGE
            } else {
                exit::OK
            });
        }
    };
    match dispatch(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::report(&error);
            ExitCode::from(exit::code(error.kind))
        }
    }
}

fn dispatch(cli: &Cli) -> Result<u8> {
    if let Some(directory) = &cli.scope.directory {
        std::env::set_current_dir(directory).map_err(|e| Error {
            kind: ErrorKind::Config,
            ..Error::io("go to", directory, &e)
        })?;
    }
    let session = || Session::open(&cli.scope);
    match &cli.verb {
        Verb::Run(args) => run::run(&cli.scope, args),
        Verb::Status(args) => status::status(&session()?, args),
        Verb::Explain(args) => explain::explain(&session()?, args),
        Verb::Graph(args) => graph::graph(&session()?, args),
        Verb::Verify(args) if args.rebuild => rebuild::rebuild(&session()?, args),
        Verb::Verify(args) => verify::verify(&session()?, args),
        Verb::Diff(args) => diff::diff(&cli.scope, args),
        Verb::Schema => schema::schema(),
        Verb::Runs(args) => runs::runs(&session()?, args),
        Verb::Gc(args) => gc::gc(&session()?, args),
        Verb::Clean(args) => clean::clean(&session()?, args),
        Verb::Claims(args) => claims::claims(&session()?, &cli.scope, args),
        Verb::Risk(args) => risk::risk(args),
        Verb::Export(Export::RoCrate(args)) => export::ro_crate(&session()?, args),
    }
}
