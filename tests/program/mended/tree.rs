//! A folder with all that is in it, to be compared with itself later.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What has a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

/// Paths below a folder; no link is followed.
pub type Tree = BTreeMap<PathBuf, Entry>;

pub fn tree(folder: &Path) -> Tree {
    let mut found = Tree::new();
    add(folder, Path::new(""), &mut found);
    found
}

fn add(folder: &Path, below: &Path, found: &mut Tree) {
    let Ok(entries) = fs::read_dir(folder.join(below)) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("readable");
        let path = below.join(entry.file_name());
        let kind = entry.file_type().expect("readable");
        let what = if kind.is_symlink() {
            Entry::Link(fs::read_link(entry.path()).expect("a link"))
        } else if kind.is_dir() {
            add(folder, &path, found);
            Entry::Folder
        } else {
            Entry::File(fs::read(entry.path()).expect("readable"))
        };
        found.insert(path, what);
    }
}

/// The first path that is not as before.
pub fn first_change<'t>(before: &'t Tree, after: &'t Tree) -> Option<&'t Path> {
    let mut paths = before.keys().chain(after.keys());
    let changed = paths.find(|path| before.get(*path) != after.get(*path));
    changed.map(PathBuf::as_path)
}

/// The part of a tree below some of its folders, and some of its files.
pub fn part(tree: &Tree, names: &[&str]) -> Tree {
    let is_in = |path: &&PathBuf| names.iter().any(|name| path.starts_with(name));
    let kept = tree.iter().filter(|(path, _)| is_in(path));
    kept.map(|(path, entry)| (path.clone(), entry.clone()))
        .collect()
}

/// Writes a file and the folders above it.
pub fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("below a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}
