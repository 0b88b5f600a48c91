//! Words on stdout (results) and stderr (everything else).

use crate::pipeline::error::Error;
use std::io::Write;

/// Writes a result; a reader that went away is no error.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// Writes a line for people on stderr. A log file on a full disk must not end the run.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes an error with its hint.
pub fn report(error: &Error) {
    say(&format!("error: {error}"));
    if let Some(hint) = &error.hint {
        say(&format!("  hint: {hint}"));
    }
}

/// Writes a warning.
pub fn warn(text: &str) {
    say(&format!("warning: {text}"));
}

/// `1 stage`, `2 stages`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
