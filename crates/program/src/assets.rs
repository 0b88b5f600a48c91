//! Verb `assets`: the files that a figure and the report need besides tables, written into a repository.
//!
//! They are inputs like others from then on: committed, in the keys, and free to be changed. So nothing that is
//! there and differs is written over, unless that is asked for.

use clap::Args;
use retrace::base::error::{Error, Result};
use retrace_cli::{exit, terminal};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct AssetsArgs {
    /// Write below this folder
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    pub folder: PathBuf,
    /// Write over files that differ
    #[arg(long)]
    pub force: bool,
}

/// The files by their path, with what they hold.
pub const ASSETS: [(&str, &[u8]); 7] = [
    (
        "fonts/DejaVuSans.ttf",
        include_bytes!("../../../data/fonts/DejaVuSans.ttf"),
    ),
    (
        "fonts/LICENSE-DejaVu.txt",
        include_bytes!("../../../data/fonts/LICENSE-DejaVu.txt"),
    ),
    (
        "report/page.html",
        include_bytes!("../../../data/report/page.html"),
    ),
    (
        "report/page.css",
        include_bytes!("../../../data/report/page.css"),
    ),
    (
        "report/page.js",
        include_bytes!("../../../data/report/page.js"),
    ),
    (
        "report/vendor/echarts.common.min.js",
        include_bytes!("../../../data/report/vendor/echarts.common.min.js"),
    ),
    (
        "report/vendor/LICENSE-ECharts.txt",
        include_bytes!("../../../data/report/vendor/LICENSE-ECharts.txt"),
    ),
];

/// Writes what is not there and prints each path.
///
/// # Errors
/// Files that differ, all of them named and nothing written; a folder that cannot be written.
pub fn assets(args: &AssetsArgs) -> Result<u8> {
    let written = write(&args.folder, args.force)?;
    for path in &written {
        terminal::print(&format!("{}\n", path.display()));
    }
    if written.is_empty() {
        terminal::note(&format!("{} has them all", args.folder.display()));
    }
    Ok(exit::OK)
}

/// Writes what is not there below a folder; the paths that were written.
///
/// # Errors
/// As [`assets`].
pub fn write(folder: &Path, force: bool) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    let mut differ = Vec::new();
    for (name, bytes) in ASSETS {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(found) if found == bytes => {}
            Ok(_) if !force => differ.push(path.display().to_string()),
            Ok(_) => missing.push((path, bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => missing.push((path, bytes)),
            Err(e) => return Err(Error::io("read", &path, &e)),
        }
    }
    if !differ.is_empty() {
        let message = format!("these are other files than ours: {}", differ.join(", "));
        return Err(
            Error::config(message).hint("`--force` writes over them, `--folder` beside them")
        );
    }
    for (path, bytes) in &missing {
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|e| Error::io("make", parent, &e))?;
        std::fs::write(path, bytes).map_err(|e| Error::io("write", path, &e))?;
    }
    Ok(missing.into_iter().map(|(path, _)| path).collect())
}
