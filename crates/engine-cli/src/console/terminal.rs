//! Words on stdout (results) and stderr (everything else), in colour where that is wanted.
//!
//! Text is painted always; the streams take the codes out again unless they go to a terminal or
//! colours are forced. How much is said is set once, before the verb. All of stdout goes through here.

use crate::console::typed;
use crate::console::voice::{Color, Voice};
use anstyle::{AnsiColor, Style};
use retrace::base::error::Error;
use std::io::{ErrorKind, Write};
use std::sync::OnceLock;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

static LOUDNESS: OnceLock<Loudness> = OnceLock::new();

/// The first answer that could not be written.
static UNWRITTEN: OnceLock<std::io::Error> = OnceLock::new();

/// Sets colours and loudness for this process.
pub(crate) fn set(voice: &Voice) {
    set_color(voice.color);
    let loudness = match (voice.quiet, voice.verbose) {
        (true, _) => Loudness::Quiet,
        (false, true) => Loudness::Verbose,
        (false, false) => Loudness::Normal,
    };
    let _ = LOUDNESS.set(loudness);
}

/// Sets colours alone; the parser's own messages obey it too.
pub(crate) fn set_color(color: Color) {
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

/// Writes an answer. Whoever asked for it must not take a part for the whole: the program
/// says at its end if it did not go out.
pub fn print(text: &str) {
    if let Err(e) = write_out(text) {
        let _ = UNWRITTEN.set(e);
    }
}

/// Writes what was done, where something else than words was asked for; not with `--quiet`. That it
/// cannot be written changes nothing of what was done.
pub fn summary(text: &str) {
    if !is_quiet() {
        let _ = write_out(text);
    }
}

/// Why an answer did not go out, if one did not. A reader that went away has read what it wanted.
pub(crate) fn unwritten() -> Option<Error> {
    let why = UNWRITTEN
        .get()
        .filter(|e| e.kind() != ErrorKind::BrokenPipe)?;
    let error = Error::failed(format!("cannot write the answer to stdout: {why}"));
    Some(error.hint(
        "what was printed is not whole: send it elsewhere, or free some space, and ask again",
    ))
}

fn write_out(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
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
    hint(error);
}

/// Writes an error that ends nothing, with its hint.
pub fn warn_of(error: &Error) {
    warn(&error.to_string());
    hint(error);
}

fn hint(error: &Error) {
    if let Some(hint) = error.hint_for(typed::name(), &typed::carried()) {
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
