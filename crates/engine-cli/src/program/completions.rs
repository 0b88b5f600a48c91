//! A script that completes verbs, options and their values in a shell.

use clap::{Command, ValueEnum};

/// Whose language a script is in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The script for a shell.
pub fn script(mut command: Command, shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    let names = hyphenated(&command);
    let program = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, program, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    // clap_complete 4.6 names a command by one rule where bash enters it and by another where it
    // looks for its options, if there is a hyphen in the name: no option would ever complete.
    for name in names {
        let [looked_for, entered] = ["__subcmd__", "__"].map(|with| name.replace('-', with));
        script = script.replace(&looked_for, &entered);
    }
    script
}

/// Names of the command and of all below it that have a hyphen.
fn hyphenated(command: &Command) -> Vec<String> {
    let mut names: Vec<String> = command.get_subcommands().flat_map(hyphenated).collect();
    if command.get_name().contains('-') {
        names.push(command.get_name().to_owned());
    }
    names
}
