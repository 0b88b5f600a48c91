//! Numbers with what tells them apart, and how those of two sides find each other.
//!
//! Does not know where the numbers are from.

use crate::claims::query::evidence::Key;
use std::collections::BTreeMap;

/// Numbers, each with its keys.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The names of the keys.
    pub columns: Vec<String>,
    pub keys: Vec<Vec<Key>>,
    pub values: Vec<f64>,
    /// Rows of one origin are the same rows, in one order.
    pub origin: Option<String>,
}

/// Rows that have some keys in common: these, and which rows.
pub type Group = (Vec<Key>, Vec<usize>);

impl Rows {
    /// One number without keys.
    pub fn number(value: f64) -> Rows {
        Rows {
            keys: vec![Vec::new()],
            values: vec![value],
            ..Rows::default()
        }
    }

    /// The same rows with other numbers.
    pub fn map(mut self, f: impl Fn(f64) -> f64) -> Rows {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self
    }

    /// The names of some keys, and the groups of rows that agree in them, each where its first row is.
    pub fn groups(&self, keep: impl Fn(&str) -> bool) -> (Vec<String>, Vec<Group>) {
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|&i| keep(&self.columns[i]))
            .collect();
        let names = kept.iter().map(|&i| self.columns[i].clone()).collect();
        let mut index: BTreeMap<Vec<&Key>, usize> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for (row, keys) in self.keys.iter().enumerate() {
            let key: Vec<&Key> = kept.iter().map(|&i| &keys[i]).collect();
            let owned = || key.iter().map(|&key| key.clone()).collect();
            let at = *index.entry(key.clone()).or_insert_with(|| {
                groups.push((owned(), Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(row);
        }
        (names, groups)
    }

    /// `model=zs, n_shots=20`.
    pub fn name(&self, row: usize) -> String {
        named(&self.columns, &self.keys[row])
    }

    /// Columns that take more than one value.
    pub fn varying(&self) -> Vec<&str> {
        let varies = |i: &usize| self.keys.iter().any(|keys| keys[*i] != self.keys[0][*i]);
        let columns = (0..self.columns.len()).filter(varies);
        columns.map(|i| self.columns[i].as_str()).collect()
    }
}

/// `model=zs, n_shots=20`.
pub fn named(columns: &[String], keys: &[Key]) -> String {
    let one = |(column, key): (&String, &Key)| format!("{column}={key}");
    let all: Vec<String> = columns.iter().zip(keys).map(one).collect();
    all.join(", ")
}

/// `f` of the numbers of two sides. A row finds the one that agrees in all columns that both sides have;
/// a side without a column says the same for all of it.
///
/// # Errors
/// A row without a partner or with several; sides of which each has a column that the other lacks.
pub fn paired(left: Rows, right: Rows, f: impl Fn(f64, f64) -> f64) -> Result<Rows, String> {
    if left.origin.is_some() && left.origin == right.origin {
        let values = left
            .values
            .iter()
            .zip(&right.values)
            .map(|(&x, &y)| f(x, y))
            .collect();
        return Ok(Rows { values, ..left });
    }
    let lacks = |one: &Rows, other: &Rows| -> Vec<String> {
        let names = other
            .columns
            .iter()
            .filter(|name| !one.columns.contains(name));
        names.cloned().collect()
    };
    let (left_lacks, right_lacks) = (lacks(&left, &right), lacks(&right, &left));
    if !left_lacks.is_empty() && !right_lacks.is_empty() {
        return Err(format!(
            "the left side varies in {}, the right side in {}: rows cannot be matched; fix one of them by a filter",
            right_lacks.join(", "),
            left_lacks.join(", ")
        ));
    }
    // The side with more columns says which rows there are.
    let turned = !left_lacks.is_empty();
    let (many, few) = if turned { (right, left) } else { (left, right) };
    let (many_side, few_side) = if turned {
        ("right", "left")
    } else {
        ("left", "right")
    };
    let mut partners: BTreeMap<&Vec<Key>, (usize, bool)> = BTreeMap::new();
    for (row, keys) in few.keys.iter().enumerate() {
        if partners.insert(keys, (row, false)).is_some() {
            let name = few.name(row);
            return Err(format!(
                "the {few_side} side has several rows{}, which only decimals tell apart: filter by their column",
                if name.is_empty() {
                    name
                } else {
                    format!(" with {name}")
                }
            ));
        }
    }
    let shared: Vec<usize> = few
        .columns
        .iter()
        .filter_map(|name| many.columns.iter().position(|other| other == name))
        .collect();
    let mut values = Vec::with_capacity(many.values.len());
    for (row, keys) in many.keys.iter().enumerate() {
        let key: Vec<Key> = shared.iter().map(|&i| keys[i].clone()).collect();
        let Some((partner, met)) = partners.get_mut(&key) else {
            return Err(format!(
                "the {few_side} side has no row for {}",
                named(&few.columns, &key)
            ));
        };
        *met = true;
        let (x, y) = (many.values[row], few.values[*partner]);
        values.push(if turned { f(y, x) } else { f(x, y) });
    }
    if let Some((keys, _)) = partners.iter().find(|(_, (_, met))| !met) {
        return Err(format!(
            "the {many_side} side has no row for {}",
            named(&few.columns, keys)
        ));
    }
    Ok(Rows {
        values,
        origin: None,
        ..many
    })
}
