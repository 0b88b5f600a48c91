//! A step of somebody's work as it is described before anything runs.
//!
//! Does not know where the description stands, nor what the step will do.

use std::path::{Component, Path, PathBuf};

/// A program that is run, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The name that its stage gets.
    pub name: String,
    /// Where it is described, for messages.
    pub place: String,
    /// A sentence for people.
    pub about: Option<String>,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// The folder below the root in which it runs.
    pub folder: String,
    /// Files and folders below the root that it is said to read; `None` where nothing is said.
    pub reads: Option<Vec<PathBuf>>,
    /// Files and folders below the root that it is said to write.
    pub writes: Option<Vec<PathBuf>>,
}

/// Steps, in the order in which they run, and what of their description has no counterpart.
#[derive(Debug, Default)]
pub struct Steps {
    pub steps: Vec<Step>,
    /// What could not be adopted, a sentence each.
    pub left: Vec<String>,
}

/// A path below the root, seen from a folder below it.
///
/// # Errors
/// It is absolute, or leads out of the root.
pub fn below(folder: &str, path: &str) -> Result<PathBuf, String> {
    let mut below = PathBuf::new();
    for part in Path::new(folder).join(path).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => below.push(name),
            Component::ParentDir if below.pop() => {}
            _ => {
                return Err(format!(
                    "`{path}` is no path below the folder of pipeline.yaml"
                ));
            }
        }
    }
    Ok(below)
}

/// A path below the root as it is seen from a folder below the root.
pub fn seen_from(folder: &Path, path: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (folder.components().collect(), path.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| Component::ParentDir);
    let seen: PathBuf = up.chain(to.iter().skip(shared).copied()).collect();
    seen.to_string_lossy().into_owned()
}

/// A text as a name of a stage, an input or an output: letters, digits, `_` and `-`.
pub fn name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(60) {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c),
            '-' if !name.is_empty() => name.push('-'),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    let name = name.trim_end_matches(['_', '-']);
    match name {
        "" | "vars" => "step".to_owned(),
        name => name.to_owned(),
    }
}

/// The name, or that with the first number that makes it one of its own: names are compared as file systems may
/// do, without regard to case.
pub fn unique<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<String> = known.map(str::to_ascii_lowercase).collect();
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let is_new = |name: &String| !known.contains(&name.to_ascii_lowercase());
    names.find(is_new).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (folder, path, expected) in [
            ("", "./data/x.csv", Some("data/x.csv")),
            ("src", "../data/x.csv", Some("data/x.csv")),
            ("src", "x.csv", Some("src/x.csv")),
            ("", "../x.csv", None),
            ("src", "/tmp/x.csv", None),
        ] {
            let found = below(folder, path).ok();
            assert_eq!(found.as_deref(), expected.map(Path::new), "{folder} {path}");
        }
    }

    #[test]
    fn names_have_letters_that_may_be_and_are_different() {
        for (text, expected) in [
            ("train@0.01", "train_0_01"),
            ("_a  b_", "a_b"),
            ("é", "step"),
            ("vars", "step"),
            ("fit-all", "fit-all"),
        ] {
            assert_eq!(name(text), expected);
        }
        assert_eq!(unique("a", ["A", "a_2"].into_iter()), "a_3");
        assert_eq!(unique("a", ["b"].into_iter()), "a");
    }
}
