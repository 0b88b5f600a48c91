//! What a command says, from a pipe into a file.
//!
//! A pipe and not the file itself: a program that opens `/dev/stderr` to write would empty a file.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::path::Path;
use std::thread::{JoinHandle, spawn};

pub struct Log(JoinHandle<std::io::Result<()>>);

/// Writes into `path` what comes through the pipe, at most `most` bytes of it.
///
/// # Errors
/// The file cannot be made.
pub fn start(path: &Path, most: Option<u64>) -> Result<(Log, PipeWriter), String> {
    let file = File::create(path).map_err(|error| format!("log {}: {error}", path.display()))?;
    let (from, to) = pipe().map_err(|error| format!("log {}: {error}", path.display()))?;
    let copying = spawn(move || copy(from, file, most.unwrap_or(u64::MAX)));
    Ok((Log(copying), to))
}

impl Log {
    /// Waits for the rest: nobody must hold the pipe any more.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn end(self) -> Result<(), String> {
        match self.0.join() {
            Ok(copied) => copied.map_err(|error| format!("log: {error}")),
            Err(_) => Err("log: it was given up".into()),
        }
    }
}

/// Reads to the end even when nothing more is written: the command must not wait for room.
fn copy(mut from: PipeReader, mut to: File, most: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut left = most;
    let mut cut = 0;
    let mut written = Ok(());
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let kept = usize::try_from(left).map_or(read, |left| left.min(read));
        if written.is_ok() {
            written = to.write_all(&buffer[..kept]);
        }
        left -= kept as u64;
        cut += (read - kept) as u64;
    }
    written?;
    match cut {
        0 => Ok(()),
        cut => write!(
            to,
            "\n[{cut} more bytes were cut off: the limit is {most}]\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_cut_and_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let (log, mut writer) = start(&path, Some(4)).expect("it starts");
        writer.write_all(b"abcdefg").expect("it is read");
        drop(writer);
        log.end().expect("it is written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "abcd\n[3 more bytes were cut off: the limit is 4]\n");
    }
}
