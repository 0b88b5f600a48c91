//! Verb `completions`: a script that completes verbs, options and their values in a shell.

use crate::cli::args::{CompletionsArgs, Shell};
use crate::cli::{exit, grammar, terminal};
use crate::pipeline::error::Result;

/// Prints the script; needs no pipeline.
pub fn completions(args: &CompletionsArgs) -> Result<u8> {
    terminal::print(&script(args.shell));
    Ok(exit::OK)
}

/// The script for a shell.
pub fn script(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut grammar::command(),
        grammar::PROGRAM,
        &mut script,
    );
    String::from_utf8_lossy(&script).into_owned()
}
