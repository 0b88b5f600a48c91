//! A person's own table: read from CSV or Parquet, and checked cell by cell.
//!
//! Every message names the file, and the row (counted from 1, without the header) and column where
//! there is one. A column is numbers, labels or names by what it is asked for as, and only those that are
//! asked for are read. Does not know what the numbers are for.

use retrace::base::error::{Error, Result, panic_words};
use retrace::stage::kind::read;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tables::cells::{Cells, Unfit};
use tables::foreign_table::ForeignTable;

/// A table with the name of its file.
pub struct Tabular {
    file: String,
    table: ForeignTable,
}

impl Tabular {
    /// Reads a file, Parquet if it starts as such and CSV otherwise.
    ///
    /// # Errors
    /// A file that is no table or is damaged, one without rows, two columns of one name.
    pub fn read(path: &Path) -> Result<Tabular> {
        let file = path.display().to_string();
        let bytes = read(path)?;
        let table = survive(|| ForeignTable::read(bytes)).unwrap_or_else(Err);
        let table = table.map_err(|e| Error::failed(format!("{file}: {e}")))?;
        Ok(Tabular { file, table })
    }

    /// Number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.table.names().iter().map(String::as_str)
    }

    /// `FILE: message`.
    pub fn wrong(&self, message: impl AsRef<str>) -> Error {
        Error::failed(format!("{}: {}", self.file, message.as_ref()))
    }

    fn unfit(&self, column: &str, unfit: &Unfit) -> Error {
        match unfit.row {
            Some(row) => self.wrong_cell(row, column, &unfit.message),
            None => self.wrong(format!("column `{column}`: {}", unfit.message)),
        }
    }

    fn wrong_cell(&self, row: usize, column: &str, message: &str) -> Error {
        self.wrong(format!("row {}, column `{column}`: {message}", row + 1))
    }

    /// The columns that the patterns name (`*` and `?` stand for any letters), in the order of the
    /// patterns and then of the table, each once.
    ///
    /// # Errors
    /// A pattern that names no column.
    pub fn select(&self, patterns: &[String]) -> Result<Vec<String>> {
        let mut found: Vec<String> = Vec::new();
        for pattern in patterns {
            let glob = glob::Pattern::new(pattern)
                .map_err(|e| self.wrong(format!("`{pattern}` is no pattern: {e}")))?;
            let mut any = false;
            for (at, name) in self.names().enumerate() {
                if name != pattern && !glob.matches(name) {
                    continue;
                }
                if name.is_empty() {
                    let at = at + 1;
                    return Err(
                        self.wrong(format!("`{pattern}` means column {at}, which has no name"))
                    );
                }
                any = true;
                if !found.iter().any(|known| known == name) {
                    found.push(name.to_owned());
                }
            }
            if !any {
                return Err(self.no_column(pattern));
            }
        }
        Ok(found)
    }

    fn no_column(&self, name: &str) -> Error {
        let error = self.wrong(format!("there is no column `{name}`"));
        let mut known = self.names();
        match (known.next(), known.next()) {
            (Some(one), None) if one.contains([';', '\t']) => {
                error.hint("its header has no comma: write one between two columns, in every line")
            }
            _ => error.suggest(name, self.names().filter(|known| !known.is_empty())),
        }
    }

    fn cells(&self, name: &str) -> Result<Cow<'_, Cells>> {
        let column = self.names().position(|known| known == name);
        let column = column.ok_or_else(|| self.no_column(name))?;
        let cells = survive(|| self.table.cells(column));
        let cells = cells.unwrap_or_else(|words| Err(Unfit::column(words)));
        cells.map_err(|unfit| self.unfit(name, &unfit))
    }

    /// A column of numbers; an empty cell is NaN.
    fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let cells = self.cells(name)?;
        cells.numbers().map_err(|unfit| {
            let error = self.unfit(name, &unfit);
            match (cells.as_ref(), self.table.states_types()) {
                (Cells::Text(_), true) => error.hint("the file has this column as text"),
                _ => error,
            }
        })
    }

    /// A column of finite numbers.
    pub fn features(&self, name: &str) -> Result<Vec<f64>> {
        let numbers = self.numbers(name)?;
        match numbers.iter().position(|value| !value.is_finite()) {
            None => Ok(numbers),
            Some(row) if numbers[row].is_nan() => {
                Err(self.wrong_cell(row, name, "the number is missing (empty or NaN)"))
            }
            Some(row) => {
                Err(self.wrong_cell(row, name, &format!("{} is not finite", numbers[row])))
            }
        }
    }

    /// A column of labels, 1 and -1 (or 1 and 0, then 0 becomes -1); NaN where a cell is empty.
    pub fn labels(&self, name: &str) -> Result<Vec<f64>> {
        let numbers = self.numbers(name)?;
        let low = if numbers.contains(&-1.0) { -1.0 } else { 0.0 };
        let label = |(row, value): (usize, f64)| {
            match value {
            value if value.is_nan() => Ok(value),
            1.0 => Ok(1.0),
            value if value == low => Ok(-1.0),
            value => Err(self.wrong_cell(
                row,
                name,
                &format!("{value} is no label: write 1 and -1, or 1 and 0, and nothing where the row is not part of the task"),
            )),
        }
        };
        numbers.into_iter().enumerate().map(label).collect()
    }

    /// The class of each row by the value of a column, as it is written (`007` is another class than `7`),
    /// numbered in the order of first appearance.
    ///
    /// # Errors
    /// An empty cell, a class of a single row, two classes that differ in blanks around them.
    pub fn classes(&self, name: &str) -> Result<Vec<usize>> {
        let cells = self.cells(name)?;
        let names = cells.names();
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        // By the name without blanks: nobody sees two classes that differ in those.
        let mut written: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        let mut classes = Vec::new();
        for (row, class) in names.iter().enumerate() {
            let Some(class) = class.as_deref() else {
                return Err(self.wrong_cell(row, name, "the class is missing"));
            };
            let &mut (first, at) = written.entry(class.trim()).or_insert((class, row));
            if first != class {
                let at = at + 1;
                let message = format!(
                    "the class `{class}` is `{first}` of row {at} but for blanks around it: write both alike"
                );
                return Err(self.wrong_cell(row, name, &message));
            }
            let number = *known.entry(class).or_insert(sizes.len());
            if number == sizes.len() {
                sizes.push((row, 0));
            }
            sizes[number].1 += 1;
            classes.push(number);
        }
        match sizes.iter().find(|(_, size)| *size < 2) {
            None => Ok(classes),
            Some(&(row, _)) => {
                let class = names[row].as_deref().unwrap_or_default();
                let message = format!(
                    "the class `{class}` has this row alone; it needs one to train on and one to hold out"
                );
                Err(self.wrong_cell(row, name, &message))
            }
        }
    }
}

/// What `act` returns, or what the library that reads a damaged file says when it gives up.
fn survive<T>(act: impl FnOnce() -> T) -> std::result::Result<T, String> {
    // What `act` worked on is dropped with it, or only read.
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| {
        let words = panic_words(panic.as_ref());
        format!("it cannot be read, and may be damaged: {words}")
    })
}
