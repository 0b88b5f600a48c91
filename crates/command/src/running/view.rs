//! The repository as a command sees it: real folders, and in them links to the files.
//!
//! A command reads `data/x.csv` and writes `results/y.csv` as it would in the repository, and what it writes stays
//! here. Nothing that runs make is here but the stage's inputs, each at its place; neither are `.git` and the
//! like. Folders of packages, and folders that say of themselves that they are caches, are links as a whole: they
//! are large, and not somebody's sources. So is what lies deeper than a bound on entries.

use retrace::stage::look::UNSEEN;
use retrace::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// So many entries are linked one by one; what is beyond that is linked by folder.
const MOST: usize = 20_000;

/// Files whose presence says that a folder is not one of sources.
const MARKS: [&str; 3] = ["pyvenv.cfg", "conda-meta", "CACHEDIR.TAG"];
/// Names of folders of packages.
const PACKAGES: [&str; 2] = ["node_modules", "site-packages"];

/// What goes into a view.
pub struct Plan<'a> {
    pub root: &'a Path,
    /// Folders and files that runs write.
    pub made: &'a [PathBuf],
    /// Paths below the root at which files stand that are elsewhere, with where they are.
    pub inputs: Vec<(PathBuf, PathBuf)>,
    /// Paths below the root that are the command's to write.
    pub outputs: Vec<PathBuf>,
    /// Whether entries are made in the reverse order of their names.
    pub backwards: bool,
}

/// Makes the view in an empty folder.
///
/// # Errors
/// A link cannot be made, or two things have one place.
pub fn build(plan: &Plan, view: &Path) -> Result<()> {
    let mut own: BTreeSet<&Path> = BTreeSet::new();
    for place in plan
        .inputs
        .iter()
        .map(|(place, _)| place)
        .chain(&plan.outputs)
    {
        if !own.insert(place) {
            let message = format!(
                "two of its inputs and outputs are both at {}",
                place.display()
            );
            return Err(
                Error::config(message).hint("give one of them another place under `places`")
            );
        }
    }
    let mut builder = Builder {
        plan,
        own,
        left: MOST,
    };
    builder.fill(plan.root, view, Path::new(""))?;
    for place in &builder.own {
        let folder = view.join(place.parent().unwrap_or(Path::new("")));
        fs::create_dir_all(&folder).map_err(|e| Error::io("make", &folder, &e))?;
    }
    for (place, file) in &plan.inputs {
        link(file, &view.join(place))?;
    }
    Ok(())
}

struct Builder<'a> {
    plan: &'a Plan<'a>,
    /// Places of inputs and outputs.
    own: BTreeSet<&'a Path>,
    left: usize,
}

impl Builder<'_> {
    fn fill(&mut self, folder: &Path, view: &Path, below: &Path) -> Result<()> {
        let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, &e))?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        if self.plan.backwards {
            names.reverse();
        }
        for name in names {
            let (path, place) = (folder.join(&name), below.join(&name));
            if is_unseen(&name) || self.plan.made.contains(&path) || self.own.contains(&*place) {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let shown = view.join(&name);
            let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
            let is_on_the_way = self.own.iter().any(|own| own.starts_with(&place));
            if !is_folder || (!is_on_the_way && (self.left == 0 || is_whole(&path, &name))) {
                link(&path, &shown)?;
                continue;
            }
            fs::create_dir(&shown).map_err(|e| Error::io("make", &shown, &e))?;
            self.fill(&path, &shown, &place)?;
        }
        Ok(())
    }
}

fn is_unseen(name: &OsStr) -> bool {
    UNSEEN.iter().any(|unseen| name == *unseen)
}

/// Whether a folder is linked as a whole.
fn is_whole(folder: &Path, name: &OsStr) -> bool {
    PACKAGES.iter().any(|packages| name == *packages)
        || MARKS.iter().any(|mark| folder.join(mark).exists())
}

fn link(to: &Path, at: &Path) -> Result<()> {
    symlink(to, at).map_err(|e| Error::io("make a link at", at, &e))
}

/// Files that the command made and that are no output, as paths below the view.
pub fn left_over(view: &Path, outputs: &BTreeSet<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let entries = fs::read_dir(view.join(&below))
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let place = below.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(place),
                Ok(kind) if kind.is_file() && !outputs.contains(&*place) => found.push(place),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
