//! What locks say of a file: that of the repository, those of variations below the cache, and those of
//! earlier commits.

use crate::console::terminal;
use crate::console::typed;
use crate::pipeline::git::Git;
use crate::pipeline::scope::Scope;
use crate::pipeline::session;
use crate::program::description::Program;
use crate::verbs::provenance::look::Looked;
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::lock::file::{self, Block, Lock, LockFile, Record};
use retrace::store::variation::{self, Variation};
use retrace::store::workspace::{KEYS_FILE, LOCK_FILE};
use std::path::{Path, PathBuf};

/// What a lock says of it.
pub struct Recorded {
    pub stage: String,
    pub output: String,
    pub record: Record,
    pub block: Block,
    pub lock: Which,
}

/// Whose lock it is.
pub enum Which {
    /// Of the repository, as it is there now.
    Present,
    Commit(String),
    /// Of a profile or `--set`, below the cache.
    Variation(Variation),
    /// Of the folder that `--out` names.
    Folder(PathBuf),
}

/// What is known of a file; where nothing is, what keeps earlier commits from being asked, and its remedy.
pub type Found = (Option<Recorded>, Option<String>);

/// Asks the locks: first that of the options, if they mean another than the repository's, and that of the
/// variation in whose folder the file is; last those of other variations, for copies of their files.
///
/// # Errors
/// The options mean outputs that are not there; a lock cannot be read.
pub fn find(
    program: &Program,
    scope: &Scope,
    (path, looked): (&Path, &Looked),
    root: &Path,
) -> Result<Found> {
    let is_asked = scope.profile.is_some() || !scope.sets.is_empty();
    let (workspace, _) = session::locate(program, scope)?;
    let known = variation::variations(&workspace)?;
    let (own, others): (Vec<Variation>, Vec<Variation>) = known
        .into_iter()
        .partition(|one| one.folder == workspace.out || one.holds(path));
    if let Some(folder) = &scope.out
        && !workspace.publishes()
    {
        let lock = LockFile::at(workspace.lock_path()).telling(terminal::warn);
        let which = Which::Folder(folder.clone());
        if let Some(recorded) = find_in(lock.get()?.clone(), looked, which) {
            return Ok((Some(recorded), None));
        }
    } else if is_asked && !own.iter().any(|one| one.folder == workspace.out) {
        let message = format!("nothing was made{} yet", shown(scope));
        return Err(
            Error::config(message).hint(format!("`{PROGRAM} run STAGE` makes a stage with it"))
        );
    }
    for variation in own {
        if let Some(recorded) = of_variation(variation, looked)? {
            return Ok((Some(recorded), None));
        }
    }
    let (recorded, in_the_way) = of_repository(program, root, looked)?;
    if recorded.is_some() {
        return Ok((recorded, None));
    }
    for variation in others {
        // One that cannot be read is not asked for.
        if let Ok(Some(recorded)) = of_variation(variation, looked) {
            return Ok((Some(recorded), None));
        }
    }
    Ok((None, in_the_way))
}

/// The profile and what was set, each with a space before it.
fn shown(scope: &Scope) -> String {
    scope.variant().options().replacen(' ', " with ", 1)
}

fn of_variation(variation: Variation, looked: &Looked) -> Result<Option<Recorded>> {
    let lock = LockFile::at(variation.folder.join(LOCK_FILE)).telling(terminal::warn);
    let lock = lock.get()?.clone();
    Ok(find_in(lock, looked, Which::Variation(variation)))
}

/// What the lock of the working tree says, or that of an earlier commit.
fn of_repository(program: &Program, root: &Path, looked: &Looked) -> Result<Found> {
    let lock = LockFile::at(root.join(LOCK_FILE)).telling(terminal::warn);
    if let Some(recorded) = find_in(lock.get()?.clone(), looked, Which::Present) {
        return Ok((Some(recorded), None));
    }
    let git = match Git::open(root) {
        Ok(git) => git,
        Err(error) if root.join(".git").exists() => {
            return Ok((None, error.hint_for(program.name, "")));
        }
        Err(_) => return Ok((None, None)),
    };
    for digest in [looked.file, looked.content] {
        let Some(revision) = git.containing(LOCK_FILE, &digest.to_string(), file::MAX_BYTES)?
        else {
            continue;
        };
        let Some(bytes) = git.file(&revision, LOCK_FILE, file::MAX_BYTES)? else {
            continue;
        };
        let name = format!("{}:{LOCK_FILE}", revision.shown());
        let Ok((mut lock, _)) = Lock::salvage(&name, &bytes) else {
            continue;
        };
        if let Some(keys) = git.file(&revision, KEYS_FILE, file::MAX_BYTES)? {
            lock.explain(&keys);
        }
        if let Some(recorded) = find_in(lock, looked, Which::Commit(revision.commit)) {
            return Ok((Some(recorded), None));
        }
    }
    Ok((None, git.shallow().map(str::to_owned)))
}

fn find_in(lock: Lock, looked: &Looked, which: Which) -> Option<Recorded> {
    // The same artifact may come out of several stages: prefer the one that the file names.
    let named = looked.carried.as_ref().map(|carried| &carried.stage);
    let mut found = None;
    for (stage, block) in lock.stages {
        for (output, record) in &block.outputs {
            let is_it = [record.file_digest(), record.digest].contains(&looked.file)
                || record.digest == looked.content;
            if is_it && (found.is_none() || named == Some(&stage)) {
                found = Some((stage.clone(), output.clone(), record.clone(), block.clone()));
            }
        }
    }
    let (stage, output, record, block) = found?;
    Some(Recorded {
        stage,
        output,
        record,
        block,
        lock: which,
    })
}

impl Recorded {
    /// Whether the file is, byte for byte, what was published.
    pub fn is_exact(&self, looked: &Looked) -> bool {
        self.record.file_digest() == looked.file
    }

    /// The options under which it was made; of a commit those of places alone.
    pub fn scope(&self, asked: &Scope) -> Scope {
        let mut scope = asked.clone();
        match &self.lock {
            Which::Folder(_) => return scope,
            Which::Present | Which::Commit(_) => (scope.profile, scope.sets) = (None, Vec::new()),
            Which::Variation(variation) => {
                scope.profile = variation.profile.clone();
                scope.sets = variation.sets.clone().unwrap_or_default();
            }
        }
        scope.out = None;
        scope
    }

    /// What makes the file again.
    pub fn commands(&self, program: &Program, asked: &Scope) -> Vec<String> {
        let options = self.scope(asked).options();
        let stage = typed::quoted(&self.stage);
        match &self.lock {
            Which::Commit(commit) => vec![
                format!("git checkout {commit}"),
                format!("{}{}", program.build.stage, self.stage),
            ],
            _ => vec![format!("{} run {stage}{options}", program.name)],
        }
    }
}
