//! What all stages of a kind have that do not say it themselves: the section `kinds`.
//!
//! A default is a key with its value, and a stage's own value of that key stands in place of the whole
//! of it; `null` takes it away. Knows no kinds and no types: [`crate::resolve::kinds`] does.

use crate::base::error::Result;
use crate::spec::sections::check_keys;
use crate::yaml::node::{Key, Node, Value};

/// The defaults of one kind.
#[derive(Clone, Debug)]
pub struct Defaults {
    pub kind: Key,
    pub params: Vec<(Key, Node)>,
    pub inputs: Vec<(Key, Node)>,
    pub outputs: Vec<(Key, Node)>,
}

impl Defaults {
    /// Reads what stands under the name of a kind.
    pub fn read(kind: &Key, node: &Node) -> Result<Self> {
        let what = format!("the defaults of kind `{}`", kind.text);
        check_keys(node, &what, &["params", "inputs", "outputs"])?;
        let section = |name: &str| -> Result<Vec<(Key, Node)>> {
            match node.get(name) {
                Some(entries) => Ok(entries.entries(name)?.to_vec()),
                None => Ok(Vec::new()),
            }
        };
        Ok(Defaults {
            kind: kind.clone(),
            params: section("params")?,
            inputs: section("inputs")?,
            outputs: section("outputs")?,
        })
    }
}

/// What a stage has: its own entries, and the defaults whose keys are not among them. An own `null`
/// takes a default away; where there is none, it is a value as any other.
pub fn merged<'a>(
    own: &'a [(Key, Node)],
    defaults: &'a [(Key, Node)],
) -> impl Iterator<Item = (&'a Key, &'a Node)> {
    let has = |entries: &[(Key, Node)], key: &Key| entries.iter().any(|(k, _)| k.text == key.text);
    let is_kept =
        move |(key, node): &&(Key, Node)| !matches!(node.value, Value::Null) || !has(defaults, key);
    let is_missing = move |(key, _): &&(Key, Node)| !has(own, key);
    let own = own.iter().filter(is_kept);
    let all = own.chain(defaults.iter().filter(is_missing));
    all.map(|(key, node)| (key, node))
}
