//! Tries a foreign Parquet file in a process of its own.
//!
//! Damage can make the library that reads it ask for more memory than there is, which ends the process
//! at once and cannot be caught in it. A child that is ended so costs nothing; what it survives, this
//! process survives too, for both do the same with the same bytes.
//!
//! The child is this very program: by its image where the system shows that, so that no name, link,
//! replaced file or search path has a say. Only a process that has said what it is
//! ([`this_is_the_program`], which [`crate::cli::app`] calls first) has such a child. Whoever uses parts
//! of this crate as a library, as tests do, reads foreign files in its own process and at its own risk.

use crate::cli::panics;
use polars::prelude::{ParquetReader, SerReader};
use provenance::embed::{Format, take_apart};
use std::io::{Cursor, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use tables::foreign_table::ForeignTable;
use tables::table::Table;

/// The one argument of the child, which is this program.
pub const ARGUMENT: &str = "--probe-parquet";
/// What the child says when it has survived: no other program says that.
const SURVIVED: &[u8] = b"icl-repro has read it\n";

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

static IS_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Says that this process starts with [`crate::cli::app::main`], which knows [`ARGUMENT`].
pub fn this_is_the_program() {
    IS_PROGRAM.store(true, Ordering::Relaxed);
}

/// What the child does: reads stdin in every way that this program may read such a file in. Whether that
/// works is not asked; only a child that is ended says nothing.
pub fn child() -> ExitCode {
    panics::keep_quiet();
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    // What is too large is refused by the parent, which reads no more than its sizes.
    if panics::caught(|| Most::ANY.check(&bytes)) == Ok(Ok(())) {
        let _ = panics::caught(|| Table::from_parquet(&bytes).is_ok());
        let _ = panics::caught(|| take_apart(Format::Parquet, &bytes).is_ok());
        read_columns(bytes);
    }
    match std::io::stdout().lock().write_all(SURVIVED) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Reads each column by itself: one that cannot be read is no reason to leave out those after it.
fn read_columns(bytes: Vec<u8>) {
    if let Ok(Ok(table)) = panics::caught(|| ForeignTable::open(bytes)) {
        for column in 0..table.names().len() {
            let _ = panics::caught(|| table.cells(column).is_ok());
        }
    }
}

/// Refuses a file that ends the process that reads it, or says that it holds too much; in a process that is
/// not the program, only the second.
///
/// # Errors
/// Such a file; and when no child can be started, or it is not this program: never "then without".
pub fn check(bytes: &[u8], most: &Most) -> Result<(), String> {
    // In this order: even what a file says of itself may be damaged.
    if IS_PROGRAM.load(Ordering::Relaxed) {
        check_by(&program()?, bytes)?;
    }
    most.check(bytes)
}

/// Where this program can be started again.
fn program() -> Result<PathBuf, String> {
    /// The image of the process, also when its file was renamed, replaced or deleted.
    const IMAGE: &str = "/proc/self/exe";
    match Path::new(IMAGE).exists() || cfg!(target_os = "linux") {
        true => Ok(IMAGE.into()),
        false => std::env::current_exe().map_err(no_child),
    }
}

fn no_child(error: std::io::Error) -> String {
    format!("no process can be started to try it in: {error}")
}

fn check_by(program: &Path, bytes: &[u8]) -> Result<(), String> {
    let child = Command::new(program)
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(no_child)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that has ended reads no further.
        let _ = stdin.write_all(bytes);
    }
    // What it has to say fits in a pipe, so it never waits for us while we write.
    let output = child.wait_with_output().map_err(no_child)?;
    match output.status.signal() {
        Some(signal) if !FROM_OUTSIDE.contains(&signal) => Err(format!(
            "the library that reads it ends its process (signal {signal}): the file is damaged"
        )),
        None if output.stdout == SURVIVED => Ok(()),
        _ => Err(format!(
            "the process that was to try it did not say how that went ({})",
            output.status
        )),
    }
}

/// Signals that people and terminals send (HUP, INT, QUIT, PIPE, TERM): they say nothing of the file.
const FROM_OUTSIDE: [i32; 5] = [1, 2, 3, 13, 15];

#[cfg(test)]
mod tests {
    use super::*;
    use tables::table::Column;

    /// A child that cannot be started, or is another program, is never taken for one that survived.
    #[test]
    fn without_a_child_of_ours_a_file_is_refused() {
        for (program, words) in [
            ("/no/such/program", "no process can be started"),
            ("/", "no process can be started"),
            ("/bin/true", "did not say"),
            ("/bin/cat", "did not say"),
            ("/bin/false", "did not say"),
        ] {
            let error = check_by(Path::new(program), b"PAR1 any").expect_err(program);
            assert!(error.contains(words), "{program}: {error}");
        }
    }

    #[test]
    fn a_process_that_is_not_the_program_has_no_child() {
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
