//! Tables that somebody else may have written: how large they are is looked at before they are read,
//! and a panic of the library that reads them is an error like others.

use crate::artifact::compare::{self, Difference};
use crate::artifact::csv;
use crate::artifact::table::Table;
use crate::cli::panics::caught;
use crate::cli::probe;
use polars::prelude::{ParquetReader, SerReader};
use std::io::Cursor;

/// A larger file of a revision or of the working tree is not compared. (As CSV, one of this size takes
/// up to a hundred times as much memory: an empty field is one byte.)
pub const MAX_BYTES: u64 = 8 << 20;
/// More values are refused: a few bytes can stand for many.
const MAX_VALUES: usize = 10_000_000;
/// So many bytes a file may say that its columns decode to.
const MAX_DECODED: i64 = 256 << 20;

/// Reads a table; `ending` is `csv` or `parquet`.
pub fn table(bytes: &[u8], ending: &str) -> Result<Table, String> {
    let read = || match ending {
        "csv" => csv::read(bytes),
        _ => {
            check_parquet(bytes)?;
            Table::from_parquet(bytes).map_err(|e| e.to_string())
        }
    };
    caught(read).unwrap_or_else(|panic| Err(format!("it cannot be read: {panic}")))
}

/// [`compare::compare`], byte by byte where the values of a file cannot be read.
pub fn compare(expected: &[u8], found: &[u8], ending: &str) -> Option<Difference> {
    let readable = |bytes| ending != "parquet" || table(bytes, ending).is_ok();
    if readable(expected) && readable(found) {
        return compare::compare(expected, found, ending);
    }
    compare::compare(expected, found, "")
}

/// Refuses a Parquet file that cannot be read without harm.
pub fn check_parquet(bytes: &[u8]) -> Result<(), String> {
    check_sizes(bytes)?;
    probe::check(bytes)
}

/// Refuses a Parquet file that says it holds more than fits in a reasonable memory.
fn check_sizes(bytes: &[u8]) -> Result<(), String> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let metadata = reader.get_metadata();
    let metadata = metadata.map_err(|e| format!("no Parquet table: {e}"))?;
    let mut values = metadata.num_rows;
    let mut decoded = 0i64;
    for group in &metadata.row_groups {
        let columns = group.parquet_columns();
        values = values.saturating_add(group.num_rows().saturating_mul(columns.len()));
        for column in columns {
            let size = column.uncompressed_size();
            // A size below zero is no size.
            decoded = decoded.saturating_add(if size < 0 { i64::MAX } else { size });
        }
    }
    if values > MAX_VALUES || decoded > MAX_DECODED {
        let message = format!(
            "it says that it holds {values} values in {decoded} bytes, more than {MAX_VALUES} or {MAX_DECODED}"
        );
        return Err(message);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::table::Column;

    #[test]
    fn what_was_written_here_reads_back_and_damage_is_an_error() {
        let table = Table::new(vec![("n", Column::Int(vec![1, 2, 3]))]).unwrap();
        let bytes = table.to_parquet().unwrap();
        assert_eq!(super::table(&bytes, "parquet"), Ok(table));
        assert!(super::table(&bytes[..bytes.len() / 2], "parquet").is_err());
        let difference = compare(&bytes, &bytes[1..], "parquet").unwrap();
        assert!(matches!(difference, Difference::Byte { .. }));
    }
}
