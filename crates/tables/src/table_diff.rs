//! What changed from one table to another, value by value, rows matched by what names them.

use crate::table::{Column, Table};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableDiff {
    /// Columns that name rows.
    pub key: Vec<String>,
    pub changes: Vec<ValueChange>,
    /// Rows that only one of the tables has.
    pub rows_added: usize,
    pub rows_removed: usize,
    pub columns_added: Vec<String>,
    pub columns_removed: Vec<String>,
}

/// A value that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueChange {
    /// The row's values in the columns of the key.
    pub row: Vec<String>,
    pub column: String,
    pub old: String,
    pub new: String,
    /// `new - old` where both are numbers.
    pub difference: Option<f64>,
}

/// Compares two tables.
///
/// Rows are named by the columns of text, and by as many integer columns, from the left, as it takes
/// to tell the rows of both tables apart. A column of text is no name where rows have more partners without
/// it and are still told apart: it says what came out. What still has the same name is counted through.
pub fn diff(old: &Table, new: &Table) -> TableDiff {
    let names = |table: &Table| -> BTreeSet<String> {
        table
            .columns()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let key = key(old, new);
    let (old_rows, new_rows) = (rows(old, &key), rows(new, &key));
    let mut diff = TableDiff {
        rows_added: new_rows
            .keys()
            .filter(|name| !old_rows.contains_key(*name))
            .count(),
        rows_removed: old_rows
            .keys()
            .filter(|name| !new_rows.contains_key(*name))
            .count(),
        columns_added: names(new).difference(&names(old)).cloned().collect(),
        columns_removed: names(old).difference(&names(new)).cloned().collect(),
        ..TableDiff::default()
    };
    let in_order = {
        let mut rows: Vec<_> = old_rows.iter().collect();
        rows.sort_by_key(|(_, row)| **row);
        rows
    };
    for (name, &from) in in_order {
        let Some(&to) = new_rows.get(name) else {
            continue;
        };
        for (column, before) in old.columns() {
            let Ok(after) = new.column(column) else {
                continue;
            };
            if key.contains(column) || equal(before, from, after, to) {
                continue;
            }
            let difference = match (number(before, from), number(after, to)) {
                (Some(a), Some(b)) => Some(b - a),
                _ => None,
            };
            diff.changes.push(ValueChange {
                row: name.0.iter().chain(name.1.as_ref()).cloned().collect(),
                column: column.clone(),
                old: shown(before, from),
                new: shown(after, to),
                difference,
            });
        }
    }
    diff.key = key;
    diff
}

/// A row's values in the columns of the key, and its count where they are not its alone.
type Name = (Vec<String>, Option<String>);

fn key(old: &Table, new: &Table) -> Vec<String> {
    let both = |is: fn(&Column) -> bool| -> Vec<String> {
        let columns = old.columns().iter().filter(|(_, column)| is(column));
        let columns = columns.filter(|(name, _)| new.column(name).is_ok_and(is));
        columns.map(|(name, _)| name.clone()).collect()
    };
    let is_unique = |key: &[String]| is_unique(old, key) && is_unique(new, key);
    let integers = both(|column| matches!(column, Column::Int(_)));
    let with_integers = |text: &[String]| {
        let mut key = text.to_vec();
        for name in &integers {
            if is_unique(&key) {
                break;
            }
            key.push(name.clone());
        }
        key
    };
    let mut text = both(|column| matches!(column, Column::Text(_)));
    let mut key = with_integers(&text);
    let mut found = partners(old, new, &key);
    let most = old.rows().min(new.rows());
    for at in (0..text.len()).rev() {
        if found == most {
            break;
        }
        let mut fewer = text.clone();
        fewer.remove(at);
        let without = with_integers(&fewer);
        let pairs = partners(old, new, &without);
        if pairs > found && !without.is_empty() && is_unique(&without) {
            (text, key, found) = (fewer, without, pairs);
        }
    }
    key
}

/// How many rows of two tables have the same values in the columns of a key.
fn partners(old: &Table, new: &Table, key: &[String]) -> usize {
    let known: BTreeSet<Vec<String>> = (0..old.rows()).map(|row| values(old, key, row)).collect();
    let rows = (0..new.rows()).filter(|row| known.contains(&values(new, key, *row)));
    rows.count()
}

fn values(table: &Table, key: &[String], row: usize) -> Vec<String> {
    let columns = key.iter().filter_map(|name| table.column(name).ok());
    columns.map(|column| column.text(row)).collect()
}

fn is_unique(table: &Table, key: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    (0..table.rows()).all(|row| seen.insert(values(table, key, row)))
}

fn rows(table: &Table, key: &[String]) -> BTreeMap<Name, usize> {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for row in 0..table.rows() {
        let name = values(table, key, row);
        let count = counts.entry(name.clone()).or_default();
        let suffix = (*count > 0 || key.is_empty()).then(|| format!("#{count}"));
        *count += 1;
        rows.insert((name, suffix), row);
    }
    rows
}

fn number(column: &Column, row: usize) -> Option<f64> {
    match column {
        Column::Int(values) => Some(values[row] as f64),
        Column::Float(values) => Some(values[row]).filter(|value| !value.is_nan()),
        Column::Text(_) => None,
    }
}

fn equal(a: &Column, i: usize, b: &Column, j: usize) -> bool {
    match (a, b) {
        (Column::Float(a), Column::Float(b)) => {
            a[i].to_bits() == b[j].to_bits() || (a[i].is_nan() && b[j].is_nan())
        }
        (Column::Int(a), Column::Int(b)) => a[i] == b[j],
        _ => shown(a, i) == shown(b, j),
    }
}

fn shown(column: &Column, row: usize) -> String {
    match column {
        Column::Float(values) if values[row].is_nan() => "missing".into(),
        _ => column.text(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(model: &[&str], n: &[i64], prompts: i64, error: &[f64]) -> Table {
        let columns = vec![
            (
                "model",
                Column::Text(model.iter().map(|m| m.to_string()).collect()),
            ),
            ("n", Column::Int(n.to_vec())),
            ("prompts", Column::Int(vec![prompts; n.len()])),
            ("error", Column::Float(error.to_vec())),
        ];
        Table::new(columns).unwrap()
    }

    #[test]
    fn rows_are_matched_by_name_and_other_integers_are_values() {
        let old = table(&["a", "a", "b"], &[0, 1, 0], 10, &[1.0, 2.0, f64::NAN]);
        let new = table(&["b", "a", "c"], &[0, 1, 0], 20, &[4.0, 2.5, 9.0]);
        let diff = diff(&old, &new);
        assert_eq!(diff.key, ["model", "n"]);
        assert_eq!((diff.rows_added, diff.rows_removed), (1, 1));
        let shown: Vec<String> = diff
            .changes
            .iter()
            .map(|c| {
                format!(
                    "{:?} {} {} {} {:?}",
                    c.row, c.column, c.old, c.new, c.difference
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                r#"["a", "1"] prompts 10 20 Some(10.0)"#,
                r#"["a", "1"] error 2 2.5 Some(0.5)"#,
                r#"["b", "0"] prompts 10 20 Some(10.0)"#,
                r#"["b", "0"] error missing 4 None"#,
            ]
        );
    }

    #[test]
    fn text_that_says_what_came_out_names_no_row() {
        let table = |said: [&str; 3]| {
            let text = |all: &[&str]| Column::Text(all.iter().map(|one| one.to_string()).collect());
            let columns = vec![
                ("model", text(&["a", "a", "b"])),
                ("said", text(&said)),
                ("n", Column::Int(vec![0, 1, 0])),
            ];
            Table::new(columns).unwrap()
        };
        let (old, new) = (
            table(["loss 1", "loss 1", "loss 2"]),
            table(["loss 3", "loss 3", "loss 2"]),
        );
        let found = diff(&old, &new);
        assert_eq!(found.key, ["model", "n"]);
        assert_eq!((found.rows_added, found.rows_removed), (0, 0));
        assert_eq!(found.changes.len(), 2);
        assert_eq!(
            (&*found.changes[0].old, &*found.changes[0].new),
            ("loss 1", "loss 3")
        );
        // Rows that nothing else tells apart keep it.
        let text = |name| Table::new(vec![("name", Column::Text(vec![name]))]).unwrap();
        let found = diff(&text("x".to_owned()), &text("y".to_owned()));
        assert_eq!((found.rows_added, found.rows_removed), (1, 1));
    }

    #[test]
    fn rows_of_one_name_are_counted_through() {
        let floats =
            |values: &[f64]| Table::new(vec![("x", Column::Float(values.to_vec()))]).unwrap();
        let found = diff(&floats(&[1.0, 2.0]), &floats(&[1.0, 3.0, 4.0]));
        assert_eq!(found.rows_added, 1);
        assert_eq!(found.changes.len(), 1);
        assert_eq!(found.changes[0].row, ["#1"]);
        let same = table(&["a", "a"], &[0, 0], 1, &[1.0, 2.0]);
        assert_eq!(diff(&same, &same).changes, []);
    }

    #[test]
    fn columns_that_come_and_go_are_named() {
        let old = Table::new(vec![("a", Column::Int(vec![1]))]).unwrap();
        let new = Table::new(vec![("b", Column::Int(vec![1]))]).unwrap();
        let found = diff(&old, &new);
        assert_eq!(
            (found.columns_added, found.columns_removed),
            (vec!["b".into()], vec!["a".into()])
        );
    }
}
