//! Programs run one after the other in one view of a repository, watched, with no stage around them: for who
//! wants to know what they read and write.
//!
//! Nobody says beforehand what they write. What stands in the repository cannot be written over; a program that
//! tries is started again without that file, for it is taken for one that the program makes.

use crate::described::packages::{self, Locked};
use crate::described::params::{Argument, Params};
use crate::described::program;
use crate::running::confined::{self, Confined, Place};
use crate::running::view::{self, Plan};
use crate::running::{ending, log, looks};
use retrace::stage::io::Repository;
use retrace::{Error, Result};
use sandbox::Refused;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A view in which programs run, removed when dropped.
pub struct Trial {
    repository: Repository,
    work: tempfile::TempDir,
    /// How many programs ran here: each has a home folder of its own.
    ran: usize,
}

/// A program to try.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The program and its arguments, as they are.
    pub run: Vec<String>,
    /// The folder below the root in which it runs.
    pub folder: String,
    /// The folder below the root that holds its packages, if there is one.
    pub environment: Option<String>,
    /// Variables beside those that every command has.
    pub variables: BTreeMap<String, String>,
}

/// What a program did. All paths are below the root.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Files that it read or asked about, as they were before it ran.
    pub read: BTreeSet<PathBuf>,
    /// Files that it wrote, and that were there when it ended.
    pub written: BTreeSet<PathBuf>,
    /// Those of them that the repository has too: they were out of sight while it ran.
    pub replaced: BTreeSet<PathBuf>,
    /// What it was not let do although it ended well, and processes that it left behind, in words.
    pub warnings: Vec<String>,
    /// Packages that it used.
    pub packages: BTreeSet<String>,
    /// Lock files among those that were asked for with which the installed packages agree.
    pub locks: Vec<String>,
    pub seconds: f64,
}

/// What changed, of a file.
type Stamp = (u64, i64, i64, u64);

impl Trial {
    /// A view of a repository without what is `made` by runs and without what `written` names: files or folders
    /// below the root that the programs will write.
    ///
    /// # Errors
    /// Nothing can be watched here, or the view cannot be made.
    pub fn new(repository: Repository, written: Vec<PathBuf>) -> Result<Trial> {
        if let Err(why) = sandbox::support() {
            let message = format!("what programs read cannot be watched here: {why}");
            return Err(Error::failed(message));
        }
        let work = tempfile::tempdir()
            .map_err(|e| Error::io("make a folder in", &std::env::temp_dir(), &e))?;
        let trial = Trial {
            repository,
            work,
            ran: 0,
        };
        let view = trial.view()?;
        std::fs::create_dir(&view).map_err(|e| Error::io("make", &view, &e))?;
        let plan = Plan {
            root: &trial.repository.root,
            made: &trial.repository.made,
            inputs: Vec::new(),
            outputs: written,
            backwards: false,
        };
        view::build(&plan, &view)?;
        Ok(trial)
    }

    fn base(&self) -> Result<PathBuf> {
        let base = self.work.path().canonicalize();
        base.map_err(|e| Error::io("find", self.work.path(), &e))
    }

    /// Where the programs run: what they wrote stands there.
    ///
    /// # Errors
    /// The folder is gone.
    pub fn view(&self) -> Result<PathBuf> {
        Ok(self.base()?.join("view"))
    }

    /// Runs a program, to its end.
    ///
    /// `locks` are lock files of packages, as paths below the root, of which it is to be known whether they fit.
    ///
    /// # Errors
    /// It cannot be started, or did not end well: the message ends with what it printed last.
    pub fn run(
        &mut self,
        attempt: &Attempt,
        locks: &[String],
        cancelled: &AtomicBool,
    ) -> Result<Observed> {
        let before = files(&self.view()?);
        let mut replaced = BTreeSet::new();
        loop {
            let (result, stood) = self.once(attempt, locks, &before, cancelled)?;
            if stood.is_empty() {
                let mut observed = result?;
                observed.replaced = replaced;
                return Ok(observed);
            }
            // Back to before, without what stood in its way.
            let view = self.view()?;
            for (path, _) in files(&view) {
                if !before.contains_key(&path) {
                    remove(&view.join(&path))?;
                }
            }
            for path in stood {
                remove(&view.join(&path))?;
                replaced.insert(path);
            }
        }
    }

    /// Runs it once: what it did, and the files of the repository that it tried to write over.
    fn once(
        &mut self,
        attempt: &Attempt,
        locks: &[String],
        before: &BTreeMap<PathBuf, Stamp>,
        cancelled: &AtomicBool,
    ) -> Result<(Result<Observed>, BTreeSet<PathBuf>)> {
        let root = &self.repository.root;
        let run = attempt.run.iter().cloned().map(Argument::Text).collect();
        let params = Params {
            folder: attempt.folder.clone(),
            environment: attempt.environment.clone(),
            env: (attempt.variables.iter())
                .map(|(name, value)| (name.clone(), Argument::Text(value.clone())))
                .collect(),
            ..Params::of(run)
        };
        params.check().map_err(Error::config)?;
        let environment = confined::environment(&params, root)?;
        let name = attempt.run.first().map_or("", String::as_str);
        let program = program::find(name, root, environment.as_deref())?;
        self.ran += 1;
        let base = self.base()?;
        let place = Place {
            view: base.join("view"),
            home: base.join(format!("home{}", self.ran)),
            temporary: base.join(format!("tmp{}", self.ran)),
            log: base.join(format!("log{}", self.ran)),
        };
        for folder in [&place.home, &place.temporary] {
            std::fs::create_dir(folder).map_err(|e| Error::io("make", folder, &e))?;
        }
        let confined = Confined {
            params: &params,
            arguments: &attempt.run,
            program: &program,
            environment: environment.as_deref(),
            repository: &self.repository,
            place: &place,
            inputs: &[],
            outputs: Vec::new(),
            variation: None,
        };
        let links = links(&place.view);
        let started = std::time::Instant::now();
        let ended = confined.watched(&confined.started()?, cancelled)?;
        let seconds = started.elapsed().as_secs_f64();
        let printed = log::read(&place.log);
        let after = files(&place.view);
        let written: BTreeSet<PathBuf> = after
            .iter()
            .filter(|(path, stamp)| before.get(*path) != Some(stamp))
            .map(|(path, _)| path.clone())
            .collect();
        let below = |path: &Path| {
            let below = path.strip_prefix(&place.view);
            let below = below.or_else(|_| path.strip_prefix(root)).ok()?;
            Some(below.to_owned())
        };
        let refused = ended
            .seen
            .refused
            .iter()
            .filter_map(|refused| match refused {
                Refused::Write(path) => below(path),
                _ => None,
            });
        let stood = refused.chain(written.iter().cloned());
        let stood: BTreeSet<PathBuf> = stood.filter(|path| links.contains(path)).collect();
        let observe = || -> Result<Observed> {
            let warnings = ending::judge(&confined, &ended, &printed)?;
            let seen = looks::below(&confined, &ended)?;
            let is_file = |path: &PathBuf| before.contains_key(path) || links.contains(path);
            let read = seen.at.iter().map(PathBuf::from).filter(is_file);
            let used = || ended.seen.read.iter().chain(&ended.seen.folders);
            let fits = |lock: &&String| {
                let text = std::fs::read_to_string(root.join(lock)).unwrap_or_default();
                match packages::read(Path::new(lock), &text) {
                    Ok(Locked::Python(versions)) => {
                        packages::check(&versions, &program.packages, used()).is_ok()
                    }
                    Ok(Locked::Other) => true,
                    Err(_) => false,
                }
            };
            Ok(Observed {
                read: read.collect(),
                written,
                replaced: BTreeSet::new(),
                warnings,
                packages: packages::used(&program.packages, used()),
                locks: locks.iter().filter(fits).cloned().collect(),
                seconds,
            })
        };
        Ok((observe(), stood))
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Files below a folder that are none of the repository, each with what changes when it is written.
fn files(view: &Path) -> BTreeMap<PathBuf, Stamp> {
    let mut found = BTreeMap::new();
    walk(view, &mut |below, meta| {
        if meta.is_file() {
            let stamp = (meta.len(), meta.ctime(), meta.ctime_nsec(), meta.ino());
            found.insert(below, stamp);
        }
    });
    found
}

/// Files of the repository, as links.
fn links(view: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    walk(view, &mut |below, meta| {
        if meta.is_symlink() {
            found.insert(below);
        }
    });
    found
}

fn walk(view: &Path, found: &mut dyn FnMut(PathBuf, std::fs::Metadata)) {
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let entries = std::fs::read_dir(view.join(&below)).into_iter().flatten();
        for entry in entries.flatten() {
            let place = below.join(entry.file_name());
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(place),
                Ok(meta) => found(place, meta),
                Err(_) => {}
            }
        }
    }
}
