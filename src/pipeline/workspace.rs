//! Where things are: the repository, the cache, and the folder that receives outputs and the lock.
//!
//! Only the unmodified default profile writes to the repository itself; everything else goes below
//! the cache, or where `--out` says.

use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, ErrorKind, Result};
use crate::pipeline::files;
use crate::pipeline::ids;
use crate::pipeline::settings::Settings;
use crate::pipeline::stage::OUTPUT_FOLDERS;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file that defines a pipeline; its folder is the repository's root.
pub const SPEC_FILE: &str = "pipeline.yaml";
/// The recorded expectation, beside the outputs.
pub const LOCK_FILE: &str = "pipeline.lock";
/// Default folder of the cache, below the root.
pub const CACHE_FOLDER: &str = ".icl-repro";
/// The format of the cache folder.
const CACHE_FORMAT: &str = "2";
/// The format before: its objects are those of today, its results and what it remembers are not read.
const OLDER_FORMAT: &str = "1";

/// What names the format, or who runs, is shorter than this.
const MAX_NOTE: u64 = 1 << 16;

/// The folders of one invocation.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Holds pipeline.yaml; inputs are relative to it.
    pub root: PathBuf,
    /// Holds store, action cache, logs, scratch space.
    pub cache: PathBuf,
    /// Outputs are relative to it.
    pub out: PathBuf,
}

impl Workspace {
    /// Finds pipeline.yaml in `start` or above it.
    pub fn find_root(start: &Path) -> Result<PathBuf> {
        let start = start.canonicalize().map_err(|e| Error {
            kind: ErrorKind::Config,
            ..Error::io("open", start, &e)
        })?;
        let found = start
            .ancestors()
            .find(|folder| folder.join(SPEC_FILE).is_file());
        found.map(Path::to_owned).ok_or_else(|| {
            Error::config(format!(
                "there is no {SPEC_FILE} in {} or above it",
                start.display()
            ))
            .hint("go to the repository, or name it with -C DIR")
        })
    }

    /// Lays out the folders for a root and what the command line says.
    pub fn new(
        root: PathBuf,
        cache: Option<PathBuf>,
        out: Option<PathBuf>,
        settings: &Settings,
    ) -> Self {
        let cache = cache.unwrap_or_else(|| root.join(CACHE_FOLDER));
        let out = match (out, variant_name(settings)) {
            (Some(out), _) => out,
            (None, None) => root.clone(),
            (None, Some(name)) => cache.join("profiles").join(name),
        };
        Workspace { root, cache, out }
    }

    /// Whether outputs and lock go to the repository itself.
    pub fn publishes(&self) -> bool {
        self.out == self.root
    }

    /// The lock that belongs to the outputs.
    pub fn lock_path(&self) -> PathBuf {
        self.out.join(LOCK_FILE)
    }

    /// The log of past runs.
    pub fn history_path(&self) -> PathBuf {
        self.cache.join("history.jsonl")
    }

    /// Where a stage's log is kept.
    pub fn log_path(&self, stage: &str) -> PathBuf {
        self.cache.join("logs").join(ids::file_name(stage, ".log"))
    }

    /// Refuses a cache that a newer version has written; `None` when there is no cache yet.
    pub fn check_cache(&self) -> Result<()> {
        let path = self.cache.join("format");
        let text = files::read_at_most(&path, MAX_NOTE);
        match text.map(|text| String::from_utf8_lossy(&text).into_owned()) {
            Ok(text) if [CACHE_FORMAT, OLDER_FORMAT].contains(&text.trim()) => Ok(()),
            Ok(text) => Err(Error::config(format!(
                "the cache {} has format `{}`, this program knows {CACHE_FORMAT}",
                self.cache.display(),
                text.trim().escape_debug(),
            ))
            .hint("update icl-repro, or use another folder with --cache-dir DIR")),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }

    /// Makes the cache folder and takes the run lock; `waiting` hears who holds it before a wait.
    ///
    /// It is a lock of the operating system: a process that dies lets it go.
    pub fn lock_for_run(&self, wait: bool, waiting: impl Fn(&str)) -> Result<RunLock> {
        self.check_cache()?;
        files::create_folder(&self.cache)?;
        let path = self.cache.join("run.lock");
        let io = |e: std::io::Error| Error::io("lock", &path, &e);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = note(&file).map_err(io)?;
                let process = holder.lines().next().unwrap_or_default();
                let holder = format!("process {process} is running this pipeline");
                if !wait {
                    let error = Error::of(ErrorKind::Busy, holder);
                    return Err(error.hint("without --no-wait this run waits for it"));
                }
                waiting(&holder);
                file.lock().map_err(io)?;
            }
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        // It may have been another version that ran.
        self.check_cache()?;
        self.bring_up_to_date()?;
        file.rewind().map_err(io)?;
        let dead = note(&file).map_err(io)?;
        if let Some((_, out)) = dead.split_once('\n') {
            self.sweep(Path::new(out));
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        write!(file, "{}\n{}", std::process::id(), self.out.display()).map_err(io)?;
        Ok(RunLock { file })
    }

    /// Marks the folder as one of this format, and drops what an older one has that is not read.
    fn bring_up_to_date(&self) -> Result<()> {
        let _ = std::fs::remove_dir_all(self.cache.join("actions"));
        let _ = std::fs::remove_file(self.cache.join("stat.json"));
        let format = format!("{CACHE_FORMAT}\n");
        files::write(&self.cache.join("format"), format.as_bytes())
    }

    /// Removes what a killed run was about to write: nothing refers to it. What cannot be removed
    /// takes space and does no other harm.
    fn sweep(&self, out: &Path) {
        let _ = std::fs::remove_dir_all(self.cache.join("scratch"));
        files::remove_temporaries(&self.cache.join("logs"), true);
        for folder in OUTPUT_FOLDERS {
            files::remove_temporaries(&out.join(folder), true);
        }
        files::remove_temporaries(&self.cache, false);
        files::remove_temporaries(out, false);
    }
}

/// What the file of the run lock says; if it is damaged, whatever that is.
fn note(file: &File) -> std::io::Result<String> {
    let mut text = Vec::new();
    file.take(MAX_NOTE).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Held while a run may write; released when dropped, or by the system when the process ends.
///
/// While it is held the file names the process and where its outputs go. A run that ends empties
/// it; so names in a file that nobody holds are those of a run that was killed.
pub struct RunLock {
    file: File,
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // If this fails the next run sweeps for nothing.
        let _ = self.file.set_len(0);
    }
}

/// A folder name for settings that are not the default: the profile, and a digest of the sets.
fn variant_name(settings: &Settings) -> Option<String> {
    if settings.sets.is_empty() {
        return settings.profile.clone();
    }
    let profile = settings.profile.as_deref().unwrap_or("default");
    // A line break inside of one is not the end of it.
    let sets = settings
        .sets
        .iter()
        .map(|set| set.replace('\\', "\\\\").replace('\n', "\\n"));
    let digest = Digest::of(sets.collect::<Vec<_>>().join("\n").as_bytes());
    Some(format!("{profile}+{}", &digest.short()[..8]))
}
