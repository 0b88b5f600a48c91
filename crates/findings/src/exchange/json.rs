//! Tables as JSON: an object of numbers and words is one row, a list of such objects is a row each.
//!
//! Every row names the same columns, in any order; the table has them in the order of their names. `null` is a missing number,
//! `true` and `false` are 1 and 0, as in tables of ours. Does not know which columns are wanted.

use serde_json::{Map, Value};
use tables::table::{Column, Table};

/// Reads a table.
///
/// # Errors
/// What is no JSON, no list of rows, and rows that differ in columns or types; rows are counted from 1.
pub fn table(bytes: &[u8]) -> Result<Table, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| format!("the JSON cannot be read: {e}"))?;
    let rows = match value {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    let rows: Vec<Map<String, Value>> = rows
        .into_iter()
        .zip(1..)
        .map(|(row, at)| match row {
            Value::Object(row) => Ok(row),
            _ => Err(format!(
                "row {at} of the JSON is no object: a table is an object of numbers, or a list of such objects"
            )),
        })
        .collect::<Result<_, _>>()?;
    let Some(first) = rows.first() else {
        return Err("the JSON is an empty list: nothing names its columns".into());
    };
    for (row, at) in rows.iter().zip(1..) {
        let only_in = |one: &Map<String, Value>, other: &Map<String, Value>| {
            one.keys().find(|name| !other.contains_key(*name)).cloned()
        };
        if let Some(name) = only_in(row, first).or_else(|| only_in(first, row)) {
            return Err(format!(
                "rows 1 and {at} of the JSON differ: only one of them has `{name}`"
            ));
        }
    }
    let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
    names.sort_unstable();
    let columns = names.iter().map(|name| {
        let cells: Vec<&Value> = rows.iter().map(|row| &row[*name]).collect();
        Ok((
            *name,
            column(&cells).map_err(|why| format!("`{name}` of the JSON {why}"))?,
        ))
    });
    let columns = columns.collect::<Result<Vec<_>, String>>()?;
    Table::new(columns).map_err(|e| e.to_string())
}

fn column(cells: &[&Value]) -> Result<Column, String> {
    if let Some(at) = cells
        .iter()
        .position(|cell| cell.is_array() || cell.is_object())
    {
        return Err(format!(
            "holds a list or an object in row {}: a cell is a number or text",
            at + 1
        ));
    }
    let texts = cells.iter().filter(|cell| cell.is_string()).count();
    if texts == cells.len() {
        let text = |cell: &&Value| cell.as_str().map(str::to_owned);
        return Ok(Column::Text(cells.iter().filter_map(text).collect()));
    }
    if texts > 0 {
        return Err("holds text in some rows and numbers in others".into());
    }
    let whole = |cell: &&Value| match cell {
        Value::Bool(truth) => Some(i64::from(*truth)),
        cell => cell.as_i64(),
    };
    if let Some(numbers) = cells.iter().map(whole).collect() {
        return Ok(Column::Int(numbers));
    }
    let number = |cell: &&Value| match cell {
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        cell => cell.as_f64().unwrap_or(f64::NAN),
    };
    Ok(Column::Float(cells.iter().map(number).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_row() {
        let read =
            table(br#"{"accuracy": 0.75, "n": 200, "model": "b", "done": true}"#).expect("a table");
        assert_eq!(read.rows(), 1);
        assert_eq!(read.floats("accuracy").expect("numbers"), [0.75]);
        assert_eq!(read.column("done").expect("there"), &Column::Int(vec![1]));
    }

    #[test]
    fn a_missing_number_is_none() {
        let read = table(br#"[{"x": 1, "y": 2}, {"y": 3, "x": null}]"#).expect("a table");
        let x = read.floats("x").expect("numbers");
        assert!(x[0] == 1.0 && x[1].is_nan());
        assert_eq!(read.column("y").expect("there"), &Column::Int(vec![2, 3]));
    }

    #[test]
    fn what_is_no_table_says_where() {
        for (text, told) in [
            ("{", "cannot be read"),
            ("[]", "empty list"),
            ("[1]", "row 1 of the JSON is no object"),
            (
                r#"[{"a": 1}, {"b": 1}]"#,
                "rows 1 and 2 of the JSON differ: only one of them has `b`",
            ),
            (
                r#"[{"a": 1}, {"a": 1, "b": 1}]"#,
                "only one of them has `b`",
            ),
            (
                r#"[{"a": 1}, {"a": "x"}]"#,
                "`a` of the JSON holds text in some rows",
            ),
            (r#"{"a": [1]}"#, "a list or an object in row 1"),
        ] {
            let why = table(text.as_bytes()).expect_err(text);
            assert!(why.contains(told), "{text}: {why}");
        }
    }
}
