//! What claims ask of the models of one training seed, as the two tables that kind `measure` writes and
//! claims read.

use crate::kinds::exchange::table::{failed, read_table};
use icl::theory::measures::{ErrorAt, Measures, ValueOf};
use retrace::base::error::Result;
use std::path::Path;
use tables::table::{Column, Table};

type TableResult = std::result::Result<Table, tables::table::TableError>;

/// Output `errors`: columns `model`, `task`, `n_shots`, `error`.
pub fn error_table(errors: &[ErrorAt]) -> TableResult {
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
pub fn value_table(values: &[ValueOf]) -> TableResult {
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

/// Reads both tables; errors on real data (kind `pool-evaluate`) have accuracies and no `values` beside.
pub fn read_measures(errors: &Path, values: Option<&Path>) -> Result<Measures> {
    let errors = read_errors(errors)?;
    let values = match values {
        Some(values) => read_values(&read_table(values)?)?,
        None => Vec::new(),
    };
    Ok(Measures { errors, values })
}

/// Reads the first of them.
pub fn read_errors(errors: &Path) -> Result<Vec<ErrorAt>> {
    let errors = read_table(errors)?;
    let texts = |table: &Table, name: &str| table.texts(name).map(<[String]>::to_vec);
    let floats = |table: &Table, name: &str| table.floats(name);
    let (model, task) = (texts(&errors, "model"), texts(&errors, "task"));
    let (model, task) = (model.map_err(failed)?, task.map_err(failed)?);
    let n_shots = floats(&errors, "n_shots").map_err(failed)?;
    let error = floats(&errors, "error").map_err(failed)?;
    let has_accuracy = errors.columns().iter().any(|(name, _)| name == "accuracy");
    let accuracy = match has_accuracy {
        true => Some(floats(&errors, "accuracy").map_err(failed)?),
        false => None,
    };
    let errors = (0..error.len()).map(|i| ErrorAt {
        model: model[i].clone(),
        task: task[i].clone(),
        n_shots: n_shots[i] as usize,
        error: error[i],
        accuracy: accuracy.as_ref().map(|accuracy| accuracy[i]),
    });
    Ok(errors.collect())
}

fn read_values(values: &Table) -> Result<Vec<ValueOf>> {
    let texts = |name: &str| values.texts(name).map(<[String]>::to_vec);
    let owner = texts("model").map_err(failed)?;
    let name = texts("quantity").map_err(failed)?;
    let value = values.floats("value").map_err(failed)?;
    let values = (0..value.len()).map(|i| ValueOf {
        model: owner[i].clone(),
        value_name: name[i].clone(),
        value: value[i],
    });
    Ok(values.collect())
}
