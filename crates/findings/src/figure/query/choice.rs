//! Which of several groups of rows get a curve: those of the values that are listed, in their order.
//!
//! Groups are the values of a column, or the tables that a pattern fits. A value that is named and not
//! there is an error, unless it may be missing. Does not know the curves.

use crate::figure::query::selector::{self, Selector};
use crate::figure::query::tables::Named;
use retrace::base::error::{Error, Result};
use std::collections::BTreeSet;

/// Rows of a table with one value.
pub struct Group<'t> {
    pub value: String,
    pub named: Named<'t>,
    pub rows: Vec<usize>,
}

/// What tells groups apart.
pub enum Split<'t> {
    /// The values of a column.
    Column { named: Named<'t>, column: &'t str },
    /// What `*` stands for in the label of a table.
    Tables { pattern: &'t str },
}

/// The choice of some groups.
pub struct Choice<'c, 't> {
    pub split: Split<'t>,
    /// In words, how the rows were picked.
    pub under: &'c str,
    pub values: &'c [Selector],
    /// Values without a curve on purpose.
    pub left_out: &'c [Selector],
    /// Whether values may be missing.
    pub may_be_empty: bool,
    /// Where in the params all this stands.
    pub path: &'c str,
}

/// What was chosen of all groups.
pub struct Chosen<'t> {
    /// Each with its place among the values.
    pub groups: Vec<(usize, Group<'t>)>,
    /// Left out on purpose.
    pub left_out: Vec<Group<'t>>,
    /// What nothing was said of.
    pub rest: Vec<Group<'t>>,
    /// Values that are missing as they may, in words.
    pub missing: Vec<String>,
}

impl<'t> Choice<'_, 't> {
    /// Takes the values that are listed out of the groups, and those that are left out on purpose.
    ///
    /// # Errors
    /// A value that no group has or that stands twice.
    pub fn make(&self, groups: Vec<Group<'t>>) -> Result<Chosen<'t>> {
        let mut seen = BTreeSet::new();
        let mut chosen = Chosen {
            groups: Vec::new(),
            left_out: Vec::new(),
            rest: groups,
            missing: Vec::new(),
        };
        for (list, values) in [("values", self.values), ("left_out", self.left_out)] {
            for (at, value) in values.iter().enumerate() {
                let path = format!("{}.{list}.{at}", self.path);
                let wanted = self.read(value, &path)?;
                if !seen.insert(wanted.clone()) {
                    return Err(Error::failed(format!("{path}: `{wanted}` stands twice")));
                }
                let found = chosen.rest.iter().position(|group| group.value == wanted);
                match found.map(|found| chosen.rest.remove(found)) {
                    Some(group) if list == "values" => chosen.groups.push((at, group)),
                    Some(group) => chosen.left_out.push(group),
                    None if self.may_be_empty => chosen.missing.push(format!(
                        "{path}: no rows with `{wanted}`, as there may be none"
                    )),
                    None => return Err(self.absent(&wanted, &chosen, &path)),
                }
            }
        }
        Ok(chosen)
    }

    /// What a value stands for, as groups are named.
    fn read(&self, wanted: &Selector, path: &str) -> Result<String> {
        match &self.split {
            Split::Column { named, column } => named.value(column, wanted, path),
            Split::Tables { .. } => Ok(wanted.words()),
        }
    }

    fn absent(&self, wanted: &str, chosen: &Chosen, path: &str) -> Error {
        let taken = chosen.groups.iter().map(|(_, group)| group);
        let all = taken.chain(&chosen.left_out).chain(&chosen.rest);
        let known: Vec<&str> = all.map(|group| group.value.as_str()).collect();
        match &self.split {
            Split::Tables { pattern } => {
                let label = pattern.replacen('*', wanted, 1);
                let error = Error::failed(format!("{path}: there is no input table `{label}`"));
                error.suggest(wanted, known)
            }
            Split::Column { named, column } => {
                let (label, under) = (named.label, self.under);
                let message = format!(
                    "{path}: table `{label}` has no `{wanted}` in column `{column}`{under}"
                );
                let error = Error::failed(message);
                match named.table.column(column) {
                    Ok(values) => selector::suggest(error, values, wanted, &known),
                    Err(_) => error,
                }
            }
        }
    }
}
