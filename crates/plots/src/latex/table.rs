//! A table in plain text, before it is LaTeX.

use crate::error::ReportError;
use serde::{Deserialize, Serialize};

/// A table; every row has one cell for each column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    pub columns: Vec<Column>,
    /// A line above the headers with words over several columns; spans add up to the columns.
    pub groups: Vec<Group>,
    pub rows: Vec<Vec<String>>,
    /// A thin rule goes above each of these rows.
    pub rules_above: Vec<usize>,
    /// Small print below.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Column {
    pub header: String,
    pub align: Align,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
    /// Numbers by their decimal points, with a standard error in parentheses; other words are centred.
    Decimal,
}

/// Words over `span` columns; none leave the place free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[serde(default)]
    pub header: String,
    pub span: usize,
}

/// Whether its rows and groups have as many cells as it has columns.
///
/// # Errors
/// No columns, a row of another length, groups that do not add up.
pub fn check(table: &Table) -> Result<(), ReportError> {
    let count = table.columns.len();
    if count == 0 {
        return Err(ReportError::Table("has no columns".to_string()));
    }
    for (at, row) in table.rows.iter().enumerate() {
        if row.len() != count {
            let cells = row.len();
            let problem = format!("has {cells} cells in row {}, not {count}", at + 1);
            return Err(ReportError::Table(problem));
        }
    }
    let spans: Vec<usize> = table.groups.iter().map(|group| group.span).collect();
    if !spans.is_empty() && (spans.contains(&0) || spans.iter().sum::<usize>() != count) {
        let problem = format!("has header groups over {spans:?} columns, but {count} columns");
        return Err(ReportError::Table(problem));
    }
    Ok(())
}
