//! Comparing files by the values that they hold, and keeping stages from those that end the process.

use crate::contents::foreign;
use crate::contents::probe::{self, Most};
use retrace::base::error::{Error, Result as Checked};
use retrace::run::inspection::Inspector;
use retrace::stage::kind;
use retrace_cli::panics::caught;
use retrace_cli::{Change, Changes, Difference, Formats, Unreadable, Version};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use tables::table_diff::{self, TableDiff};

/// Tables, JSON and text.
pub struct TableFiles;

/// Endings of pictures.
const PICTURES: [&str; 3] = ["svg", "pdf", "png"];

fn ending(path: &Path) -> &str {
    path.extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
}

impl Formats for TableFiles {
    fn difference(&self, path: &Path, expected: &[u8], found: &[u8]) -> Option<Difference> {
        let difference = foreign::compare(expected, found, ending(path))?;
        Some(Difference {
            words: difference.to_string(),
            json: serde_json::to_value(&difference).unwrap_or_default(),
        })
    }

    /// Tables; of one in two formats only Parquet.
    fn is_compared(&self, path: &Path, beside: &[&Path]) -> bool {
        match ending(path) {
            "parquet" => true,
            "csv" => !beside.contains(&&*path.with_extension("parquet")),
            _ => false,
        }
    }

    fn is_of_picture(&self, _: &Path, beside: &[&Path]) -> bool {
        beside.iter().any(|path| PICTURES.contains(&ending(path)))
    }

    fn changes(&self, path: &Path, old: &[u8], new: &[u8]) -> Result<Changes, Unreadable> {
        let table = |which, bytes| {
            let table = foreign::table(bytes, ending(path));
            table.map_err(|why| Unreadable { which, why })
        };
        let (old, new) = (table(Version::Old, old)?, table(Version::New, new)?);
        Ok(changes(table_diff::diff(&old, &new)))
    }

    fn read_at_risk(&self, bytes: Vec<u8>) {
        probe::read_at_risk(bytes);
    }
}

fn changes(diff: TableDiff) -> Changes {
    let values = diff.changes.into_iter().map(|change| Change {
        row: change.row,
        column: change.column,
        old: change.old,
        new: change.new,
        difference: change.difference,
    });
    Changes {
        key: diff.key,
        values: values.collect(),
        rows_added: diff.rows_added,
        rows_removed: diff.rows_removed,
        columns_added: diff.columns_added,
        columns_removed: diff.columns_removed,
    }
}

/// Stages are kept from Parquet files that no stage made and that cannot be read without harm.
impl Inspector for TableFiles {
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
