//! What went wrong, where, and what to type next.
//!
//! One error type for the engine. It does not know exit codes or colours: the command line maps
//! [`ErrorKind`] to a code and prints the parts.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Stands in a hint for the name of the program that uses the engine: [`Error::hint_for`] puts it there.
pub const PROGRAM: &str = "{program}";

/// What kind of failure it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line or the configuration is wrong; nothing has run.
    Config,
    /// A stage failed, or a file could not be read or written.
    Failed,
    /// A stage's program was ended from outside, by somebody or for lack of memory: the same need not happen again.
    Killed,
    /// Outputs differ from what the lock expects.
    Differs,
    /// Another run holds the run lock.
    Busy,
    /// The user interrupted the run.
    Interrupted,
}

/// Where in a text a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user knows it, or the command-line option. Every value of a file has
    /// a place: they share the name.
    pub source: Arc<str>,
    /// 1-based line and column, when the source is a file.
    pub line_column: Option<(u64, u64)>,
}

impl Place {
    /// A place in a file, 1-based.
    pub fn file(source: &Arc<str>, line: u64, column: u64) -> Self {
        let line_column = (line > 0).then_some((line, column));
        Place {
            source: source.clone(),
            line_column,
        }
    }

    /// A whole source, such as a command-line option.
    pub fn whole(source: impl Into<Arc<str>>) -> Self {
        Place {
            source: source.into(),
            line_column: None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.line_column {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// An error of the engine: a message, and where there is one, a place and a hint.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    pub place: Option<Place>,
    pub hint: Option<String>,
}

/// The engine's result type.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: shortened(message.into()),
            place: None,
            hint: None,
        }
    }

    /// The configuration or the command line is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Config, message)
    }

    /// Something could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Failed, message)
    }

    /// An error of another [`ErrorKind`].
    pub fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error::new(kind, message)
    }

    /// A file operation failed: `cannot VERB PATH: reason`.
    pub fn io(verb: &str, path: &Path, source: &std::io::Error) -> Self {
        let error = Error::failed(format!("cannot {verb} {}: {source}", path.display()));
        match source.kind() {
            std::io::ErrorKind::StorageFull => {
                error.hint("free some space and run again: finished stages are kept")
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                error.hint("check the permissions, or move the cache with --cache-dir DIR")
            }
            _ => error,
        }
    }

    /// What to type next, in the words of the program of that name. Each of its commands, between
    /// backquotes, gets the options, which begin with a space if there are any: without those that the
    /// user gave it would mean another pipeline.
    pub fn hint_for(&self, program: &str, options: &str) -> Option<String> {
        let parts = self.hint.as_ref()?.split('`').enumerate();
        let parts = parts.map(|(at, part)| {
            let is_command = at % 2 == 1 && part.starts_with(PROGRAM);
            let end = if is_command { options } else { "" };
            part.replace(PROGRAM, program) + end
        });
        Some(parts.collect::<Vec<_>>().join("`"))
    }

    /// Says where; a place that is already known is kept, since it is the more precise one.
    pub fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    /// Says what to type next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(shortened(hint.into()));
        self
    }

    /// Suggests the nearest of `known`, or lists them when none is near.
    pub fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(wrong, known) {
            Nearest::Name(name) => self.hint(format!("did you mean `{name}`?")),
            Nearest::All(names) if names.is_empty() => self,
            Nearest::All(names) => {
                let shown = names[..names.len().min(MAX_KNOWN)].join(", ");
                let more = match names.len().saturating_sub(MAX_KNOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                self.hint(format!("known: {shown}{more}"))
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Longer messages are cut: what they quote may be megabytes of somebody's file.
const MAX_MESSAGE: usize = 3000;
/// More names than this are counted, not listed.
const MAX_KNOWN: usize = 30;

fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(end);
        message.push('…');
    }
    message
}

enum Nearest<'a> {
    Name(&'a str),
    All(Vec<&'a str>),
}

/// How alike two names must be (Jaro-Winkler) for one to be offered in place of the other.
const ALIKE: f64 = 0.8;

/// In a name of at most so many letters one slip counts for much.
const SHORT: usize = 8;
/// Longer texts are no names that someone mistyped, and comparing them takes their lengths squared.
const MAX_NAME: usize = 200;

fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Nearest<'a> {
    let names: Vec<&str> = known.into_iter().collect();
    let score = |name: &str| match wrong.len().max(name.len()) {
        // Two letters the wrong way round make a short name another one.
        3..=SHORT if strsim::osa_distance(wrong, name) == 1 => 1.0,
        0..=MAX_NAME => strsim::jaro_winkler(wrong, name),
        _ => 0.0,
    };
    match names
        .iter()
        .copied()
        .max_by(|a, b| score(a).total_cmp(&score(b)))
    {
        Some(best) if score(best) >= ALIKE => Nearest::Name(best),
        _ => Nearest::All(names),
    }
}

/// The name that somebody who wrote `wrong` has probably meant.
pub fn nearest_name<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    match nearest(wrong, known) {
        Nearest::Name(name) => Some(name),
        Nearest::All(_) => None,
    }
}

/// What a panic said.
pub fn panic_words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_hints_carry_the_options_and_words_do_not() {
        let hint = |text: &str| {
            Error::config("x")
                .hint(text)
                .hint_for("retrace", " --profile p")
        };
        assert_eq!(
            hint("`git status`, then `{program} run a` (with {program} 2)").as_deref(),
            Some("`git status`, then `retrace run a --profile p` (with retrace 2)")
        );
        assert_eq!(hint("an odd ` stays").as_deref(), Some("an odd ` stays"));
        assert_eq!(Error::config("x").hint_for("retrace", ""), None);
    }
}
