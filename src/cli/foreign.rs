//! Tables that somebody else may have written: how large they are is looked at before they are read,
//! and a panic of the library that reads them is an error like others.

use crate::cli::panics::caught;
use crate::cli::probe::{self, Most};
use retrace::base::error::{Error, Result as Checked};
use retrace::run::inspection::Inspector;
use retrace::stage::kind;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use tables::compare::{self, Difference};
use tables::csv;
use tables::table::Table;

/// A larger file of a revision or of the working tree is not compared. (As CSV, one of this size takes
/// up to a hundred times as much memory: an empty field is one byte.)
pub const MAX_BYTES: u64 = 8 << 20;
/// What such a file may say that it holds: a few bytes can stand for many.
const MOST: Most = Most {
    values: 10_000_000,
    decoded: 256 << 20,
};

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
    probe::check(bytes, &MOST)
}

/// What stages are kept from: Parquet files that no stage made and that cannot be read without harm.
pub struct ForeignTables;

impl Inspector for ForeignTables {
    fn inspect(&self, path: &Path) -> Checked<()> {
        // What cannot be opened the stage will say itself.
        if !path.is_file() || !is_parquet(path).unwrap_or(false) {
            return Ok(());
        }
        let bytes = kind::read(path)?;
        let checked = caught(|| probe::check(&bytes, &Most::ANY));
        let checked = checked.unwrap_or_else(|panic| Err(format!("it cannot be read: {panic}")));
        checked.map_err(|e| {
            let error = Error::failed(format!("{}: {e}", path.display()));
            error.hint("write the file again, or take another copy of it")
        })
    }
}

/// Whether a library could take a file for Parquet: by its start, or by its end as ours does.
fn is_parquet(path: &Path) -> std::io::Result<bool> {
    const MAGIC: [u8; 4] = *b"PAR1";
    let mut file = std::fs::File::open(path)?;
    let mut four = [0; 4];
    if file.metadata()?.len() < 4 {
        return Ok(false);
    }
    file.read_exact(&mut four)?;
    if four == MAGIC {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut four)?;
    Ok(four == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tables::table::Column;

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
