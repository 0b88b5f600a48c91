//! Digests of files, remembered by what the file system says of them.
//!
//! A file whose size, inode, modification and change times are those of an earlier look is not read
//! again. A file that changed within the last moments is never remembered: its times could not tell
//! a further change. What was remembered before the machine was last started counts for nothing: a
//! power cut can take a file's content and leave its times. `--paranoid` reads everything.

use crate::base::digest::{Digest, Encoder};
use crate::base::error::Result;
use crate::base::files;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TITLE: &str = "retrace stat 3";
/// A larger file counts as empty.
const MAX_BYTES: u64 = 256 << 20;

/// File systems stamp changes with the kernel's coarse clock: two changes this close can have one
/// stamp. (A tick is 1 to 10 ms on Linux.)
pub const SETTLED: Duration = Duration::from_millis(50);

/// What the file system says of a file, of the target where it is a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamp {
    size: u64,
    inode: u64,
    /// Seconds and nanoseconds of the last change of the content, and of anything.
    modified: [i64; 2],
    changed: [i64; 2],
}

impl Stamp {
    /// The stamp of a file; `None` when there is none.
    pub fn of(path: &Path) -> Option<Stamp> {
        look(path).map(|(stamp, _)| stamp)
    }

    fn from_metadata(meta: &Metadata) -> Stamp {
        Stamp {
            size: meta.size(),
            inode: meta.ino(),
            modified: [meta.mtime(), meta.mtime_nsec()],
            changed: [meta.ctime(), meta.ctime_nsec()],
        }
    }

    /// Whether a later change must show in the stamp.
    fn is_settled(&self, now: SystemTime, settled: Duration) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else {
            return false;
        };
        let [seconds, nanoseconds] = self.changed.map(i128::from);
        let changed = seconds * 1_000_000_000 + nanoseconds;
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - changed;
        // A stamp from the future (a clock that was set back) is not trusted either.
        age > i128::try_from(settled.as_nanos()).unwrap_or(i128::MAX)
    }

    /// Adds the stamp to a line of text.
    pub fn write(&self, line: &mut Vec<u8>) {
        let Stamp {
            size,
            inode,
            modified: [m, mn],
            changed: [c, cn],
        } = self;
        line.extend_from_slice(format!("{size} {inode} {m} {mn} {c} {cn} ").as_bytes());
    }

    /// Reads a stamp at the start of a line; also gives the rest.
    pub fn read(line: &[u8]) -> Option<(Stamp, &[u8])> {
        let (size, rest) = number(line)?;
        let (inode, rest) = number(rest)?;
        let (m, rest) = number(rest)?;
        let (mn, rest) = number(rest)?;
        let (c, rest) = number(rest)?;
        let (cn, rest) = number(rest)?;
        let stamp = Stamp {
            size,
            inode,
            modified: [m, mn],
            changed: [c, cn],
        };
        Some((stamp, rest))
    }
}

/// A number and the space after it.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<(T, &[u8])> {
    let end = text.iter().position(|&byte| byte == b' ')?;
    let number = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((number, &text[end + 1..]))
}

/// The stamp of a file, and whether it is a link.
fn look(path: &Path) -> Option<(Stamp, bool)> {
    let meta = path.symlink_metadata().ok()?;
    match meta.is_symlink() {
        true => Some((Stamp::from_metadata(&path.metadata().ok()?), true)),
        false => Some((Stamp::from_metadata(&meta), false)),
    }
}

/// A text that only this start of the machine counts, with a checksum: lines below a first line.
pub fn seal(title: &str, body: &[u8]) -> Vec<u8> {
    let boot = boot();
    let check = checksum(title, boot, body);
    let mut text = format!("{title} {boot} {check}\n").into_bytes();
    text.extend_from_slice(body);
    text
}

/// The lines of what [`seal`] made, if all is as it was.
pub fn unseal<'a>(title: &str, text: &'a [u8]) -> Option<&'a [u8]> {
    let end = text.iter().position(|&byte| byte == b'\n')?;
    let (first, body) = (&text[..end], &text[end + 1..]);
    let boot = boot();
    let check = checksum(title, boot, body);
    (first == format!("{title} {boot} {check}").as_bytes()).then_some(body)
}

fn checksum(title: &str, boot: &str, body: &[u8]) -> String {
    let mut encoder = Encoder::new(title);
    encoder.text(boot);
    encoder.bytes(Digest::of(body).as_bytes());
    encoder.finish().to_string()[..16].to_owned()
}

/// Tells this start of the machine from others, on Linux. Elsewhere nothing does; there the store
/// syncs every file that it writes before any of this is kept.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| NO_BOOT.into(), |boot| boot.trim().to_owned())
    })
}

const NO_BOOT: &str = "-";

/// Whether a power cut voids what is remembered of files.
pub fn knows_starts() -> bool {
    boot() != NO_BOOT
}

/// What is remembered of a file.
#[derive(Clone, Copy)]
struct Known {
    stamp: Stamp,
    digest: Digest,
    /// Whether this process asked for it.
    used: bool,
}

#[derive(Default)]
struct Memory {
    files: HashMap<OsString, Known>,
    /// Whether it differs from what is kept.
    changed: bool,
    /// Whether a file was asked for whose digest could not be remembered.
    unsettled: bool,
}

/// Digests of files.
pub struct FileDigests {
    /// Where they are kept between runs; `None` remembers nothing.
    path: Option<PathBuf>,
    settled: Duration,
    memory: Mutex<Memory>,
}

impl FileDigests {
    /// Remembers in the file `path`. One that is damaged or of another format counts as empty: it
    /// only costs reading the files again.
    pub fn remembered_in(path: PathBuf) -> Self {
        let text = files::read_at_most(&path, MAX_BYTES).unwrap_or_default();
        let mut memory = Memory::default();
        let lines = unseal(TITLE, &text).unwrap_or_default();
        memory.files = lines
            .split(|&byte| byte == b'\n')
            .filter_map(read_line)
            .collect();
        FileDigests {
            path: Some(path),
            settled: SETTLED,
            memory: Mutex::new(memory),
        }
    }

    /// Remembers nothing: every file is read every time.
    pub fn paranoid() -> Self {
        FileDigests {
            path: None,
            settled: SETTLED,
            memory: Mutex::default(),
        }
    }

    /// Trusts stamps of this age; for tests that wait for the clock themselves.
    pub fn settled_after(mut self, settled: Duration) -> Self {
        self.settled = settled;
        self
    }

    /// The digest of a file's content.
    pub fn of(&self, path: &Path) -> Result<Digest> {
        let found = look(path).map(|(stamp, _)| stamp);
        self.of_found(path, found)
    }

    /// The digest of a file that is no link, whatever a link leads to.
    pub(crate) fn of_plain(&self, path: &Path) -> Option<Digest> {
        let (stamp, is_link) = look(path)?;
        (!is_link).then(|| self.of_found(path, Some(stamp)).ok())?
    }

    fn of_found(&self, path: &Path, before: Option<Stamp>) -> Result<Digest> {
        if self.path.is_none() {
            return Digest::of_file(path).map(|(digest, _)| digest);
        }
        if let (Some(stamp), Some(known)) = (before, self.memory().files.get_mut(path.as_os_str()))
            && stamp == known.stamp
        {
            known.used = true;
            return Ok(known.digest);
        }
        let now = SystemTime::now();
        let (digest, _) = Digest::of_file(path)?;
        let after = Stamp::of(path).filter(|stamp| Some(*stamp) == before);
        let mut memory = self.memory();
        match after.filter(|stamp| stamp.is_settled(now, self.settled)) {
            Some(stamp) => {
                let used = true;
                let known = Known {
                    stamp,
                    digest,
                    used,
                };
                memory.files.insert(path.as_os_str().to_owned(), known);
                memory.changed = true;
            }
            None => {
                memory.changed |= memory.files.remove(path.as_os_str()).is_some();
                memory.unsettled = true;
            }
        }
        Ok(digest)
    }

    /// Forgets a file: what was just read of it is not what is remembered.
    pub(crate) fn distrust(&self, path: &Path) {
        let mut memory = self.memory();
        memory.changed |= memory.files.remove(path.as_os_str()).is_some();
        memory.unsettled = true;
    }

    /// Every file that this process asked for, with its stamp; `None` when one was not settled.
    pub fn used(&self) -> Option<Vec<(PathBuf, Stamp)>> {
        let memory = self.memory();
        let used = memory.files.iter().filter(|(_, known)| known.used);
        let mut used: Vec<_> = used
            .map(|(path, known)| (PathBuf::from(path), known.stamp))
            .collect();
        used.sort_by(|a, b| a.0.cmp(&b.0));
        (!memory.unsettled && self.path.is_some()).then_some(used)
    }

    /// Keeps what is remembered, for files that still exist; nothing new needs no writing.
    pub(crate) fn save(&self) -> Result<()> {
        let mut memory = self.memory();
        let Some(path) = self.path.as_ref().filter(|_| memory.changed) else {
            return Ok(());
        };
        let exists = |file: &OsStr, known: &Known| known.used || Path::new(file).exists();
        memory.files.retain(|file, known| exists(file, known));
        let mut files: Vec<_> = memory.files.iter().collect();
        files.sort_by_key(|(file, _)| *file);
        let mut body = Vec::with_capacity(200 * files.len());
        for (file, Known { stamp, digest, .. }) in files {
            // Such a path is not worth an escape: the file is read every time.
            if !file.as_bytes().contains(&b'\n') {
                stamp.write(&mut body);
                body.extend_from_slice(format!("{digest} ").as_bytes());
                body.extend_from_slice(file.as_bytes());
                body.push(b'\n');
            }
        }
        memory.changed = false;
        files::write_unsynced(path, &seal(TITLE, &body))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_line(line: &[u8]) -> Option<(OsString, Known)> {
    let (stamp, rest) = Stamp::read(line)?;
    let end = rest.iter().position(|&byte| byte == b' ')?;
    let digest = Digest::try_from(std::str::from_utf8(&rest[..end]).ok()?).ok()?;
    let file = OsString::from_vec(rest[end + 1..].to_vec());
    let used = false;
    let known = Known {
        stamp,
        digest,
        used,
    };
    Some((file, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose stamps lie in the past, as most files' do.
    fn old_file(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        let past = SystemTime::now() - Duration::from_secs(60);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(past))
            .unwrap();
    }

    #[test]
    fn a_change_is_noticed_also_when_size_and_time_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let digests = FileDigests::remembered_in(folder.path().join("stat"));
        for text in ["one", "two", "six"] {
            old_file(&path, text);
            // The change time is new, so the file is read although all else may be as before.
            assert_eq!(digests.of(&path).unwrap(), Digest::of(text.as_bytes()));
        }
    }

    /// As if the file had been looked at before, with another content behind the same stamp.
    fn pretend(digests: &FileDigests, path: &Path) -> Digest {
        let (stamp, digest) = (Stamp::of(path).unwrap(), Digest::of(b"other"));
        let used = false;
        let known = Known {
            stamp,
            digest,
            used,
        };
        let mut memory = digests.memory();
        memory.files.insert(path.as_os_str().to_owned(), known);
        memory.changed = true;
        digest
    }

    #[test]
    fn a_remembered_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("file"), folder.path().join("stat"));
        std::fs::write(&path, "text").unwrap();
        let digests = FileDigests::remembered_in(kept.clone());
        let other = pretend(&digests, &path);
        assert_eq!(digests.of(&path).unwrap(), other);
        digests.save().unwrap();
        assert_eq!(FileDigests::remembered_in(kept).of(&path).unwrap(), other);
        assert_eq!(
            FileDigests::paranoid().of(&path).unwrap(),
            Digest::of(b"text")
        );
    }

    #[test]
    fn what_another_start_of_the_machine_remembers_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("file"), folder.path().join("stat"));
        std::fs::write(&path, "text").unwrap();
        let digests = FileDigests::remembered_in(kept.clone());
        pretend(&digests, &path);
        digests.save().unwrap();
        let text = std::fs::read_to_string(&kept).unwrap();
        let body = text.split_once('\n').unwrap().1;
        let boot = "5a0d5f0e-0000-4000-8000-000000000000";
        let check = checksum(TITLE, boot, body.as_bytes());
        std::fs::write(&kept, format!("{TITLE} {boot} {check}\n{body}")).unwrap();
        let found = FileDigests::remembered_in(kept).of(&path).unwrap();
        assert_eq!(found, Digest::of(b"text"));
    }

    #[test]
    fn fresh_and_future_stamps_are_not_trusted() {
        let stamp = Stamp {
            size: 0,
            inode: 0,
            modified: [0, 0],
            changed: [1000, 0],
        };
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let is_settled = |milliseconds| stamp.is_settled(at(milliseconds), SETTLED);
        assert!(!is_settled(1_000_000) && !is_settled(1_000_040));
        assert!(!is_settled(500_000) && is_settled(1_000_060));
    }

    #[test]
    fn a_damaged_memory_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("file"), folder.path().join("stat"));
        std::fs::write(&path, "text").unwrap();
        let digests = FileDigests::remembered_in(kept.clone());
        pretend(&digests, &path);
        digests.save().unwrap();
        let whole = std::fs::read(&kept).unwrap();
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 1;
            for text in [&damaged[..], &whole[..i]] {
                std::fs::write(&kept, text).unwrap();
                let found = FileDigests::remembered_in(kept.clone()).of(&path).unwrap();
                assert_eq!(found, Digest::of(b"text"), "byte {i}");
            }
        }
    }
}
