//! What `data/licences.yaml` says of the inputs: under which licence each is, and where its text lies.
//!
//! Reads the file. Does not judge a licence.

use retrace::base::error::{Error, Place, Result};
use retrace::yaml::node::{Node, Value};

/// The file's name, below the root.
pub const FILE: &str = "data/licences.yaml";

/// The folder whose files are not all ours.
const INPUTS: &str = "data/";

/// A licence of some files.
#[derive(Clone, Debug, PartialEq)]
pub struct Licence {
    pub files: Vec<String>,
    pub name: String,
    /// An identifier of spdx.org/licenses.
    pub spdx: Option<String>,
    /// Files with its text, and what else must go with it.
    pub texts: Vec<String>,
}

/// Every licence, as the file lists them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Licences(Vec<Licence>);

impl Licences {
    /// Reads the file's text.
    ///
    /// # Errors
    /// An entry without files or a name, or with neither `spdx` nor `texts`.
    pub fn parse(text: &str) -> Result<Licences> {
        let root = Node::parse(FILE, text)?;
        let Value::List(entries) = &root.value else {
            return Err(wrong("it is no list of licences"));
        };
        let entries = entries.iter().enumerate();
        let read =
            entries.map(|(at, entry)| licence(entry).map_err(|why| wrong(&format!("{at}: {why}"))));
        Ok(Licences(read.collect::<Result<_>>()?))
    }

    /// The licences of a file; all of them together hold.
    pub fn of(&self, path: &str) -> impl Iterator<Item = &Licence> {
        self.0
            .iter()
            .filter(move |licence| licence.files.iter().any(|file| file == path))
    }

    /// An input that nothing is said of.
    ///
    /// # Errors
    /// There is one.
    pub fn check<'p>(&self, mut inputs: impl Iterator<Item = &'p str>) -> Result<()> {
        match inputs.find(|path| path.starts_with(INPUTS) && self.of(path).next().is_none()) {
            None => Ok(()),
            Some(path) => {
                let error = wrong(&format!("it does not say under which licence {path} is"));
                Err(error.hint("add an entry with `files`, `name`, and `spdx` or `texts`"))
            }
        }
    }
}

fn wrong(why: &str) -> Error {
    Error::config(why.to_owned()).at(&Place::whole(FILE))
}

fn licence(entry: &Node) -> std::result::Result<Licence, &'static str> {
    let text = |key: &str| entry.get(key).and_then(Node::scalar_text);
    let list = |key: &str| -> Vec<String> {
        match entry.get(key).map(|node| &node.value) {
            Some(Value::List(items)) => items.iter().filter_map(Node::scalar_text).collect(),
            _ => Vec::new(),
        }
    };
    let licence = Licence {
        files: list("files"),
        name: text("name").ok_or("it has no `name`")?,
        spdx: text("spdx"),
        texts: list("texts"),
    };
    if licence.files.is_empty() {
        return Err("it has no `files`");
    }
    if licence.spdx.is_none() && licence.texts.is_empty() {
        return Err("it has neither `spdx` nor `texts`");
    }
    Ok(licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_its_licences_and_what_says_nothing_is_refused() {
        let text = "- {files: [data/a, data/b], name: MIT License, spdx: MIT}\n\
                    - {files: [data/b], name: Another, texts: [data/LICENSE]}\n";
        let licences = Licences::parse(text).expect("it is read");
        let names = |path: &str| -> Vec<String> {
            licences
                .of(path)
                .map(|licence| licence.name.clone())
                .collect()
        };
        assert_eq!(names("data/a"), ["MIT License"]);
        assert_eq!(names("data/b"), ["MIT License", "Another"]);
        assert!(
            licences
                .check(["data/a", "src/main.rs"].into_iter())
                .is_ok()
        );
        let error = licences
            .check(["data/c"].into_iter())
            .expect_err("nothing is said");
        assert!(error.message.contains("data/c"), "{}", error.message);
        for text in [
            "a: b",
            "- {name: a, spdx: b}",
            "- {files: [a], name: b}",
            "- {files: [a], spdx: b}",
        ] {
            assert!(Licences::parse(text).is_err(), "{text}");
        }
    }
}
