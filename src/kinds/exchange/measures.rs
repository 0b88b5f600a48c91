//! What claims ask of the models of one training seed, as the two tables that kind `measure` writes.

use icl::theory::measures::{ErrorAt, ValueOf};
use tables::table::{Column, Table, TableError};

/// Output `errors`: columns `model`, `task`, `n_shots`, `error`.
pub fn error_table(errors: &[ErrorAt]) -> Result<Table, TableError> {
    let text = |part: fn(&ErrorAt) -> &str| {
        Column::Text(errors.iter().map(|e| part(e).to_owned()).collect())
    };
    let shots = errors.iter().map(|e| e.n_shots as i64);
    Table::new(vec![
        ("model", text(|e| &e.model)),
        ("task", text(|e| &e.task)),
        ("n_shots", Column::Int(shots.collect())),
        (
            "error",
            Column::Float(errors.iter().map(|e| e.error).collect()),
        ),
    ])
}

/// Output `values`: columns `model`, `quantity`, `value`.
pub fn value_table(values: &[ValueOf]) -> Result<Table, TableError> {
    let text = |part: fn(&ValueOf) -> &str| {
        Column::Text(values.iter().map(|v| part(v).to_owned()).collect())
    };
    // A number without meaning is null in the file.
    let known = values.iter().map(|v| match v.value.is_finite() {
        true => v.value,
        false => f64::NAN,
    });
    Table::new(vec![
        ("model", text(|v| &v.model)),
        ("quantity", text(|v| &v.value_name)),
        ("value", Column::Float(known.collect())),
    ])
}
