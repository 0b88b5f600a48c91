//! A table of named columns, as Parquet and CSV.
//!
//! Written uncompressed and without statistics or timestamps, so that equal tables are equal bytes;
//! `pandas.read_parquet` and `polars.read_parquet` read it in one line.

use polars::prelude::{
    Column as PolarsColumn, CsvWriter, DataFrame, DataType, NamedFrom, ParquetCompression,
    ParquetReader, ParquetWriter, SerReader, SerWriter, Series, StatisticsOptions,
};
use std::fmt;
use std::io::Cursor;

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

/// The values of a column. A missing number is NaN in memory and null in the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Text(Vec<String>),
    Int(Vec<i64>),
    Float(Vec<f64>),
}

/// Why a table cannot be made, written or read.
#[derive(Debug)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

type Result<T> = std::result::Result<T, TableError>;

impl Column {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Column::Text(values) => values.len(),
            Column::Int(values) => values.len(),
            Column::Float(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A value as text, numbers in their shortest form that reads back.
    pub fn text(&self, row: usize) -> String {
        match self {
            Column::Text(values) => values[row].clone(),
            Column::Int(values) => values[row].to_string(),
            Column::Float(values) => values[row].to_string(),
        }
    }
}

impl Table {
    /// A table of columns of equal length.
    pub fn new(columns: Vec<(&str, Column)>) -> Result<Self> {
        let lengths: Vec<usize> = columns.iter().map(|(_, column)| column.len()).collect();
        if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(TableError(format!(
                "columns have different lengths: {lengths:?}"
            )));
        }
        let columns = columns
            .into_iter()
            .map(|(name, column)| (name.to_owned(), column));
        Ok(Table {
            columns: columns.collect(),
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// All columns with their names.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// A column by its name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, column)| column).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
            TableError(format!(
                "there is no column `{name}`; there are {}",
                known.join(", ")
            ))
        })
    }

    /// A column of numbers as floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        match self.column(name)? {
            Column::Float(values) => Ok(values.clone()),
            Column::Int(values) => Ok(values.iter().map(|&value| value as f64).collect()),
            Column::Text(_) => Err(TableError(format!(
                "column `{name}` holds text, not numbers"
            ))),
        }
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Result<&[String]> {
        match self.column(name)? {
            Column::Text(values) => Ok(values),
            _ => Err(TableError(format!(
                "column `{name}` holds numbers, not text"
            ))),
        }
    }

    fn frame(&self) -> Result<DataFrame> {
        let columns = self.columns.iter().map(|(name, column)| {
            let name = name.as_str().into();
            PolarsColumn::from(match column {
                Column::Text(values) => Series::new(name, values),
                Column::Int(values) => Series::new(name, values),
                Column::Float(values) => {
                    let known = values
                        .iter()
                        .map(|&value| (!value.is_nan()).then_some(value));
                    Series::new(name, known.collect::<Vec<Option<f64>>>())
                }
            })
        });
        DataFrame::new(self.rows(), columns.collect()).map_err(|e| TableError(e.to_string()))
    }

    /// The table as a Parquet file.
    pub fn to_parquet(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Uncompressed)
            .with_statistics(StatisticsOptions::empty())
            .set_parallel(false)
            .finish(&mut self.frame()?)
            .map_err(|e| TableError(format!("cannot write Parquet: {e}")))?;
        Ok(bytes)
    }

    /// The table as CSV, with a header; floats in the shortest form that reads back.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        CsvWriter::new(&mut bytes)
            .finish(&mut self.frame()?)
            .map_err(|e| TableError(format!("cannot write CSV: {e}")))?;
        Ok(bytes)
    }

    /// Reads a Parquet file of text, integer, float and boolean columns (true is 1). Integers with
    /// missing values are read as floats.
    pub fn from_parquet(bytes: &[u8]) -> Result<Self> {
        let unreadable =
            |e: polars::error::PolarsError| TableError(format!("no Parquet table: {e}"));
        let frame = ParquetReader::new(Cursor::new(bytes))
            .finish()
            .map_err(unreadable)?;
        let columns = frame.columns().iter().map(|column| {
            let name = column.name().to_string();
            let cast = |to: &DataType| column.cast(to).map_err(unreadable);
            let column = match column.dtype() {
                DataType::Float32 => &cast(&DataType::Float64)?,
                DataType::Int32 | DataType::UInt32 | DataType::Boolean => &cast(&DataType::Int64)?,
                _ => column,
            };
            let values = match column.dtype() {
                DataType::String => {
                    let values = column.str().map_err(unreadable)?.iter();
                    Column::Text(values.map(|v| v.unwrap_or_default().to_owned()).collect())
                }
                DataType::Int64 => {
                    let values = column.i64().map_err(unreadable)?;
                    match values.iter().collect::<Option<Vec<i64>>>() {
                        Some(values) => Column::Int(values),
                        None => {
                            let known = values.iter();
                            Column::Float(known.map(|v| v.map_or(f64::NAN, |v| v as f64)).collect())
                        }
                    }
                }
                DataType::Float64 => {
                    let values = column.f64().map_err(unreadable)?.iter();
                    Column::Float(values.map(|v| v.unwrap_or(f64::NAN)).collect())
                }
                other => {
                    return Err(TableError(format!(
                        "column `{name}` has the unknown type {other}"
                    )));
                }
            };
            Ok((name, values))
        });
        Ok(Table {
            columns: columns.collect::<Result<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let columns = vec![
            ("model", Column::Text(vec!["zs".into(), "both, all".into()])),
            ("n_shots", Column::Int(vec![0, -3])),
            ("error", Column::Float(vec![0.1 + 0.2, f64::NAN])),
        ];
        Table::new(columns).unwrap()
    }

    #[test]
    fn parquet_reads_back_bit_for_bit_and_is_stable() {
        let table = example();
        let bytes = table.to_parquet().unwrap();
        assert_eq!(bytes, table.to_parquet().unwrap());
        let back = Table::from_parquet(&bytes).unwrap();
        assert_eq!(back.texts("model").unwrap(), table.texts("model").unwrap());
        assert_eq!(
            back.column("n_shots").unwrap(),
            table.column("n_shots").unwrap()
        );
        let errors = back.floats("error").unwrap();
        assert_eq!(errors[0].to_bits(), (0.1f64 + 0.2).to_bits());
        assert!(errors[1].is_nan());
    }

    /// What other programs write: narrow numbers, truth values, integers with gaps.
    #[test]
    fn other_types_are_read_as_numbers() {
        let columns = vec![
            Series::new("small".into(), [1.5f32, 2.0]).into(),
            Series::new("whole".into(), [7i32, -7]).into(),
            Series::new("truth".into(), [true, false]).into(),
            Series::new("gap".into(), [Some(3i64), None]).into(),
        ];
        let mut frame = DataFrame::new(2, columns).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let table = Table::from_parquet(&bytes).unwrap();
        assert_eq!(table.floats("small").unwrap(), [1.5, 2.0]);
        assert_eq!(table.column("whole").unwrap(), &Column::Int(vec![7, -7]));
        assert_eq!(table.column("truth").unwrap(), &Column::Int(vec![1, 0]));
        let gap = table.floats("gap").unwrap();
        assert!(gap[0] == 3.0 && gap[1].is_nan());
    }

    #[test]
    fn csv_is_plain() {
        let csv = String::from_utf8(example().to_csv().unwrap()).unwrap();
        let expected = "model,n_shots,error\nzs,0,0.30000000000000004\n\"both, all\",-3,\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = example().floats("eror").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no column `eror`; there are model, n_shots, error"
        );
        assert!(example().floats("model").is_err());
        assert!(Table::from_parquet(b"PAR1 no").is_err());
        let uneven = vec![("a", Column::Int(vec![1])), ("b", Column::Int(vec![]))];
        assert!(Table::new(uneven).is_err());
    }
}
