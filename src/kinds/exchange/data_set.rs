//! Writes the fine-tuning data of a task: a table with columns x1..xd and y.

use crate::kinds::exchange::table::write_table;
use icl::prompts::data_set::DataSet;
use retrace::base::error::Result;
use retrace::stage::kind::Io;
use tables::table::{Column, Table};

/// Writes the pairs as an output.
pub fn write_data_set(io: &Io, output: &str, data: &DataSet) -> Result<()> {
    let names: Vec<String> = (1..=data.d()).map(|j| format!("x{j}")).collect();
    let x = data.x();
    let covariates = names.iter().zip(x.columns());
    let mut columns: Vec<(&str, Column)> = covariates
        .map(|(name, x)| (name.as_str(), Column::Float(x.to_vec())))
        .collect();
    columns.push(("y", Column::Float(data.y().to_vec())));
    write_table(io, output, Table::new(columns))
}
