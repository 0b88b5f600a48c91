//! The folder of a plan: what the tasks of a cluster find there, and who signs for them.
//!
//! It holds plan.json, copies of the program and, for a store with a URL, of the second one, and the secret key that the
//! tasks sign with, made for this plan, where RETRACE_KEY names no other. Later the tasks leave their notes there.

use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::pipeline::shared::{self, Location, named_signer, program_digest, read_signer};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Place, Result};
use retrace::base::files;
use retrace::base::location::{below, resolve};
use retrace::resolve::select::Selection;
use retrace::run::plan::Context;
use retrace::shared::piped;
use retrace::shared::store::SharedStore;
use retrace::shared::trust::{Signer, SignerId};
use retrace::stage::boundary;
use retrace::store::history::{self, Durations};
use retrace::work::plan::{FILE, PlannedSettings, Planning, TaskPlan};
use std::path::{Path, PathBuf};

/// The copy of the program.
const PROGRAM: &str = "program";
/// The secret key.
const KEY: &str = "key";
/// Whose word counts because the plan says so.
const PLAN_SIGNER: &str = "the plan's key";

/// What a plan is made for.
pub struct Wanted<'a> {
    pub scope: &'a Scope,
    pub location: &'a Location,
    /// About how long a task should take.
    pub minutes: f64,
}

/// Makes the folder with a plan of the selected stages; one that holds a plan already is brought up to date.
///
/// # Errors
/// The folder holds something else, an input is not there, or something cannot be written.
pub fn make(
    session: &Session,
    context: &Context,
    selection: &Selection,
    folder: &Path,
    wanted: &Wanted,
) -> Result<TaskPlan> {
    files::create_folder(folder)?;
    let program = copy_program(folder)?;
    if let Location::Url(_) = wanted.location {
        copy_runnable(&piped::program()?, &folder.join(piped::NAME))?;
    }
    let root = &session.engine.workspace.root;
    let signer = match named_signer()? {
        Some(signer) => signer,
        None => own_signer(folder)?,
    };
    let trusted = shared::open(wanted.location, root, true)?;
    let is_known = trusted.trust().name(signer.id()).is_some();
    let past = history::read(&session.engine.workspace.history_path())?;
    let durations = Durations::of(&past);
    let plan = TaskPlan::new(
        context,
        selection,
        Planning {
            settings: settings(wanted.scope)?,
            store: wanted.location.absolute()?,
            signers: match is_known {
                true => Vec::new(),
                false => vec![signer.id().to_string()],
            },
            program,
            pipeline: session.engine.spec.1,
            limit: wanted.minutes * 60.0,
            seconds: &|stage| durations.about(session.id(stage)),
        },
    )?;
    plan.write(&folder.join(FILE))?;
    Ok(plan)
}

/// The options that say which pipeline is meant, so that they mean it from anywhere.
fn settings(scope: &Scope) -> Result<PlannedSettings> {
    let absolute = |folder: &Option<PathBuf>| {
        let absolute = |path: &PathBuf| match std::path::absolute(path) {
            Ok(path) => Ok(path.display().to_string()),
            Err(e) => Err(Error::io("use", path, &e)),
        };
        folder.as_ref().map(absolute).transpose()
    };
    Ok(PlannedSettings {
        cache: absolute(&scope.cache_dir)?,
        out: absolute(&scope.out)?,
        profile: scope.profile.clone(),
        sets: scope.sets.clone(),
    })
}

/// Where a plan may be made: a folder that does not exist, is empty, or holds a plan already.
///
/// # Errors
/// It holds something else, or lies in the repository or where another or a cache keeps its own.
pub fn check(session: &Session, folder: &Path) -> Result<PathBuf> {
    let workspace = &session.engine.workspace;
    let folder = resolve(folder)?;
    boundary::check_package(&workspace.root, &workspace.cache, &folder)?;
    if below(&folder, &workspace.root).is_some() {
        let message = format!(
            "{} lies in the repository: the plan's secret key would be among its files",
            folder.display()
        );
        let error = Error::config(message).at(&Place::whole("--to"));
        return Err(error.hint("name a folder outside that the nodes see, such as --to ../plan"));
    }
    let is_empty = |folder: &Path| match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(Error::io("list", folder, &e)),
    };
    if !folder.join(FILE).is_file() && !is_empty(&folder)? {
        let message = format!("{} is not empty and holds no plan", folder.display());
        return Err(Error::config(message).hint("name a new folder with --to DIR"));
    }
    Ok(folder)
}

/// The store of a plan, signed with the key of its tasks; `folder` is that of the plan.
///
/// # Errors
/// The store is not there, or there is no key to sign with.
pub fn signing_store(plan: &TaskPlan, folder: &Path, root: &Path) -> Result<SharedStore> {
    let signer = match named_signer()? {
        Some(signer) => signer,
        None => read_signer(&folder.join(KEY))?,
    };
    Ok(store(plan, root)?.signing(signer, program_digest()?))
}

/// The store of a plan, believing the signers of the repository and of the plan.
///
/// # Errors
/// It is not there, or the plan names no key.
pub fn store(plan: &TaskPlan, root: &Path) -> Result<SharedStore> {
    let store = shared::open(&Location::read(&plan.store, root), root, false)?;
    let mut trust = store.trust().clone();
    for signer in &plan.signers {
        let id = SignerId::read(signer).map_err(Error::config)?;
        if trust.name(id).is_none() {
            trust.add(id, PLAN_SIGNER);
        }
    }
    Ok(store.trusting(trust))
}

/// The key of the plan, made when there is none.
fn own_signer(folder: &Path) -> Result<Signer> {
    let path = folder.join(KEY);
    if !path.exists() {
        Signer::draw()?.write(&path)?;
    }
    read_signer(&path)
}

/// Copies this program to where the tasks find it; the digest of the file.
fn copy_program(folder: &Path) -> Result<Digest> {
    let own = std::env::current_exe();
    let own = own.map_err(|e| Error::failed(format!("cannot find this program: {e}")))?;
    copy_runnable(&own, &folder.join(PROGRAM))
}

/// Copies a program, unless that is done; the digest of the file.
fn copy_runnable(own: &Path, copy: &Path) -> Result<Digest> {
    let digest = Digest::of_file(own)?.0;
    if Digest::of_file(copy).is_ok_and(|(found, _)| found == digest) {
        return Ok(digest);
    }
    // A program that runs cannot be written over, but replaced.
    files::copy(own, copy, digest)?;
    make_executable(copy)?;
    Ok(digest)
}

/// Lets a file be run.
///
/// # Errors
/// Its permissions cannot be changed.
pub fn make_executable(path: &Path) -> Result<()> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, permissions).map_err(|e| Error::io("make runnable", path, &e))
}
