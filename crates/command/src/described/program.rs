//! Where programs are, and what they are: found by name as a shell does, known by the digest of their file.
//!
//! A `python` may be a script that looks for the interpreter that is meant (pyenv, conda): the interpreter itself
//! is asked where it is.

use retrace::{Digest, Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A program that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    /// Folders outside of the system's that it needs.
    pub needs: Vec<PathBuf>,
    /// Folders of packages, of an interpreter that has such.
    pub packages: Vec<PathBuf>,
}

/// The folders of programs that every command finds.
pub const SYSTEM: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// Finds the program that a command names. `environment` is a folder whose programs come first; a name with `/`
/// is a path below `root`.
///
/// # Errors
/// There is none: where it was looked for.
pub fn find(name: &str, root: &Path, environment: Option<&Path>) -> Result<Program> {
    let path = match name.contains('/') {
        true => {
            let path = root.join(name);
            if !path.is_file() {
                let error = Error::failed(format!("there is no program {name}"));
                return Err(error.hint("mend `run` in pipeline.yaml"));
            }
            if !is_executable(&path) {
                let error = Error::failed(format!("{name} is not executable"));
                return Err(error.hint(format!("`chmod +x {name}`, or name its interpreter first")));
            }
            path
        }
        false => {
            let own = environment.map(|folder| folder.join("bin"));
            let ambient = std::env::var_os("PATH").unwrap_or_default();
            let ambient: Vec<PathBuf> = std::env::split_paths(&ambient).collect();
            let mut folders = own.into_iter().chain(ambient);
            let found = folders.find_map(|folder| {
                let path = folder.join(name);
                (path.is_absolute() && is_executable(&path)).then_some(path)
            });
            found.ok_or_else(|| {
                let error = Error::failed(format!("there is no program `{name}` on the PATH"));
                error.hint(match environment {
                    Some(folder) => format!(
                        "install it, or make the environment {} that the stage names",
                        folder.display()
                    ),
                    None => format!(
                        "install it, or name another in `run`; `command -v {name}` must find it"
                    ),
                })
            })?
        }
    };
    match is_python(name) {
        true => python(&path),
        false => Ok(Program {
            needs: prefix(&path).into_iter().collect(),
            packages: Vec::new(),
            path,
        }),
    }
}

/// The digest of a program's file; `None` where it cannot be read.
pub fn digest(path: &Path) -> Option<Digest> {
    type Known = BTreeMap<PathBuf, (std::time::SystemTime, u64, Digest)>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let real = path.canonicalize().ok()?;
    let meta = real.metadata().ok()?;
    let (modified, size) = (meta.modified().ok()?, meta.len());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, of, digest)) = known.get(&real)
        && (*at, *of) == (modified, size)
    {
        return Some(*digest);
    }
    let (digest, _) = Digest::of_file(&real).ok()?;
    known.insert(real, (modified, size, digest));
    Some(digest)
}

/// Finds a program that a command starts by its name alone.
pub fn on_path(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let found = folders.iter().map(|folder| folder.join(name));
    found.into_iter().find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    let meta = path.metadata();
    meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn is_python(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let version = name.strip_prefix("python");
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The folder above `bin`, of a program outside of the system's folders.
fn prefix(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let folder = real.parent()?;
    let is_bin = folder.file_name().is_some_and(|name| name == "bin");
    let prefix = match is_bin {
        true => folder.parent()?.to_owned(),
        false => folder.to_owned(),
    };
    let is_system = prefix == Path::new("/") || prefix.starts_with("/usr");
    (!is_system).then_some(prefix)
}

/// What the interpreter says of itself, as JSON.
const ASK: &str = "import json, site, sys, sysconfig\n\
    paths = sysconfig.get_paths()\n\
    print(json.dumps({'executable': sys.executable, 'prefixes': [sys.prefix, sys.base_prefix, sys.exec_prefix], \
    'packages': [paths['purelib'], paths['platlib'], *site.getsitepackages()]}))\n";

#[derive(Deserialize)]
struct Answer {
    executable: PathBuf,
    prefixes: Vec<PathBuf>,
    packages: Vec<PathBuf>,
}

/// Asks once in this process.
fn python(path: &Path) -> Result<Program> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Program>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = known.get(path) {
        return Ok(program.clone());
    }
    let refused = |why: String| {
        let message = format!("{} does not say where it is: {why}", path.display());
        Error::failed(message).hint("see whether it starts: it is asked with -c 'import sys'")
    };
    let output = Command::new(path)
        .args(["-I", "-c", ASK])
        .stdin(Stdio::null())
        .current_dir("/")
        .output()
        .map_err(|e| refused(e.to_string()))?;
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        refused(format!("{} {}", output.status, said.trim()))
    })?;
    let list = |mut folders: Vec<PathBuf>| {
        folders.retain(|folder| folder != Path::new("/usr") && folder.is_absolute());
        folders.sort();
        folders.dedup();
        folders
    };
    let program = Program {
        path: answer.executable,
        needs: list(answer.prefixes),
        packages: list(answer.packages),
    };
    known.insert(path.to_owned(), program.clone());
    Ok(program)
}

/// What `PATH` is for a command: the folder of its program, then those of the system.
pub fn search_path(program: &Program) -> (Vec<PathBuf>, OsString) {
    let own = program.path.parent().map(Path::to_owned);
    let system = SYSTEM.iter().map(PathBuf::from);
    let mut folders: Vec<PathBuf> = own.into_iter().chain(system).collect();
    folders.dedup();
    let joined = std::env::join_paths(&folders).unwrap_or_default();
    (folders, joined)
}
