//! Where things are: the repository, the cache, and the folder that receives outputs and the lock.
//!
//! Only the unmodified default profile writes to the repository itself; everything else goes below
//! the cache, or where `--out` says. Which it is follows from the settings, and from what a folder is,
//! never from how it is spelled.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::files::{self, temporaries};
use crate::base::location::{is_plain_folder, is_same, resolve};
use crate::spec::ids;
use crate::spec::settings::Settings;
use crate::stage::boundary;
use crate::stage::stage::OUTPUT_FOLDERS;
use crate::store::cache_folder::{self, RUN_LOCK};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use crate::stage::boundary::{KEYS_FILE, LOCK_FILE, SPEC_FILE};

/// What names who runs is shorter than this.
const MAX_NOTE: u64 = 1 << 16;

/// What the folder of the outputs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// The repository: the lock and `figures/` are committed.
    Committed,
    /// A folder below the cache, for a profile or `--set`.
    Variant,
    /// A folder that the command line names, for the unmodified default profile or for others.
    Named { modified: bool },
}

/// The folders of one invocation.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Holds pipeline.yaml; inputs are relative to it.
    pub root: PathBuf,
    /// Holds store, action cache, logs, scratch space.
    pub cache: PathBuf,
    /// Outputs are relative to it.
    pub out: PathBuf,
    outputs: Outputs,
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
    ///
    /// # Errors
    ///
    /// A folder that must not hold a cache, or must not receive these outputs; see
    /// [`crate::stage::boundary`].
    pub fn new(
        root: PathBuf,
        cache: PathBuf,
        out: Option<PathBuf>,
        settings: &Settings,
    ) -> Result<Self> {
        let cache = resolve(&cache)?;
        let variant = variant_name(settings);
        let modified = variant.is_some();
        let (out, outputs) = match (out, variant) {
            (None, None) => (root.clone(), Outputs::Committed),
            (None, Some(name)) => {
                let out = resolve(&cache.join(VARIANTS).join(name))?;
                (out, Outputs::Variant)
            }
            (Some(out), _) => (resolve(&out)?, Outputs::Named { modified }),
        };
        // The default's own outputs are the same wherever they are said to go.
        let is_default = !modified && is_same(&out, &root);
        let workspace = match is_default {
            true => Workspace {
                out: root.clone(),
                root,
                cache,
                outputs: Outputs::Committed,
            },
            false => Workspace {
                root,
                cache,
                out,
                outputs,
            },
        };
        workspace.check_places()?;
        Ok(workspace)
    }

    /// A cache and outputs that go away again, or are somebody's own: nothing is committed there.
    pub fn apart(root: PathBuf, cache: PathBuf, out: PathBuf) -> Self {
        let outputs = Outputs::Variant;
        Workspace {
            root,
            cache,
            out,
            outputs,
        }
    }

    /// Refuses folders that lie where they must not.
    fn check_places(&self) -> Result<()> {
        boundary::check_cache(&self.root, &self.cache)?;
        if self.publishes() {
            return Ok(());
        }
        let is_named = self.outputs != Outputs::Variant;
        boundary::check_out(&self.root, &self.out, is_named)?;
        let inside = self.out.strip_prefix(&self.cache).ok();
        let mut names = inside.into_iter().flat_map(Path::components);
        let first = names.next().map(|name| name.as_os_str().to_owned());
        let is_own = |name: &str| first.as_deref() == Some(name.as_ref());
        let is_below = names.next().is_some();
        if cache_folder::FOLDERS.into_iter().any(is_own) && !(is_own(VARIANTS) && is_below) {
            let message = format!(
                "{} cannot receive outputs: the cache keeps its own files there",
                self.out.display()
            );
            return Err(Error::config(message).hint("name a folder outside of the cache"));
        }
        Ok(())
    }

    /// What the folder of the outputs is.
    pub fn outputs(&self) -> Outputs {
        self.outputs
    }

    /// Whether outputs and lock go to the repository itself.
    pub fn publishes(&self) -> bool {
        self.outputs == Outputs::Committed
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
    pub(crate) fn log_path(&self, stage: &str) -> PathBuf {
        self.cache.join("logs").join(ids::file_name(stage, ".log"))
    }

    /// Where a run on a cluster keeps its plan.
    pub fn cluster(&self) -> PathBuf {
        self.cache.join(cache_folder::CLUSTER)
    }

    /// Where the outputs of profiles and of `--set` go, a folder each.
    pub fn variants(&self) -> PathBuf {
        self.cache.join(VARIANTS)
    }

    /// Where a page goes that compares two versions, if nobody names another place.
    pub fn compared_page(&self) -> PathBuf {
        self.cache.join(cache_folder::COMPARED)
    }

    /// Refuses a folder that is no cache of this repository; one that does not exist yet may become one.
    /// Writes nothing.
    pub fn check_cache(&self) -> Result<()> {
        cache_folder::check(&self.cache, &self.root)
    }

    /// Makes the cache folder and takes the run lock; `waiting` hears who holds it before a wait.
    ///
    /// It is a lock of the operating system: a process that dies lets it go.
    pub fn lock_for_run(&self, wait: bool, waiting: impl Fn(&str)) -> Result<RunLock> {
        let path = self.cache.join(RUN_LOCK);
        let io = |e: std::io::Error| Error::io("lock", &path, &e);
        let mut file = loop {
            self.check_cache()?;
            files::create_folder(&self.cache)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&file).map_err(io)?;
                    if !wait {
                        let error = Error::of(ErrorKind::Busy, holder);
                        return Err(error.hint("without --no-wait this run waits for it"));
                    }
                    waiting(&holder);
                    file.lock().map_err(io)?;
                }
                Err(TryLockError::Error(e)) => return Err(io(e)),
            }
            // Who held it may have removed the cache: then this lock keeps nobody out.
            if is_still(&file, &path) {
                break file;
            }
        };
        // It may have been another version that ran, and time has passed.
        self.check_cache()?;
        self.check_places()?;
        cache_folder::claim(&self.cache, &self.root)?;
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

    /// Waits until nobody writes, and keeps those who want to waiting; writes nothing itself. `None`
    /// where nobody has ever written.
    pub fn lock_for_look(&self, waiting: impl Fn(&str)) -> Result<Option<File>> {
        let path = self.cache.join(RUN_LOCK);
        let io = |e: std::io::Error| Error::io("lock", &path, &e);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting(&holder(&file).map_err(io)?);
                file.lock_shared().map_err(io)?;
            }
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        Ok(Some(file))
    }

    /// Removes what a killed run was about to write: nothing refers to it. What cannot be removed
    /// takes space and does no other harm.
    fn sweep(&self, out: &Path) {
        let mut left = self.scratch();
        left.extend(temporaries(&self.cache.join("logs"), true));
        for folder in OUTPUT_FOLDERS {
            left.extend(temporaries(&out.join(folder), true));
        }
        left.extend(temporaries(&self.cache, false));
        left.extend(temporaries(out, false));
        left.iter().for_each(|path| drop(files::remove(path)));
    }

    /// What is being made, or was when a run was killed: files, and folders of stages.
    pub fn scratch(&self) -> Vec<PathBuf> {
        let folder = self.cache.join(SCRATCH);
        if !is_plain_folder(&folder) {
            return Vec::new();
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_ours = |entry: &std::fs::DirEntry| {
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            files::is_temporary(&entry.file_name()) && !is_link
        };
        entries.filter(is_ours).map(|entry| entry.path()).collect()
    }
}

/// Folders of the cache.
const VARIANTS: &str = "profiles";
const SCRATCH: &str = "scratch";

/// Whether the open file is the one that has the name.
fn is_still(file: &File, path: &Path) -> bool {
    let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let named = path.symlink_metadata().map(identity);
    file.metadata().map(identity).ok() == named.ok()
}

/// Who holds the run lock.
fn holder(file: &File) -> std::io::Result<String> {
    let note = note(file)?;
    // Who has just taken the lock has not written yet who that is.
    Ok(
        match note.lines().next().filter(|process| !process.is_empty()) {
            Some(process) => format!("process {process} is running this pipeline"),
            None => "another process is running this pipeline".to_owned(),
        },
    )
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
