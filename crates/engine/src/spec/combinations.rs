//! Which combinations of a matrix there are: `only` keeps some, `exclude` leaves some out.
//!
//! What either names is there, or is refused: a word that matches nothing would keep or leave out
//! nothing in silence. Both may name variables of the file, which a profile changes.

use crate::base::error::{Error, Result};
use crate::spec::file::StageSpec;
use crate::spec::fill::{Chosen, Scope};
use crate::spec::ids;
use crate::yaml::node::{Key, Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// More items that a stage keeps and leaves out are refused: each is compared with each combination.
const MAX_NAMED: usize = 1_000;

/// Some combinations: for each axis that is named, the items.
type Part<'a> = Vec<(&'a str, BTreeSet<&'a str>)>;
/// What a stage says of its combinations, filled in.
type Written = Vec<Node>;
/// The items of each axis, by the one text of a number.
type Labels<'a> = BTreeMap<&'a str, BTreeMap<String, &'a str>>;

/// What a stage keeps of its matrix.
pub struct Combinations<'a> {
    only: Vec<Part<'a>>,
    exclude: Vec<Part<'a>>,
}

impl<'a> Combinations<'a> {
    /// Reads `only` and `exclude` of a stage; `file` knows the variables of the file.
    ///
    /// # Errors
    /// One names what is not there, or nothing at all.
    pub fn read(stage: &'a StageSpec, file: &Scope) -> Result<Self> {
        let written = |node: Option<&Node>, what: &str| -> Result<Written> {
            let Some(node) = node else {
                return Ok(Vec::new());
            };
            Ok(file.fill(node, 0)?.items(what)?.to_vec())
        };
        let only = written(stage.only.as_ref(), "only")?;
        let exclude = written(stage.exclude.as_ref(), "exclude")?;
        let mut size = 0;
        for part in only.iter().chain(&exclude) {
            let axes = part.entries("a combination")?;
            size += 1;
            size += axes
                .iter()
                .map(|(_, node)| named(node).len())
                .sum::<usize>();
            if size > MAX_NAMED {
                let message = format!("`only` and `exclude` name more than {MAX_NAMED} items");
                return Err(Error::config(message).at(&part.place));
            }
        }
        // An item is found in whichever way its number is written.
        let labels: Labels = stage
            .matrix
            .iter()
            .map(|(axis, items)| {
                let label = |(label, _): &'_ (Key, Node)| ids::canonical(&label.text);
                let items = items.iter().map(|item| (label(item), item.0.text.as_str()));
                (axis.text.as_str(), items.collect())
            })
            .collect();
        let read = |parts: &[Node], what: &str, all: &str| {
            let parts = parts.iter().map(|node| part(node, &labels, what, all));
            parts.collect::<Result<Vec<_>>>()
        };
        Ok(Combinations {
            only: read(&only, "only", "keeps everything")?,
            exclude: read(&exclude, "exclude", "leaves nothing")?,
        })
    }

    /// Whether there is a stage of these items.
    pub fn has(&self, items: &[Chosen]) -> bool {
        let is_chosen = |(axis, labels): &(&str, BTreeSet<&str>)| {
            let mut items = items.iter();
            items.any(|(a, label, _)| a.text == *axis && labels.contains(label.text.as_str()))
        };
        let is_in = |part: &Part| part.iter().all(is_chosen);
        (self.only.is_empty() || self.only.iter().any(is_in)) && !self.exclude.iter().any(is_in)
    }
}

/// What is said of one axis: one item, or a list of them.
fn named(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    }
}

fn part<'a>(node: &Node, labels: &Labels<'a>, what: &str, all: &str) -> Result<Part<'a>> {
    let axes = node.entries("a combination")?;
    if axes.is_empty() {
        let error = Error::config(format!("an item of `{what}` without an axis {all}"));
        return Err(error.at(&node.place).hint("write `{AXIS: ITEM}`"));
    }
    let axes = axes.iter().map(|(axis, node)| {
        let Some((&axis, items)) = labels.get_key_value(axis.text.as_str()) else {
            let error = Error::config(format!("there is no axis `{}`", axis.text));
            let known = labels.keys().copied();
            return Err(error.at(&axis.place).suggest(&axis.text, known));
        };
        let found = named(node).iter().map(|item| {
            let text = item.scalar_text().unwrap_or_else(|| item.describe());
            items.get(&ids::canonical(&text)).copied().ok_or_else(|| {
                let error = Error::config(format!("axis `{axis}` has no item `{text}`"));
                let known = items.values().copied();
                error.at(&item.place).suggest(&text, known)
            })
        });
        let found = found.collect::<Result<BTreeSet<&str>>>()?;
        if found.is_empty() {
            let message = format!("`{what}` names no item of axis `{axis}`");
            return Err(Error::config(message).at(&node.place));
        }
        Ok((axis, found))
    });
    axes.collect()
}
