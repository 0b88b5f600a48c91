//! Packages held to the file that locks their versions.
//!
//! Read are the versions that a lock file for Python names, and those that are installed (their folders
//! `NAME-VERSION.dist-info`). A package that the command used must be named, and one that is named must have that
//! version where it is installed; one that is not installed may be for another system. Not checked: the contents
//! of packages, and lock files of other languages, which enter the key by their content alone.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Versions by normalised name. A lock file for several systems and interpreters may name several of one
/// package: any of them will do.
pub type Versions = BTreeMap<String, BTreeSet<String>>;

/// What a lock file says.
pub enum Locked {
    /// It is one of Python's.
    Python(Versions),
    /// Nothing that is read here.
    Other,
}

/// Reads a lock file by its name.
///
/// # Errors
/// It is not what its name says, or locks nothing.
pub fn read(path: &Path, text: &str) -> Result<Locked, String> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let shown = path.display();
    match name.as_str() {
        "uv.lock" | "poetry.lock" | "pdm.lock" => uv(text).map_err(|why| format!("{shown}: {why}")),
        "renv.lock" | "Manifest.toml" | "conda-lock.yml" | "pixi.lock" => Ok(Locked::Other),
        _ if name.ends_with(".txt") || name.ends_with(".lock") || name.ends_with(".in") => {
            requirements(text).map_err(|why| format!("{shown}: {why}"))
        }
        _ => Err(format!(
            "{shown} is no lock file that is known: requirements.txt with ==, uv.lock, poetry.lock, conda-lock.yml, renv.lock or Manifest.toml"
        )),
    }
}

#[derive(Deserialize)]
struct UvLock {
    package: Vec<UvPackage>,
}

#[derive(Deserialize)]
struct UvPackage {
    name: String,
    version: Option<String>,
}

fn uv(text: &str) -> Result<Locked, String> {
    let lock: UvLock = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let mut versions = Versions::new();
    for package in lock.package {
        let of_name = versions.entry(normal(&package.name)).or_default();
        of_name.extend(package.version);
    }
    // One's own package has no version there.
    versions.retain(|_, of_name| !of_name.is_empty());
    Ok(Locked::Python(versions))
}

/// Lines `NAME==VERSION`, with extras, markers, hashes, comments.
fn requirements(text: &str) -> Result<Locked, String> {
    let mut versions = Versions::new();
    let joined = text.replace("\\\n", " ");
    for (number, line) in joined.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with('-') {
            continue;
        }
        let requirement = line.split([';', ' ']).next().unwrap_or_default();
        let Some((name, version)) = requirement.split_once("==") else {
            return Err(format!(
                "line {} locks no version: `{line}` (write NAME==VERSION)",
                number + 1
            ));
        };
        let name = name.split('[').next().unwrap_or_default();
        let of_name = versions.entry(normal(name)).or_default();
        of_name.insert(version.trim_matches('=').to_owned());
    }
    match versions.is_empty() {
        true => Err("it locks no package".into()),
        false => Ok(Locked::Python(versions)),
    }
}

/// The packages in folders of packages: normalised name to version and top-level names.
pub fn installed(folders: &[PathBuf]) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut found = BTreeMap::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let file = entry.file_name().to_string_lossy().into_owned();
            let Some((name, version)) = file
                .strip_suffix(".dist-info")
                .and_then(|stem| stem.split_once('-'))
            else {
                continue;
            };
            let record = std::fs::read_to_string(entry.path().join("RECORD")).unwrap_or_default();
            let tops = record.lines().filter_map(|line| {
                let path = line.split(',').next()?.trim_matches('"');
                let top = path.split('/').next()?;
                let is_module = !top.starts_with("..") && !top.ends_with(".dist-info");
                is_module.then(|| top.to_owned())
            });
            let own = (version.to_owned(), tops.collect());
            found.entry(normal(name)).or_insert(own);
        }
    }
    found
}

/// Holds the packages that were used to those that are locked; `used` are paths.
///
/// # Errors
/// What does not fit, in words.
pub fn check<'a>(
    locked: &Versions,
    folders: &[PathBuf],
    used: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), String> {
    let installed = installed(folders);
    let tops = self::used(folders, used);
    let mut wrong = Vec::new();
    for (name, (version, modules)) in &installed {
        let is_used = !modules.is_disjoint(&tops);
        match locked.get(name) {
            Some(expected) if !expected.iter().any(|one| is_same(one, version)) => {
                let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
                let expected = expected.join(" or ");
                wrong.push(format!("{name} is {version}, and {expected} is locked"));
            }
            None if is_used => wrong.push(format!("{name} {version} is used, and not locked")),
            _ => {}
        }
    }
    match wrong.len() {
        0 => Ok(()),
        count => {
            let shown: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
            let more = match count.saturating_sub(5) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            Err(format!("{}{more}", shown.join("; ")))
        }
    }
}

/// The packages, by their top-level names, of which something was used.
pub fn used<'a>(folders: &[PathBuf], paths: impl Iterator<Item = &'a PathBuf>) -> BTreeSet<String> {
    let tops = paths.filter_map(|path| top(path, folders));
    tops.filter(|top| !BESIDE.contains(&top.as_str())).collect()
}

/// What stands beside packages and is looked at by every start of the interpreter.
const BESIDE: [&str; 2] = ["_distutils_hack", "sitecustomize.py"];

/// The first name below a folder of packages; nothing of what only describes packages.
fn top(path: &Path, folders: &[PathBuf]) -> Option<String> {
    let below = folders
        .iter()
        .find_map(|folder| path.strip_prefix(folder).ok())?;
    let first = below
        .components()
        .next()?
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    let describes = [".dist-info", ".pth", ".egg-info", ".egg-link"];
    let is_module = !describes.iter().any(|end| first.ends_with(end));
    is_module.then_some(first)
}

/// Versions without what a build adds (`2.1.0+cpu`) where the lock does not say it.
fn is_same(locked: &str, installed: &str) -> bool {
    let public = |version: &str| version.split('+').next().unwrap_or_default().to_owned();
    locked == installed || (!locked.contains('+') && locked == public(installed))
}

/// As PEP 503 has it.
fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(name: &str, text: &str) -> Versions {
        match read(Path::new(name), text).unwrap() {
            Locked::Python(versions) => versions,
            Locked::Other => panic!("{name}"),
        }
    }

    fn named(of: &[(&str, &str)]) -> Versions {
        let mut versions = Versions::new();
        for (name, version) in of {
            let of_name = versions.entry((*name).to_owned()).or_default();
            of_name.insert((*version).to_owned());
        }
        versions
    }

    #[test]
    fn lock_files_are_read() {
        let text = "# made by a tool\nnumpy==1.26.4 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nPy_Yaml[x]==6.0 ; python_version < '4'\n-r other.txt\n";
        let expected = [("numpy", "1.26.4"), ("py-yaml", "6.0")];
        assert_eq!(versions("requirements.lock", text), named(&expected));
        let both = "numpy==2.4 ; python_version < '3.12'\nnumpy==2.5 ; python_version >= '3.12'\n";
        let expected = named(&[("numpy", "2.4"), ("numpy", "2.5")]);
        assert_eq!(versions("requirements.txt", both), expected);
        let uv = "version = 1\n[[package]]\nname = \"numpy\"\nversion = \"2.0\"\n[[package]]\nname = \"own\"\n";
        assert_eq!(versions("uv.lock", uv), named(&[("numpy", "2.0")]));
        for (name, text, words) in [
            ("requirements.txt", "numpy>=1\n", "line 1 locks no version"),
            ("requirements.txt", "\n", "locks no package"),
            ("uv.lock", "a = ", "uv.lock: "),
            ("packages.json", "{}", "no lock file that is known"),
        ] {
            let error = read(Path::new(name), text).err().unwrap();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_is_used_must_be_locked_in_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        for (name, module) in [("numpy-1.26.4", "numpy"), ("PyYAML-6.0", "yaml")] {
            let info = folder.path().join(format!("{name}.dist-info"));
            std::fs::create_dir(&info).unwrap();
            std::fs::write(info.join("RECORD"), format!("{module}/__init__.py,,\n")).unwrap();
        }
        let used = |names: &[&str]| -> Vec<PathBuf> {
            names.iter().map(|name| folder.path().join(name)).collect()
        };
        let checked = |locked: &[(&str, &str)], names: &[&str]| {
            check(&named(locked), &folders, used(names).iter())
        };
        let both = [("numpy", "1.26.4"), ("pyyaml", "6.0"), ("colorama", "1")];
        assert_eq!(
            checked(&both, &["numpy/__init__.py", "yaml/__init__.py"]),
            Ok(())
        );
        assert_eq!(checked(&both[..1], &["numpy/__init__.py"]), Ok(()));
        let error = checked(&both[..1], &["yaml/__init__.py"]).unwrap_err();
        assert_eq!(error, "pyyaml 6.0 is used, and not locked");
        let error = checked(&[("numpy", "2.0")], &[]).unwrap_err();
        assert_eq!(error, "numpy is 1.26.4, and 2.0 is locked");
        assert_eq!(
            checked(&[("numpy", "2.0"), ("numpy", "1.26.4")], &[]),
            Ok(())
        );
        let tops = |names: &[&str]| super::used(&folders, used(names).iter());
        assert_eq!(
            tops(&["numpy/__init__.py"]),
            BTreeSet::from(["numpy".to_owned()])
        );
        assert_eq!(tops(&["numpy-1.26.4.dist-info/RECORD"]), BTreeSet::new());
    }
}
