//! Verb `completions`.

use crate::console::terminal;
use crate::program::completions::{Shell, script};
use crate::program::description::Program;
use crate::program::exit;
use clap::Args;
use retrace::base::error::Result;

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Whose language the script is in
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script; needs no pipeline.
pub fn completions(program: &Program, args: &CompletionsArgs) -> Result<u8> {
    terminal::print(&script(program.name, args.shell));
    Ok(exit::OK)
}
