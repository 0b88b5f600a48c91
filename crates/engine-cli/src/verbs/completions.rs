//! Verb `completions`.

use crate::console::terminal;
use crate::program::completions::{Shell, script};
use crate::program::exit;
use clap::{Args, Command};
use retrace::base::error::Result;

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Whose language the script is in
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script; needs no pipeline.
pub fn completions(grammar: Command, args: &CompletionsArgs) -> Result<u8> {
    terminal::print(&script(grammar, args.shell));
    Ok(exit::OK)
}
