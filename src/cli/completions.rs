//! Verb `completions`: a script that completes verbs, options and their values in a shell.

use crate::cli::args::{CompletionsArgs, Shell};
use crate::cli::{exit, grammar, terminal};
use retrace::base::error::Result;

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
    let mut script = String::from_utf8_lossy(&script).into_owned();
    // clap_complete 4.6 names a command by one rule where bash enters it and by another where it
    // looks for its options, if there is a hyphen in the name: no option would ever complete.
    for name in hyphenated(&grammar::command()) {
        let [looked_for, entered] = ["__subcmd__", "__"].map(|with| name.replace('-', with));
        script = script.replace(&looked_for, &entered);
    }
    script
}

/// Names of the command and of all below it that have a hyphen.
fn hyphenated(command: &clap::Command) -> Vec<String> {
    let mut names: Vec<String> = command.get_subcommands().flat_map(hyphenated).collect();
    if command.get_name().contains('-') {
        names.push(command.get_name().to_owned());
    }
    names
}
