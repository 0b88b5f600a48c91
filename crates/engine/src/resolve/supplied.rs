//! Inputs that are written as a mapping: files that people supply themselves and that may not be here.
//!
//! Reads what is written, and makes sure that all stages say the same of one file. Looks at no disk.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::resolve::outputs::folded;
use crate::spec::sections::{check_keys, require};
use crate::stage::stage::{Input, Source, Stage};
use crate::stage::supplied::Supplied;
use crate::yaml::node::{Node, Value};
use std::collections::BTreeMap;

/// The key that tells where the file lies.
pub const FILE: &str = "file";
/// The keys of such a mapping, each with what it holds.
pub const KEYS: [(&str, &str); 6] = [
    (
        FILE,
        "The path of the file below the repository, such as data/models/x.gguf.",
    ),
    (
        "blake3",
        "The BLAKE3 digest of its content, 64 hexadecimal digits: keys are then known without the file, and another file is refused. Without it the file is whatever its user has.",
    ),
    (
        "get",
        "How to get it: a command to type, or a sentence. Printed where the file is not here.",
    ),
    ("licence", "The licence that it comes with."),
    ("size", "How large it is, in words: 93 MB."),
    ("from", "Who publishes it, with the version."),
];

/// Whether a mapping that stands for a role declares a file, and is not one from labels to artifacts.
/// `labelled` roles take both: a declaration has `file`, and beside it nothing but its other keys.
pub fn is_declaration(node: &Node, labelled: bool) -> bool {
    let Value::Map(entries) = &node.value else {
        return false;
    };
    let is_known = |text: &str| KEYS.iter().any(|(key, _)| *key == text);
    !labelled
        || entries.len() > 1
            && node.get(FILE).is_some()
            && entries.iter().all(|(key, _)| is_known(&key.text))
}

/// The path as it is written, and what is said of the file.
///
/// # Errors
/// A key is missing, unknown or has no text; the digest is none.
pub fn read(node: &Node) -> Result<(&Node, Supplied)> {
    let what = "a file that may not be here";
    check_keys(node, what, &KEYS.map(|(key, _)| key))?;
    let file = require(node, what, FILE)?;
    let words = |key: &str| -> Result<Option<String>> {
        let Some(node) = node.get(key) else {
            return Ok(None);
        };
        let text = node.text(key)?.trim();
        match text.is_empty() || text.contains('\n') {
            true => {
                Err(Error::config(format!("`{key}` must be one line of words")).at(&node.place))
            }
            false => Ok(Some(text.to_owned())),
        }
    };
    let blake3 = node.get("blake3").map(|node| {
        let text = node.text("blake3")?;
        Digest::try_from(text).map_err(|why| {
            let error = Error::config(why).at(&node.place);
            error.hint("`b3sum FILE` prints it")
        })
    });
    let get = words("get")?.ok_or_else(|| {
        let error = Error::config(format!("{what} must say how it is got: `get` is missing"));
        error
            .at(&node.place)
            .hint("write get: a command, or a sentence")
    })?;
    let supplied = Supplied {
        blake3: blake3.transpose()?,
        get,
        licence: words("licence")?,
        size: words("size")?,
        from: words("from")?,
    };
    Ok((file, supplied))
}

/// Makes sure that one file is declared in one way.
///
/// # Errors
/// Two stages say different things of a file, or one of them nothing.
pub fn check(stages: &[Stage]) -> Result<()> {
    let mut seen: BTreeMap<String, (&Stage, &Input)> = BTreeMap::new();
    for stage in stages {
        for input in &stage.inputs {
            let Source::File(path) = &input.source else {
                continue;
            };
            let (other, before) = *seen.entry(folded(path)).or_insert((stage, input));
            if before.supplied == input.supplied {
                continue;
            }
            let path = path.display();
            let (a, b) = (&other.id, &stage.id);
            let message = match (&before.supplied, &input.supplied) {
                (Some(_), Some(_)) => {
                    format!("stages `{a}` and `{b}` say different things of the file {path}")
                }
                (Some(_), None) => format!(
                    "stage `{a}` says that the file {path} may not be here, and stage `{b}` does not"
                ),
                _ => format!(
                    "stage `{b}` says that the file {path} may not be here, and stage `{a}` does not"
                ),
            };
            return Err(Error::config(message)
                .at(&stage.place)
                .hint("write it once, under `vars`, and ${name} as the input of both"));
        }
    }
    Ok(())
}
