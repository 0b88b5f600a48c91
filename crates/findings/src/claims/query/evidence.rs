//! Tables by name, with what tells their files apart as columns of their own.
//!
//! Does not know who asks, nor for what.

use crate::claims::query::scan::unknown;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use tables::table::{Column, Table};

/// All that quantities can ask for.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub tables: Vec<Named>,
    pub constants: Vec<Constant>,
}

/// A number that has a name: a closed form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant {
    pub name: &'static str,
    /// As it is shown, `1 + sigma2`.
    pub formula: &'static str,
    pub value: f64,
}

/// A table with its name.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub rows: usize,
    pub columns: Vec<(String, Cells)>,
}

/// A column, prepared for filters.
#[derive(Debug, Clone)]
pub enum Cells {
    /// For each row an index into the different texts.
    Text(Vec<usize>, Vec<Arc<str>>),
    Int(Vec<i64>),
    Float(Vec<f64>),
}

/// What tells a row from others: text, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Int(i64),
    Text(Arc<str>),
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Key::Int(number) => write!(f, "{number}"),
            Key::Text(text) => f.write_str(text),
        }
    }
}

/// A file of a table, with the labels that tell it from the others.
pub struct Part<'a> {
    pub labels: Vec<&'a str>,
    pub table: Table,
}

impl Evidence {
    /// A table by its name.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub fn table(&self, name: &str) -> Result<&Named, String> {
        let found = self.tables.iter().find(|table| table.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.tables.iter().map(|table| &*table.name).collect();
            unknown("table", name, &known)
        })
    }

    /// A number by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn constant(&self, name: &str) -> Result<&Constant, String> {
        let found = self.constants.iter().find(|known| known.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.constants.iter().map(|known| known.name).collect();
            unknown("closed form", name, &known)
        })
    }
}

impl Named {
    /// One table of several files of the same columns; `labels` names the columns of their labels. These
    /// hold whole numbers where all are whole numbers.
    ///
    /// # Errors
    /// Files differ in columns, or in how many labels they have.
    pub fn new(name: &str, labels: &[String], parts: &[Part]) -> Result<Named, String> {
        let first = parts
            .first()
            .ok_or_else(|| format!("`{name}` has no file"))?;
        let mut columns = Vec::new();
        for (at, label) in labels.iter().enumerate() {
            let mut values = Vec::new();
            for part in parts {
                if part.labels.len() != labels.len() {
                    return Err(labels_differ(name, labels, part));
                }
                values.extend(std::iter::repeat_n(part.labels[at], part.table.rows()));
            }
            let ints: Option<Vec<i64>> = values.iter().map(|text| whole(text)).collect();
            let texts = || Column::Text(values.iter().map(|text| (*text).to_owned()).collect());
            columns.push((
                label.clone(),
                Cells::new(ints.map_or_else(texts, Column::Int)),
            ));
        }
        if labels.is_empty() && (parts.len() > 1 || !first.labels.is_empty()) {
            return Err(labels_differ(name, labels, first));
        }
        for (column, _) in first.table.columns() {
            if labels.contains(column) {
                return Err(format!(
                    "`{name}` has a column `{column}` already: call its label otherwise"
                ));
            }
            let mut of_parts = Vec::new();
            for part in parts {
                let found = part.table.column(column);
                let found =
                    found.map_err(|e| format!("files of `{name}` differ in columns: {e}"))?;
                of_parts.push(found);
            }
            columns.push((column.clone(), Cells::new(joined(&of_parts)?)));
        }
        let rows = parts.iter().map(|part| part.table.rows()).sum();
        Ok(Named {
            name: name.to_owned(),
            rows,
            columns,
        })
    }

    /// A column by its name.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub fn column(&self, name: &str) -> Result<&Cells, String> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, cells)| cells).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|(name, _)| &**name).collect();
            format!("in `{}` {}", self.name, unknown("column", name, &known))
        })
    }
}

fn labels_differ(name: &str, labels: &[String], part: &Part) -> String {
    let has = part.labels.join(",");
    match labels {
        [] if has.is_empty() => {
            format!("`{name}` has several files: give names to what tells them apart in `labels`")
        }
        [] => format!(
            "`{name}` has a file `{has}`: give names to what its `*` stands for in `labels`"
        ),
        _ => format!(
            "`{name}` has a file `{has}`, of {} labels; `labels` names {}: {}",
            part.labels.len(),
            labels.len(),
            labels.join(", ")
        ),
    }
}

/// A whole number as it is always written.
fn whole(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|number: &i64| number.to_string() == text)
}

fn joined(parts: &[&Column]) -> Result<Column, String> {
    let texts: Option<Vec<&[String]>> = parts
        .iter()
        .map(|part| match part {
            Column::Text(texts) => Some(texts.as_slice()),
            _ => None,
        })
        .collect();
    if let Some(texts) = texts {
        return Ok(Column::Text(texts.concat()));
    }
    if parts.iter().all(|part| matches!(part, Column::Int(_))) {
        let ints = parts.iter().filter_map(|part| match part {
            Column::Int(ints) => Some(ints.as_slice()),
            _ => None,
        });
        return Ok(Column::Int(ints.collect::<Vec<_>>().concat()));
    }
    // Whole numbers of which one file misses some are floats there.
    let mut floats = Vec::new();
    for part in parts {
        match part {
            Column::Float(values) => floats.extend(values),
            Column::Int(values) => floats.extend(values.iter().map(|&value| value as f64)),
            Column::Text(_) => {
                return Err("a column holds text in one file and numbers in another".into());
            }
        }
    }
    Ok(Column::Float(floats))
}

impl Cells {
    fn new(column: Column) -> Cells {
        match column {
            Column::Int(values) => Cells::Int(values),
            Column::Float(values) => Cells::Float(values),
            Column::Text(values) => {
                let mut index = BTreeMap::new();
                let mut names: Vec<Arc<str>> = Vec::new();
                let code = |text: String| {
                    *index.entry(text).or_insert_with_key(|text: &String| {
                        names.push(text.as_str().into());
                        names.len() - 1
                    })
                };
                let codes = values.into_iter().map(code).collect();
                Cells::Text(codes, names)
            }
        }
    }

    /// What a row holds, where that can tell rows apart.
    pub fn key(&self, row: usize) -> Option<Key> {
        match self {
            Cells::Text(codes, names) => Some(Key::Text(names[codes[row]].clone())),
            Cells::Int(values) => Some(Key::Int(values[row])),
            Cells::Float(_) => None,
        }
    }

    /// The number in a row; none in text.
    pub fn number(&self, row: usize) -> Option<f64> {
        match self {
            Cells::Text(..) => None,
            Cells::Int(values) => Some(values[row] as f64),
            Cells::Float(values) => Some(values[row]),
        }
    }
}
