//! Errors of the layers below, as a stage's own.

use retrace::base::error::Error;
use std::fmt::Display;

/// The failure of a stage, in the words of what went wrong.
pub fn failed(why: impl Display) -> Error {
    Error::failed(why.to_string())
}
