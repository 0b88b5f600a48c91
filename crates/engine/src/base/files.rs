//! Files that are either wholly there or not there: write to a temporary name, rename.
//!
//! A process that dies cannot leave half a file. A power cut can, unless the file was synced before it
//! got its name; [`write()`] does that, and so costs a few milliseconds. The other functions leave it to
//! [`sync`], or to readers that check what they read.

use crate::base::digest::Digest;
use crate::base::error::{Error, PROGRAM, Result};
use crate::base::location::is_plain_folder;
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Makes a folder and those above it.
pub fn create_folder(path: &Path) -> Result<()> {
    // A look is cheaper than an attempt, and nearly always enough.
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|e| Error::io("make the folder", path, &e))
}

/// Reads a whole file of at most `most` bytes. A pipe or a device is refused: it may have no end.
pub fn read_at_most(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    // Looked at before it is opened: opening a pipe waits for its writer.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let message = match kind.is_dir() {
            true => "it is a folder",
            false => "it is a pipe or a device, not a file",
        };
        return Err(std::io::Error::new(ErrorKind::InvalidInput, message));
    }
    take_at_most(fs::File::open(path)?, most)
}

/// Reads to the end, which comes after at most `most` bytes.
pub fn take_at_most(source: impl Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 <= most {
        return Ok(bytes);
    }
    let message = format!("it has more than {most} bytes");
    Err(std::io::Error::new(ErrorKind::FileTooLarge, message))
}

/// The path that a text of somebody else's names, if it stays below where it starts; or why not.
pub fn inside(text: &str) -> std::result::Result<PathBuf, String> {
    let path = Path::new(text);
    if path.is_absolute() {
        return Err("is an absolute path: give it relative to pipeline.yaml".into());
    }
    if path
        .components()
        .any(|c| !matches!(c, Component::Normal(_)))
    {
        return Err("must be a plain relative path without `.` or `..`".into());
    }
    if text.contains(['\0', '\\']) {
        return Err("holds a character that no path of a pipeline may hold".into());
    }
    Ok(path.components().collect())
}

/// Writes a file atomically and durably; an equal file is left alone.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, true)
}

/// Writes a file atomically, for readers that notice damage: after a power cut it may be empty. An
/// equal file is left alone.
pub(crate) fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, false)
}

/// Copies `from` to `to` atomically (a reflink where the file system has them, never a hard link)
/// and checks that what arrived has the digest. It is not synced: whoever trusts it compares it with
/// the digest first.
pub fn copy(from: &Path, to: &Path, digest: Digest) -> Result<()> {
    let io = |e: std::io::Error| Error::io("write", to, &e);
    let mut source = fs::File::open(from).map_err(|e| Error::io("read", from, &e))?;
    let mut temporary = temporary_beside(to)?;
    let copied = temporary.as_file_mut();
    std::io::copy(&mut source, copied).map_err(io)?;
    copied.rewind().map_err(io)?;
    if Digest::of_open(copied).map_err(io)?.0 != digest {
        let message = format!("the cached object {digest} is damaged");
        return Err(
            Error::failed(message).hint(format!("run `{PROGRAM} run` again: it re-makes it"))
        );
    }
    temporary.persist(to).map_err(|e| io(e.error))?;
    Ok(())
}

/// A file without a name of its own in a folder, gone when it is dropped.
pub fn scratch(folder: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile> {
    let io = |e: std::io::Error| Error::io("write in", folder, &e);
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(folder)
        .map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    Ok(file)
}

/// So many files are synced at once: a journal takes them together in about the time of one.
const SYNCED_AT_ONCE: usize = 16;

/// Makes files durable; one that is gone by now needs nothing.
pub fn sync(paths: &[PathBuf]) -> Result<()> {
    let sync = |path: &PathBuf| match fs::File::open(path).and_then(|file| file.sync_all()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("sync", path, &e)),
        _ => Ok(()),
    };
    let threads = paths.len().min(SYNCED_AT_ONCE);
    if threads <= 1 {
        return paths.iter().try_for_each(sync);
    }
    std::thread::scope(|scope| {
        let part = |n: usize| move || paths.iter().skip(n).step_by(threads).try_for_each(sync);
        let parts: Vec<_> = (0..threads).map(|n| scope.spawn(part(n))).collect();
        let end = |part: std::thread::ScopedJoinHandle<Result<()>>| {
            let panicked = |_| Err(Error::failed("a thread that syncs files panicked"));
            part.join().unwrap_or_else(panicked)
        };
        parts.into_iter().try_for_each(end)
    })
}

fn permissions(mode: u32) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

/// Makes a file read-only: what the store keeps is not to be edited in place.
pub(crate) fn make_read_only(path: &Path) -> Result<()> {
    fs::set_permissions(path, permissions(0o444)).map_err(|e| Error::io("protect", path, &e))
}

/// How the names of files begin that are not yet whole.
pub const TEMPORARY: &str = ".retrace-tmp-";

/// So many letters and digits, drawn at random, end such a name.
const DRAWN: usize = 6;

/// Whether only this program names a file so.
pub fn is_temporary(name: &OsStr) -> bool {
    let rest = name.as_bytes().strip_prefix(TEMPORARY.as_bytes());
    let drawn = rest.and_then(|rest| rest.last_chunk::<DRAWN>());
    drawn.is_some_and(|drawn| drawn.iter().all(u8::is_ascii_alphanumeric))
}

/// The temporary files that a killed process left in a folder, and below it if `deep`; links are not
/// followed, and are none.
pub(crate) fn temporaries(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if !is_plain_folder(folder) {
        return found;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && deep {
            found.extend(temporaries(&entry.path(), deep));
        } else if kind.is_file() && is_temporary(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    found
}

/// A link where this program would write or delete: what it leads to is not ours.
pub fn is_link(path: &Path, what: &str) -> Error {
    let message = format!("{} is a symbolic link: nothing was {what}", path.display());
    Error::failed(message).hint("put a real file or folder there, or move the link away")
}

/// What tells whose a scratch folder is.
const TELLING: &str = "run.lock";

/// Removes a file or a folder with all that is in it; of a link, the link. A folder that is cut short
/// still tells whose it is.
pub fn remove(path: &Path) -> Result<()> {
    if is_plain_folder(path) {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let others = entries.filter(|entry| entry.file_name() != TELLING);
        others
            .map(|entry| remove(&entry.path()))
            .collect::<Result<Vec<()>>>()?;
    }
    let result = match is_plain_folder(path) {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, &e)),
        _ => Ok(()),
    }
}

fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    beside(path).map_err(|e| Error::io("write in", folder, &e))
}

/// A file under a temporary name in the folder of `path`, which is there.
pub(crate) fn beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    // A file of the user's own, as far as the umask lets others read it.
    tempfile::Builder::new()
        .prefix(TEMPORARY)
        .permissions(permissions(0o644))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))
}

fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let io = |e: std::io::Error| Error::io("write", path, &e);
    let mut temporary = temporary_beside(path)?;
    temporary.write_all(bytes).map_err(io)?;
    if durable {
        temporary.as_file().sync_all().map_err(io)?;
    }
    temporary.persist(path).map_err(|e| io(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_or_is_too_long_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1234").unwrap();
        assert_eq!(read_at_most(&path, 4).unwrap(), b"1234");
        let kind = |path: &Path, most| read_at_most(path, most).unwrap_err().kind();
        assert_eq!(kind(&path, 3), ErrorKind::FileTooLarge);
        assert_eq!(kind(Path::new("/dev/zero"), 3), ErrorKind::InvalidInput);
        assert_eq!(kind(folder.path(), 3), ErrorKind::InvalidInput);
        assert_eq!(kind(&folder.path().join("x"), 3), ErrorKind::NotFound);
        let endless = take_at_most(std::io::repeat(0), 1 << 20).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_path_stays_inside() {
        for text in ["/etc/passwd", "..", "a/../../b", "./a", "a/\0", "a\\b"] {
            assert!(inside(text).is_err(), "{text}");
        }
        assert_eq!(inside("a//b/").unwrap(), Path::new("a/b"));
    }
}
