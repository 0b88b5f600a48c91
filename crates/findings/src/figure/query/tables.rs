//! The tables that a figure reads, and the rows that it picks from them by naming values.
//!
//! Whatever is named must be there: an error begins with the path of the param that names it, and ends
//! with the name that was meant. Does not know what is drawn of the rows.

use crate::exchange::given::Given;
use crate::figure::query::selector::{self, Selector};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tables::foreign_parquet::READABLE;
use tables::table::{Column, Table};

/// Tables by the label of their input, and which rows of each were drawn.
pub struct Tables<'a> {
    tables: BTreeMap<&'a str, Given>,
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
            tables.insert(label.as_str(), Given::read(path)?);
        }
        Ok(Tables { tables })
    }

    /// Tables that are at hand.
    pub fn of(tables: impl IntoIterator<Item = (&'a str, Table)>) -> Self {
        let whole = |table| Given {
            table,
            ..Given::default()
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

    /// What `*` stands for in each label that `pattern` fits, with the table, in the order of the labels.
    ///
    /// # Errors
    /// It fits none.
    pub fn matching<'t>(&'t self, pattern: &str, path: &str) -> Result<Vec<(String, Named<'t>)>> {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let found = self.tables.iter().filter_map(|(&label, given)| {
            let matched = label.strip_prefix(before)?.strip_suffix(after)?;
            let named = Named {
                label,
                table: &given.table,
                unread: &given.unread,
            };
            (!matched.is_empty()).then(|| (matched.to_owned(), named))
        });
        let found: Vec<_> = found.collect();
        match found.is_empty() {
            false => Ok(found),
            true => {
                let error = Error::failed(format!("{path}: no input table is like `{pattern}`"));
                Err(error.suggest(pattern, self.labels()))
            }
        }
    }

    /// The table that the param at `path` names.
    ///
    /// # Errors
    /// No input has that label.
    pub fn find<'t>(&'t self, label: &'t str, path: &str) -> Result<Named<'t>> {
        let Given { table, unread } = self.tables.get(label).ok_or_else(|| {
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
    /// Label of an input of the role `tables`; with a `*` in it, of each that it fits. A facet may name
    /// it instead.
    #[serde(default)]
    pub table: Option<String>,
    /// Columns with the value that they must have: numbers for columns of numbers, text for columns of
    /// text.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, Selector>,
    pub x: String,
    pub y: String,
    #[serde(default)]
    pub std_error: Option<String>,
}

/// What a facet says of all rows in it.
#[derive(Clone, Copy)]
pub struct TableScope<'f> {
    pub table: Option<&'f str>,
    pub filter: &'f BTreeMap<String, Selector>,
    /// Where in the params it says so.
    pub path: &'f str,
}

impl Rows {
    /// What the params alone tell.
    ///
    /// # Errors
    /// A table that nobody names or two do, a column that facet and rows both choose from.
    pub fn check(&self, scope: TableScope, path: &str) -> std::result::Result<(), String> {
        let facet = scope.path;
        match (&self.table, scope.table) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "{path}.table: {facet} has a table too: leave one of them out"
                ));
            }
            (None, None) => return Err(format!("{path}: there is no `table`")),
            _ => {}
        }
        let twice = self.filter.keys();
        let mut twice = twice.filter(|name| scope.filter.contains_key(*name));
        match twice.next() {
            None => Ok(()),
            Some(name) => Err(format!(
                "{path}.where.{name}: {facet} chooses from `{name}` too: leave one of them out"
            )),
        }
    }

    /// The label of its table, and where it stands.
    pub fn label<'a>(&'a self, scope: TableScope<'a>, path: &str) -> (&'a str, String) {
        match (&self.table, scope.table) {
            (None, Some(label)) => (label, format!("{}.table", scope.path)),
            (label, _) => (
                label.as_deref().unwrap_or_default(),
                format!("{path}.table"),
            ),
        }
    }

    /// The rows of a table that are meant.
    ///
    /// # Errors
    /// A column or value that is not there; no rows, unless there may be none.
    pub fn of(
        &self,
        named: Named,
        scope: TableScope,
        path: &str,
        may_be_empty: bool,
    ) -> Result<Vec<usize>> {
        let all: Vec<usize> = (0..named.table.rows()).collect();
        let mut rows = all.clone();
        for (name, wanted, at) in self.conditions(scope, path) {
            let path = format!("{at}.where.{name}");
            let column = named.column(name, &path)?;
            let wanted = named.value(name, wanted, &path)?;
            let has = |&row: &usize| selector::text(column, row) == wanted;
            if !may_be_empty && !all.is_empty() && !all.iter().any(has) {
                return Err(named.absent((name, &wanted), (&all, ""), &path));
            }
            rows.retain(has);
        }
        if rows.is_empty() && !may_be_empty {
            let label = named.label;
            let message = match all.is_empty() {
                true => format!("{path}: table `{label}` has no rows"),
                false => format!(
                    "{path}.where: no row of table `{label}` has {} at once",
                    self.words(scope)
                ),
            };
            return Err(Error::failed(message).hint(
                "choose other rows, or write `may_be_empty: true` beside `from` if there may be none",
            ));
        }
        Ok(rows)
    }

    /// Column, value and the path of the mapping `where`, of facet and rows.
    pub fn conditions<'a>(
        &'a self,
        scope: TableScope<'a>,
        path: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Selector, &'a str)> {
        let of = |filter: &'a BTreeMap<String, Selector>, at: &'a str| {
            let conditions = filter.iter();
            conditions.map(move |(name, value)| (name.as_str(), value, at))
        };
        of(scope.filter, scope.path).chain(of(&self.filter, path))
    }

    /// `task = theta0`, and so on.
    fn words(&self, scope: TableScope) -> String {
        let conditions = self.conditions(scope, "");
        let words = conditions.map(|(name, value, _)| format!("{name} = {}", value.words()));
        words.collect::<Vec<_>>().join(" and ")
    }

    /// The same as the end of a message; nothing where all rows are meant.
    pub fn under(&self, scope: TableScope) -> String {
        match self.words(scope) {
            words if words.is_empty() => words,
            words => format!(" where {words}"),
        }
    }

    /// The values that are chosen, without their columns.
    pub fn chosen(&self, scope: TableScope) -> Vec<String> {
        let conditions = self.conditions(scope, "");
        conditions.map(|(_, value, _)| value.words()).collect()
    }
}
