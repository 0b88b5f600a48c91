//! What a file carries besides its content, whatever its format.

use std::fmt;

/// The name under which the JSON stands in every format.
pub const NAME: &str = "retrace-provenance";

/// A file taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The JSON, if there is any.
    pub provenance: Option<String>,
    /// The file without it.
    pub content: Vec<u8>,
}

/// Why a file cannot be read as its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

pub type Result<T> = std::result::Result<T, Unreadable>;
