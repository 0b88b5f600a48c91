//! The options that say how much is said, and in which colours.

use clap::{Args, ValueEnum};
use std::ffi::OsString;

/// How much is said, and in which colours.
#[derive(Debug, Args)]
pub struct Voice {
    /// Colours: on a terminal (auto), always, or never; auto obeys NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto,
        hide_possible_values = true,
        global = true
    )]
    pub color: Color,
    /// Say only what was asked for, warnings and errors: no progress, no summary, no stage that is fresh
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: which files are meant, every change that makes a stage stale, stages that are fresh
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
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
