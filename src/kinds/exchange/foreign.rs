//! A Parquet table that may come from another program, read whole: columns of types that no stage can use
//! are left out, and named to whoever asks for one.
//!
//! For stages that say in their params which columns they want. Tables that only stages exchange are
//! read by [`crate::kinds::exchange::table`].

use retrace::base::error::{Error, Result};
use retrace::stage::kind::read;
use std::collections::BTreeMap;
use std::path::Path;
use tables::foreign_table::ForeignTable;
use tables::table::Table;

/// The columns that can be used, and the types of the others.
#[derive(Default)]
pub struct Foreign {
    pub table: Table,
    /// By name: a column that is not found may be one of them.
    pub unread: BTreeMap<String, String>,
}

impl Foreign {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no Parquet file or is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |e: String| Error::failed(format!("{}: {e}", path.display()));
        let bytes = read(path)?;
        if !bytes.starts_with(b"PAR1") {
            return Err(wrong("it is no Parquet table".into()));
        }
        // A training that diverges at once leaves a table without rows.
        let table = ForeignTable::open(bytes).map_err(wrong)?;
        let (table, unread) = table.to_table().map_err(wrong)?;
        Ok(Foreign { table, unread })
    }
}
