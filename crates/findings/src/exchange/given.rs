//! A table that a stage is given, whoever wrote it: Parquet, CSV or JSON, told apart by its bytes.
//!
//! Parquet columns of types that no stage can use are left out, and named to whoever asks for one. A CSV column
//! holds numbers where every field is one, or is empty, `nan` or `NaN`: a missing number. For JSON see
//! [`crate::exchange::json`]. Does not know which columns are wanted.

use crate::exchange::json;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::read;
use std::collections::BTreeMap;
use std::path::Path;
use tables::csv;
use tables::foreign_table::ForeignTable;
use tables::table::{Column, Table};

/// The columns that can be used, and the types of the others.
#[derive(Default)]
pub struct Given {
    pub table: Table,
    /// By name: a column that is not found may be one of them.
    pub unread: BTreeMap<String, String>,
}

/// What some programs write before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How programs write a number that is missing, besides an empty field.
const MISSING: [&str; 2] = ["nan", "NaN"];

impl Given {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that is no table, or damaged, with its path.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |e: String| Error::failed(format!("{}: {e}", path.display()));
        Given::of(read(path)?).map_err(wrong)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Bytes that are no table.
    pub fn of(bytes: Vec<u8>) -> std::result::Result<Self, String> {
        if bytes.starts_with(b"PAR1") {
            // A training that diverges at once leaves a table without rows.
            let (table, unread) = ForeignTable::open(bytes)?.to_table()?;
            return Ok(Given { table, unread });
        }
        let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
        let table = match text.trim_ascii_start().first() {
            Some(b'{' | b'[') => json::table(text)?,
            _ => csv::read(text).map_err(|why| {
                format!("it is no Parquet table, and as a table of text it cannot be read: {why}")
            })?,
        };
        let columns = table.columns().iter();
        let columns = columns.map(|(name, column)| (name.as_str(), with_missing(column)));
        let table = Table::new(columns.collect()).map_err(|e| e.to_string())?;
        Ok(Given {
            table,
            unread: BTreeMap::new(),
        })
    }
}

/// Numbers in place of text, if all that is text in the column says that a number is missing.
fn with_missing(column: &Column) -> Column {
    let Column::Text(fields) = column else {
        return column.clone();
    };
    let is_missing = |field: &String| MISSING.contains(&field.as_str());
    if !fields.iter().any(is_missing) {
        return column.clone();
    }
    let number = |field: &String| match is_missing(field) {
        true => "\n".to_owned(),
        false => format!("\"{}\"\n", field.replace('"', "\"\"")),
    };
    // The reader of CSV knows what a number is. A second column keeps lines of empty fields.
    let lines: String = fields
        .iter()
        .map(|field| format!("0,{}", number(field)))
        .collect();
    let again = csv::read(format!("row,value\n{lines}").as_bytes());
    let again = again.ok().and_then(|table| table.floats("value").ok());
    again.map_or_else(|| column.clone(), Column::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(bytes: &[u8]) -> Vec<(String, Column)> {
        let given = Given::of(bytes.to_vec()).expect("a table");
        given.table.columns().to_vec()
    }

    #[test]
    fn every_format_gives_the_same_table() {
        let texts = || Column::Text(vec!["a".into(), "b".into()]);
        let table = vec![
            ("name", texts()),
            ("n", Column::Int(vec![1, 2])),
            ("x", Column::Float(vec![0.5, 2.0])),
        ];
        let table = Table::new(table).expect("columns of one length");
        let parquet = table.to_parquet().expect("bytes");
        assert_eq!(columns(&parquet), table.columns());
        let csv = b"\xef\xbb\xbfname,n,x\r\na,1,0.5\r\nb,2,2.0\r\n";
        assert_eq!(columns(csv), table.columns());
        let json = br#" [{"name": "a", "n": 1, "x": 0.5}, {"name": "b", "n": 2, "x": 2.0}]"#;
        let mut by_name = table.columns().to_vec();
        by_name.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(columns(json), by_name);
    }

    #[test]
    fn missing_numbers_are_none_in_every_spelling() {
        let found = columns(b"x,y,z\n1,nan,nan\nNaN,,a\n,2.5,\n");
        let Column::Float(x) = &found[0].1 else {
            panic!("{found:?}")
        };
        assert!(x[0] == 1.0 && x[1].is_nan() && x[2].is_nan());
        let Column::Float(y) = &found[1].1 else {
            panic!("{found:?}")
        };
        assert!(y[0].is_nan() && y[1].is_nan() && y[2] == 2.5);
        let words = Column::Text(vec!["nan".into(), "a".into(), String::new()]);
        assert_eq!(found[2].1, words);
        let all = columns(b"x,y\nnan,1\n");
        assert_eq!(all[0].1, Column::Text(vec!["nan".into()]));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let why = |bytes: &[u8]| Given::of(bytes.to_vec()).err().unwrap_or_default();
        assert!(why(b"").contains("is empty"));
        assert!(why(b"PAR1 no").contains("no Parquet table"));
        assert!(why(&[0xff, 0x00]).contains("no Parquet table"));
        assert!(why(b"a,b\n1\n").contains("row 1"));
        assert!(why(b"{\"a\": ").contains("JSON"));
    }
}
