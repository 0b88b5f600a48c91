//! What changed from one version of a file to another.

pub use crate::answers::changes::{Change, Changes};
use serde_json::Value as Json;

/// Where and how much two versions of a file differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// In one line.
    pub words: String,
    /// For programs.
    pub json: Json,
}

/// A version that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub which: Version,
    pub why: String,
}

/// One of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Old,
    New,
}
