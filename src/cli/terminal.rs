//! Words on stdout (results) and stderr (everything else), in colour where that is wanted.
//!
//! Text is painted always; the streams take the codes out again unless they go to a terminal or
//! colours are forced. How much is said is set once, before the verb.

use crate::cli::args::{Color, Voice};
use crate::pipeline::error::Error;
use anstyle::{AnsiColor, Style};
use std::io::Write;
use std::sync::OnceLock;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

static LOUDNESS: OnceLock<Loudness> = OnceLock::new();

/// Sets colours and loudness for this process.
pub fn set(voice: &Voice) {
    set_color(voice.color);
    let loudness = match (voice.quiet, voice.verbose) {
        (true, _) => Loudness::Quiet,
        (false, true) => Loudness::Verbose,
        (false, false) => Loudness::Normal,
    };
    let _ = LOUDNESS.set(loudness);
}

/// Sets colours alone; the parser's own messages obey it too.
pub fn set_color(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether `--quiet` was given.
pub fn is_quiet() -> bool {
    LOUDNESS.get() == Some(&Loudness::Quiet)
}

/// Whether `--verbose` was given.
pub fn is_verbose() -> bool {
    LOUDNESS.get() == Some(&Loudness::Verbose)
}

/// Good: fresh, equal, holds.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Bad: an error, a difference, a claim that fails.
pub const BAD: Style = AnsiColor::Red.on_default();
/// To be looked at: a warning, stale, undecided.
pub const CARE: Style = AnsiColor::Yellow.on_default();
/// Neither: a hint, a file that the cache can restore.
pub const ASIDE: Style = AnsiColor::Cyan.on_default();

/// Text in a style. Pad before painting: the codes count as characters.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a result; a reader that went away is no error.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// Writes what was done, where something else than words was asked for; not with `--quiet`.
pub fn summary(text: &str) {
    if !is_quiet() {
        print(text);
    }
}

/// Writes a line on stderr that one may miss; not with `--quiet`.
pub fn note(text: &str) {
    if !is_quiet() {
        line(text);
    }
}

/// Writes a line on stderr that only `--verbose` shows.
pub fn detail(text: &str) {
    if is_verbose() {
        line(text);
    }
}

/// Writes a line on stderr, always.
pub fn line(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes an error with its hint.
pub fn report(error: &Error) {
    line(&format!("{} {error}", paint(BAD.bold(), "error:")));
    if let Some(hint) = &error.hint {
        line(&format!("  {} {hint}", paint(ASIDE, "hint:")));
    }
}

/// Writes a warning.
pub fn warn(text: &str) {
    line(&format!("{} {text}", paint(CARE.bold(), "warning:")));
}

/// `1 stage`, `2 stages`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
