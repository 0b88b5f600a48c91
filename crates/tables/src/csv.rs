//! Reads CSV as [`Table::to_csv`] writes it: a header, commas, `"` around fields that need it.
//!
//! A column is of integers or of numbers when all its fields are, and are written as numbers are here: `007`
//! and a whole number beyond 64 bits would not come back as they stand, so they are text. An empty field is a
//! missing number. Rows in messages are counted from 1, without the header.

use crate::table::{Column, Table};

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
    if let Some(numbers) = fields.iter().map(|field| whole(field)).collect() {
        return Column::Int(numbers);
    }
    let any = fields.iter().any(|field| !field.is_empty());
    match fields.iter().map(|field| number(field)).collect() {
        Some(numbers) if any => Column::Float(numbers),
        _ => Column::Text(fields),
    }
}

/// A whole number that is written as it would be written again.
fn whole(field: &str) -> Option<i64> {
    let number: i64 = field.parse().ok()?;
    (number.to_string() == field).then_some(number)
}

/// Whole numbers from here on have neighbours that are the same double.
const INEXACT: u64 = 1 << 53;

/// A number that is none of the many spellings that a name may have; NaN for an empty field.
fn number(field: &str) -> Option<f64> {
    let digits = field.strip_prefix('-').unwrap_or(field);
    match digits.as_bytes() {
        [] if field.is_empty() => return Some(f64::NAN),
        b"inf" => return field.parse().ok(),
        [b'0'] | [b'0', b'.' | b'e', ..] | [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let is_whole = digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_whole && whole(field).is_none_or(|number| number.unsigned_abs() > INEXACT) {
        // Minus nought is a number of its own.
        return (field == "-0").then_some(-0.0);
    }
    field.parse().ok()
}

/// Records of fields, the header first; quotes are taken off. A quote inside a field that does not begin with one is a
/// letter like others, as spreadsheets have it.
///
/// # Errors
/// A quoted field that does not end, or goes on behind its end.
pub fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    // A field in quotes, and one whose closing quote is past.
    let (mut quoted, mut closed, mut line) = (false, false, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // A line ends with one of them, or both.
        let ends = c == '\n' || (c == '\r' && rest.peek() != Some(&'\n'));
        line += usize::from(ends);
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' if quoted => (quoted, closed) = (false, true),
            '"' if field.is_empty() && !closed => quoted = true,
            c if quoted => field.push(c),
            ',' => {
                closed = false;
                record.push(std::mem::take(&mut field));
            }
            _ if ends => {
                closed = false;
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' => {}
            c if closed => {
                return Err(format!(
                    "line {line} of the CSV: `{c}` follows the `\"` that closes a field"
                ));
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
        assert!(read(b"a\n\"1\"2\n").unwrap_err().contains("line 2"));
    }

    #[test]
    fn what_would_not_come_back_as_it_is_written_is_text() {
        let text = |fields: &str| {
            let table = read(format!("a\n{fields}\n").as_bytes()).unwrap();
            matches!(table.column("a").unwrap(), Column::Text(_))
        };
        for fields in [
            "007\n7",
            "+1",
            "nan\n1.5",
            "NaN",
            "9007199254740993\n0.5",
            "9223372036854775808",
            "01.5",
            "infinity",
            ".5",
        ] {
            assert!(text(fields), "{fields}");
        }
        for fields in [
            "0\n-7",
            "-0\n1",
            "1e-5\n0.50",
            "inf\n-inf",
            "0.1\n-0.1",
            "9007199254740992\n\n0.5",
        ] {
            assert!(!text(fields), "{fields}");
        }
    }

    #[test]
    fn quotes_and_ends_of_lines_are_taken_as_spreadsheets_write_them() {
        let found = records("5\" pipe,\"a, \"\"b\"\"\n\"\r\"\",x\r\ny,\r\n").unwrap();
        assert_eq!(found, [["5\" pipe", "a, \"b\"\n"], ["", "x"], ["y", ""]]);
    }
}
