//! Where a path really leads, and whether two paths lead to one place.
//!
//! Spelling, `..`, links, mounts and file systems that fold case give one folder many names; what is
//! compared here is the folder. Does not know what any folder is for.

use crate::base::error::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The path without links, `.` and `..`, as the system will follow it when the folders that are missing
/// are made.
///
/// # Errors
///
/// A link on the way that leads nowhere.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let config = |path: &Path, e: &std::io::Error| Error {
        kind: ErrorKind::Config,
        ..Error::io("follow", path, e)
    };
    let absolute = std::path::absolute(path).map_err(|e| config(path, &e))?;
    let mut found = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(found.pop()),
            part => found.push(part),
        }
        if found.is_symlink() {
            found = found.canonicalize().map_err(|e| config(&found, &e))?;
        }
    }
    Ok(found)
}

/// Whether two paths lead to the same file or folder, however they are spelled.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
    a == b || identity(a).is_some_and(|found| identity(b) == Some(found))
}

/// What comes after `folder` on the way to a resolved path; `None` where the way does not lead through
/// it.
pub fn below<'p>(path: &'p Path, folder: &Path) -> Option<&'p Path> {
    let way = path.ancestors().find(|way| is_same(way, folder))?;
    path.strip_prefix(way).ok()
}

/// The first folder on the way that is a link, of those below `base`.
pub(crate) fn link_on_the_way<'p>(base: &Path, path: &'p Path) -> Option<&'p Path> {
    let folders = path.parent()?.ancestors();
    let mut folders = folders.filter(|folder| !folder.as_os_str().is_empty());
    folders.find(|folder| base.join(folder).is_symlink())
}

/// Whether there is a file itself, no link to one.
pub(crate) fn is_plain_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
}

/// Whether there is a folder itself, no link to one.
pub(crate) fn is_plain_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_is_followed_as_the_system_does() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        fs::create_dir_all(base.join("a/b")).unwrap();
        symlink("a/b", base.join("link")).unwrap();
        symlink("nowhere", base.join("broken")).unwrap();
        for (path, leads) in [
            ("a/./b/..", "a"),
            ("link", "a/b"),
            ("link/..", "a"),
            ("link/new/../../x", "a/x"),
            ("new/../a", "a"),
            ("new/other/../..", ""),
            ("new/../link/../b", "a/b"),
        ] {
            let found = resolve(&base.join(path)).unwrap();
            assert_eq!(found, base.join(leads).components().as_path(), "{path}");
        }
        assert!(resolve(&base.join("broken/x")).is_err());
    }

    #[test]
    fn a_folder_is_told_by_itself_not_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        fs::create_dir_all(base.join("a/b")).unwrap();
        symlink("a", base.join("link")).unwrap();
        assert!(is_same(&base.join("a"), &base.join("link")));
        assert!(!is_same(&base.join("a"), &base.join("a/b")));
        let rest = |path: &str| below(&base.join(path), &base.join("link")).map(Path::to_owned);
        assert_eq!(rest("a/b/new"), Some("b/new".into()));
        assert_eq!(rest("a"), Some("".into()));
        assert_eq!(rest("new"), None);
    }
}
