//! Runs steps one after the other in one view of the repository, and says what they did.

use crate::adopt::order::covers;
use crate::adopt::step::Step;
use command::trial::{Attempt, Observed, Trial};
use retrace::stage::io::Repository;
use retrace::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A step that ran, and what it did.
#[derive(Clone, Debug)]
pub struct Ran {
    pub step: Step,
    pub observed: Observed,
}

/// Folders of packages that are looked for, and lock files of packages, the strictest first.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];
const LOCKS: [&str; 7] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "requirements.lock",
    "requirements.txt",
    "renv.lock",
    "Manifest.toml",
];

/// What the steps have around them.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The folder of packages of the repository.
    pub environment: Option<String>,
    /// Lock files that are there.
    pub locks: Vec<String>,
    /// Variables that somebody gives them.
    pub variables: BTreeMap<String, String>,
}

/// Looks what is there, and adds these variables.
pub fn around(root: &Path, variables: BTreeMap<String, String>) -> Around {
    let is_environment = |name: &&&str| root.join(name).join("pyvenv.cfg").is_file();
    let is_file = |name: &&&str| root.join(name).is_file();
    Around {
        variables,
        environment: ENVIRONMENTS
            .iter()
            .find(is_environment)
            .map(|name| (*name).to_owned()),
        locks: LOCKS
            .iter()
            .filter(is_file)
            .map(|name| (*name).to_owned())
            .collect(),
    }
}

/// Runs them all. `hear` is told which begins.
///
/// # Errors
/// One of them fails: which, and the last that it printed. A file that it is said to read is not there, or one
/// that it is said to write was not written.
pub fn run(
    repository: Repository,
    around: &Around,
    steps: Vec<Step>,
    cancelled: &AtomicBool,
    hear: &mut dyn FnMut(&Step),
) -> Result<Vec<Ran>> {
    let root = repository.root.clone();
    let writes: BTreeSet<PathBuf> = steps
        .iter()
        .flat_map(|step| step.writes.iter().flatten())
        .cloned()
        .collect();
    check_there(&root, &steps, &writes)?;
    let mut trial = Trial::new(repository, writes.into_iter().collect())?;
    let mut ran = Vec::new();
    for step in steps {
        hear(&step);
        let attempt = Attempt {
            run: step.run.clone(),
            folder: step.folder.clone(),
            // Shells and the like have no packages.
            environment: around.environment.clone(),
            variables: around.variables.clone(),
        };
        let observed = trial
            .run(&attempt, &around.locks, cancelled)
            .map_err(|e| Error {
                message: match e.kind {
                    ErrorKind::Interrupted => e.message,
                    _ => format!("{}: step `{}`: {}", step.place, step.name, e.message),
                },
                hint: e.hint.or_else(|| {
                    Some(
                        "nothing was written; mend the step and adopt again, or leave it out"
                            .into(),
                    )
                }),
                ..e
            })?;
        for path in step.writes.iter().flatten() {
            if !observed.written.iter().any(|written| covers(path, written)) {
                let shown = path.display();
                let message = format!(
                    "{}: step `{}` did not write {shown}, as is said of it",
                    step.place, step.name
                );
                let error = Error::failed(message);
                return Err(error.hint("mend what is said of it, and adopt again"));
            }
        }
        ran.push(Ran { step, observed });
    }
    Ok(ran)
}

/// Files that steps are said to read and that nothing writes must be there.
fn check_there(root: &Path, steps: &[Step], writes: &BTreeSet<PathBuf>) -> Result<()> {
    for step in steps {
        for path in step.reads.iter().flatten() {
            let is_made = writes
                .iter()
                .any(|written| covers(written, path) || covers(path, written));
            if is_made || root.join(path).exists() {
                continue;
            }
            let shown = path.display();
            let error = Error::failed(format!(
                "{}: step `{}` is said to read {shown}, which is not there",
                step.place, step.name
            ));
            let tracked = format!("{shown}.dvc");
            return Err(match root.join(&tracked).is_file() {
                true => error.hint(format!("`dvc pull {tracked}` fetches it")),
                false => error.hint("put it there, or take it off the list"),
            });
        }
    }
    Ok(())
}
