//! The shared store that the command line, the environment or pipeline.yaml names, and what is said of it.

use crate::console::terminal::{self, count};
use crate::console::typed::{self, quoted};
use crate::pipeline::session::Session;
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::base::location::resolve;
use retrace::shared::backend::Backend;
use retrace::shared::folder::Folder;
use retrace::shared::piped::Piped;
use retrace::shared::store::{FAILURES, RENEWED_AFTER_S, SharedStore, Troubles};
use retrace::shared::trust::{Signer, TRUST_FILE, Trust};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Names the store where `--store` does not: of any program, for digests are the same for all.
pub const VARIABLE: &str = "RETRACE_STORE";
/// Names the file with the secret key that signs what is put into a store.
pub const KEY_VARIABLE: &str = "RETRACE_KEY";

/// Which shared store is meant.
#[derive(Clone, Debug, Default, Args)]
pub struct StoreArgs {
    /// The shared store: a folder, also one of a network file system, or a URL; '' is none, whoever names one [default:
    /// RETRACE_STORE, else `store:` in pipeline.yaml]
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
}

/// Where a shared store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    Url(String),
}

impl Location {
    /// Where a text says that it is, seen from a folder.
    pub fn read(text: &str, from: &Path) -> Location {
        match text.contains("://") {
            true => Location::Url(text.to_owned()),
            false => Location::Folder(from.join(text)),
        }
    }

    /// The same place, in words that mean it from anywhere.
    ///
    /// # Errors
    /// The folder cannot be found.
    pub fn absolute(&self) -> Result<String> {
        match self {
            Location::Folder(folder) => Ok(resolve(folder)?.display().to_string()),
            Location::Url(url) => Ok(url.clone()),
        }
    }

    /// What keeps the bytes there; `make` makes the folder where the one above it is there.
    fn open(&self, make: bool) -> Result<Box<dyn Backend>> {
        match self {
            Location::Folder(folder) if make => Ok(Box::new(Folder::open_or_make(folder)?)),
            Location::Folder(folder) => Ok(Box::new(Folder::open(folder)?)),
            Location::Url(url) => Ok(Box::new(Piped::start(url)?)),
        }
    }
}

impl StoreArgs {
    /// The store that the command line or the environment names.
    pub fn named(&self) -> Option<Location> {
        let of_variable = || {
            std::env::var(VARIABLE)
                .ok()
                .filter(|value| !value.is_empty())
        };
        let text = self.store.clone().or_else(of_variable);
        let text = text.filter(|text| !text.is_empty())?;
        Some(Location::read(&text, Path::new("")))
    }

    /// Whether the command line says that there is none.
    fn is_none(&self) -> bool {
        self.store.as_deref() == Some("")
    }

    /// The store that is named anywhere.
    pub fn location(&self, session: &Session) -> Option<Location> {
        let root = &session.engine.workspace.root;
        let of_file = || {
            Some(Location::read(
                session.engine.pipeline.store.as_ref()?,
                root,
            ))
        };
        match self.is_none() {
            true => None,
            false => self.named().or_else(of_file),
        }
    }

    /// The store that is named anywhere, where the verb is for nothing without one.
    ///
    /// # Errors
    /// None is named.
    pub fn required_location(&self, session: &Session) -> Result<Location> {
        self.location(session).ok_or_else(|| {
            let error = Error::config("no store is named");
            error.hint(format!("name a folder or a URL with --store STORE, in {VARIABLE}, or as `store:` in pipeline.yaml"))
        })
    }

    /// The store, where the verb is for nothing without one; `make` makes its folder. What is put there is
    /// signed where a key is named.
    ///
    /// # Errors
    /// None is named, or it is not there; or `store.trust` or the key is none.
    pub fn required(&self, session: &Session, make: bool) -> Result<SharedStore> {
        let location = self.required_location(session)?;
        let root = &session.engine.workspace.root;
        let store = open(&location, root, make)?;
        match named_signer()? {
            Some(signer) => {
                if store.trust().name(signer.id()).is_none() {
                    let id = signer.id();
                    terminal::warn(&format!(
                        "the key in {KEY_VARIABLE} is not in {TRUST_FILE}: nobody who has this repository believes what it signs; its line is `ed25519 {id} NAME`"
                    ));
                }
                Ok(store.signing(signer, program_digest()?))
            }
            None => Ok(store),
        }
    }
}

/// The store at a location, believing the signers of the repository.
///
/// # Errors
/// It is not there, or `store.trust` is none.
pub fn open(location: &Location, root: &Path, make: bool) -> Result<SharedStore> {
    let trust = Trust::read(&root.join(TRUST_FILE))?;
    Ok(SharedStore::new(location.open(make)?).trusting(trust))
}

/// The key that the environment names.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn named_signer() -> Result<Option<Signer>> {
    let file = std::env::var_os(KEY_VARIABLE).filter(|value| !value.is_empty());
    file.map(|file| read_signer(Path::new(&file))).transpose()
}

/// The key in a file. One that others may read or write is used, and that is said.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn read_signer(file: &Path) -> Result<Signer> {
    let signer = Signer::read(file)?;
    let others = std::fs::metadata(file).map_or(0, |meta| meta.permissions().mode() & 0o077);
    // A key is read more than once where a plan is made and done.
    static SAID: AtomicBool = AtomicBool::new(false);
    if others != 0 && !SAID.swap(true, Ordering::Relaxed) {
        let shown = file.display().to_string();
        terminal::warn(&format!(
            "others may use the secret key {shown}, and sign as its owner: `chmod 600 {}`",
            quoted(&shown)
        ));
    }
    Ok(signer)
}

/// The digest of the file of the running program.
///
/// # Errors
/// It cannot be read.
pub fn program_digest() -> Result<Digest> {
    let program = std::env::current_exe();
    let program = program.map_err(|e| Error::failed(format!("cannot find this program: {e}")))?;
    Ok(Digest::of_file(&program)?.0)
}

/// The store that a run looks into.
pub struct ForRun {
    pub store: Option<SharedStore>,
    /// Whether the run is for nothing without it.
    required: bool,
}

impl ForRun {
    /// No store yet: somebody finds one on the way.
    pub fn none(required: bool) -> ForRun {
        ForRun {
            store: None,
            required,
        }
    }

    /// The store at a location. One that is not there is a warning, and an error where it is required.
    ///
    /// # Errors
    /// It is required and not there; or `store.trust` is none.
    pub fn open(location: Option<&Location>, root: &Path, required: bool) -> Result<ForRun> {
        let trust = Trust::read(&root.join(TRUST_FILE))?;
        let store = match location.map(|location| location.open(false)) {
            None if required => {
                let error = Error::config("--store-required, and no store is named");
                return Err(error.hint(format!(
                    "name it with --store STORE, in {VARIABLE}, or as `store:` in pipeline.yaml"
                )));
            }
            None => None,
            Some(Ok(backend)) => {
                let store = SharedStore::new(backend).trusting(trust);
                Some(store.required(required))
            }
            Some(Err(error)) if required => return Err(error),
            Some(Err(error)) => {
                let hint = error.hint.map_or(String::new(), |hint| format!("; {hint}"));
                let message = error.message;
                terminal::warn(&format!(
                    "{message}: what is not in the cache is made here{hint}"
                ));
                None
            }
        };
        Ok(ForRun { store, required })
    }

    /// The store that somebody has found on the way.
    pub fn found(&mut self, store: SharedStore) {
        self.store = Some(store.required(self.required));
    }

    /// Says what went wrong in it.
    ///
    /// # Errors
    /// It is required and has failed.
    pub fn conclude(&self) -> Result<()> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        match store.troubles().first {
            Some(error) if self.required => {
                tell_of_files(store);
                let (shown, why) = (store.shown(), &error.message);
                let message = match store.is_lost() {
                    true => format!(
                        "the store {shown} is required and was given up, so that no more stages were begun: {why}"
                    ),
                    false => format!("the store {shown} is required and failed: {why}"),
                };
                Err(Error { message, ..error })
            }
            _ => {
                tell(store);
                Ok(())
            }
        }
    }
}

/// Says what has gone wrong in a store, each thing once.
pub fn tell(shared: &SharedStore) {
    tell_of_files(shared);
    if let Some(failure) = failure(shared) {
        terminal::warn_of(&failure);
    }
}

/// How often the store did not do what it was asked, and what it said first.
pub fn failure(shared: &SharedStore) -> Option<Error> {
    let troubles = shared.troubles();
    let error = troubles.first?;
    let (shown, what) = (shared.shown(), times_failed(troubles.failures));
    Some(Error {
        message: format!("the store {shown} {what}: {error}"),
        place: None,
        ..error
    })
}

/// How often a store failed, and what came of it. Requests that were under way when it was given up may fail, too.
fn times_failed(failures: usize) -> String {
    let times = count(failures, "time");
    match failures.checked_sub(FAILURES) {
        None => format!("failed {times}"),
        Some(0) => format!("failed {times} and was given up; first"),
        Some(later) => format!(
            "failed {FAILURES} times and was given up, and {} under way came to nothing; first",
            match later {
                1 => "1 request that was".to_owned(),
                more => format!("{more} requests that were"),
            }
        ),
    }
}

/// Says which files of a store are wrong, may not be read or will be lost.
pub fn tell_of_files(shared: &SharedStore) {
    let Troubles {
        wrong,
        forbidden,
        forbade,
        fading,
        refused,
        ..
    } = shared.troubles();
    let shown = shared.shown();
    let command = |words: &str| typed::command(&format!("{words}{}", typed::store_option(&shown)));
    if let Some(name) = wrong.first() {
        let files = match wrong.len() {
            1 => "1 file that is not what its name says".to_owned(),
            more => format!("{more} files that are not what their names say"),
        };
        terminal::warn(&format!(
            "the store {shown} has {files}, and none of that was used: {name}; `{}` puts right ones in place of those \
             that the lock records",
            command("push --paranoid")
        ));
    }
    if let Some((name, forbade)) = forbidden.first().zip(forbade) {
        let files = match forbidden.len() {
            1 => "1 file that may not be read is".to_owned(),
            more => format!("{more} files that may not be read are"),
        };
        terminal::warn(&format!(
            "of the store {shown} {files} taken for absent: {name}: {forbade}; permission to list the bucket would tell \
             absent from forbidden"
        ));
    }
    if let Some((name, refused)) = fading.first().zip(refused) {
        let (files, them) = (
            count(fading.len(), "file"),
            match fading.len() {
                1 => "it",
                _ => "them",
            },
        );
        let days = RENEWED_AFTER_S / (24 * 60 * 60);
        terminal::warn(&format!(
            "the store {shown} has {files} of more than {days} days that could not be put there anew, so that `{}` \
             there may remove {them}: {name}: {refused}",
            typed::command("store gc")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_not_what_a_store_was_given_up_for() {
        for (failures, words) in [
            (1, "failed 1 time"),
            (2, "failed 2 times"),
            (3, "failed 3 times and was given up; first"),
            (
                4,
                "failed 3 times and was given up, and 1 request that was under way came to nothing; first",
            ),
            (
                18,
                "failed 3 times and was given up, and 15 requests that were under way came to nothing; first",
            ),
        ] {
            assert_eq!(times_failed(failures), words);
        }
    }
}
