//! Where a shared store keeps its bytes, under names.
//!
//! A name is a relative path of plain parts, such as `objects/ab/cd…`. A backend knows neither digests nor
//! signatures: what it gives is judged by who asked.

use crate::base::error::Error;
use std::path::Path;

/// Keeps bytes under names. Several may call it at once.
pub trait Backend: Send + Sync {
    /// The folder or the URL, for people: without credentials.
    fn shown(&self) -> String;

    /// What has a name, as [`Backend::list`] would tell it; `None` where nothing has it. One that cannot tell how
    /// old something is says that it is new.
    ///
    /// # Errors
    /// The backend does not say.
    fn look(&self, name: &str) -> Result<Option<Listed>, Failure>;

    /// Writes what has the name into the file `to`, which is there and is overwritten; the number of bytes, or
    /// `None` where there are none. After an error the file holds anything.
    ///
    /// # Errors
    /// There are more than `most` bytes ([`FailureKind::TooLarge`]), they may not be read or are not there
    /// ([`FailureKind::Forbidden`]), the file cannot be written ([`FailureKind::Local`]), or the backend does not give
    /// them.
    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure>;

    /// Puts the bytes of a file under a name, in place of others: wholly or not at all.
    ///
    /// # Errors
    /// The file cannot be read ([`FailureKind::Local`]), or the backend does not take them.
    fn put(&self, name: &str, from: &Path) -> Result<(), Failure>;

    /// What has a name that begins with `prefix`, a name that ends with `/` or nothing; in the order of names.
    ///
    /// # Errors
    /// The backend does not say.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure>;

    /// Files below `prefix` that are on their way under a name of their own, or that a put which was ended from outside
    /// has left; [`Backend::list`] has none of them. None where a put is one request.
    ///
    /// # Errors
    /// The backend does not say.
    fn unfinished(&self, _prefix: &str) -> Result<Vec<Listed>, Failure> {
        Ok(Vec::new())
    }

    /// Removes what has a name; nothing there is no error.
    ///
    /// # Errors
    /// The backend does not do it.
    fn remove(&self, name: &str) -> Result<(), Failure>;
}

/// One of the names that a backend lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Seconds since it was written, by the backend's own clock where it has one.
    pub age_s: u64,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Nobody answers, or too late.
    Unreachable,
    /// It may not be read or written with these credentials.
    Denied,
    /// This one thing may not be read, or is not there and that may not be known; the credentials are known. Said of
    /// what was looked at or got, and of nothing else.
    Forbidden,
    /// There is no space left.
    Full,
    /// There are more bytes than were asked for.
    TooLarge,
    /// The file on this machine cannot be read or written: the store has no part in it.
    Local,
    Other,
}

/// Why a backend did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// For people: what failed, and why; without credentials.
    pub words: String,
}

impl Failure {
    pub fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Failure {
            kind,
            words: words.into(),
        }
    }

    /// What helps, where something is known to.
    pub fn advice(&self) -> Option<&'static str> {
        match self.kind {
            FailureKind::Unreachable => {
                Some("look whether the store is there and can be reached from here")
            }
            FailureKind::Denied | FailureKind::Forbidden => {
                Some("the store must let you read and, to put something there, write")
            }
            FailureKind::Full => {
                Some("free some space in the store; what has arrived there is not sent again")
            }
            FailureKind::Local => Some(
                "that file is on this machine and not in the store: look at its space and its permissions, or move the cache with --cache-dir DIR",
            ),
            FailureKind::TooLarge | FailureKind::Other => None,
        }
    }
}

/// What was looked at, where what may not be looked at counts as absent: who puts it there anew does no harm.
///
/// # Errors
/// The backend did not say for another reason.
pub fn unless_forbidden(found: Result<Option<Listed>, Failure>) -> Result<Option<Listed>, Failure> {
    match found {
        Err(failure) if failure.kind == FailureKind::Forbidden => Ok(None),
        found => found,
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        let error = Error::failed(failure.words.clone());
        match failure.advice() {
            Some(advice) => error.hint(advice),
            None => error,
        }
    }
}
