//! The tree of modules: to which file a path leads.

use crate::syntax::{Import, Piece};
use std::collections::{BTreeMap, BTreeSet};

/// A module's place: the crate, and the steps below its root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Module {
    krate: String,
    steps: Vec<String>,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// A file of the workspace, and the steps of the path below it.
    File(String, Vec<String>),
    /// A locked dependency.
    Crate(String),
    /// Neither: the standard library, a name of this file, a generic parameter.
    Elsewhere,
}

/// All modules that have a file, with what they import.
pub(crate) struct Modules {
    files: BTreeMap<Module, String>,
    places: BTreeMap<String, Module>,
    imports: BTreeMap<String, Vec<Import>>,
    packages: BTreeSet<String>,
    crates: BTreeSet<String>,
}

/// A chain of re-exports that is longer leads in a circle.
const LONGEST: usize = 16;

impl Modules {
    pub(crate) fn new(
        packages: &BTreeMap<String, String>,
        pieces: &BTreeMap<String, Vec<Piece>>,
        crates: BTreeSet<String>,
    ) -> Self {
        let mut files = BTreeMap::new();
        let mut places = BTreeMap::new();
        for path in pieces.keys() {
            let owner = packages
                .iter()
                .filter_map(|(name, folder)| {
                    let below = path.strip_prefix(folder.as_str())?.strip_prefix('/')?;
                    Some((folder.len(), name, below))
                })
                .max();
            let Some((_, name, below)) = owner else {
                continue;
            };
            let stem = below.trim_end_matches(".rs");
            let mut steps: Vec<String> = stem.split('/').map(str::to_owned).collect();
            let root = steps.len() == 1 && (stem == "lib" || stem == "main");
            if root || steps.last().is_some_and(|step| step == "mod") {
                steps.pop();
            }
            let module = Module {
                krate: name.clone(),
                steps,
            };
            places.insert(path.clone(), module.clone());
            // A program beside a library names the library as any other crate does.
            if stem != "main" || !pieces.contains_key(&path.replace("main.rs", "lib.rs")) {
                files.insert(module, path.clone());
            }
        }
        let imports = |pieces: &Vec<Piece>| {
            let imports = pieces.iter().filter_map(|piece| match piece {
                Piece::Imports(imports) => Some(imports.clone()),
                _ => None,
            });
            imports.flatten().collect()
        };
        Modules {
            files,
            places,
            imports: pieces
                .iter()
                .map(|(path, p)| (path.clone(), imports(p)))
                .collect(),
            packages: packages.keys().cloned().collect(),
            crates,
        }
    }

    /// Where a path in a file leads.
    pub(crate) fn resolve(&self, from: &str, path: &[String]) -> Target {
        self.follow(from, path, true, LONGEST)
    }

    /// `imported`: whether names that the file imports count. In a `use` they do not: a name would lead
    /// to itself.
    pub(crate) fn resolve_import(&self, from: &str, path: &[String]) -> Target {
        self.follow(from, path, false, LONGEST)
    }

    fn follow(&self, from: &str, path: &[String], imported: bool, left: usize) -> Target {
        let (Some(here), Some(left)) = (self.places.get(from), left.checked_sub(1)) else {
            return Target::Elsewhere;
        };
        let (head, rest) = (path[0].as_str(), &path[1..]);
        let place = match head {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((here.steps.clone(), rest)),
            "super" => {
                let up = path.iter().take_while(|step| *step == "super").count();
                let kept = here.steps.len().saturating_sub(up);
                Some((here.steps[..kept].to_vec(), &path[up..]))
            }
            _ => None,
        };
        if let Some((steps, rest)) = place {
            return self.below(&here.krate, steps, rest, from, left);
        }
        if imported {
            for import in self.imports.get(from).into_iter().flatten() {
                if import.name.as_deref() == Some(head) && import.path.len() + rest.len() > 1 {
                    let whole: Vec<String> = import.path.iter().chain(rest).cloned().collect();
                    return self.follow(from, &whole, false, left);
                }
            }
        }
        let child = |module: &Module| {
            let mut inner = module.clone();
            inner.steps.push(head.to_owned());
            // A module that is written inside another has no file, but those in it have.
            let next = self.files.range(&inner..).next();
            let there = next.is_some_and(|(found, _)| {
                found.krate == inner.krate && found.steps.starts_with(&inner.steps)
            });
            there.then_some(inner.steps)
        };
        if let Some(steps) = child(here) {
            return self.below(&here.krate, steps, rest, from, left);
        }
        if imported {
            for import in self.imports.get(from).into_iter().flatten() {
                if import.name.is_none()
                    && let Target::File(file, below) = self.follow(from, &import.path, false, left)
                    && below.is_empty()
                    && let Some(module) = self.places.get(&file)
                    && let Some(steps) = child(module)
                {
                    return self.below(&module.krate, steps, rest, from, left);
                }
            }
        }
        if self.packages.contains(head) {
            return self.below(head, Vec::new(), rest, from, left);
        }
        if self.crates.contains(head) {
            return Target::Crate(head.to_owned());
        }
        Target::Elsewhere
    }

    /// The innermost file on the way down; what it only passes on is looked for where it comes from.
    fn below(
        &self,
        krate: &str,
        mut steps: Vec<String>,
        rest: &[String],
        from: &str,
        left: usize,
    ) -> Target {
        let given = steps.len();
        steps.extend_from_slice(rest);
        let mut below = Vec::new();
        loop {
            let module = Module {
                krate: krate.to_owned(),
                steps: steps.clone(),
            };
            if let Some(file) = self.files.get(&module) {
                below.reverse();
                return self.passed_on(file, below, from, left);
            }
            match steps.pop() {
                Some(step) if steps.len() >= given.min(1) => below.push(step),
                Some(step) if steps.is_empty() => below.push(step),
                _ => return Target::Elsewhere,
            }
        }
    }

    fn passed_on(&self, file: &str, below: Vec<String>, from: &str, left: usize) -> Target {
        if let Some(name) = below.first()
            && file != from
        {
            for import in self.imports.get(file).into_iter().flatten() {
                if import.visibility.is_empty() || import.path.len() < 2 {
                    continue;
                }
                let whole: Vec<String> = match &import.name {
                    Some(known) if known == name => {
                        import.path.iter().chain(&below[1..]).cloned().collect()
                    }
                    _ => continue,
                };
                let target = self.follow(file, &whole, false, left);
                if target != Target::Elsewhere {
                    return target;
                }
            }
        }
        Target::File(file.to_owned(), below)
    }
}
