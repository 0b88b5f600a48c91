//! Columns of tables that stages exchange: which ones a stage writes, and which ones it wants.
//!
//! Both are said by kinds before anything runs. Knows no file format, and not what a column holds.

use crate::base::error::Place;

/// A column that a stage reads of a table among its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The role of the input.
    pub role: String,
    /// Which inputs of the role: a label, the name that several were given under, or a glob; empty for
    /// all of them.
    pub label: String,
    pub column: String,
    /// The path of the param that names it, `panels.0.x`; empty where the kind itself wants it.
    pub param: String,
}

/// The same, with the place of the param.
pub type Placed = (Wanted, Option<Place>);

/// Columns that a kind wants of all inputs of a role.
pub fn wanted(role: &str, columns: &[&str]) -> Vec<Wanted> {
    let one = |column: &&str| Wanted {
        role: role.to_owned(),
        label: String::new(),
        column: (*column).to_owned(),
        param: String::new(),
    };
    columns.iter().map(one).collect()
}

/// The columns of a table.
pub fn columns(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}
