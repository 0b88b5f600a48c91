//! A command as it is started: confined, with the variables that every command has.
//!
//! Knows where a command runs and what it may do there; not what its outputs are, and no stage.

use crate::described::params::{Params, checked};
use crate::described::program::{self, Program};
use crate::described::surroundings;
use retrace::stage::io::Repository;
use retrace::stage::look::UNSEEN;
use retrace::{Error, Result};
use sandbox::{Bounds, Ended};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A command and what stands around it.
pub struct Confined<'a> {
    pub params: &'a Params,
    /// The program and its arguments, with paths in place of names.
    pub arguments: &'a [String],
    pub program: &'a Program,
    /// The folder of its packages, if it names one.
    pub environment: Option<&'a Path>,
    pub repository: &'a Repository,
    pub place: &'a Place,
    /// Paths below the root at which inputs stand, with where they are.
    pub inputs: &'a [(PathBuf, PathBuf)],
    /// Paths below the root that are its to write.
    pub outputs: Vec<&'a Path>,
    /// Under which circumstances other than the usual.
    pub variation: Option<&'a str>,
}

/// Where a command runs.
pub struct Place {
    pub view: PathBuf,
    pub home: PathBuf,
    pub temporary: PathBuf,
    pub log: PathBuf,
}

impl Place {
    /// Makes its folders below an empty one.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn new(work: &Path, variation: Option<&str>) -> Result<Place> {
        // Under other circumstances all paths are others, also in their lengths.
        let base = match variation {
            Some("path") => work.join("another-folder-with-a-longer-name"),
            _ => work.to_owned(),
        };
        let place = Place {
            view: base.join("view"),
            home: base.join("home"),
            temporary: base.join("tmp"),
            log: work.join("log"),
        };
        for folder in [&place.view, &place.home, &place.temporary] {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("make", folder, &e))?;
        }
        Ok(place)
    }
}

/// The folder that a stage names as its environment.
///
/// # Errors
/// It is not there.
pub fn environment(params: &Params, root: &Path) -> Result<Option<PathBuf>> {
    let Some(name) = &params.environment else {
        return Ok(None);
    };
    let folder = root.join(name);
    if !folder.is_dir() {
        let message = format!("the environment {name} is not there");
        return Err(
            Error::failed(message).hint("make it as the project says, or mend `environment`")
        );
    }
    Ok(Some(folder))
}

impl Confined<'_> {
    /// What is started.
    ///
    /// # Errors
    /// The folder in which it is to run is not there.
    pub fn started(&self) -> Result<sandbox::Command> {
        let started = sandbox::Command {
            program: self.program.path.clone(),
            arguments: self.arguments.iter().skip(1).map(OsString::from).collect(),
            environment: self.variables(),
            folder: self.place.view.join(&self.params.folder),
            log: self.place.log.clone(),
        };
        if !started.folder.is_dir() {
            let message = format!("the folder {} is not there", self.params.folder);
            return Err(Error::failed(message).hint("mend `folder` in pipeline.yaml"));
        }
        Ok(started)
    }

    fn variables(&self) -> BTreeMap<OsString, OsString> {
        let mut variables = surroundings::variables(self.params);
        if let Some(variation) = self.variation {
            surroundings::vary(&mut variables, variation, self.params);
        }
        let mut all: BTreeMap<OsString, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let (_, path) = program::search_path(self.program);
        all.insert("PATH".into(), path);
        all.insert("HOME".into(), self.place.home.clone().into());
        all.insert("TMPDIR".into(), self.place.temporary.clone().into());
        all
    }

    /// Runs it and watches it.
    ///
    /// # Errors
    /// It cannot be started, or not be watched to its end.
    pub fn watched(&self, started: &sandbox::Command, cancelled: &AtomicBool) -> Result<Ended> {
        let [memory, file_size] = checked(self.params.limits())?;
        let readable = self.params.readable.iter().map(PathBuf::from);
        let readable: Vec<PathBuf> = readable.chain(self.program.needs.iter().cloned()).collect();
        if let Some(folder) = readable.iter().find(|folder| !folder.is_absolute()) {
            let message = format!("readable: {} is no absolute path", folder.display());
            return Err(Error::failed(message));
        }
        if let Some(folder) = readable.iter().find(|folder| !folder.exists()) {
            let message = format!("readable: {} is not there", folder.display());
            return Err(Error::failed(message).hint("mend `readable` in pipeline.yaml"));
        }
        // Packages are told of too, so that they can be held to their lock.
        let mut watched = vec![self.repository.root.clone(), self.place.view.clone()];
        watched.extend(
            self.program
                .packages
                .iter()
                .filter(|folder| folder.is_dir())
                .cloned(),
        );
        let bounds = Bounds {
            watched,
            hidden: self
                .repository
                .made
                .iter()
                .filter(|path| path.exists())
                .cloned()
                .collect(),
            hidden_names: UNSEEN.iter().map(OsString::from).collect(),
            shown: self.inputs.iter().map(|(_, file)| file.clone()).collect(),
            readable,
            writable: vec![
                self.place.view.clone(),
                self.place.home.clone(),
                self.place.temporary.clone(),
            ],
            devices: self.params.gpu,
            network: false,
            memory,
            file_size,
            processes: Some(self.params.processes),
            timeout: self.params.longest(),
        };
        let ended = sandbox::run(started, &bounds, cancelled);
        ended.map_err(|e| Error::failed(format!("the command cannot be run: {e}")))
    }
}
