//! The tables that a figure reads, and the rows that it picks from them by naming values.
//!
//! Whatever is named must be there: an error begins with the path of the param that names it, and ends
//! with the name that was meant. Does not know what is drawn of the rows.

use crate::kinds::exchange::foreign::Foreign;
use crate::kinds::figure::selector::{self, Selector};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tables::foreign_parquet::READABLE;
use tables::table::{Column, Table};

/// Tables by the label of their input, and which rows of each were drawn.
pub struct Tables<'a> {
    tables: BTreeMap<&'a str, Foreign>,
}

/// Rows that are drawn, by the label of their table.
#[derive(Default)]
pub struct Drawn(BTreeMap<String, BTreeSet<usize>>);

impl Drawn {
    /// Adds rows of a table.
    pub fn note(&mut self, label: &str, rows: &[usize]) {
        self.0.entry(label.to_owned()).or_default().extend(rows);
    }

    /// Whether one of the rows was drawn.
    pub fn any(&self, label: &str, rows: &[usize]) -> bool {
        let known = self.0.get(label);
        rows.iter()
            .any(|row| known.is_some_and(|known| known.contains(row)))
    }

    /// Whether anything was drawn of a table.
    pub fn is_known(&self, label: &str) -> bool {
        self.0.contains_key(label)
    }
}

impl<'a> Tables<'a> {
    /// Reads all inputs of the role `tables`.
    ///
    /// # Errors
    /// A file that is no table.
    pub fn read(io: &'a Io) -> Result<Self> {
        let mut tables = BTreeMap::new();
        for (label, path) in io.inputs("tables") {
            tables.insert(label.as_str(), Foreign::read(path)?);
        }
        Ok(Tables { tables })
    }

    /// Tables that are at hand.
    pub fn of(tables: impl IntoIterator<Item = (&'a str, Table)>) -> Self {
        let whole = |table| Foreign {
            table,
            ..Foreign::default()
        };
        let tables = tables.into_iter();
        Tables {
            tables: tables.map(|(label, table)| (label, whole(table))).collect(),
        }
    }

    /// Every label.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().copied()
    }

    /// The table that the param at `path` names.
    ///
    /// # Errors
    /// No input has that label.
    pub fn find<'t>(&'t self, label: &'t str, path: &str) -> Result<Named<'t>> {
        let Foreign { table, unread } = self.tables.get(label).ok_or_else(|| {
            let error = Error::failed(format!("{path}: there is no input table `{label}`"));
            error.suggest(label, self.labels())
        })?;
        Ok(Named {
            label,
            table,
            unread,
        })
    }
}

/// A table with its label.
#[derive(Clone, Copy)]
pub struct Named<'t> {
    pub label: &'t str,
    pub table: &'t Table,
    /// Columns of types that cannot be drawn.
    unread: &'t BTreeMap<String, String>,
}

impl<'t> Named<'t> {
    /// The column that the param at `path` names.
    ///
    /// # Errors
    /// The table has no such column, or one of a type that is not read.
    pub fn column(&self, name: &str, path: &str) -> Result<&'t Column> {
        self.table.column(name).map_err(|_| {
            if let Some(kind) = self.unread.get(name) {
                let label = self.label;
                return Error::failed(format!(
                    "{path}: column `{name}` of table `{label}` is of type {kind}; what can be used: {READABLE}"
                ));
            }
            let known = self.table.columns().iter().map(|(name, _)| name.as_str());
            let message = format!("{path}: table `{}` has no column `{name}`", self.label);
            Error::failed(message).suggest(name, known)
        })
    }

    /// The same, of numbers.
    ///
    /// # Errors
    /// Besides: the column holds text.
    pub fn numbers(&self, name: &str, path: &str) -> Result<Vec<f64>> {
        match self.column(name, path)? {
            Column::Float(values) => Ok(values.clone()),
            Column::Int(values) => Ok(values.iter().map(|&value| value as f64).collect()),
            Column::Text(_) => Err(Error::failed(format!(
                "{path}: column `{name}` of table `{}` holds text, not numbers",
                self.label
            ))),
        }
    }

    /// What a selector stands for in a column, as [`selector::text`] writes it.
    ///
    /// # Errors
    /// It is of another type than the column.
    pub fn value(&self, column: &str, wanted: &Selector, path: &str) -> Result<String> {
        wanted.read(self.column(column, path)?).map_err(|why| {
            Error::failed(format!(
                "{path}: column `{column}` of table `{}` {why}",
                self.label
            ))
        })
    }

    /// The error of a value that no row has; `among` are the rows that were looked at, `with` how they
    /// were picked.
    pub fn absent(
        &self,
        (column, wanted): (&str, &str),
        (among, with): (&[usize], &str),
        path: &str,
    ) -> Error {
        let label = self.label;
        let message =
            format!("{path}: table `{label}` has no `{wanted}` in column `{column}`{with}");
        let Ok(values) = self.table.column(column) else {
            return Error::failed(message);
        };
        let known = among.iter().map(|&row| selector::text(values, row));
        let mut known: Vec<String> = known.collect();
        known.sort();
        known.dedup();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        selector::suggest(Error::failed(message), values, wanted, &known)
    }
}

/// Rows of a table, and the columns that are their coordinates.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Label of an input of the role `tables`.
    pub table: String,
    /// Columns with the value that they must have: numbers for columns of numbers, text for columns of
    /// text.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, Selector>,
    pub x: String,
    pub y: String,
    #[serde(default)]
    pub std_error: Option<String>,
}

impl Rows {
    /// The table, and the rows of it that are meant.
    ///
    /// # Errors
    /// A table, column or value that is not there; no rows, unless there may be none.
    pub fn find<'t>(
        &'t self,
        tables: &'t Tables,
        path: &str,
        may_be_empty: bool,
    ) -> Result<(Named<'t>, Vec<usize>)> {
        let named = tables.find(&self.table, &format!("{path}.table"))?;
        let all: Vec<usize> = (0..named.table.rows()).collect();
        let mut rows = all.clone();
        for (name, wanted) in &self.filter {
            let path = format!("{path}.where.{name}");
            let column = named.column(name, &path)?;
            let wanted = named.value(name, wanted, &path)?;
            let has = |&row: &usize| selector::text(column, row) == wanted;
            if !may_be_empty && !all.is_empty() && !all.iter().any(has) {
                return Err(named.absent((name, &wanted), (&all, ""), &path));
            }
            rows.retain(has);
        }
        if rows.is_empty() && !may_be_empty {
            let message = match all.is_empty() {
                true => format!("{path}: table `{}` has no rows", self.table),
                false => format!(
                    "{path}.where: no row of table `{}` has {} at once",
                    self.table,
                    self.conditions(" and ")
                ),
            };
            return Err(Error::failed(message).hint(
                "choose other rows, or write `may_be_empty: true` beside `from` if there may be none",
            ));
        }
        Ok((named, rows))
    }

    /// `task = theta0`, and so on.
    pub fn conditions(&self, between: &str) -> String {
        let conditions = self.filter.iter();
        let conditions = conditions.map(|(name, value)| format!("{name} = {}", value.words()));
        conditions.collect::<Vec<_>>().join(between)
    }

    /// The same as the end of a message; nothing where all rows are meant.
    pub fn under(&self) -> String {
        match self.filter.is_empty() {
            true => String::new(),
            false => format!(" where {}", self.conditions(" and ")),
        }
    }
}
