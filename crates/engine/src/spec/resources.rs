//! What stages ask of a cluster, as written: the section `resources`.
//!
//! Knows the grammar. Does not know whether a kind or a stage of that name exists:
//! [`crate::resolve::resources`] does. Nothing of it enters a key, for no output depends on it.

use crate::base::error::{Error, Result};
use crate::spec::sections::check_keys;
use crate::yaml::node::{Key, Node, Value};

/// What one entry says; what it does not say is left as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Cores, where the kind itself does not say how many it uses.
    pub cores: Option<u64>,
    /// Memory of a stage, in megabytes of 2^20 bytes.
    pub memory_mb: Option<u64>,
    /// How long a stage may take.
    pub minutes: Option<u64>,
    pub gpus: Option<u64>,
}

/// The section: entries by kind, then those by stage, each in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct ResourcesSpec {
    pub kinds: Vec<(Key, Asked)>,
    /// Ids, names and globs.
    pub stages: Vec<(Key, Asked)>,
}

/// More than this of anything is a slip of the finger.
const MOST: u64 = 1 << 30;
/// The keys of an entry.
const KEYS: [&str; 4] = ["cores", "memory_mb", "minutes", "gpus"];

impl ResourcesSpec {
    /// Reads `{kinds: {KIND: {...}}, stages: {PATTERN: {...}}}`.
    ///
    /// # Errors
    /// A key is unknown, or a value is no whole number that fits.
    pub fn read(node: &Node) -> Result<Self> {
        check_keys(node, "resources", &["kinds", "stages"])?;
        let section = |name: &str| -> Result<Vec<(Key, Asked)>> {
            let Some(entries) = node.get(name) else {
                return Ok(Vec::new());
            };
            let entries = entries.entries(&format!("resources.{name}"))?.iter();
            let entry = |(key, node): &(Key, Node)| Ok((key.clone(), asked(key, node)?));
            entries.map(entry).collect()
        };
        Ok(ResourcesSpec {
            kinds: section("kinds")?,
            stages: section("stages")?,
        })
    }
}

fn asked(key: &Key, node: &Node) -> Result<Asked> {
    let what = format!("the resources of `{}`", key.text);
    check_keys(node, &what, &KEYS)?;
    let number = |name: &str, least: u64| -> Result<Option<u64>> {
        let Some(value) = node.get(name) else {
            return Ok(None);
        };
        let found = match value.value {
            Value::Int(number) => u64::try_from(number).ok(),
            _ => None,
        };
        match found.filter(|number| (least..=MOST).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let found = value.describe();
                let message =
                    format!("{name} must be a whole number of at least {least}, not {found}");
                Err(Error::config(message).at(&value.place))
            }
        }
    };
    Ok(Asked {
        cores: number("cores", 1)?,
        memory_mb: number("memory_mb", 1)?,
        minutes: number("minutes", 1)?,
        gpus: number("gpus", 0)?,
    })
}
