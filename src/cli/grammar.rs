//! The command line as a value: what parses it, and what completions, pages and help are made from.

use crate::cli::args::{Cli, Color};
use crate::cli::examples;
use clap::{Command, CommandFactory, FromArgMatches, ValueEnum};
use std::ffi::OsString;

/// The program's name.
pub const PROGRAM: &str = "icl-repro";

/// Default folder of the cache, below the root of the repository.
pub const CACHE: &str = ".icl-repro";

/// The grammar, each verb with its examples.
pub fn command() -> Command {
    let mut command = Cli::command();
    let verbs: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    for name in verbs {
        let examples = examples::of(&name);
        if !examples.is_empty() {
            let text = examples::text(examples);
            command = command.mut_subcommand(&name, |verb| verb.after_help(text));
        }
    }
    command
}

/// Reads the arguments, the program's name first.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// What `--color` says on a command line that cannot be parsed, or that asks for help.
pub fn color(arguments: &[OsString]) -> Color {
    let mut color = Color::Auto;
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let mut words = words.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next().map(|value| value.into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(Ok(asked)) = value.map(|value| Color::from_str(&value, false)) {
            color = asked;
        }
    }
    color
}
