//! Tables that somebody else may have written: how large they are is looked at before they are read,
//! and a panic of the library that reads them is an error like others.

use crate::contents::probe::{self, Most};
use retrace_cli::panics::caught;
use tables::compare::{self, Difference};
use tables::csv;
use tables::table::Table;

/// What a file that is compared may say that it holds: a few bytes can stand for many.
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
