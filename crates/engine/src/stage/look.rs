//! What a stage looked at that none of its inputs names, and what stands there.
//!
//! A stage that runs somebody's program finds out while it runs what the program reads. Each such look
//! enters the stage's key as an input does: under a name that tells what was looked at, with the digest of
//! what was found. Names, never times: a file counts by its content, a folder by being one or by the names
//! in it, and what was looked for and not there by that.
//!
//! Knows paths below one root; what lies outside, the kind of the stage knows by a name.

use crate::base::digest::{Digest, Encoder};
use std::path::{Path, PathBuf};

/// Files and folders of these names come and go beside others, and nobody means them: no program that is
/// watched sees them, and they are not among the names in a folder.
pub const UNSEEN: [&str; 5] = [
    ".git",
    "__pycache__",
    ".ipynb_checkpoints",
    ".DS_Store",
    ".Rproj.user",
];

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// What is at a path below the root: a file with its content, a folder, or nothing.
    At(String),
    /// The names in a folder.
    Names(String),
    /// What a kind knows by that name, outside of the repository.
    Outside(String),
}

impl Look {
    /// The name under which it enters a key. It holds a blank, which no role does.
    pub fn key_name(&self) -> String {
        match self {
            Look::At(path) => format!("{AT}{path}"),
            Look::Names(path) => format!("{NAMES}{path}"),
            Look::Outside(name) => format!("{OUTSIDE}{name}"),
        }
    }

    /// The look that enters a key under this name; `None` for an input.
    pub fn of_key_name(name: &str) -> Option<Look> {
        let after = |start: &str| name.strip_prefix(start).map(str::to_owned);
        let at = after(AT).map(Look::At);
        at.or_else(|| after(NAMES).map(Look::Names))
            .or_else(|| after(OUTSIDE).map(Look::Outside))
    }

    /// What was looked at, in words.
    pub fn words(&self) -> String {
        match self {
            Look::At(path) => path.clone(),
            Look::Names(path) => format!("the names in {path}"),
            Look::Outside(name) => format!("{name}, outside of the repository"),
        }
    }
}

const AT: &str = "read ";
const NAMES: &str = "names ";
const OUTSIDE: &str = "outside ";

/// The digest of a look where nothing is.
pub fn absent() -> Digest {
    state("absent")
}

/// The digest of a look at a folder as such.
pub(crate) fn folder() -> Digest {
    state("folder")
}

/// The digest of a look at something that is neither file nor folder, or that cannot be read.
pub(crate) fn unreadable() -> Digest {
    state("unreadable")
}

/// What a digest says that is none of a content.
pub(crate) fn state_words(digest: Digest) -> Option<&'static str> {
    let known = [
        (absent(), "nothing there"),
        (folder(), "a folder"),
        (unreadable(), "not readable"),
    ];
    known
        .into_iter()
        .find_map(|(state, words)| (state == digest).then_some(words))
}

fn state(name: &str) -> Digest {
    let mut encoder = Encoder::new("retrace look");
    encoder.text(name);
    encoder.finish()
}

/// The digest of the names in a folder, without those that come and go and without what runs write.
pub(crate) fn names(folder: &Path, made: &[PathBuf]) -> Digest {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return absent(),
        Err(_) => return unreadable(),
    };
    let is_seen = |path: &PathBuf| {
        let is_unseen = |name: &&str| path.file_name().is_some_and(|own| own == *name);
        !UNSEEN.iter().any(is_unseen) && !made.contains(path)
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(is_seen);
    let mut names: Vec<_> = paths
        .filter_map(|path| {
            path.file_name()
                .map(|name| name.as_encoded_bytes().to_vec())
        })
        .collect();
    names.sort();
    let mut encoder = Encoder::new("retrace names");
    encoder.word(names.len() as u64);
    names.iter().for_each(|name| encoder.bytes(name));
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_found_again_by_its_name_and_no_input_is_one() {
        for look in [
            Look::At("src/a b.py".into()),
            Look::Names(".".into()),
            Look::Outside("python3".into()),
        ] {
            assert_eq!(Look::of_key_name(&look.key_name()), Some(look));
        }
        for input in ["read", "names[a]", "data", "runs[read x]"] {
            assert_eq!(Look::of_key_name(input), None, "{input}");
        }
    }

    #[test]
    fn names_count_and_neither_contents_nor_what_comes_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = [at("figures")];
        let digest = || names(folder.path(), &made);
        let empty = digest();
        std::fs::create_dir(at("__pycache__")).unwrap();
        std::fs::create_dir(at("figures")).unwrap();
        assert_eq!(digest(), empty);
        std::fs::write(at("a"), "1").unwrap();
        let one = digest();
        assert_ne!(one, empty);
        std::fs::write(at("a"), "2").unwrap();
        assert_eq!(digest(), one);
        assert_eq!(names(&at("none"), &[]), absent());
    }
}
