//! What changed from one version of a file to another.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// Where and how much two versions of a file differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// In one line.
    pub words: String,
    /// For programs.
    pub json: Json,
}

/// What changed from one table to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Changes {
    /// Columns that name rows.
    pub key: Vec<String>,
    /// Cells.
    #[serde(rename = "changes")]
    pub values: Vec<Change>,
    /// Rows that only one of the tables has.
    pub rows_added: usize,
    pub rows_removed: usize,
    pub columns_added: Vec<String>,
    pub columns_removed: Vec<String>,
}

/// A value that changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// What names the row.
    pub row: Vec<String>,
    pub column: String,
    pub old: String,
    pub new: String,
    /// `new - old` where both are numbers.
    pub difference: Option<f64>,
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
