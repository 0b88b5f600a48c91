//! A person's own table: read from CSV or Parquet, and checked cell by cell.
//!
//! Every message names the file, and the row (counted from 1, without the header) and column where
//! there is one. Does not know what the numbers are for.

use crate::artifact::csv;
use crate::artifact::table::{Column, Table};
use crate::pipeline::error::{Error, Result};
use crate::pipeline::kind::read;
use std::collections::BTreeMap;
use std::path::Path;

/// A table with the name of its file.
pub struct Tabular {
    file: String,
    table: Table,
}

impl Tabular {
    /// Reads a file, Parquet if it starts as such and CSV otherwise; one without rows is refused.
    pub fn read(path: &Path) -> Result<Tabular> {
        let file = path.display().to_string();
        let bytes = read(path)?;
        // Some programs mark UTF-8 so.
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let table = if bytes.starts_with(b"PAR1") {
            Table::from_parquet(bytes).map_err(|e| e.to_string())
        } else {
            csv::read(bytes)
        };
        let table = table.map_err(|e| Error::failed(format!("{file}: {e}")))?;
        let tabular = Tabular { file, table };
        if tabular.rows() == 0 {
            return Err(tabular.wrong("it has no rows"));
        }
        let mut names: Vec<&str> = tabular.names().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(tabular.wrong(format!("it has two columns `{}`", pair[0]))),
            None => Ok(tabular),
        }
    }

    /// Number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.table.columns().iter().map(|(name, _)| name.as_str())
    }

    /// `FILE: message`.
    pub fn wrong(&self, message: impl AsRef<str>) -> Error {
        Error::failed(format!("{}: {}", self.file, message.as_ref()))
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
            for name in self
                .names()
                .filter(|name| name == pattern || glob.matches(name))
            {
                any = true;
                if !found.iter().any(|known| known == name) {
                    found.push(name.to_owned());
                }
            }
            if !any {
                let error = self.wrong(format!("there is no column `{pattern}`"));
                return Err(error.suggest(pattern, self.names()));
            }
        }
        Ok(found)
    }

    fn column(&self, name: &str) -> Result<&Column> {
        self.table.column(name).map_err(|_| {
            let error = self.wrong(format!("there is no column `{name}`"));
            error.suggest(name, self.names())
        })
    }

    /// A column of numbers; an empty cell is NaN.
    fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let column = self.column(name)?;
        if let Column::Text(texts) = column {
            // One cell that is no number makes the whole column text.
            let number = |text: &str| text.is_empty() || text.parse::<f64>().is_ok();
            let bad = texts.iter().position(|text| !number(text));
            let row = bad.unwrap_or_default();
            return Err(match texts[row].as_str() {
                "" => self.wrong_cell(row, name, "it is empty, and so is the whole column"),
                text => self.wrong_cell(row, name, &format!("`{text}` is not a number")),
            });
        }
        self.table
            .floats(name)
            .map_err(|e| self.wrong(e.to_string()))
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

    /// The class of each row by the value of a column, numbered in the order of first appearance.
    ///
    /// # Errors
    /// An empty cell, or a class of a single row.
    pub fn classes(&self, name: &str) -> Result<Vec<usize>> {
        let column = self.column(name)?;
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        let mut classes = Vec::new();
        for row in 0..self.rows() {
            let text = column.text(row);
            if text.is_empty() || text == "NaN" {
                return Err(self.wrong_cell(row, name, "the class is missing"));
            }
            let class = *known.entry(text).or_insert(sizes.len());
            if class == sizes.len() {
                sizes.push((row, 0));
            }
            sizes[class].1 += 1;
            classes.push(class);
        }
        match sizes.iter().find(|(_, size)| *size < 2) {
            None => Ok(classes),
            Some(&(row, _)) => {
                let message = format!(
                    "the class `{}` has this row alone; it needs one to train on and one to hold out",
                    column.text(row)
                );
                Err(self.wrong_cell(row, name, &message))
            }
        }
    }
}
