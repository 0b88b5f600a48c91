//! Groups as written: a list of targets, or a mapping that also says whether the group is opt-in.
//!
//! Knows the grammar. Does not know whether a target names a stage: [`crate::resolve::select`] does.

use crate::base::error::{Error, Result};
use crate::spec::ids::{Role, check_name};
use crate::spec::sections::{check_keys, require};
use crate::yaml::node::{Key, Node, Value};

/// A named set of stages as written.
#[derive(Clone, Debug)]
pub struct GroupSpec {
    pub name: Key,
    /// Whether its stages run only when they are asked for.
    pub opt_in: bool,
    pub targets: Vec<Node>,
}

impl GroupSpec {
    /// Reads `name: [target, ...]` or `name: {opt_in: true, stages: [target, ...]}`.
    ///
    /// # Errors
    /// The name is none, a key is unknown, or it names no stage.
    pub fn read(name: &Key, node: &Node) -> Result<GroupSpec> {
        check_name(name, Role::Group)?;
        let what = format!("group `{}`", name.text);
        let (opt_in, list) = match &node.value {
            Value::Map(_) => {
                check_keys(node, &what, &["opt_in", "stages"])?;
                let opt_in = node.get("opt_in").map(yes_or_no).transpose()?;
                (opt_in.unwrap_or(false), require(node, &what, "stages")?)
            }
            _ => (false, node),
        };
        let items = list.items(&what)?;
        if items.is_empty() {
            return Err(Error::config(format!("{what} names no stage")).at(&list.place));
        }
        Ok(GroupSpec {
            name: name.clone(),
            opt_in,
            targets: items.to_vec(),
        })
    }
}

fn yes_or_no(node: &Node) -> Result<bool> {
    match node.value {
        Value::Bool(answer) => Ok(answer),
        _ => {
            let message = format!("opt_in must be true or false, not {}", node.describe());
            Err(Error::config(message).at(&node.place))
        }
    }
}
