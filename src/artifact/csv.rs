//! Reads CSV as [`Table::to_csv`] writes it: a header, commas, `"` around fields that need it.
//!
//! A column is of integers or of numbers when all its fields are; an empty field is a missing number.
//! Rows in messages are counted from 1, without the header.

use crate::artifact::table::{Column, Table};

/// Reads a table.
pub fn read(bytes: &[u8]) -> Result<Table, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("the CSV is not UTF-8: {e}"))?;
    let mut records = records(text)?.into_iter();
    let header = records.next().ok_or("the CSV is empty")?;
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); header.len()];
    for (index, record) in records.enumerate() {
        if record.len() != header.len() {
            let (found, wanted) = (record.len(), header.len());
            let row = index + 1;
            return Err(format!(
                "row {row} of the CSV has {found} fields, its header has {wanted}"
            ));
        }
        columns
            .iter_mut()
            .zip(record)
            .for_each(|(c, field)| c.push(field));
    }
    let columns = header
        .iter()
        .map(String::as_str)
        .zip(columns.into_iter().map(typed));
    Table::new(columns.collect()).map_err(|e| e.to_string())
}

fn typed(fields: Vec<String>) -> Column {
    if let Ok(numbers) = fields.iter().map(|field| field.parse()).collect() {
        return Column::Int(numbers);
    }
    let float = |field: &String| match field.as_str() {
        "" => Ok(f64::NAN),
        text => text.parse(),
    };
    let any = fields.iter().any(|field| !field.is_empty());
    match fields.iter().map(float).collect() {
        Ok(numbers) if any => Column::Float(numbers),
        _ => Column::Text(fields),
    }
}

/// Records of fields, the header first; quotes are taken off.
///
/// # Errors
/// A quoted field that does not end.
pub fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line) = (false, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted && rest.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    if quoted {
        return Err(format!("line {line} of the CSV: a `\"` is not closed"));
    }
    if !record.is_empty() || !field.is_empty() {
        record.push(field);
        records.push(record);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_writes_reads_back() {
        let table = Table::new(vec![
            (
                "model",
                Column::Text(vec!["a, \"b\"\nc".into(), String::new()]),
            ),
            ("n", Column::Int(vec![0, -3])),
            ("error", Column::Float(vec![0.1 + 0.2, 1.0])),
        ]);
        let table = table.unwrap();
        assert_eq!(read(&table.to_csv().unwrap()), Ok(table));
    }

    #[test]
    fn an_empty_field_is_a_missing_number_and_a_bad_file_is_named() {
        let table = read(b"a,b\n1,\n2,0.5").unwrap();
        assert_eq!(table.column("a").unwrap(), &Column::Int(vec![1, 2]));
        let b = table.floats("b").unwrap();
        assert!(b[0].is_nan() && b[1] == 0.5);
        assert!(read(b"").unwrap_err().contains("empty"));
        assert!(
            read(b"a,b\n1\n")
                .unwrap_err()
                .contains("row 1 of the CSV has 1 fields")
        );
        assert!(read(b"a\n\"1\n").unwrap_err().contains("line 3"));
    }
}
