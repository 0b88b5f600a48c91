//! What a program compares of two versions besides settings and tables, such as verdicts on claims.

use retrace::base::error::Result;
use retrace::lock::file::{Lock, Record};
use serde_json::Value as Json;

/// What a file holds, or why it is not there to be compared.
pub type Bytes = std::result::Result<Vec<u8>, String>;

/// One of two versions of a pipeline's results, as its lock records them.
pub struct Side<'a> {
    /// What it is called in a sentence.
    pub shown: String,
    pub lock: &'a Lock,
    /// Reads an output that the lock records.
    pub read: &'a dyn Fn(&Record) -> Result<Bytes>,
}

/// What is said of them.
pub struct Verdicts {
    /// A table, the header first; empty where nothing is other.
    pub rows: Vec<[String; 4]>,
    /// In a line: how many were compared, or why none.
    pub summary: String,
    /// Paths of the tables that it is read from, whose cells it spares.
    pub covers: Vec<String>,
    pub json: Json,
}

/// Compares two versions; `None` where the pipeline has no such thing.
pub type CompareVerdicts = fn(&[Side; 2]) -> Result<Option<Verdicts>>;
