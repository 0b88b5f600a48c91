//! What a stage may touch while it runs: its inputs, its scratch folder, its log, its progress. Knows no
//! other stage and no cache.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::files;
use crate::stage::company::Member;
use crate::stage::look::Look;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far a stage is, for a progress bar.
#[derive(Clone, Debug)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    pub note: String,
}

/// What a stage may touch: its inputs, its scratch folder, its log, its progress.
pub struct Io<'a> {
    inputs: BTreeMap<String, Vec<(String, PathBuf)>>,
    scratch: PathBuf,
    log: Mutex<String>,
    warnings: Mutex<Vec<String>>,
    cancelled: &'a AtomicBool,
    progress: &'a (dyn Fn(Progress) + Sync),
    repository: Option<Repository>,
    looks: Mutex<BTreeSet<Look>>,
    variation: Option<&'a str>,
    member: Mutex<Option<Member>>,
}

/// The repository as a watched stage may see it.
#[derive(Clone, Debug)]
pub struct Repository {
    pub root: PathBuf,
    /// Folders and files that runs write: nothing that is looked at may lie below them.
    pub made: Vec<PathBuf>,
}

impl<'a> Io<'a> {
    /// Gives a stage its world: files by role and label, an empty folder for outputs.
    pub fn new(
        inputs: BTreeMap<String, Vec<(String, PathBuf)>>,
        scratch: PathBuf,
        cancelled: &'a AtomicBool,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Self {
        Io {
            inputs,
            scratch,
            log: Mutex::new(String::new()),
            warnings: Mutex::default(),
            cancelled,
            progress,
            repository: None,
            looks: Mutex::default(),
            variation: None,
            member: Mutex::default(),
        }
    }

    /// Shows the stage the repository: one that is watched.
    pub fn in_repository(mut self, repository: Repository) -> Self {
        self.repository = Some(repository);
        self
    }

    /// Asks the stage to run under other circumstances, by a name that its kind knows.
    pub fn varied(mut self, variation: Option<&'a str>) -> Self {
        self.variation = variation;
        self
    }

    /// Runs the stage beside others that may share work with it, see [`Io::gather`].
    pub(crate) fn beside(self, member: Option<Member>) -> Self {
        *held(&self.member) = member;
        self
    }

    /// Gives its part of a work to those that run beside it and share it
    /// ([`crate::stage::kind::StageKind::shares`]). One of them has the parts of all, in no order that anybody may
    /// rely on, and does the work; the others have none, and wait for what that one tells them, on a channel that
    /// was in their part. A stage that runs alone has its own part.
    ///
    /// What comes of a part must not depend on which others there are. To be called once, and before anything that
    /// takes long: the others wait.
    pub fn gather<T: Send + 'static>(&self, part: T) -> Vec<T> {
        let member = held(&self.member).take();
        match member {
            Some(member) => member.gather(part),
            None => vec![part],
        }
    }

    /// The repository, for a stage that is watched.
    ///
    /// # Errors
    /// It is not.
    pub fn repository(&self) -> Result<&Repository> {
        let repository = self.repository.as_ref();
        repository.ok_or_else(|| Error::failed("the stage is not one that is watched"))
    }

    /// Under which circumstances other than the usual it is to run.
    pub fn variation(&self) -> Option<&str> {
        self.variation
    }

    /// Tells that the stage looked at something that no input names: that enters its key.
    pub fn saw(&self, look: Look) {
        held(&self.looks).insert(look);
    }

    /// What it told of.
    pub(crate) fn take_looks(&self) -> BTreeSet<Look> {
        std::mem::take(&mut held(&self.looks))
    }

    /// An empty folder beside the one for outputs, that goes with the value.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn work_folder(&self) -> Result<tempfile::TempDir> {
        let beside = self.scratch.parent().unwrap_or(&self.scratch);
        let made = tempfile::Builder::new()
            .prefix(&format!("{}work-", files::TEMPORARY))
            .tempdir_in(beside);
        made.map_err(|e| Error::io("make a folder in", beside, &e))
    }

    /// Where an output is to be written.
    pub fn output(&self, output: &str) -> PathBuf {
        self.scratch.join(output)
    }

    /// All files of a role, with their labels, in the order of the labels.
    pub fn inputs(&self, role: &str) -> &[(String, PathBuf)] {
        self.inputs.get(role).map_or(&[], Vec::as_slice)
    }

    /// The one file of a role.
    pub fn input(&self, role: &str) -> Result<&Path> {
        match self.inputs(role) {
            [(_, path)] => Ok(path),
            files => Err(Error::failed(format!(
                "role `{role}` has {} files",
                files.len()
            ))),
        }
    }

    /// Every role that has at least one file.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().map(String::as_str)
    }

    /// The bytes of the one file of a role.
    pub fn read(&self, role: &str) -> Result<Vec<u8>> {
        read(self.input(role)?)
    }

    /// Writes an output.
    pub fn write(&self, output: &str, bytes: &[u8]) -> Result<()> {
        let path = self.output(output);
        std::fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))
    }

    /// Adds a line to the stage's log.
    pub fn log(&self, line: impl AsRef<str>) {
        let _ = writeln!(held(&self.log), "{}", line.as_ref());
    }

    /// Says that something may not be as it was meant: in the log, and to whoever watches the run. What
    /// it says must not depend on where the params stand.
    pub fn warn(&self, words: impl AsRef<str>) {
        let words = words.as_ref();
        self.log(format!("warning: {words}"));
        held(&self.warnings).push(words.to_owned());
    }

    /// The warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.warnings))
    }

    /// The log so far.
    pub fn take_log(&self) -> String {
        std::mem::take(&mut held(&self.log))
    }

    /// Whether the run was interrupted: a long stage looks now and then and returns
    /// [`Io::interrupted`].
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// The flag that tells so, for what waits on its own.
    pub fn cancel_flag(&self) -> &AtomicBool {
        self.cancelled
    }

    /// The error with which an interrupted stage stops.
    pub fn interrupted(&self) -> Error {
        Error::of(ErrorKind::Interrupted, "interrupted")
    }

    /// Says how far the stage is.
    pub fn progress(&self, done: u64, total: u64, note: impl Into<String>) {
        (self.progress)(Progress {
            done,
            total,
            note: note.into(),
        });
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A larger input is refused; those of the paper have less than a thousandth of it.
const MAX_INPUT: u64 = 256 << 20;

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    files::read_at_most(path, MAX_INPUT).map_err(|e| Error::io("read", path, &e))
}
