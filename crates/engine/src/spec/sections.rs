//! Sections of a mapping: the keys that one may have, and those that it must have.

use crate::base::error::{Error, Result};
use crate::yaml::node::Node;

/// What must stand under a key.
pub fn require<'a>(node: &'a Node, what: &str, key: &str) -> Result<&'a Node> {
    node.entries(what)?;
    node.get(key)
        .ok_or_else(|| Error::config(format!("{what} has no key `{key}`")).at(&node.place))
}

/// Refuses a key that nothing reads.
pub fn check_keys(node: &Node, what: &str, known: &[&str]) -> Result<()> {
    for (key, _) in node.entries(what)? {
        if !known.contains(&key.text.as_str()) {
            let error = Error::config(format!("{what} has an unknown key `{}`", key.text));
            return Err(error
                .at(&key.place)
                .suggest(&key.text, known.iter().copied()));
        }
    }
    Ok(())
}
