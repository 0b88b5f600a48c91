//! A file that people supply themselves: too large or not free enough for the repository, so that it may
//! not be here. Knows where it is to be had, in the words of pipeline.yaml; fetches nothing.

use crate::base::digest::Digest;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What pipeline.yaml says of such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supplied {
    /// Its content: keys are known without the file. Without it the content is whatever is there.
    pub blake3: Option<Digest>,
    /// How it is got: a command, or a sentence.
    pub get: String,
    pub licence: Option<String>,
    pub size: Option<String>,
    /// Who publishes it.
    pub from: Option<String>,
}

/// A supplied file that is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentFile {
    /// Below the repository's root.
    pub path: PathBuf,
    pub supplied: Supplied,
}

/// A stage that cannot run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The files that it would need, by their paths.
    pub files: BTreeSet<PathBuf>,
    /// Whether the lock records it with the key that it has.
    pub is_recorded: bool,
}

impl Absent {
    /// In words.
    pub fn words(&self) -> String {
        let files: Vec<String> = self.files.iter().map(|f| f.display().to_string()).collect();
        let recorded = match self.is_recorded {
            true => "as the lock records it",
            false => "not recorded with this key",
        };
        format!("{recorded}; input not here: {}", files.join(", "))
    }
}

impl AbsentFile {
    /// In a line: path, where it is to be had, licence, size, and how.
    pub fn line(&self) -> String {
        let Supplied {
            get,
            licence,
            size,
            from,
            ..
        } = &self.supplied;
        let mut facts: Vec<String> = Vec::new();
        facts.extend(size.clone());
        facts.extend(from.iter().map(|from| format!("from {from}")));
        facts.extend(licence.iter().map(|licence| format!("licence {licence}")));
        let mut line = self.path.display().to_string();
        if !facts.is_empty() {
            let _ = write!(line, " ({})", facts.join(", "));
        }
        let _ = write!(line, ": {get}");
        line
    }
}

impl Supplied {
    /// Why a file with this content is not the one that is meant; `None` where it is.
    pub fn refuse(&self, path: &Path, found: Digest) -> Option<String> {
        let wanted = self.blake3.filter(|wanted| *wanted != found)?;
        Some(format!(
            "{} is another file than pipeline.yaml names: its BLAKE3 digest is {found}, and {wanted} is wanted",
            path.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_is_known() {
        let mut file = AbsentFile {
            path: "data/w.gguf".into(),
            supplied: Supplied {
                blake3: None,
                get: "make w".into(),
                licence: None,
                size: None,
                from: None,
            },
        };
        assert_eq!(file.line(), "data/w.gguf: make w");
        file.supplied.licence = Some("MIT".into());
        file.supplied.size = Some("9 MB".into());
        file.supplied.from = Some("a shop".into());
        assert_eq!(
            file.line(),
            "data/w.gguf (9 MB, from a shop, licence MIT): make w"
        );
    }
}
