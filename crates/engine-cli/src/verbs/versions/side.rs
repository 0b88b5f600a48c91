//! One of two things that are compared: a git revision, the working tree, or what a profile or `--set` made.

use crate::answers::sides::{LeftOut, Options, SideOf};
use crate::console::terminal;
use crate::pipeline::git::{Git, Revision};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::base::files;
use retrace::lock::diff::{self, Presence, StageDiff};
use retrace::lock::file::{self, Lock};
use retrace::store::variation::Variation;
use retrace::store::workspace::{KEYS_FILE, LOCK_FILE};
use std::path::{Path, PathBuf};

/// A larger file is not compared.
const MAX_BYTES: u64 = 8 << 20;

/// Where a side is.
pub enum Side {
    Revision(Git, Revision),
    /// The repository as it lies there.
    WorkingTree,
    Variation(Variation),
    /// What `--out` names.
    Folder(PathBuf),
}

/// Two sides with their locks.
pub struct Sides {
    root: PathBuf,
    pub old: (Side, Lock),
    pub new: (Side, Lock),
}

impl Side {
    /// In a sentence.
    pub fn shown(&self) -> String {
        match self {
            Side::Revision(_, revision) => revision.shown(),
            Side::WorkingTree => "the working tree".into(),
            Side::Variation(one) if one.sets.as_ref().is_some_and(Vec::is_empty) => {
                format!("profile {}", one.name)
            }
            Side::Variation(one) => format!("{} ({})", one.name, one.values()),
            Side::Folder(folder) => folder.display().to_string(),
        }
    }

    /// In a legend: what is other about it, in few words.
    pub fn label(&self) -> String {
        match self {
            Side::Revision(_, revision) => revision.name.clone(),
            Side::WorkingTree => "this repository".into(),
            Side::Variation(one) => match &one.sets {
                Some(sets) if !sets.is_empty() => sets.join(", "),
                _ => one.name.clone(),
            },
            Side::Folder(folder) => folder.display().to_string(),
        }
    }

    /// For programs.
    pub fn said(&self) -> SideOf {
        let mut said = SideOf::default();
        match self {
            Side::Revision(_, revision) => {
                said.revision = Some(revision.name.clone());
                said.commit = Some(revision.commit.clone());
            }
            Side::WorkingTree => {}
            Side::Variation(one) => said.variation = Some(options(one)),
            Side::Folder(path) => said.folder = Some(path.display().to_string()),
        }
        said
    }

    fn read(&self, root: &Path, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let folder = match self {
            Side::Revision(git, revision) => return git.file(revision, path, most),
            Side::WorkingTree => root,
            Side::Variation(one) => &one.folder,
            Side::Folder(folder) => folder,
        };
        let full = folder.join(path);
        match files::read_at_most(&full, most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("read", &full, &e)),
        }
    }

    fn lock(&self, root: &Path) -> Result<Lock> {
        let name = match self {
            Side::Revision(_, revision) => format!("{}:{LOCK_FILE}", revision.name),
            Side::WorkingTree => LOCK_FILE.to_owned(),
            Side::Variation(one) => one.folder.join(LOCK_FILE).display().to_string(),
            Side::Folder(folder) => folder.join(LOCK_FILE).display().to_string(),
        };
        let Some(bytes) = self.read(root, LOCK_FILE, file::MAX_BYTES)? else {
            let hint = match self {
                Side::Revision(..) => {
                    "`git log --oneline -- pipeline.lock` lists those that have one".to_owned()
                }
                _ => format!("`{PROGRAM} run` writes it"),
            };
            return Err(Error::config(format!("{} has no {LOCK_FILE}", self.shown())).hint(hint));
        };
        let (mut lock, problems) = Lock::salvage(&name, &bytes)?;
        if let Some(keys) = self.read(root, KEYS_FILE, file::MAX_BYTES)? {
            lock.explain(&keys);
        }
        let warnings = file::warnings(&name, &problems);
        warnings.iter().for_each(|text| terminal::warn(text));
        Ok(lock)
    }

    /// Whether it has only those stages that somebody asked for there.
    fn is_partial(&self) -> bool {
        matches!(self, Side::Variation(_) | Side::Folder(_))
    }
}

/// The options of a variation, for programs.
pub fn options(variation: &Variation) -> Options {
    Options {
        name: variation.name.clone(),
        profile: variation.profile.clone(),
        set: variation.sets.clone(),
    }
}

/// What is different, and how many stages only one side has that are not compared.
pub struct Different {
    pub stages: Vec<StageDiff>,
    /// Of the older and of the newer side.
    pub alone: [usize; 2],
    /// Stages that both have.
    pub shared: usize,
}

impl Different {
    /// For programs.
    pub fn left_out(&self) -> LeftOut {
        let [old, new] = self.alone;
        LeftOut { old, new }
    }
}

impl Sides {
    /// Reads the locks of two sides.
    ///
    /// # Errors
    /// One has no lock, or it cannot be read.
    pub fn open(root: PathBuf, old: Side, new: Side) -> Result<Sides> {
        let old = (old.lock(&root)?, old);
        let new = (new.lock(&root)?, new);
        Ok(Sides {
            root,
            old: (old.1, old.0),
            new: (new.1, new.0),
        })
    }

    /// What is different. Where one side is of a profile or of what was set, what only one side has is counted
    /// and left out: nobody asked for it there.
    pub fn different(&self) -> Different {
        let (old, new) = (&self.old.1, &self.new.1);
        let mut stages = diff::diff(old, new);
        let mut alone = [0; 2];
        if self.old.0.is_partial() || self.new.0.is_partial() {
            stages.retain(|stage| match stage.presence {
                Presence::Both => true,
                Presence::Removed => {
                    alone[0] += 1;
                    false
                }
                Presence::Added => {
                    alone[1] += 1;
                    false
                }
            });
        }
        let shared = old.stages.keys();
        Different {
            stages,
            alone,
            shared: shared.filter(|id| new.stages.contains_key(*id)).count(),
        }
    }

    /// A file of a side as its lock records it, or why there is none to compare.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn recorded(
        &self,
        (side, _): &(Side, Lock),
        path: &str,
        digest: Digest,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let shown = side.shown();
        Ok(match side.read(&self.root, path, MAX_BYTES)? {
            None => Err(format!("{shown} does not have the file")),
            Some(bytes) if Digest::of(&bytes) != digest => Err(format!(
                "the file of {shown} is not the one its lock records"
            )),
            Some(bytes) => Ok(bytes),
        })
    }
}
