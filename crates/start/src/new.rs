//! Verb `new`: a small pipeline that works, to be changed piece by piece into one's own.
//!
//! Its files stand in `template/` of this crate; what figures and pages need besides, the program brings.

use clap::Args;
use retrace::{Error, Result};
use retrace_cli::{exit, terminal};
use std::path::{Path, PathBuf};

/// Where it is made.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// A folder that is not there, or empty
    pub folder: PathBuf,
}

/// A file: its path below the folder, and its content.
pub type File<'a> = (&'a str, &'a [u8]);

/// The files of the new pipeline.
pub const FILES: [File<'static>; 8] = [
    ("pipeline.yaml", include_bytes!("../template/pipeline.yaml")),
    (
        "src/measure.py",
        include_bytes!("../template/src/measure.py"),
    ),
    (
        "src/estimates.py",
        include_bytes!("../template/src/estimates.py"),
    ),
    (
        "src/summarise.py",
        include_bytes!("../template/src/summarise.py"),
    ),
    (
        "tests/test_estimates.py",
        include_bytes!("../template/tests/test_estimates.py"),
    ),
    (".gitignore", include_bytes!("../template/gitignore")),
    ("README.md", include_bytes!("../template/README.md")),
    (
        ".github/workflows/pipeline.yml",
        include_bytes!("../template/workflow.yml"),
    ),
];

/// Makes the folder, with `assets` below its `data/`.
///
/// # Errors
/// There is something in the folder, or it cannot be written.
pub fn new(args: &NewArgs, assets: &[File], program: &str) -> Result<u8> {
    let folder = &args.folder;
    check_empty(folder)?;
    let absolute = std::path::absolute(folder).map_err(|e| Error::io("find", folder, &e))?;
    // Made beside it, or within an empty folder, and moved from there.
    let base = match absolute.is_dir() {
        true => absolute.as_path(),
        false => absolute.parent().unwrap_or(Path::new("/")),
    };
    std::fs::create_dir_all(base).map_err(|e| Error::io("make", base, &e))?;
    let made = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(base)
        .map_err(|e| Error::io("make a folder in", base, &e))?;
    let at_data: Vec<(String, &[u8])> = assets
        .iter()
        .map(|(path, bytes)| (format!("data/{path}"), *bytes))
        .collect();
    let at_data = at_data.iter().map(|(path, bytes)| (path.as_str(), *bytes));
    for (path, bytes) in FILES.into_iter().chain(at_data) {
        let path = made.path().join("all").join(path);
        let above = path.parent().unwrap_or(base);
        std::fs::create_dir_all(above).map_err(|e| Error::io("make", above, &e))?;
        std::fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))?;
    }
    let all = made.path().join("all");
    match absolute.is_dir() {
        false => rename(&all, &absolute)?,
        true => {
            let entries = std::fs::read_dir(&all).map_err(|e| Error::io("list", &all, &e))?;
            for entry in entries.flatten() {
                rename(&entry.path(), &absolute.join(entry.file_name()))?;
            }
        }
    }
    let shown = folder.display();
    terminal::print(&format!("{shown} has a pipeline that works\n"));
    terminal::note(&format!(
        "next: `cd {shown}` and `{program} run`, then `{program} claims`"
    ));
    Ok(exit::OK)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|e| Error::io("make", to, &e))
}

/// Refuses a folder that has something in it.
fn check_empty(folder: &Path) -> Result<()> {
    const SHOWN: usize = 4;
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
            let error = Error::config(format!("{} is a file", folder.display()));
            return Err(error.hint("name a folder that is not there"));
        }
        Err(e) => return Err(Error::io("list", folder, &e)),
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() {
        return Ok(());
    }
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(SHOWN);
    let message = format!(
        "{} is not empty: it has {}{more}",
        folder.display(),
        names.join(", ")
    );
    Err(Error::config(message).hint(
        "name another folder; for programs that are there, `{program} adopt` writes a pipeline",
    ))
}
