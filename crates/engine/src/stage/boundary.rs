//! Which folders may hold a cache or receive outputs: never a repository, what it commits, where git
//! keeps its files, or a home.
//!
//! Everything is asked of the file system, on paths that [`crate::base::location`] has resolved. Does
//! not know what a cache holds.

use crate::base::error::{Error, Place, Result};
use crate::base::location::{below, is_same, resolve};
use crate::stage::stage::OUTPUT_FOLDERS;
use std::path::{Component, Path};

/// The file that defines a pipeline; its folder is the repository's root.
pub const SPEC_FILE: &str = "pipeline.yaml";
/// The recorded expectation, beside the outputs.
pub const LOCK_FILE: &str = "pipeline.lock";
/// Beside it: what its keys were made of.
pub const KEYS_FILE: &str = "pipeline.keys";

/// Folders of a repository that people write in, beside those of outputs.
const SOURCES: [&str; 4] = ["data", "docs", "src", "tests"];
/// Folders in which tools for versions keep their own files.
const VERSIONS: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Refuses a folder that must not become a cache, whatever is in it.
///
/// # Errors
///
/// A configuration error that says why, with what to type instead.
pub fn check_cache(root: &Path, cache: &Path) -> Result<()> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let home = home.map(|home| resolve(&home).unwrap_or(home));
    let why = if below(root, cache).is_some() {
        Some("the repository is in it".to_owned())
    } else if home.is_some_and(|home| below(&home, cache).is_some()) {
        Some("your home folder is in it".to_owned())
    } else {
        why_not(root, cache)
    };
    why.map_or(Ok(()), |why| {
        let message = format!("{} cannot be the cache: {why}", cache.display());
        let hint = "leave --cache-dir away, or name a folder that is empty or does not exist yet";
        Err(Error::config(message)
            .at(&Place::whole("--cache-dir"))
            .hint(hint))
    })
}

/// Refuses a folder for outputs, other than the repository itself, whose outputs would come to lie
/// among files of a repository.
///
/// # Errors
///
/// A configuration error that says why, with what to type instead; a link that leads nowhere.
pub(crate) fn check_out(root: &Path, out: &Path, is_named: bool) -> Result<()> {
    let refused = |why: String| {
        let message = format!("{} cannot receive outputs: {why}", out.display());
        let error = Error::config(message);
        Err(match is_named {
            true => error
                .at(&Place::whole("--out"))
                .hint("leave --out away, or name a folder that is empty or does not exist yet"),
            false => error.hint("move it away, or name a folder with --out DIR"),
        })
    };
    if is_same(out, root) {
        return refused(
            "it is the repository, and only a run without --profile and --set writes there".into(),
        );
    }
    if let Some(why) = why_not(root, out) {
        return refused(why);
    }
    for folder in OUTPUT_FOLDERS {
        let given = out.join(folder);
        let lands = resolve(&given)?;
        if below(root, &lands).is_some() {
            return refused(format!("the repository would be in its `{folder}`"));
        }
        let is_elsewhere = lands != given && below(&lands, root).is_some();
        let is_committed = OUTPUT_FOLDERS
            .iter()
            .any(|committed| is_same(&lands, &root.join(committed)));
        if is_elsewhere || is_committed {
            return refused(format!("its `{folder}` leads into the repository"));
        }
    }
    for name in [LOCK_FILE, KEYS_FILE] {
        if out.join(name).is_symlink() {
            return refused(format!("its {name} is a symbolic link"));
        }
    }
    Ok(())
}

/// Refuses a folder for a package of results that lies where a repository or a cache keeps its own.
///
/// # Errors
///
/// As `check_out`'s.
pub fn check_package(root: &Path, cache: &Path, folder: &Path) -> Result<()> {
    let why = match below(folder, cache) {
        Some(_) => Some("it lies in the cache".to_owned()),
        None => why_not(root, folder),
    };
    why.map_or(Ok(()), |why| {
        let message = format!("{} cannot receive the package: {why}", folder.display());
        let hint = "name a folder that is empty or does not exist yet";
        Err(Error::config(message).at(&Place::whole("--to")).hint(hint))
    })
}

/// Why a folder is none to put files of this program in, whatever they are.
fn why_not(root: &Path, folder: &Path) -> Option<String> {
    let is_versions = |part: Component| match part {
        Component::Normal(name) => is_in(&VERSIONS, &name.to_string_lossy()),
        _ => false,
    };
    if folder.components().any(is_versions) {
        return Some("it lies among the files of git or another such tool".into());
    }
    if is_repository(folder) {
        return Some(format!("it is a repository, with a {SPEC_FILE}"));
    }
    for above in folder.ancestors().skip(1).filter(|f| is_repository(f)) {
        if let Some(name) = first_name(folder, above).filter(|name| is_in(&OUTPUT_FOLDERS, name)) {
            return Some(format!("it lies in `{name}` of {}", above.display()));
        }
    }
    let committed = OUTPUT_FOLDERS.iter().chain(&SOURCES);
    let by_itself = committed.clone().find(|name| {
        let committed = root.join(name);
        committed.is_dir() && below(folder, &committed).is_some()
    });
    // One that does not exist yet has nothing but its name.
    let by_name =
        || first_name(folder, root).filter(|name| committed.clone().any(|c| same(c, name)));
    let name = by_itself.map(|name| (*name).to_owned()).or_else(by_name)?;
    Some(format!("it lies in `{name}` of the repository"))
}

/// Whether a folder is the root of a pipeline.
pub(crate) fn is_repository(folder: &Path) -> bool {
    folder.join(SPEC_FILE).is_file()
}

/// The first name after `folder` on the way to a path.
fn first_name(path: &Path, folder: &Path) -> Option<String> {
    let first = below(path, folder)?.components().next()?;
    Some(first.as_os_str().to_string_lossy().into_owned())
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| same(known, name))
}

/// Whether a file system that folds case could take two names for one.
fn same(known: &str, name: &str) -> bool {
    known.eq_ignore_ascii_case(name)
}
