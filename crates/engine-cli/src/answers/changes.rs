//! What changed from one table to another, cell by cell.

use schemars::JsonSchema;
use serde::Serialize;

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
