//! Which values of a column get a curve: those that have looks, in their order.
//!
//! A value that is named and not there is an error, unless it may be missing. Does not know the curves.

use crate::kinds::figure::look::{Look, LookOf};
use crate::kinds::figure::selector::Selector;
use crate::kinds::figure::tables::Named;
use retrace::base::error::{Error, Result};
use std::collections::BTreeSet;

/// Values of a column with their rows.
pub type Groups = Vec<(String, Vec<usize>)>;

/// A value of `each` that gets a curve.
pub struct Chosen<'c> {
    /// Its place among the looks.
    pub at: usize,
    pub value: String,
    pub rows: Vec<usize>,
    pub look: &'c Look,
    pub may_be_empty: bool,
}

/// The choice of some values of a column.
pub struct Choice<'c, 't> {
    /// The table and its column.
    pub named: Named<'t>,
    pub column: &'t str,
    /// The rows to choose from, and in words how they were picked.
    pub rows: &'c [usize],
    pub under: &'c str,
    pub looks: &'c [LookOf],
    /// Values without a look on purpose.
    pub left_out: &'c [Selector],
    /// Whether any value may be missing.
    pub may_be_empty: bool,
    /// Where in the params all this stands.
    pub path: &'c str,
}

impl<'c> Choice<'c, '_> {
    /// Takes the values that have looks out of the groups, and those that are left out on purpose.
    pub fn make(&self, groups: &mut Groups, missing: &mut Vec<String>) -> Result<Vec<Chosen<'c>>> {
        let mut named: BTreeSet<String> = BTreeSet::new();
        let mut once = |wanted: &str, path: &str| match named.insert(wanted.to_owned()) {
            true => Ok(()),
            false => Err(Error::failed(format!("{path}: `{wanted}` stands twice"))),
        };
        let take = |groups: &mut Groups, wanted: &str| {
            let at = groups.iter().position(|(known, _)| known == wanted);
            at.map(|at| groups.remove(at))
        };
        let mut chosen = Vec::new();
        for (at, of) in self.looks.iter().enumerate() {
            let path = format!("{}.looks.{at}.value", self.path);
            let wanted = self.value(&of.value, &path)?;
            once(&wanted, &path)?;
            let may_be_empty = of.may_be_empty || self.may_be_empty;
            match take(groups, &wanted) {
                Some((value, rows)) => chosen.push(Chosen {
                    at,
                    value,
                    rows,
                    look: &of.look,
                    may_be_empty,
                }),
                None if may_be_empty => {
                    missing.push(format!(
                        "{path}: no rows with `{wanted}`, as there may be none"
                    ));
                }
                None => return Err(self.absent(&wanted, &path)),
            }
        }
        for (at, value) in self.left_out.iter().enumerate() {
            let path = format!("{}.left_out.{at}", self.path);
            let wanted = self.value(value, &path)?;
            once(&wanted, &path)?;
            if take(groups, &wanted).is_none() && !self.may_be_empty {
                return Err(self.absent(&wanted, &path));
            }
        }
        Ok(chosen)
    }

    fn value(&self, wanted: &Selector, path: &str) -> Result<String> {
        self.named.value(self.column, wanted, path)
    }

    fn absent(&self, wanted: &str, path: &str) -> Error {
        let among = (self.rows, self.under);
        self.named.absent((self.column, wanted), among, path)
    }
}
