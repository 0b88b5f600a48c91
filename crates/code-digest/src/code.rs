//! Files with the digests of what they reach, and of what stands in their tokens.

use crate::modules::{Modules, Target};
use crate::syntax::{self, Import, Piece};
use crate::tokens::{self, Token};
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};

/// All sources of a workspace, digested and linked.
pub struct Code {
    files: BTreeMap<String, Source>,
    crates: BTreeMap<String, String>,
    /// Digest of the lock of the dependencies.
    lock: String,
}

struct Source {
    /// Its pieces, with where their names lead.
    parts: Vec<Part>,
    /// Digest of the bytes.
    raw: String,
    /// Files that it names.
    files: BTreeSet<String>,
    /// Dependencies that it names.
    crates: BTreeSet<String>,
    /// What would make its digest say less than it should.
    hidden: Option<String>,
    /// Whether it contains `file!()`.
    root: bool,
}

/// A piece of a file, ready to be hashed.
enum Part {
    Token(Token),
    Name(Name),
    /// Sorted when hashed.
    Imports(Vec<(Import, Name)>),
}

/// A path, by where it leads.
enum Name {
    /// A file, and the steps below it.
    File(String, Vec<String>),
    /// Steps as they are written.
    Plain(Vec<String>),
}

impl Code {
    /// Links the sources of a workspace; packages in `without_effect` are not followed.
    ///
    /// # Errors
    /// A file that is no Rust, with its name.
    pub fn link(workspace: &Workspace, without_effect: &[&str]) -> Result<Code, String> {
        let outside: BTreeSet<String> = without_effect
            .iter()
            .map(|name| name.replace('-', "_"))
            .collect();
        let crates = workspace.locked()?;
        let mut pieces = BTreeMap::new();
        let mut hidden = BTreeMap::new();
        let mut roots = BTreeSet::new();
        for (file, text) in &workspace.files {
            let tokens = tokens::tokens(text).map_err(|e| format!("{file}: {e}"))?;
            hidden.insert(file, syntax::hidden(&tokens));
            if syntax::names_itself(&tokens) {
                roots.insert(file);
            }
            pieces.insert(file.clone(), syntax::pieces(&tokens));
        }
        let modules = Modules::new(
            &workspace.packages,
            &pieces,
            crates.keys().cloned().collect(),
        );
        let left_out = |file: &str| {
            let folder = |name: &String| {
                let folder = workspace.packages.get(name)?;
                file.strip_prefix(folder.as_str())?.strip_prefix('/')
            };
            outside.iter().any(|name| folder(name).is_some())
        };
        let mut files = BTreeMap::new();
        for (file, text) in &workspace.files {
            let mut source = Source {
                parts: Vec::new(),
                raw: blake3::hash(text.as_bytes()).to_hex()[..16].to_owned(),
                files: BTreeSet::new(),
                crates: BTreeSet::new(),
                hidden: hidden.remove(file).flatten(),
                root: roots.contains(file),
            };
            let from_outside = left_out(file);
            let mut name = |target: Target, path: &[String]| match target {
                // Only the item's name: where it stands among what has no effect has none either.
                Target::File(to, _) if left_out(&to) && !from_outside => {
                    Name::Plain(path.last().cloned().into_iter().collect())
                }
                Target::File(to, below) if to != *file => {
                    source.files.insert(to.clone());
                    Name::File(to, below)
                }
                Target::Crate(name) => {
                    if !outside.contains(&name) {
                        source.crates.insert(name);
                    }
                    Name::Plain(path.to_vec())
                }
                _ => Name::Plain(path.to_vec()),
            };
            let mut parts = Vec::new();
            for piece in &pieces[file] {
                parts.push(match piece {
                    Piece::Token(token) => Part::Token(token.clone()),
                    Piece::Path(path) => Part::Name(name(modules.resolve(file, path), path)),
                    Piece::Imports(imports) => {
                        let named = imports.iter().map(|import| {
                            let target = modules.resolve_import(file, &import.path);
                            (import.clone(), name(target, &import.path))
                        });
                        Part::Imports(named.collect())
                    }
                });
            }
            source.parts = parts;
            files.insert(file.clone(), source);
        }
        let lock = blake3::hash(workspace.lock.as_bytes()).to_hex().to_string();
        Ok(Code {
            files,
            crates,
            lock,
        })
    }

    /// All files, by their path from the root of the workspace.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The files that contain `file!()`.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        let roots = self.files.iter().filter(|(_, source)| source.root);
        roots.map(|(file, _)| file.as_str())
    }

    /// Each file with the files that it names.
    pub fn imports(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.files.iter().map(|(file, source)| {
            (
                file.as_str(),
                source.files.iter().map(String::as_str).collect(),
            )
        })
    }

    /// The digest of everything that can affect what a file does.
    ///
    /// # Errors
    /// A file on the way that hides something, with its name; a file that is not there.
    pub fn digest(&self, file: &str) -> Result<String, String> {
        let reached = self.reached(file);
        if !self.files.contains_key(file) {
            return Err(format!("{file}: there is no such file"));
        }
        for name in &reached {
            if let Some(hidden) = &self.files[*name].hidden {
                return Err(format!("{name}: {hidden}"));
            }
        }
        Ok(self.deep(file, &mut BTreeMap::new()))
    }

    /// What a file reaches, itself included: each file with a digest of its own tokens, and each dependency,
    /// as `crate libm`, with its version. For people: which of them changed.
    pub fn reach(&self, file: &str) -> Vec<(String, String)> {
        let reached = self.reached(file);
        let crates: BTreeSet<&String> = reached
            .iter()
            .flat_map(|name| &self.files[*name].crates)
            .collect();
        let files = reached.iter().map(|name| {
            let own = self.hash(&self.files[*name], &|_| String::new());
            ((*name).to_owned(), own[..16].to_owned())
        });
        let crates = crates
            .into_iter()
            .map(|name| (format!("crate {name}"), self.crates[name].clone()));
        files.chain(crates).collect()
    }

    /// A digest of all sources and locked dependencies: it tells this program from others.
    pub fn program(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, source) in &self.files {
            hasher.update(format!("{name}\n{}\n", source.raw).as_bytes());
        }
        hasher.update(self.lock.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The digest of each file's bytes, to notice that the sources are not those of the binary.
    pub fn raw(&self) -> Vec<(&str, &str)> {
        self.files
            .iter()
            .map(|(file, source)| (file.as_str(), source.raw.as_str()))
            .collect()
    }

    fn reached(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<&str> = self
            .files
            .get_key_value(file)
            .map(|(n, _)| n.as_str())
            .into_iter()
            .collect();
        while let Some(next) = ahead.pop() {
            if reached.insert(next) {
                ahead.extend(self.files[next].files.iter().map(String::as_str));
            }
        }
        reached
    }

    /// The digest of a file with those of all that it names in place of their names.
    fn deep(&self, file: &str, known: &mut BTreeMap<String, String>) -> String {
        if let Some(digest) = known.get(file) {
            return digest.clone();
        }
        let reached = self.reached(file);
        let cycle: Vec<&str> = reached
            .iter()
            .copied()
            .filter(|other| *other != file && self.reached(other).contains(file))
            .chain([file])
            .collect();
        for name in &cycle {
            for below in &self.files[*name].files {
                if !cycle.contains(&below.as_str()) {
                    self.deep(below, known);
                }
            }
        }
        // Within a cycle: first each as if the others were alike, then told apart by what they name, as
        // often as there are members. What is alike then does the same.
        let mut roles: BTreeMap<String, String> = BTreeMap::new();
        for _ in 0..cycle.len() {
            let next = cycle.iter().map(|name| {
                let digest = self.hash(&self.files[*name], &|to| {
                    known.get(to).or(roles.get(to)).cloned().unwrap_or_default()
                });
                ((*name).to_owned(), digest)
            });
            roles = next.collect();
        }
        known.extend(roles);
        known[file].clone()
    }

    /// Hashes a file's parts; `digest_of` stands for the files that it names.
    fn hash(&self, source: &Source, digest_of: &dyn Fn(&str) -> String) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut put = |tag: u8, text: &str| {
            hasher.update(&[tag]);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        let words = |name: &Name| match name {
            Name::File(to, below) => format!("{}\n{}", digest_of(to), below.join("::")),
            Name::Plain(steps) => steps.join("::"),
        };
        for part in &source.parts {
            match part {
                Part::Token(Token::Open(c)) => put(0, &c.to_string()),
                Part::Token(Token::Close(c)) => put(1, &c.to_string()),
                Part::Token(Token::Ident(text)) => put(2, text),
                Part::Token(Token::Punct(c)) => put(3, &c.to_string()),
                Part::Token(Token::Literal(text)) => put(4, text),
                Part::Name(name) => put(5, &words(name)),
                Part::Imports(imports) => {
                    let lines = imports.iter().map(|(import, name)| {
                        // A module's name here says nothing: paths through it are followed.
                        let known = match (name, &import.name) {
                            (Name::File(_, below), Some(_)) if below.is_empty() => "",
                            (_, Some(known)) => known,
                            (_, None) => "*",
                        };
                        format!("{}\n{}\n{known}", import.visibility, words(name))
                    });
                    let lines: BTreeSet<String> = lines.collect();
                    for line in lines {
                        put(6, &line);
                    }
                }
            }
        }
        for name in &source.crates {
            put(7, &format!("{name} {}", self.crates[name]));
        }
        hasher.finalize().to_hex().to_string()
    }
}
