//! The packages of a workspace: where their sources are, what they depend on, in which versions.
//!
//! Reads `Cargo.toml` and `Cargo.lock` as text; asks neither cargo nor the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// What of a workspace is digested, as text.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The name in Rust of each package, and the folder of its sources, as `crates/icl/src`.
    pub packages: BTreeMap<String, String>,
    /// Every `.rs` file below these folders, by its path from the root with `/` between the steps.
    pub files: BTreeMap<String, String>,
    /// Text of `Cargo.lock`.
    pub lock: String,
    /// Dependencies that have another name in Rust: that name, and their package.
    pub renamed: BTreeMap<String, String>,
}

impl Workspace {
    /// Reads the workspace, or the one package, whose `Cargo.toml` and `Cargo.lock` are in `root`.
    ///
    /// # Errors
    /// A file that is missing or cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut workspace = Workspace {
            lock: text(&root.join("Cargo.lock"))?,
            ..Workspace::default()
        };
        let manifest = workspace.add(root, "")?;
        let listed = |key| {
            let list = manifest.get("workspace").and_then(|w| w.get(key));
            let list = list.and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str)
        };
        for member in listed("members") {
            match member.strip_suffix("/*") {
                Some(folder) => {
                    for name in names(&root.join(folder))? {
                        let folder = format!("{folder}/{name}");
                        if root.join(&folder).join("Cargo.toml").is_file()
                            && listed("exclude").all(|other| other != folder)
                        {
                            workspace.add(root, &folder)?;
                        }
                    }
                }
                None => {
                    workspace.add(root, member)?;
                }
            }
        }
        Ok(workspace)
    }

    /// The workspace without the packages that `package` does not depend on, in whatever way: an edit of
    /// those makes no other program.
    ///
    /// # Errors
    /// `Cargo.lock` cannot be read.
    pub fn needed_by(mut self, package: &str) -> Result<Self, String> {
        let lock: Table = self.lock.parse().map_err(|e| format!("Cargo.lock: {e}"))?;
        let locked = Locked::of(&lock);
        let needed = locked.reached(&locked.versions(package).collect::<Vec<_>>());
        let is_needed = |name: &str| needed.iter().any(|id| id.name.replace('-', "_") == name);
        let mut left_out = Vec::new();
        self.packages.retain(|name, folder| {
            let keep = is_needed(name);
            if !keep {
                left_out.push(format!("{folder}/"));
            }
            keep
        });
        let is_left_out = |file: &String| left_out.iter().any(|folder| file.starts_with(folder));
        self.files.retain(|file, _| !is_left_out(file));
        Ok(self)
    }

    fn add(&mut self, root: &Path, folder: &str) -> Result<Table, String> {
        let path = root.join(folder).join("Cargo.toml");
        let manifest: Table = text(&path)?
            .parse()
            .map_err(|e| format!("{}: {e}", path.display()))?;
        self.rename(&manifest);
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"));
        let source = if folder.is_empty() {
            "src".into()
        } else {
            format!("{folder}/src")
        };
        if let Some(name) = name.and_then(Value::as_str)
            && root.join(&source).is_dir()
            && self
                .packages
                .insert(name.replace('-', "_"), source.clone())
                .is_none()
        {
            collect(root, &source, &mut self.files)?;
        }
        Ok(manifest)
    }

    /// Notes every dependency of a manifest, at whatever depth, that has another name in Rust.
    fn rename(&mut self, table: &Table) {
        for (key, value) in table {
            let Some(below) = value.as_table() else {
                continue;
            };
            match below.get("package").and_then(Value::as_str) {
                Some(package) => {
                    self.renamed
                        .insert(key.replace('-', "_"), package.to_owned());
                }
                None => self.rename(below),
            }
        }
    }

    /// Each locked package by its name in Rust: its version, and a digest of the versions of all that it
    /// depends on. Of several versions of one package those count that packages of the workspace name, or all where
    /// none is named; the newest is the one that people are told.
    pub(crate) fn locked(&self) -> Result<BTreeMap<String, String>, String> {
        let lock: Table = self.lock.parse().map_err(|e| format!("Cargo.lock: {e}"))?;
        let locked = Locked::of(&lock);
        let rust_names: BTreeMap<&str, &str> = self
            .renamed
            .iter()
            .map(|(name, package)| (package.as_str(), name.as_str()))
            .collect();
        let is_member = |name: &str| self.packages.contains_key(&name.replace('-', "_"));
        let members = locked.needs.iter().filter(|(id, _)| is_member(id.name));
        let named: BTreeSet<Id> = members.flat_map(|(_, needs)| needs).copied().collect();
        let mut crates = BTreeMap::new();
        for name in locked.needs.keys().map(|id| id.name) {
            if is_member(name) {
                // Packages of the workspace are followed by content.
                continue;
            }
            let mut versions: Vec<Id> = locked.versions(name).collect();
            if versions.iter().any(|id| named.contains(id)) {
                versions.retain(|id| named.contains(id));
            }
            let mut hasher = blake3::Hasher::new();
            for Id { name, version } in locked.reached(&versions) {
                hasher.update(format!("{name} {version}\n").as_bytes());
            }
            let version = versions.last().map_or("", |id| id.version);
            let digest = &hasher.finalize().to_hex()[..8];
            let rust_name = rust_names
                .get(name)
                .map_or(name.replace('-', "_"), |n| (*n).to_owned());
            crates.insert(rust_name, format!("{version}+{digest}"));
        }
        Ok(crates)
    }
}

/// A locked package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id<'a> {
    name: &'a str,
    version: &'a str,
}

/// The locked packages, and what each depends on. The lock names a version where there are several, so a second
/// version that one package brings along does not touch those that use the first.
struct Locked<'a> {
    needs: BTreeMap<Id<'a>, Vec<Id<'a>>>,
}

impl<'a> Locked<'a> {
    fn of(lock: &'a Table) -> Self {
        let packages = lock.get("package").and_then(Value::as_array);
        let mut written: BTreeMap<Id, Vec<&str>> = BTreeMap::new();
        for package in packages.into_iter().flatten() {
            let field = |key: &str| package.get(key).and_then(Value::as_str);
            let needs = package.get("dependencies").and_then(Value::as_array);
            let needs = needs.into_iter().flatten().filter_map(Value::as_str);
            if let (Some(name), Some(version)) = (field("name"), field("version")) {
                written.insert(Id { name, version }, needs.collect());
            }
        }
        let ids: Vec<Id> = written.keys().copied().collect();
        let found = |need: &&'a str| {
            let mut words = need.split(' ');
            let (name, version) = (words.next().unwrap_or_default(), words.next());
            let is_meant = |id: &&Id| id.name == name && version.is_none_or(|v| v == id.version);
            ids.iter()
                .copied()
                .filter(move |id| is_meant(&id))
                .collect::<Vec<Id>>()
        };
        let needs = written.iter();
        let needs = needs.map(|(id, needs)| (*id, needs.iter().flat_map(found).collect()));
        Locked {
            needs: needs.collect(),
        }
    }

    fn versions(&self, name: &str) -> impl Iterator<Item = Id<'a>> {
        self.needs.keys().copied().filter(move |id| id.name == name)
    }

    /// These packages and all that they depend on.
    fn reached(&self, packages: &[Id<'a>]) -> BTreeSet<Id<'a>> {
        let mut reached: BTreeSet<Id> = packages.iter().copied().collect();
        let mut ahead = packages.to_vec();
        while let Some(next) = ahead.pop() {
            let needs = self.needs.get(&next).into_iter().flatten();
            ahead.extend(needs.filter(|need| reached.insert(**need)));
        }
        reached
    }
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let error = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        names.push(
            entry
                .map_err(error)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

fn collect(root: &Path, folder: &str, files: &mut BTreeMap<String, String>) -> Result<(), String> {
    for name in names(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        if root.join(&path).is_dir() {
            collect(root, &path, files)?;
        } else if name.ends_with(".rs") {
            let text = text(&root.join(&path))?;
            files.insert(path, text);
        }
    }
    Ok(())
}
