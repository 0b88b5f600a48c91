//! Scripts that complete a command line in a shell: each asks the program for what can stand at the cursor.
//!
//! So they know no verb and no stage, and need not be written anew when there is another. What the program answers is
//! [`crate::runner::completing`]'s.

use clap::ValueEnum;

/// Whose language a script is in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The first argument of a program that is asked; the place of the word at the cursor and all words up to it follow,
/// the program's name among them. It answers in lines: what can stand there, a tab, and what that is.
pub(crate) const ARGUMENT: &str = "--what-can-stand-here";

/// The script for a shell.
pub fn script(program: &str, shell: Shell) -> String {
    let text = match shell {
        Shell::Bash => include_str!("bash.sh"),
        Shell::Zsh => include_str!("zsh.sh"),
        Shell::Fish => include_str!("script.fish"),
    };
    let function = program.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    text.replace("PROGRAM", program)
        .replace("FUNCTION", &function)
        .replace("ARGUMENT", ARGUMENT)
}
