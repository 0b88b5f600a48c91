//! Files that are either wholly there or not there: write to a temporary name, rename.
//!
//! A process that dies cannot leave half a file. A power cut can, unless the file was synced before it
//! got its name; [`write`] does that, and so costs a few milliseconds. The other functions leave it to
//! [`sync`], or to readers that check what they read.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use std::fs;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

/// Makes a folder and those above it.
pub fn create_folder(path: &Path) -> Result<()> {
    // A look is cheaper than an attempt, and nearly always enough.
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|e| Error::io("make the folder", path, &e))
}

/// Writes a file atomically and durably; an equal file is left alone.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, true)
}

/// Writes a file atomically, for readers that notice damage: after a power cut it may be empty. An
/// equal file is left alone.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
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
        return Err(Error::failed(message).hint("run `icl-repro run` again: it re-makes it"));
    }
    temporary.persist(to).map_err(|e| io(e.error))?;
    Ok(())
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
pub fn make_read_only(path: &Path) -> Result<()> {
    fs::set_permissions(path, permissions(0o444)).map_err(|e| Error::io("protect", path, &e))
}

/// How the names of files begin that are not yet whole.
pub const TEMPORARY: &str = ".icl-repro-tmp-";

/// Removes the temporary files that a killed process left in a folder, and below it if `deep`;
/// links are not followed.
pub fn remove_temporaries(folder: &Path, deep: bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && deep {
            remove_temporaries(&entry.path(), deep);
        } else if !is_folder && entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    // A file of the user's own, as far as the umask lets others read it.
    tempfile::Builder::new()
        .prefix(TEMPORARY)
        .permissions(permissions(0o644))
        .tempfile_in(folder)
        .map_err(|e| Error::io("write in", folder, &e))
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
