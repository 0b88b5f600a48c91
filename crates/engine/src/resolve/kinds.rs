//! Defaults of kinds held against the kinds that are registered: what they name is there.
//!
//! Values are checked where they are used, in the stages that take them.

use crate::base::error::{Error, Result};
use crate::spec::defaults::Defaults;
use crate::spec::file::Spec;
use crate::stage::kind::Kind;
use crate::yaml::node::{Key, Node, Value};

/// Refuses defaults of a kind that is not there or that no stage has, and inputs and outputs that the
/// kind does not have.
pub fn check_defaults(spec: &Spec, kinds: &[Box<dyn Kind>]) -> Result<()> {
    spec.kinds
        .iter()
        .try_for_each(|defaults| check(defaults, spec, kinds))
}

fn check(defaults: &Defaults, spec: &Spec, kinds: &[Box<dyn Kind>]) -> Result<()> {
    let name = defaults.kind.text.as_str();
    let Some(kind) = kinds.iter().find(|kind| kind.name() == name) else {
        let known = kinds.iter().map(|kind| kind.name());
        let error = Error::config(format!("there is no kind `{name}`"));
        return Err(error.at(&defaults.kind.place).suggest(name, known));
    };
    let is_used = |node: &Node| matches!(&node.value, Value::Text(kind) if kind == name);
    if !spec.stages.iter().any(|stage| is_used(&stage.kind)) {
        let error = Error::config(format!(
            "no stage is of kind `{name}`: its defaults are nobody's"
        ));
        return Err(error
            .at(&defaults.kind.place)
            .hint("take them away, or add the stage"));
    }
    if kind.is_open() {
        return Ok(());
    }
    let roles: Vec<&str> = kind.inputs().iter().map(|role| &*role.name).collect();
    let outputs = kind.outputs();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let sections = [
        ("input", &defaults.inputs, roles),
        ("output", &defaults.outputs, outputs),
    ];
    for (what, entries, known) in sections {
        let is_unknown = |(key, _): &&(Key, Node)| !known.contains(&key.text.as_str());
        if let Some((key, _)) = entries.iter().find(is_unknown) {
            let error = Error::config(format!("kind `{name}` has no {what} `{}`", key.text));
            return Err(error.at(&key.place).suggest(&key.text, known));
        }
    }
    Ok(())
}
