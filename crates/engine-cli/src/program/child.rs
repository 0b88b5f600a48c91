//! Tries bytes of unknown origin in a process of its own.
//!
//! Damage can make the library that reads them ask for more memory than there is, which ends the process
//! at once and cannot be caught in it. A child that is ended so costs nothing; what it survives, this
//! process survives too, for both do the same with the same bytes.
//!
//! The child is this very program: by its image where the system shows that, so that no name, link,
//! replaced file or search path has a say. Only a process that has said what it is
//! ([`crate::App::run`] does so first) has such a child. Whoever uses parts
//! of a program as a library, as tests do, reads foreign files in its own process and at its own risk.
//!
//! Knows no format: [`Formats::read_at_risk`] does.

use crate::console::panics;
use crate::program::formats::Formats;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// The one argument of the child, which is this program.
pub(crate) const ARGUMENT: &str = "--try-foreign-file";
/// What the child says when it has survived: no other program says that.
const SURVIVED: &[u8] = b"the child of retrace has read it\n";

static IS_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Says that this process starts with [`crate::App::run`], which knows [`ARGUMENT`].
pub(crate) fn this_is_the_program() {
    IS_PROGRAM.store(true, Ordering::Relaxed);
}

/// What the child does: reads stdin. Whether that works is not asked; only a child that is ended says
/// nothing.
pub(crate) fn act(formats: &dyn Formats) -> ExitCode {
    panics::keep_quiet();
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let _ = panics::caught(|| formats.read_at_risk(bytes));
    match std::io::stdout().lock().write_all(SURVIVED) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Refuses bytes that end the process that reads them; in a process that is not the program, none.
///
/// # Errors
/// Such bytes; and when no child can be started, or it is not this program: never "then without".
pub fn check(bytes: &[u8]) -> Result<(), String> {
    match IS_PROGRAM.load(Ordering::Relaxed) {
        true => check_by(&program()?, bytes),
        false => Ok(()),
    }
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
        assert_eq!(check(b"any"), Ok(()));
    }
}
