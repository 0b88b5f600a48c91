//! A cache folder: what it may hold, the mark that makes it one, and the repository it belongs to.
//!
//! A folder that is missing or empty may become a cache; one with the mark is one; any other belongs to
//! somebody else. Does not know what is in the files.

use crate::base::error::{Error, PROGRAM, Result};
use crate::base::files::{self, is_temporary};
use crate::base::location::{is_plain_file, is_plain_folder, is_same};
use crate::stage::boundary::is_repository;
use crate::store::content::list;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How folders of rebuilds are named.
pub(crate) const REBUILD: &str = "rebuild-";

/// The format of the cache folder.
const FORMAT: &str = "3";
/// The formats before: their objects are those of today, their results and what they remember are not
/// read.
const OLDER_FORMATS: [&str; 2] = ["1", "2"];

/// The mark: the number of the format.
pub(crate) const MARK: &str = "format";
/// Whose cache it is.
pub(crate) const OWNER: &str = "repository";
/// Held by whoever writes.
pub(crate) const RUN_LOCK: &str = "run.lock";

/// The files of a cache folder by name; those that say that it is one come last.
pub(crate) const FILES: [&str; 7] = [
    COMPARED,
    "stat",
    "history.jsonl",
    "actions.log",
    OWNER,
    MARK,
    RUN_LOCK,
];
/// Its folders.
pub(crate) const FOLDERS: [&str; 6] = [
    CLUSTER,
    "confirmed",
    "logs",
    "objects",
    "profiles",
    "scratch",
];
/// A page that compares two versions, made for a look.
pub(crate) const COMPARED: &str = "compared.html";
/// Where a run on a cluster keeps its plan.
pub(crate) const CLUSTER: &str = "cluster";
/// What an older format had besides.
const OLDER: [&str; 2] = ["actions", "stat.json"];
/// What an older format had under names of today.
const REPLACED: [&str; 2] = ["actions.log", "stat"];

/// What says the format, or whose the cache is, is shorter than this.
const MAX_NOTE: u64 = 1 << 16;

const TITLE: &[u8] = b"retrace cache\n";
/// Ends a path: no path holds it.
const END: &[u8] = b"\0\n";

/// Refuses a folder that is no cache of the repository at `root`, and could not become one. Writes
/// nothing.
///
/// # Errors
///
/// A configuration error for somebody else's folder, for a cache of a newer format, of another
/// repository, or with links where its own files belong.
pub fn check(cache: &Path, root: &Path) -> Result<()> {
    match fs::symlink_metadata(cache) {
        Err(e) if e.kind() == NotFound => return check_owner(cache, root),
        Err(e) => return Err(Error::io("use", cache, &e)),
        Ok(meta) if !meta.is_dir() => {
            let message = format!("the cache {} is no folder", cache.display());
            return Err(Error::config(message).hint("name another one with --cache-dir DIR"));
        }
        Ok(_) => {}
    }
    match format(cache)?.as_deref() {
        None => {
            // Another run may be at it: what was renamed since it was listed is gone, and the mark is there
            // before anything that it marks.
            let is_there = |path: &Path| path.symlink_metadata().is_ok();
            let strange = |path: &&PathBuf| !is_first_or_last(path) && is_there(path);
            if let Some(path) = list(cache)?.iter().find(strange) {
                return match format(cache)? {
                    None => Err(foreign(cache, path)),
                    Some(_) => check(cache, root),
                };
            }
        }
        Some(known) if known == FORMAT || OLDER_FORMATS.contains(&known) => {
            // The number alone could be anybody's.
            let is_marked = is_plain_file(&cache.join(RUN_LOCK)) || owner(cache).is_some();
            let strange = |path: &&PathBuf| !is_ours_by_name(path);
            if !is_marked && let Some(path) = list(cache)?.iter().find(strange) {
                return Err(foreign(cache, path));
            }
        }
        Some(other) if other.parse::<u64>().is_ok() || is_plain_file(&cache.join(RUN_LOCK)) => {
            let message = format!(
                "the cache {} has format `{}`, this program knows {FORMAT}",
                cache.display(),
                other.escape_debug(),
            );
            let hint = format!("update {PROGRAM}, or use another folder with --cache-dir DIR");
            return Err(Error::config(message).hint(hint));
        }
        Some(_) => return Err(foreign(cache, &cache.join(MARK))),
    }
    check_kinds(cache)?;
    check_owner(cache, root)
}

/// Makes the folder, which was checked, the cache of the repository at `root`, in the format of today.
/// Called under the run lock.
///
/// # Errors
///
/// A file that cannot be written.
pub fn claim(cache: &Path, root: &Path) -> Result<()> {
    let found = format(cache)?;
    if found.is_some_and(|found| OLDER_FORMATS.contains(&&*found)) {
        drop_older(cache)?;
    }
    let [root, place] = [root, cache].map(|path| path.as_os_str().as_bytes());
    let note = [TITLE, root, END, place, END].concat();
    files::write(&cache.join(OWNER), &note)?;
    files::write(&cache.join(MARK), format!("{FORMAT}\n").as_bytes())
}

/// What the file of the format says; `None` where there is none.
fn format(cache: &Path) -> Result<Option<String>> {
    let path = cache.join(MARK);
    if path.is_symlink() {
        return Err(foreign(cache, &path));
    }
    match files::read_at_most(&path, MAX_NOTE) {
        Ok(text) => Ok(Some(String::from_utf8_lossy(&text).trim().to_owned())),
        Err(e) if [NotFound, NotADirectory].contains(&e.kind()) => Ok(None),
        Err(e) => Err(Error::io("read", &path, &e)),
    }
}

fn foreign(cache: &Path, what: &Path) -> Error {
    let name = what.file_name().unwrap_or_default().to_string_lossy();
    let message = format!(
        "{} is no cache of a pipeline: it holds `{}`",
        cache.display(),
        name.escape_debug()
    );
    Error::config(message).hint(
        "name a folder that is empty or does not exist yet with --cache-dir DIR, or move that file",
    )
}

/// What is there before the mark is, or after it: of a run, a rebuild or a `clean` that was killed.
fn is_first_or_last(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let is_note = name == RUN_LOCK || name == OWNER;
    ((is_note || is_temporary(name)) && is_plain_file(path))
        || (is_rebuild(name) && is_plain_folder(path))
}

fn is_rebuild(name: &OsStr) -> bool {
    name.as_bytes().starts_with(REBUILD.as_bytes())
}

fn is_ours_by_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|known| name == OsStr::new(known));
    is(&FILES) || is(&FOLDERS) || is(&OLDER) || is_temporary(name) || is_rebuild(name)
}

/// Nothing is written or deleted through a link: not in a cache either.
fn check_kinds(cache: &Path) -> Result<()> {
    let is = |name: &str, right: fn(&Path) -> bool| {
        let path = cache.join(name);
        path.symlink_metadata().is_err() || right(&path)
    };
    let file = FILES.iter().find(|name| !is(name, is_plain_file));
    let folder = FOLDERS.iter().find(|name| !is(name, is_plain_folder));
    let Some(name) = file.or(folder) else {
        return Ok(());
    };
    let path = cache.join(name);
    let found = if path.is_symlink() {
        "a symbolic link"
    } else {
        "something else"
    };
    let expected = if file.is_some() { "file" } else { "folder" };
    let message = format!(
        "{} is {found} where the cache has a {expected} of its own",
        path.display()
    );
    Err(Error::config(message).hint("move it away, or use another folder with --cache-dir DIR"))
}

/// Refuses the cache of another repository that is still there.
fn check_owner(cache: &Path, root: &Path) -> Result<()> {
    let Some(other) = other_owner(cache, root) else {
        return Ok(());
    };
    let message = format!(
        "the cache {} belongs to the repository {}",
        cache.display(),
        other.display()
    );
    let hint = "every clone has a cache of its own: leave --cache-dir away, or name another folder";
    Err(Error::config(message).hint(hint))
}

fn other_owner(cache: &Path, root: &Path) -> Option<PathBuf> {
    let is_other = |other: &Path| is_repository(other) && !is_same(other, root);
    // Where nobody says otherwise, a repository's cache is a hidden folder in it.
    let name = cache.file_name().unwrap_or_default().as_bytes();
    let beside = cache.parent().filter(|_| name.starts_with(b"."));
    if let Some(other) = beside.filter(|other| is_other(other)) {
        return Some(other.to_owned());
    }
    let (other, place) = owner(cache)?;
    // A cache that was copied or moved with its repository is a new one.
    (is_same(&place, cache) && is_other(&other)).then_some(other)
}

/// The repository that the cache was last used by, and where the cache was then.
fn owner(cache: &Path) -> Option<(PathBuf, PathBuf)> {
    let note = files::read_at_most(&cache.join(OWNER), MAX_NOTE).ok()?;
    let mut paths = note.strip_prefix(TITLE)?.split(|&byte| byte == END[0]);
    let root = paths.next()?;
    let place = paths.next()?.strip_prefix(&END[1..])?;
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    Some((path(root), path(place)))
}

/// Removes what the older format had and this one does not read: files named by digits in folders named
/// by two, and the folders if nothing else is in them.
fn drop_older(cache: &Path) -> Result<()> {
    let is_digits = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        !name.is_empty() && name.iter().all(u8::is_ascii_hexdigit)
    };
    let actions = cache.join(OLDER[0]);
    let remove = |path: &Path| fs::remove_file(path).map_err(|e| Error::io("remove", path, &e));
    if is_plain_folder(&actions) {
        for shard in list(&actions)? {
            if is_digits(&shard) && is_plain_folder(&shard) {
                let entries = list(&shard)?;
                let mut ours = entries.iter().filter(|p| is_digits(p) && is_plain_file(p));
                ours.try_for_each(|path| remove(path))?;
                // Stays where something else is in it.
                let _ = fs::remove_dir(&shard);
            }
        }
        let _ = fs::remove_dir(&actions);
    }
    for name in [OLDER[1]].iter().chain(&REPLACED) {
        let path = cache.join(name);
        if is_plain_file(&path) {
            remove(&path)?;
        }
    }
    Ok(())
}
