//! From arguments to a verb, from its outcome to an exit code.

use crate::cli::args::{Cli, Export, Verb};
use crate::cli::session::Session;
use crate::cli::{
    claims, clean, completions, diff, doctor, exit, explain, export, gc, grammar, graph,
    instructions, man, panics, probe, provenance, rebuild, report, risk, run, runs, schema, status,
    terminal, verify, workers,
};
use retrace::base::error::{Error, ErrorKind, Result};
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    probe::this_is_the_program();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.len() == 2 && arguments[1] == probe::ARGUMENT {
        return probe::child();
    }
    let cli = match grammar::parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            terminal::set_color(grammar::color(&arguments));
            // Help and version are no errors but answers; clap knows which.
            if error.use_stderr() {
                let _ = error.print();
                return ExitCode::from(exit::USAGE);
            }
            terminal::print(&error.render().ansi().to_string());
            return ended(exit::OK);
        }
    };
    terminal::set(&cli.voice);
    panics::keep_quiet();
    match panics::caught(|| dispatch(&cli)).unwrap_or_else(|panic| Err(bug(&panic))) {
        Ok(code) => ended(code),
        Err(error) => {
            terminal::report(&error);
            ExitCode::from(exit::code(error.kind))
        }
    }
}

/// The exit code of a verb that came to its end: its own, if its answer went out.
fn ended(code: u8) -> ExitCode {
    match terminal::unwritten() {
        None => ExitCode::from(code),
        Some(error) => {
            terminal::report(&error);
            ExitCode::from(exit::code(error.kind))
        }
    }
}

fn bug(panic: &str) -> Error {
    let error = Error::failed(format!("this program has a bug: {panic}"));
    error.hint("please report it with what you typed; RUST_BACKTRACE=1 shows where it is")
}

fn dispatch(cli: &Cli) -> Result<u8> {
    let cap = instructions::cap()?;
    workers::check_environment()?;
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
        Verb::Report(args) => report::report(&cli.scope, args),
        Verb::Claims(args) => claims::claims(&session()?, &cli.scope, args),
        Verb::Risk(args) => risk::risk(args),
        Verb::Provenance(args) => provenance::provenance(&cli.scope, args),
        Verb::Completions(args) => completions::completions(args),
        Verb::Man(args) => man::man(&cli.scope, args),
        Verb::Doctor(args) => doctor::doctor(&cli.scope, cap, args),
        Verb::Export(Export::RoCrate(args)) => export::ro_crate(&session()?, args),
    }
}
