//! What is to be run, and what it may do.
//!
//! Knows no system: whether and how a bound is kept is the business of what runs it.

use super::wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// What is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// An absolute path: nothing is searched for.
    #[serde(with = "wire::one")]
    pub program: PathBuf,
    #[serde(with = "wire::many")]
    pub arguments: Vec<OsString>,
    /// All of it: nothing is inherited.
    #[serde(with = "wire::pairs")]
    pub environment: BTreeMap<OsString, OsString>,
    /// Where it starts (absolute).
    #[serde(with = "wire::one")]
    pub folder: PathBuf,
    /// What it writes to stdout and stderr, both in the order in which it wrote them (absolute; an existing
    /// file is replaced). Of at most `Bounds::file_size` bytes; what is cut off is said in the last line.
    #[serde(with = "wire::one")]
    pub log: PathBuf,
}

/// What a command may do. All paths are absolute.
///
/// Of the folders that contain a path the deepest named one decides; `writable` is above all. Folders are
/// taken as they are really called: a link is followed once, before the command starts, and what was seen is
/// told by the real names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Folders: what is looked at below them is told, and may be read.
    #[serde(with = "wire::many")]
    pub watched: Vec<PathBuf>,
    /// Files or folders that are not there for the command, unless below `writable` or `shown`.
    #[serde(with = "wire::many")]
    pub hidden: Vec<PathBuf>,
    /// Names such as `__pycache__`: whatever is called so below `watched` is not there either.
    #[serde(with = "wire::many")]
    pub hidden_names: Vec<OsString>,
    /// Files or folders that may be read although something above them is hidden.
    #[serde(with = "wire::many")]
    pub shown: Vec<PathBuf>,
    /// Files or folders that may be read untold. So may what every program needs (`/usr`, `/etc`, `/proc` and
    /// their like) and the prefix of this one (the folder of its `bin`), unless these are watched.
    #[serde(with = "wire::many")]
    pub readable: Vec<PathBuf>,
    /// Folders below which everything may be done, untold; what is looked at below one that is `watched` too is
    /// told as it is called there.
    #[serde(with = "wire::many")]
    pub writable: Vec<PathBuf>,
    /// Whether all of `/dev` may be read and written: a GPU needs it.
    pub devices: bool,
    /// Whether sockets of any family may be made, not only those within the machine.
    pub network: bool,
    /// Bytes of data that each of its processes may have.
    pub memory: Option<u64>,
    /// Bytes of the largest file that it may write.
    pub file_size: Option<u64>,
    /// Processes that may live at the same time, the first included; threads are not counted.
    pub processes: Option<u64>,
    pub timeout: Option<Duration>,
}

impl Bounds {
    /// Every path with the field that names it.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let fields = [
            ("watched", &self.watched),
            ("hidden", &self.hidden),
            ("shown", &self.shown),
            ("readable", &self.readable),
            ("writable", &self.writable),
        ];
        fields
            .into_iter()
            .flat_map(|(name, paths)| paths.iter().map(move |path| (name, path.as_path())))
    }
}

/// Refuses what can never be run.
///
/// # Errors
/// A path that is not absolute or steps up, a name to hide that is a path, a limit of 0: which, and of what.
pub fn check(command: &Command, bounds: &Bounds) -> Result<(), String> {
    let own = [
        ("program", command.program.as_path()),
        ("folder", command.folder.as_path()),
        ("log", command.log.as_path()),
    ];
    for (field, path) in own.into_iter().chain(bounds.paths()) {
        let steps_up = path.components().any(|part| part == Component::ParentDir);
        if !path.is_absolute() || steps_up {
            return Err(format!(
                "{field} is {}: an absolute path without '..' is needed",
                path.display()
            ));
        }
    }
    for name in &bounds.hidden_names {
        let mut parts = Path::new(name).components();
        let is_name = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
        if !is_name || parts.next().is_some() {
            return Err(format!(
                "hidden_names has {}: the name of a file or folder is needed, not a path",
                name.display()
            ));
        }
    }
    let limits = [
        ("memory", bounds.memory),
        ("file_size", bounds.file_size),
        ("processes", bounds.processes),
    ];
    match limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
        Some((name, _)) => Err(format!("{name} is 0: with that nothing can run")),
        None => Ok(()),
    }
}
