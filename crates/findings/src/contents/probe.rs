//! Which Parquet files can be read without harm: tried in a child process first, then by what they say
//! that they hold.

use polars::prelude::{ParquetReader, SerReader};
use provenance::embed::{Format, take_apart};
use retrace_cli::child;
use retrace_cli::panics::caught;
use std::io::Cursor;
use tables::foreign_table::ForeignTable;
use tables::table::Table;

/// What a file may say that it holds.
pub struct Most {
    pub values: usize,
    pub decoded: i64,
}

impl Most {
    /// More is read nowhere, also not where somebody has put the file on purpose.
    pub const ANY: Most = Most {
        values: 100_000_000,
        decoded: 2 << 30,
    };

    /// Refuses a Parquet file that says it holds more than fits in a reasonable memory.
    fn check(&self, bytes: &[u8]) -> Result<(), String> {
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
        if values > self.values || decoded > self.decoded {
            let message = format!(
                "it says that it holds {values} values in {decoded} bytes, more than {} or {}",
                self.values, self.decoded
            );
            return Err(message);
        }
        Ok(())
    }
}

/// What the child process does with bytes: reads them in every way that this program may read such a file
/// in.
pub fn read_at_risk(bytes: Vec<u8>) {
    // What is too large is refused by the parent, which reads no more than its sizes.
    if caught(|| Most::ANY.check(&bytes)) == Ok(Ok(())) {
        let _ = caught(|| Table::from_parquet(&bytes).is_ok());
        let _ = caught(|| take_apart(Format::Parquet, &bytes).is_ok());
        read_columns(bytes);
    }
}

/// Reads each column by itself: one that cannot be read is no reason to leave out those after it.
fn read_columns(bytes: Vec<u8>) {
    if let Ok(Ok(table)) = caught(|| ForeignTable::open(bytes)) {
        for column in 0..table.names().len() {
            let _ = caught(|| table.cells(column).is_ok());
        }
    }
}

/// Refuses a file that ends the process that reads it, or says that it holds too much; in a process that is
/// not the program, only the second.
///
/// # Errors
/// Such a file; and when it cannot be tried: see [`child::check`].
pub fn check(bytes: &[u8], most: &Most) -> Result<(), String> {
    // In this order: even what a file says of itself may be damaged.
    child::check(bytes)?;
    most.check(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tables::table::Column;

    #[test]
    fn a_file_that_says_it_holds_too_much_is_refused() {
        let table = Table::new(vec![("n", Column::Int(vec![1, 2, 3]))]).expect("a table");
        let bytes = table.to_parquet().expect("bytes");
        assert_eq!(check(&bytes, &Most::ANY), Ok(()));
        let none = Most {
            values: 2,
            decoded: 1,
        };
        let error = check(&bytes, &none).expect_err("too large");
        assert!(error.contains("more than 2"), "{error}");
    }
}
