//! Whose a path is: which of the named folders decides what may be done there.
//!
//! By the letters of a path alone; [`super::look`] finds where one really leads.

use crate::types::plan::{Bounds, Command};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What every program may read: itself, its libraries and their settings, the kernel's tables.
const SYSTEM: [&str; 14] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/etc",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/proc",
    "/sys",
    "/var/cache/fontconfig",
];

/// Devices without a memory, which may be read and written; the terminal is one that no command has.
const DEVICES: [&str; 6] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
];

/// Services that libraries ask unasked, for names of users and machines, or to keep a GPU awake: what they say
/// comes from outside. They are not there for who reaches no network.
const SERVICES: [&str; 4] = [
    "/run/dbus",
    "/run/nscd",
    "/run/nvidia-persistenced",
    "/run/systemd",
];
/// Where such a service keeps the addresses of name servers, for who does.
const NAME_SERVERS: &str = "/run/systemd/resolve";

/// Shared memory has names here; what a command makes in it is its own and is removed after it.
pub const SHARED: &str = "/dev/shm";

/// What may be done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Writable,
    /// A name of shared memory.
    Shared,
    Device,
    /// Read, and told.
    Watched,
    /// Read, untold.
    Readable,
    /// Not there for the command.
    Hidden,
    /// Not there since it, or a folder above it, is called so.
    HiddenName,
    /// A hidden folder on the way to something that is not: there, but nobody sees into it.
    Passage,
    /// Its contents are nobody's business.
    Outside,
}

/// What one named folder says of what is below it. Of two that are the same folder the later one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    Readable,
    Device,
    Watched,
    Hidden,
    Shown,
}

#[derive(Debug)]
pub struct Places {
    /// The deepest first.
    regions: Vec<(PathBuf, Says)>,
    writable: Vec<PathBuf>,
    watched: Vec<PathBuf>,
    hidden_names: Vec<OsString>,
    devices: Vec<PathBuf>,
}

impl Places {
    /// The places of a command; what is named is looked up once, so that links in the names do not matter.
    ///
    /// # Errors
    /// A folder or file that is named and is not there, or no folder where one is needed; what is hidden
    /// need not be there.
    pub fn new(command: &Command, bounds: &Bounds) -> Result<Places, String> {
        let named = |field: &str, paths: &[PathBuf]| -> Result<Vec<PathBuf>, String> {
            let real = |path: &PathBuf| {
                std::fs::canonicalize(path)
                    .map_err(|error| format!("{field} has {}: {error}", path.display()))
            };
            paths.iter().map(real).collect()
        };
        let watched = named("watched", &bounds.watched)?;
        let writable = named("writable", &bounds.writable)?;
        for (field, folders) in [("watched", &watched), ("writable", &writable)] {
            if let Some(file) = folders.iter().find(|path| !path.is_dir()) {
                return Err(format!("{field} has {}: no folder", file.display()));
            }
        }
        let mut devices: Vec<PathBuf> = DEVICES.map(PathBuf::from).into();
        devices.extend(bounds.devices.then(|| "/dev".into()));
        let hidden = bounds.hidden.iter().map(|path| real_or_same(path));
        let mut hidden: Vec<PathBuf> = hidden.collect();
        let mut readable = named("readable", &bounds.readable)?;
        match bounds.network {
            true => readable.push(NAME_SERVERS.into()),
            false => hidden.extend(SERVICES.map(PathBuf::from)),
        }
        // Of what belongs to the program, that which is watched is told like the rest.
        let is_watched = |path: &PathBuf| watched.iter().any(|folder| is_below(path, folder));
        readable.extend(system(command).into_iter().filter(|path| !is_watched(path)));
        let said = [
            (Says::Readable, readable),
            (Says::Device, devices.clone()),
            (Says::Watched, watched.clone()),
            (Says::Hidden, hidden),
            (Says::Shown, named("shown", &bounds.shown)?),
        ];
        let mut regions: Vec<(PathBuf, Says)> = said
            .into_iter()
            .flat_map(|(says, paths)| paths.into_iter().map(move |path| (path, says)))
            .collect();
        let depth = |path: &Path| path.as_os_str().len();
        regions.sort_by_key(|(path, says)| std::cmp::Reverse((depth(path), *says)));
        regions.dedup();
        Ok(Places {
            regions,
            writable,
            watched,
            hidden_names: bounds.hidden_names.clone(),
            devices,
        })
    }

    /// Files and folders to be read: those that are hidden below them cannot be left out here.
    pub fn readable(&self) -> impl Iterator<Item = &Path> {
        let read = |says: &Says| matches!(says, Says::Readable | Says::Watched | Says::Shown);
        let regions = self.regions.iter().filter(move |(_, says)| read(says));
        regions.map(|(path, _)| path.as_path())
    }

    pub fn writable(&self) -> &[PathBuf] {
        &self.writable
    }

    pub fn devices(&self) -> &[PathBuf] {
        &self.devices
    }

    /// What may be done at an absolute, lexically normal path.
    pub fn of(&self, path: &Path) -> Place {
        if self.writable.iter().any(|folder| is_below(path, folder)) {
            return Place::Writable;
        }
        if path != Path::new(SHARED) && is_below(path, Path::new(SHARED)) {
            return Place::Shared;
        }
        let region = self.regions.iter().find(|(at, _)| is_below(path, at));
        let Some((at, says)) = region else {
            return Place::Outside;
        };
        let place = match says {
            Says::Readable => Place::Readable,
            Says::Device => Place::Device,
            Says::Hidden => Place::Hidden,
            Says::Watched if self.has_hidden_name(path, at) => Place::HiddenName,
            Says::Watched => Place::Watched,
            Says::Shown if self.watched.iter().any(|folder| is_below(path, folder)) => {
                Place::Watched
            }
            Says::Shown => Place::Readable,
        };
        let hidden = matches!(place, Place::Hidden | Place::HiddenName);
        match hidden && self.leads_to_open(path) {
            true => Place::Passage,
            false => place,
        }
    }

    /// Whether a path is below a folder that is watched and writable: what is looked at there is told all the
    /// same.
    pub fn is_both(&self, path: &Path) -> bool {
        let both = |folder: &&PathBuf| self.writable.contains(folder);
        let mut folders = self.watched.iter().filter(both);
        folders.any(|folder| is_below(path, folder))
    }

    fn has_hidden_name(&self, path: &Path, below: &Path) -> bool {
        if self.hidden_names.is_empty() {
            return false;
        }
        let from = below.as_os_str().len();
        let rest = &path.as_os_str().as_bytes()[from..];
        let mut names = rest.split(|byte| *byte == b'/');
        names.any(|name| {
            self.hidden_names
                .iter()
                .any(|hidden| hidden.as_bytes() == name)
        })
    }

    fn leads_to_open(&self, folder: &Path) -> bool {
        let open = self
            .regions
            .iter()
            .filter(|(_, says)| *says != Says::Hidden);
        let mut open = open.map(|(path, _)| path).chain(&self.writable);
        open.any(|path| is_below(path, folder))
    }
}

/// Whether `path` is `folder` or below it, both lexically normal.
fn is_below(path: &Path, folder: &Path) -> bool {
    let (path, folder) = (path.as_os_str().as_bytes(), folder.as_os_str().as_bytes());
    match path.strip_prefix(folder) {
        Some(rest) => rest.first().is_none_or(|byte| *byte == b'/') || folder == b"/",
        None => false,
    }
}

/// What is hidden need not be there; then the nearest folder that is says what it is really called.
fn real_or_same(path: &Path) -> PathBuf {
    match (std::fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_), Some(parent), Some(name)) => real_or_same(parent).join(name),
        (Err(_), _, _) => path.into(),
    }
}

/// What every program needs, where it is there, and the prefix of this one.
fn system(command: &Command) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = SYSTEM
        .iter()
        .filter_map(|path| std::fs::canonicalize(path).ok())
        .collect();
    // As it is called too: a virtual environment is found by the link that its interpreter is.
    let folder = command.program.parent().map(real_or_same);
    let called = folder.zip(command.program.file_name());
    let called = called.map(|(folder, name)| folder.join(name));
    for program in [called, std::fs::canonicalize(&command.program).ok()] {
        found.extend(program.as_deref().and_then(prefix));
        found.extend(program.filter(|program| program.exists()));
    }
    found
}

/// The folder that `bin/PROGRAM` is installed in, unless that is somebody's home: there the rest is no
/// part of the program.
fn prefix(program: &Path) -> Option<PathBuf> {
    let bin = program.parent()?;
    let prefix = bin.parent()?;
    // Without a home to compare with, nothing is taken for no home.
    let home = real_or_same(Path::new(&std::env::var_os("HOME")?));
    let private = is_below(&home, prefix)
        || [".local", ".cargo"]
            .iter()
            .any(|name| home.join(name) == prefix);
    let own = bin.file_name()? == "bin" && prefix != Path::new("/") && !private;
    own.then(|| prefix.into())
}
