//! Where a path leads and what is there, seen with this process's own eyes before the kernel goes the way.
//!
//! What the command cannot change is looked up once: an import storm asks for the same folders thousands of
//! times. Knows of the rules only who may change what.

use super::places::{Place, Places};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{Metadata, canonicalize, metadata, symlink_metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Absent,
    File,
    Folder,
    /// Only where it was not to be followed.
    Link,
    /// A device, a pipe, a socket; or what could not be looked at.
    Other,
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub struct Target {
    /// As the command calls it: absolute and lexically normal.
    pub named: PathBuf,
    /// Whose place the name is.
    pub place_of_name: Place,
    /// Where that is, links followed; what is not there, in the folder where it would be.
    pub real: PathBuf,
    pub place: Place,
    pub found: Found,
}

#[derive(Debug, Default)]
pub struct Look {
    folders: HashMap<PathBuf, PathBuf>,
    /// Links at the end not followed, and followed.
    known: [HashMap<PathBuf, Target>; 2],
}

impl Look {
    /// `named` is absolute; it may hold `.`, `..` and doubled slashes.
    pub fn at(&mut self, places: &Places, named: &[u8], follow: bool) -> Target {
        let follow = follow || named.ends_with(b"/");
        let named = self.normal(places, named);
        if let Some(target) = self.known[usize::from(follow)].get(&named) {
            return target.clone();
        }
        let (target, lasts) = self.find(places, named, follow);
        if lasts {
            self.known[usize::from(follow)].insert(target.named.clone(), target.clone());
        }
        target
    }

    /// And whether it will be so until the command has ended.
    fn find(&mut self, places: &Places, named: PathBuf, follow: bool) -> (Target, bool) {
        let place_of_name = places.of(&named);
        let (folder, name) = match (named.parent(), named.file_name()) {
            (Some(folder), Some(name)) => (self.real_folder(places, folder), name.to_owned()),
            _ => (Some("/".into()), OsString::new()),
        };
        let Some(folder) = folder else {
            let target = Target {
                place_of_name,
                real: named.clone(),
                place: place_of_name,
                found: Found::Absent,
                named,
            };
            return (target, false);
        };
        let mut real = match name.is_empty() {
            true => folder,
            false => folder.join(&name),
        };
        let mut found = found(symlink_metadata(&real));
        let was_link = found == Found::Link && follow;
        if was_link {
            match canonicalize(&real) {
                Ok(end) => {
                    found = self::found(metadata(&end));
                    real = end;
                }
                // The kernel goes there all the same: it is a descriptor, and this text is only for show.
                Err(_) if is_process(&real) => found = Found::Other,
                Err(error) => {
                    found = absent_or_other(error.kind());
                    real = end_of_broken_link(&real);
                }
            }
        }
        let place = places.of(&real);
        // The way of a link may lead over places that change.
        let lasts = lasts(place) && lasts(place_of_name) && !was_link && !is_process(&named);
        let target = Target {
            named,
            place_of_name,
            real,
            place,
            found,
        };
        (target, lasts)
    }

    /// What a folder is really called; `None` where there is none.
    fn real_folder(&mut self, places: &Places, folder: &Path) -> Option<PathBuf> {
        if let Some(real) = self.folders.get(folder) {
            return Some(real.clone());
        }
        let real = canonicalize(folder).ok()?;
        let fixed = |path: &Path| lasts(places.of(path)) && !is_process(path);
        if fixed(folder) && fixed(&real) {
            self.folders.insert(folder.into(), real.clone());
        }
        Some(real)
    }

    /// Without `.`, `..` and doubled slashes. What a `..` steps back from is looked up, as the kernel does.
    fn normal(&mut self, places: &Places, path: &[u8]) -> PathBuf {
        let plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
        let mut parts = path
            .get(1..)
            .unwrap_or_default()
            .split(|byte| *byte == b'/');
        if parts.all(plain) {
            return OsString::from_vec(path.to_vec()).into();
        }
        let mut normal = PathBuf::from("/");
        for part in path.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    if let Some(real) = self.real_folder(places, &normal) {
                        normal = real;
                    }
                    normal.pop();
                }
                name => normal.push(std::ffi::OsStr::from_bytes(name)),
            }
        }
        normal
    }
}

/// Whether the command cannot change what is there.
fn lasts(place: Place) -> bool {
    !matches!(place, Place::Writable | Place::Shared | Place::Device)
}

/// What the kernel makes up for each process.
fn is_process(path: &Path) -> bool {
    path.starts_with("/proc")
}

fn found(answer: std::io::Result<Metadata>) -> Found {
    match answer {
        Ok(data) if data.is_symlink() => Found::Link,
        Ok(data) if data.is_file() => Found::File,
        Ok(data) if data.is_dir() => Found::Folder,
        Ok(_) => Found::Other,
        Err(error) => absent_or_other(error.kind()),
    }
}

fn absent_or_other(kind: ErrorKind) -> Found {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Found::Absent,
        _ => Found::Other,
    }
}

/// Where a link leads whose end is not there: a program that makes the end makes it in that place.
fn end_of_broken_link(link: &Path) -> PathBuf {
    let mut at = link.to_owned();
    // As many as the kernel follows.
    for _ in 0..40 {
        let Ok(text) = std::fs::read_link(&at) else {
            break;
        };
        let next = at.parent().unwrap_or(Path::new("/")).join(text);
        let folder = next.parent().and_then(|folder| canonicalize(folder).ok());
        match folder.zip(next.file_name()) {
            Some((folder, name)) => at = folder.join(name),
            None => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::plan::{Bounds, Command};

    #[test]
    fn a_step_up_leaves_the_folder_that_a_link_leads_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = canonicalize(folder.path()).expect("it is there");
        std::fs::create_dir_all(root.join("deep/inner")).expect("folders");
        std::fs::write(root.join("deep/file"), "").expect("a file");
        std::os::unix::fs::symlink("deep/inner", root.join("link")).expect("a link");
        let bounds = Bounds {
            watched: vec![root.clone()],
            ..Bounds::default()
        };
        let places = Places::new(&Command::default(), &bounds).expect("places");
        let mut look = Look::default();
        let mut at =
            |path: &str, follow| look.at(&places, root.join(path).as_os_str().as_bytes(), follow);
        let up = at("link/../file", true);
        assert_eq!((up.named, up.found), (root.join("deep/file"), Found::File));
        let plain = at("./deep//file", true);
        assert_eq!(plain.named, root.join("deep/file"));
        assert_eq!(at("link", false).found, Found::Link);
        assert_eq!(at("link/", false).found, Found::Folder);
        assert_eq!(at("link", true).real, root.join("deep/inner"));
        assert_eq!(at("no/such", true).found, Found::Absent);
        assert_eq!(at("deep/file/x", true).found, Found::Absent);
    }
}
