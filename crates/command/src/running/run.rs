//! Runs a command in its view, and tells what it looked at.

use crate::described::packages::{self, Locked};
use crate::described::params::Params;
use crate::described::prepared::Prepared;
use crate::running::confined::{self, Confined, Place};
use crate::running::view::{self, Plan};
use crate::running::{ending, log, looks, unwatched};
use retrace::stage::io::Io;
use retrace::{Error, Result};
use sandbox::End;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Runs it, moves its outputs to where the stage's outputs go, and tells what it looked at.
///
/// # Errors
/// It did not end well, did not write what it should, used packages that are not locked, or cannot be run here.
pub fn run(command: &Prepared, io: &Io) -> Result<()> {
    let repository = io.repository()?;
    let root = &repository.root;
    let params = &command.params;
    let environment = confined::environment(params, root)?;
    let program = command.program(root)?;
    let variation = io.variation();
    let work = match variation {
        Some("order") => elsewhere()?,
        _ => io.work_folder()?,
    };
    let folder = work.path().canonicalize();
    let folder = folder.map_err(|e| Error::io("find", work.path(), &e))?;
    let place = Place::new(&folder, variation)?;
    let inputs = inputs(command, io)?;
    view::build(
        &Plan {
            root,
            made: &repository.made,
            inputs: inputs.clone(),
            outputs: command.places.outputs.values().cloned().collect(),
            backwards: variation == Some("order"),
        },
        &place.view,
    )?;
    let confined = Confined {
        params,
        arguments: &command.arguments,
        program: &program,
        environment: environment.as_deref(),
        repository,
        place: &place,
        inputs: &inputs,
        outputs: command
            .places
            .outputs
            .values()
            .map(PathBuf::as_path)
            .collect(),
        variation,
    };
    let locked = locked(params, root)?;
    if let Some(locked @ Locked::Python(_)) = &locked {
        // What does not fit should not cost the time of a run.
        hold(&confined, Some(locked), std::iter::empty(), io)?;
    }
    let started = confined.started()?;
    let mut ended = match sandbox::support() {
        Ok(()) => confined.watched(&started, io.cancel_flag())?,
        Err(why) => {
            unwatched::declared(params, root, &why, io)?;
            unwatched::simply(&started, params.longest(), io)?
        }
    };
    // Who ends all processes of a job asks this one too, which then lets nobody begin again.
    if io.cancelled() && matches!(ended.end, End::Killed(_) | End::Unseen(_)) {
        ended.end = End::Cancelled;
    }
    let printed = log::read(&place.log);
    for line in printed.lines() {
        io.log(line);
    }
    for warning in ending::judge(&confined, &ended, &printed)? {
        io.warn(warning);
    }
    looks::tell(&confined, &ended, io)?;
    let seen = &ended.seen;
    hold(
        &confined,
        locked.as_ref(),
        seen.read.iter().chain(&seen.folders),
        io,
    )?;
    collect(command, &place, io)
}

/// A folder in memory, where such a file system is: it lists files in the order in which they were made, and a
/// view makes them in another order than their names have.
fn elsewhere() -> Result<tempfile::TempDir> {
    const MEMORY: &str = "/dev/shm";
    tempfile::Builder::new().tempdir_in(MEMORY).map_err(|e| {
        let message = format!("the order of files cannot be varied here: {MEMORY}: {e}");
        Error::failed(message)
    })
}

/// The inputs of the stage: where the command sees each, and where it is.
fn inputs(command: &Prepared, io: &Io) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut inputs = Vec::new();
    for (role, of_role) in &command.places.inputs {
        for (label, file) in io.inputs(role) {
            let place = of_role.get(label);
            let place =
                place.ok_or_else(|| Error::failed(format!("input `{role}` has no place")))?;
            let file = std::path::absolute(file).map_err(|e| Error::io("find", file, &e))?;
            inputs.push((place.clone(), file));
        }
    }
    Ok(inputs)
}

/// What the lock file of packages says, if the stage names one.
fn locked(params: &Params, root: &Path) -> Result<Option<Locked>> {
    let Some(lock) = &params.packages else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(root.join(lock)).map_err(|e| {
        let message = format!("the lock file of packages, {lock}, cannot be read: {e}");
        Error::failed(message).hint("mend `packages` in pipeline.yaml")
    })?;
    let locked = packages::read(Path::new(lock), &text);
    locked.map(Some).map_err(Error::failed)
}

/// Holds installed packages to their lock, those that were used in any case.
fn hold<'p>(
    confined: &Confined,
    locked: Option<&Locked>,
    used: impl Iterator<Item = &'p PathBuf>,
    io: &Io,
) -> Result<()> {
    let folders = &confined.program.packages;
    match (locked, &confined.params.packages) {
        (Some(Locked::Python(versions)), Some(lock)) => packages::check(versions, folders, used)
            .map_err(|why| {
                let message = format!("installed packages are not those of {lock}: {why}");
                let hint = format!("install what {lock} says, or lock what is installed");
                Error::failed(message).hint(hint)
            }),
        (_, Some(lock)) => {
            io.log(format!("{lock} is in the key; no package was held to it"));
            Ok(())
        }
        (_, None) => {
            let used: Vec<String> = packages::used(folders, used).into_iter().collect();
            if !used.is_empty() {
                let shown = used[..used.len().min(4)].join(", ");
                let more = if used.len() > 4 { ", ..." } else { "" };
                io.warn(format!(
                    "packages were used that no lock file holds ({shown}{more}): name one under `packages`"
                ));
            }
            Ok(())
        }
    }
}

/// Moves the outputs to where the stage's outputs go.
fn collect(command: &Prepared, place: &Place, io: &Io) -> Result<()> {
    let outputs: BTreeSet<&Path> = command
        .places
        .outputs
        .values()
        .map(PathBuf::as_path)
        .collect();
    let left_over = view::left_over(&place.view, &outputs);
    for path in &left_over {
        io.log(format!("written, and not kept: {}", path.display()));
    }
    for (name, at) in &command.places.outputs {
        let path = place.view.join(at);
        let shown = at.display();
        let meta = match path.symlink_metadata() {
            Ok(meta) => meta,
            Err(_) => {
                let error = Error::failed(format!(
                    "the command did not write its output `{name}`, {shown}"
                ));
                let near: Vec<String> = left_over
                    .iter()
                    .take(3)
                    .map(|p| p.display().to_string())
                    .collect();
                return Err(match near.is_empty() {
                    true => error.hint(format!(
                        "let it write {{out.{name}}}; it wrote no other file"
                    )),
                    false => error.hint(format!(
                        "it wrote {}: is that meant? then say so under `places: {{{name}: ...}}`",
                        near.join(", ")
                    )),
                });
            }
        };
        let what = match (meta.is_file(), meta.is_dir(), meta.is_symlink()) {
            (true, ..) => {
                let to = io.output(name);
                move_file(&path, &to).map_err(|e| Error::io("move", &path, &e))?;
                continue;
            }
            (_, true, _) => {
                "a folder: name each file in it as an output, or let the command pack it"
            }
            (.., true) => "a link: let the command write the file itself",
            _ => "no file",
        };
        return Err(Error::failed(format!(
            "output `{name}`, {shown}, is {what}"
        )));
    }
    Ok(())
}

/// Moves a file, also to another file system.
fn move_file(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::rename(from, to) {
        Err(e) if e.kind() == std::io::ErrorKind::CrossesDevices => {
            std::fs::copy(from, to)?;
            std::fs::remove_file(from)
        }
        moved => moved,
    }
}
