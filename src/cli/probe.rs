//! Tries a foreign Parquet file in a process of its own.
//!
//! Damage can make the library that reads it ask for more memory than there is, which ends the process
//! at once and cannot be caught in it. A child that is ended so costs nothing; what it survives, this
//! process survives too, for both do the same with the same bytes.

use crate::artifact::provenance::{Format, take_apart};
use crate::artifact::table::Table;
use crate::cli::panics;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

/// The one argument of the child, which is this program.
pub const ARGUMENT: &str = "--probe-parquet";

/// What the child does: reads stdin as a table and as a published file. How that ends is all it says.
pub fn child() -> ExitCode {
    panics::keep_quiet();
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let readable = panics::caught(|| {
        Table::from_parquet(&bytes).is_ok() && take_apart(Format::Parquet, &bytes).is_ok()
    });
    ExitCode::from(u8::from(readable != Ok(true)))
}

/// Refuses a file that ends the process that reads it.
///
/// Only the program itself has the child's argument: elsewhere, as in tests of parts of it, nothing is
/// tried.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    if program.file_name().is_none_or(|name| name != "icl-repro") {
        return Ok(());
    }
    let child = Command::new(program)
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|e| format!("no process can be started to try it in: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that has ended reads no further.
        let _ = stdin.write_all(bytes);
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    match status.signal() {
        None => Ok(()),
        Some(signal) => Err(format!(
            "the library that reads it ends its process (signal {signal}): the file is damaged"
        )),
    }
}
