//! Runs a command in its view, and tells what it looked at.

use crate::kind::{PROGRAM, Prepared};
use crate::packages::{self, Locked};
use crate::params::checked;
use crate::program::{self, Program};
use crate::view::{self, Plan};
use crate::{log, surroundings};
use retrace::stage::io::{Io, Repository};
use retrace::stage::look::{Look, UNSEEN};
use retrace::{Error, Result};
use sandbox::{Bounds, End, Ended, Refused};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs it, moves its outputs to where the stage's outputs go, and tells what it looked at.
///
/// # Errors
/// It did not end well, did not write what it should, used packages that are not locked, or cannot be run here.
pub fn run(command: &Prepared, io: &Io) -> Result<()> {
    let repository = io.repository()?;
    let root = &repository.root;
    let environment = command.environment(root);
    if environment.as_ref().is_some_and(|folder| !folder.is_dir()) {
        let name = command.params.environment.as_deref().unwrap_or_default();
        let message = format!("the environment {name} is not there");
        return Err(
            Error::failed(message).hint("make it as the project says, or mend `environment`")
        );
    }
    let program = command.program(root)?;
    let work = match io.variation() {
        Some("order") => elsewhere()?,
        _ => io.work_folder()?,
    };
    let folder = work.path().canonicalize();
    let place = Place::new(&folder.map_err(|e| Error::io("find", work.path(), &e))?, io)?;
    let inputs = inputs(command, io)?;
    view::build(
        &Plan {
            root,
            made: &repository.made,
            inputs: inputs.clone(),
            outputs: command.places.outputs.values().cloned().collect(),
            backwards: io.variation() == Some("order"),
        },
        &place.view,
    )?;
    let started = sandbox::Command {
        program: program.path.clone(),
        arguments: command.arguments[1..].iter().map(OsString::from).collect(),
        environment: variables(command, &program, &place, io),
        folder: place.view.join(&command.params.folder),
        log: place.log.clone(),
    };
    if !started.folder.is_dir() {
        let message = format!("the folder {} is not there", command.params.folder);
        return Err(Error::failed(message).hint("mend `folder` in pipeline.yaml"));
    }
    let ended = match sandbox::support() {
        Ok(()) => watched(
            command,
            &started,
            &place,
            (repository, &program, &inputs),
            io,
        )?,
        Err(why) => {
            unwatched(command, root, &why, io)?;
            simply(&started, command.params.longest(), io)?
        }
    };
    let printed = log::read(&place.log);
    for line in printed.lines() {
        io.log(line);
    }
    judge(&ended, &printed, command, &place, io)?;
    told(
        &ended,
        command,
        &place,
        (repository, &program, &inputs, environment.as_deref()),
        io,
    )?;
    packages_fit(&ended, command, (root, &program), io)?;
    collect(command, &place, io)
}

/// Where a command runs.
struct Place {
    view: PathBuf,
    home: PathBuf,
    temporary: PathBuf,
    log: PathBuf,
}

impl Place {
    fn new(work: &Path, io: &Io) -> Result<Place> {
        // Under other circumstances all paths are others, also in their lengths.
        let base = match io.variation() {
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

fn variables(
    command: &Prepared,
    program: &Program,
    place: &Place,
    io: &Io,
) -> BTreeMap<OsString, OsString> {
    let mut variables = surroundings::variables(&command.params);
    if let Some(variation) = io.variation() {
        surroundings::vary(&mut variables, variation, &command.params);
    }
    let mut all: BTreeMap<OsString, OsString> = variables
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let (_, path) = program::search_path(program);
    all.insert("PATH".into(), path);
    all.insert("HOME".into(), place.home.clone().into());
    all.insert("TMPDIR".into(), place.temporary.clone().into());
    all
}

type World<'a> = (&'a Repository, &'a Program, &'a [(PathBuf, PathBuf)]);

fn watched(
    command: &Prepared,
    started: &sandbox::Command,
    place: &Place,
    (repository, program, inputs): World,
    io: &Io,
) -> Result<Ended> {
    let [memory, file_size] = checked(command.params.limits())?;
    let readable = command.params.readable.iter().map(PathBuf::from);
    let readable: Vec<PathBuf> = readable.chain(program.needs.iter().cloned()).collect();
    if let Some(folder) = readable.iter().find(|folder| !folder.is_absolute()) {
        let message = format!("readable: {} is no absolute path", folder.display());
        return Err(Error::failed(message));
    }
    if let Some(folder) = readable.iter().find(|folder| !folder.exists()) {
        let message = format!("readable: {} is not there", folder.display());
        return Err(Error::failed(message).hint("mend `readable` in pipeline.yaml"));
    }
    // Packages are told of too, so that they can be held to their lock.
    let mut watched = vec![repository.root.clone(), place.view.clone()];
    watched.extend(
        program
            .packages
            .iter()
            .filter(|folder| folder.is_dir())
            .cloned(),
    );
    let bounds = Bounds {
        watched,
        hidden: repository
            .made
            .iter()
            .filter(|path| path.exists())
            .cloned()
            .collect(),
        hidden_names: UNSEEN.iter().map(OsString::from).collect(),
        shown: inputs.iter().map(|(_, file)| file.clone()).collect(),
        readable,
        writable: vec![
            place.view.clone(),
            place.home.clone(),
            place.temporary.clone(),
        ],
        devices: command.params.gpu,
        network: false,
        memory,
        file_size,
        processes: Some(command.params.processes),
        timeout: command.params.longest(),
    };
    let ended = sandbox::run(started, &bounds, io.cancel_flag());
    ended.map_err(|e| Error::failed(format!("the command cannot be run: {e}")))
}

/// Without watching, what a command reads must be declared.
fn unwatched(command: &Prepared, root: &Path, why: &str, io: &Io) -> Result<()> {
    let Some(reads) = &command.params.reads else {
        let message = format!("what a command reads cannot be watched here: {why}");
        return Err(Error::failed(message)
            .hint("name all files that it reads under `reads`, as [src/*.py, data/x.csv]"));
    };
    io.warn(format!("nothing was watched, `reads` is trusted: {why}"));
    for pattern in reads {
        let full = root.join(pattern);
        let found = glob::glob(&full.to_string_lossy())
            .map_err(|e| Error::failed(format!("reads: `{pattern}` is no glob: {e}")))?;
        let mut is_any = false;
        for path in found.flatten().filter(|path| path.is_file()) {
            if let Ok(below) = path.strip_prefix(root) {
                io.saw(Look::At(below.to_string_lossy().into_owned()));
                is_any = true;
            }
        }
        if !is_any {
            return Err(Error::failed(format!("reads: `{pattern}` matches no file")));
        }
    }
    Ok(())
}

/// Runs it as anybody would.
fn simply(started: &sandbox::Command, longest: Option<Duration>, io: &Io) -> Result<Ended> {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    /// How often it is looked whether it is to end.
    const LOOK: Duration = Duration::from_millis(20);
    let open =
        || std::fs::File::create(&started.log).map_err(|e| Error::io("write", &started.log, &e));
    let log = open()?;
    let beside = log
        .try_clone()
        .map_err(|e| Error::io("write", &started.log, &e))?;
    let mut child = std::process::Command::new(&started.program)
        .args(&started.arguments)
        .env_clear()
        .envs(&started.environment)
        .current_dir(&started.folder)
        .stdin(std::process::Stdio::null())
        .stdout(log)
        .stderr(beside)
        .process_group(0)
        .spawn()
        .map_err(|e| Error::io("start", &started.program, &e))?;
    let start = std::time::Instant::now();
    let end = loop {
        match child
            .try_wait()
            .map_err(|e| Error::io("wait for", &started.program, &e))?
        {
            Some(status) => {
                break match (status.code(), status.signal()) {
                    (Some(code), _) => End::Exited(code),
                    (None, signal) => End::Killed(signal.unwrap_or_default()),
                };
            }
            None if io.cancelled() => {
                let _ = child.kill();
                break End::Cancelled;
            }
            None if longest.is_some_and(|longest| start.elapsed() > longest) => {
                let _ = child.kill();
                break End::TimedOut;
            }
            None => std::thread::sleep(LOOK),
        }
    };
    let _ = child.wait();
    Ok(Ended {
        end,
        seen: sandbox::Seen::default(),
        left_behind: Vec::new(),
        memory: 0,
    })
}

/// Whether it ended well.
fn judge(ended: &Ended, printed: &str, command: &Prepared, place: &Place, io: &Io) -> Result<()> {
    let name = command.arguments.first().map_or("", String::as_str);
    let message = match ended.end {
        End::Exited(0) => None,
        End::Cancelled => return Err(io.interrupted()),
        End::Exited(code) => Some(format!("`{name}` ended with exit code {code}")),
        End::Killed(signal) => Some(format!(
            "`{name}` was ended by signal {signal}{}",
            of_signal(signal)
        )),
        End::TimedOut => Some(format!(
            "`{name}` ran longer than its timeout of {} s",
            command.params.timeout.unwrap_or_default()
        )),
    };
    let refused = refused(ended, place);
    if let Some(message) = message {
        let refused = match refused.is_empty() {
            true => String::new(),
            false => format!("; {refused}"),
        };
        let looked = looked_for(ended, io.repository()?);
        let error = Error::failed(format!("{message}{refused}{}", log::last_lines(printed)));
        return Err(match looked {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }
    if !refused.is_empty() {
        io.warn(format!("the command went on although {refused}"));
    }
    if !ended.left_behind.is_empty() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &ended.left_behind {
            *counts.entry(name).or_default() += 1;
        }
        let words = counts.iter().map(|(name, count)| match count {
            1 => (*name).to_owned(),
            count => format!("{count} of {name}"),
        });
        io.warn(format!(
            "the command left processes behind, which were ended: {}",
            words.collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(())
}

fn of_signal(signal: i32) -> &'static str {
    match signal {
        9 => " (killed: by somebody, or for lack of memory)",
        11 => " (a fault of the program)",
        15 => " (somebody ended it)",
        25 => " (a file larger than `file_size`)",
        31 => " (a program for another architecture, or a call that cannot be watched)",
        _ => "",
    }
}

/// What it was not let do, in words.
fn refused(ended: &Ended, place: &Place) -> String {
    /// More are counted.
    const SHOWN: usize = 4;
    let path = |path: &Path| match path.strip_prefix(&place.view) {
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    };
    let words: Vec<String> = ended
        .seen
        .refused
        .iter()
        .map(|refused| match refused {
            Refused::Read(file) => format!("it may not read {}", path(file)),
            Refused::Write(file) => format!("it may not write {}", path(file)),
            Refused::Network(family) => format!("it may not use the network ({family})"),
            Refused::Other(what) => format!("it may not {what}"),
        })
        .collect();
    let more = match words.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more of the kind"),
    };
    let shown: Vec<&str> = words.iter().take(SHOWN).map(String::as_str).collect();
    format!("{}{more}", shown.join(", "))
}

/// What it looked for among what stages make, if it did.
fn looked_for(ended: &Ended, repository: &Repository) -> Option<String> {
    let is_made = |path: &&PathBuf| repository.made.iter().any(|made| path.starts_with(made));
    let path = ended.seen.hidden.iter().find(is_made)?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(format!(
        "it looked for {name} among what runs make; if a stage makes that, name it under `inputs`"
    ))
}

/// Tells what it looked at, as paths below the root.
fn told(
    ended: &Ended,
    command: &Prepared,
    place: &Place,
    (repository, program, inputs, environment): (
        &Repository,
        &Program,
        &[(PathBuf, PathBuf)],
        Option<&Path>,
    ),
    io: &Io,
) -> Result<()> {
    let root = &repository.root;
    let own: BTreeSet<&Path> = inputs
        .iter()
        .map(|(place, _)| place.as_path())
        .chain(command.places.outputs.values().map(PathBuf::as_path))
        .collect();
    let outside: Vec<&Path> = program
        .needs
        .iter()
        .chain(&program.packages)
        .chain(&repository.made)
        .map(PathBuf::as_path)
        .chain(environment)
        // An interpreter that is installed above the repository does not make that part of it.
        .filter(|folder| !root.starts_with(folder))
        .collect();
    let below = |path: &Path| -> Option<PathBuf> {
        let below = path.strip_prefix(&place.view);
        let below = below.or_else(|_| path.strip_prefix(root)).ok()?;
        let is_own = own.iter().any(|own| below == *own);
        let at = root.join(below);
        let is_outside = outside.iter().any(|folder| at.starts_with(folder));
        let is_unseen = below
            .iter()
            .any(|name| UNSEEN.iter().any(|unseen| name == *unseen));
        if is_own || is_outside || is_unseen {
            return None;
        }
        Some(match below.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => below.to_owned(),
        })
    };
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| {
            let message = format!("it looked at {}, a name that is not UTF-8", path.display());
            Error::failed(message).hint("give the file another name: such a name enters no key")
        })
    };
    let seen = &ended.seen;
    let at = seen
        .read
        .iter()
        .chain(&seen.folders)
        .chain(&seen.links)
        .chain(&seen.absent);
    for path in at.filter_map(|path| below(path)) {
        io.saw(Look::At(text(&path)?));
    }
    for path in seen.listed.iter().filter_map(|path| below(path)) {
        io.saw(Look::Names(text(&path)?));
    }
    // One that lies in the repository was read there.
    if !program.path.starts_with(root) || environment.is_some() {
        io.saw(Look::Outside(PROGRAM.to_owned()));
    }
    let (folders, _) = program::search_path(program);
    let own_program = program.path.canonicalize().ok();
    for path in &seen.executed {
        if Some(path) == own_program.as_ref() || path.starts_with(root) {
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

/// Holds the packages that were used to their lock.
fn packages_fit(
    ended: &Ended,
    command: &Prepared,
    (root, program): (&Path, &Program),
    io: &Io,
) -> Result<()> {
    let seen = &ended.seen;
    let used = || seen.read.iter().chain(&seen.folders);
    let Some(lock) = &command.params.packages else {
        let used: Vec<String> = packages::used(&program.packages, used())
            .into_iter()
            .collect();
        if !used.is_empty() {
            let shown = used[..used.len().min(4)].join(", ");
            io.warn(format!(
                "packages were used that no lock file holds ({shown}{}): name one under `packages`",
                if used.len() > 4 { ", ..." } else { "" }
            ));
        }
        return Ok(());
    };
    let path = root.join(lock);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        let error = Error::failed(format!(
            "the lock file of packages, {lock}, cannot be read: {e}"
        ));
        error.hint("mend `packages` in pipeline.yaml")
    })?;
    match packages::read(Path::new(lock), &text).map_err(Error::failed)? {
        Locked::Other => {
            io.log(format!(
                "{lock} is in the key; installed packages were not held to it"
            ));
            Ok(())
        }
        Locked::Python(versions) => {
            let fits = packages::check(&versions, &program.packages, used());
            fits.map_err(|why| {
                let error =
                    Error::failed(format!("installed packages are not those of {lock}: {why}"));
                error.hint(format!(
                    "install what {lock} says, or lock what is installed"
                ))
            })
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
