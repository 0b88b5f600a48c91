//! What a command looked at, as paths of the repository.

use crate::described::prepared::PROGRAM;
use crate::described::program;
use crate::running::confined::Confined;
use retrace::stage::io::Io;
use retrace::stage::look::{Look, UNSEEN};
use retrace::{Error, Result};
use sandbox::Ended;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a command looked at that is none of its inputs or outputs and none of its packages, as paths below the
/// root; the root itself is `.`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// Files, folders, links, and what is not there.
    pub at: BTreeSet<String>,
    /// Folders whose names it knows.
    pub names: BTreeSet<String>,
}

/// Sorts out what it looked at in the repository and in its view.
///
/// # Errors
/// A name that is not UTF-8, which no key can hold.
pub fn below(command: &Confined, ended: &Ended) -> Result<Below> {
    let root = command.repository.root.as_path();
    let inputs = command.inputs.iter().map(|(place, _)| place.as_path());
    let own: BTreeSet<&Path> = inputs.chain(command.outputs.iter().copied()).collect();
    let outside: Vec<&Path> = command
        .program
        .needs
        .iter()
        .chain(&command.program.packages)
        .chain(&command.repository.made)
        .map(|path| path.as_path())
        .chain(command.environment)
        // An interpreter that is installed above the repository does not make that part of it.
        .filter(|folder| !root.starts_with(folder))
        .collect();
    let is_outside = |path: &Path| outside.iter().any(|folder| path.starts_with(folder));
    let below = |path: &PathBuf| -> Option<Result<String>> {
        let below = path.strip_prefix(&command.place.view);
        let below = below.or_else(|_| path.strip_prefix(root)).ok()?;
        let is_unseen = below
            .iter()
            .any(|name| UNSEEN.iter().any(|unseen| name == *unseen));
        if own.contains(below) || is_outside(&root.join(below)) || is_unseen {
            return None;
        }
        Some(match below.to_str() {
            Some("") => Ok(".".to_owned()),
            Some(text) => Ok(text.to_owned()),
            None => {
                let message = format!("it looked at {}, a name that is not UTF-8", below.display());
                let error = Error::failed(message);
                Err(error.hint("give the file another name: such a name enters no key"))
            }
        })
    };
    let seen = &ended.seen;
    let at = [&seen.read, &seen.folders, &seen.links, &seen.absent];
    let at = at.into_iter().flatten();
    Ok(Below {
        at: at.filter_map(below).collect::<Result<_>>()?,
        names: seen
            .listed
            .iter()
            .filter_map(below)
            .collect::<Result<_>>()?,
    })
}

/// Tells what it looked at, and the programs that it started.
///
/// # Errors
/// A name that is not UTF-8, which no key can hold.
pub fn tell(command: &Confined, ended: &Ended, io: &Io) -> Result<()> {
    let found = below(command, ended)?;
    found.at.into_iter().for_each(|path| io.saw(Look::At(path)));
    found
        .names
        .into_iter()
        .for_each(|path| io.saw(Look::Names(path)));
    // One that lies in the repository was read there.
    if !command.program.path.starts_with(&command.repository.root) || command.environment.is_some()
    {
        io.saw(Look::Outside(PROGRAM.to_owned()));
    }
    let (folders, _) = program::search_path(command.program);
    let own_program = command.program.path.canonicalize().ok();
    for path in &ended.seen.executed {
        if Some(path) == own_program.as_ref() || path.starts_with(&command.repository.root) {
            continue;
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        // One that is found by its name is the same file when the key is computed.
        let found = program::on_path(name, &folders).and_then(|found| found.canonicalize().ok());
        match found.as_ref() == Some(path) {
            true => io.saw(Look::Outside(name.to_owned())),
            false => io.log(format!("started, and not in the key: {}", path.display())),
        }
    }
    if let Some(lock) = &command.params.packages {
        io.saw(Look::At(lock.clone()));
    }
    Ok(())
}
