//! Reads and writes the tables that stages exchange.

use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use std::fmt::Display;
use std::path::Path;
use tables::table::{Table, TableError};

/// Any error of a layer below, as a stage's failure.
pub fn failed(error: impl Display) -> Error {
    Error::failed(error.to_string())
}

/// Reads a Parquet file.
pub fn read_table(path: &Path) -> Result<Table> {
    Table::from_parquet(&read(path)?).map_err(failed)
}

/// Writes a Parquet output.
pub fn write_table(
    io: &Io,
    output: &str,
    table: std::result::Result<Table, TableError>,
) -> Result<()> {
    io.write(
        output,
        &table.and_then(|table| table.to_parquet()).map_err(failed)?,
    )
}
