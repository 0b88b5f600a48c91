//! The columns that a figure names, from its params as JSON: they are held against the tables before it
//! is drawn.
//!
//! Knows how params name tables and columns. Whether values of a column are there, the drawing says.

use retrace::stage::columns::Wanted;
use serde_json::{Map, Value};

/// Keys beside `table` that name a column.
const COLUMNS: [&str; 4] = ["x", "y", "std_error", "key"];

/// Every column that some part of the params names.
pub fn wants(params: &Value) -> Vec<Wanted> {
    let mut wants = Vec::new();
    walk(params, "", &mut wants);
    wants
}

fn walk(value: &Value, path: &str, wants: &mut Vec<Wanted>) {
    let below = |step: &str| match path {
        "" => step.to_owned(),
        path => format!("{path}.{step}"),
    };
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &below(&at.to_string()), wants);
            }
        }
        Value::Object(fields) => {
            if let Some(table) = fields.get("table").and_then(Value::as_str) {
                named(fields, table, path, wants);
            }
            // What tells the rows of a table apart stands beside where they are from.
            let from = fields.get("from").and_then(|from| from["table"].as_str());
            let each = fields.get("each").and_then(Value::as_str);
            if let (Some(table), Some(column)) = (from, each.filter(|column| !column.is_empty())) {
                wants.push(want(table, column, below("each")));
            }
            for (key, value) in fields {
                walk(value, &below(key), wants);
            }
        }
        _ => {}
    }
}

/// What an object with a table says of its columns.
fn named(fields: &Map<String, Value>, table: &str, path: &str, wants: &mut Vec<Wanted>) {
    for key in COLUMNS {
        if let Some(column) = fields.get(key).and_then(Value::as_str) {
            wants.push(want(table, column, format!("{path}.{key}")));
        }
    }
    for column in fields
        .get("where")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        wants.push(want(table, column.0, format!("{path}.where.{}", column.0)));
    }
    let lines = fields.get("lines").and_then(Value::as_array);
    for (at, line) in lines.into_iter().flatten().enumerate() {
        if let Some(column) = line.as_str() {
            wants.push(want(table, column, format!("{path}.lines.{at}")));
        }
    }
}

fn want(table: &str, column: &str, param: String) -> Wanted {
    Wanted {
        role: "tables".to_owned(),
        label: table.to_owned(),
        column: column.to_owned(),
        param,
    }
}
