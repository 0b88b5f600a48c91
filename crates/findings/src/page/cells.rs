//! The cells of a table as the page shows them: numbers rounded, the rest as it is written.

use crate::exchange::failed::failed;
use crate::exchange::given::Given;
use crate::page::template;
use retrace::base::error::Result;
use tables::table::Column;

/// Names of columns with whether they hold numbers, and the rows.
pub struct Cells {
    pub columns: Vec<(String, bool)>,
    pub rows: Vec<Vec<String>>,
}

impl Cells {
    /// Reads a table in any format.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &[u8]) -> Result<Cells> {
        let table = Given::of(bytes.to_vec()).map_err(failed)?.table;
        let columns = table.columns();
        let cell = |column: &Column, row: usize| match column {
            Column::Float(values) if values[row].is_nan() => String::new(),
            Column::Float(values) => template::rounded(values[row]).to_string(),
            other => other.text(row),
        };
        let row = |row: usize| {
            let cells = columns.iter().map(|(_, column)| cell(column, row));
            cells.collect()
        };
        let is_number = |column: &Column| !matches!(column, Column::Text(_));
        Ok(Cells {
            columns: columns
                .iter()
                .map(|(name, column)| (name.clone(), is_number(column)))
                .collect(),
            rows: (0..table.rows()).map(row).collect(),
        })
    }
}
