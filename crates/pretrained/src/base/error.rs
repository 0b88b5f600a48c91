//! Why a model cannot be read: which file, what is wrong with it, and what to do.
//!
//! Does not know the program's errors, nor its exit codes.

use std::fmt;
use std::path::Path;

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file as the caller named it.
    pub path: String,
    /// What is wrong, a fragment without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Error { path, what, hint } = self;
        write!(f, "{path}: {what}; {hint}")
    }
}

impl std::error::Error for Error {}

impl Error {
    pub(crate) fn new(path: &Path, what: impl Into<String>, hint: impl Into<String>) -> Error {
        Error {
            path: path.display().to_string(),
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// A file that is cut off, or was changed.
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Error {
        let hint = "the file is damaged or incomplete: get it again";
        Error::new(path, what, hint)
    }

    /// Something that a sound model may have and this program has not.
    pub(crate) fn unsupported(path: &Path, what: impl Into<String>) -> Error {
        let hint = "only models of the Llama and Qwen2 families without this can be read";
        Error::new(path, what, hint)
    }
}

/// A file's bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        let hint = match e.kind() {
            std::io::ErrorKind::NotFound => "check the path, or get the file first",
            _ => "check that it is a file that you may read",
        };
        Error::new(path, format!("cannot be read: {e}"), hint)
    })
}
