//! What the table kinds share: one table, written as CSV, Parquet and a LaTeX fragment.

use crate::kinds::exchange::table::failed;
use findings::params::look::Scale;
use plots::latex::{self, Align, Column};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::table::Table;

/// Names of the outputs.
pub const OUTPUTS: &[&str] = &["csv", "parquet", "tex"];

/// How the models are called in print, by the label under which a stage knows them: of the scale that
/// figures draw with, the labels. Colours are not in it: a table is the same in other ones.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Scale")]
#[schemars(with = "Scale")]
pub struct Names(BTreeMap<String, String>);

impl From<Scale> for Names {
    fn from(scale: Scale) -> Self {
        let labels = scale.into_iter().map(|(name, look)| (name, look.label));
        Names(labels.collect())
    }
}

/// The printed name of a model.
pub fn printed<'a>(names: &'a Names, model: &'a str) -> &'a str {
    let label = names.0.get(model).filter(|label| !label.is_empty());
    label.map_or(model, String::as_str)
}

/// `items`, whose names `name` gives, in the order of the param `models`.
///
/// # Errors
/// A model that is not there, or a name that two items have.
pub fn in_order<'a, T>(
    models: &[String],
    items: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
) -> Result<Vec<&'a T>> {
    let find = |(at, model): (usize, &String)| {
        let mut found = items.iter().filter(|item| name(item) == model);
        match (found.next(), found.next()) {
            (Some(item), None) => Ok(item),
            (Some(_), Some(_)) => Err(Error::failed(format!(
                "models.{at}: two inputs have the name `{model}`"
            ))),
            (None, _) => {
                let error = Error::failed(format!("models.{at}: there is no model `{model}`"));
                Err(error.suggest(model, items.iter().map(&name)))
            }
        }
    };
    models.iter().enumerate().map(find).collect()
}

/// A LaTeX column.
pub fn column(header: impl Into<String>, align: Align) -> Column {
    Column {
        header: header.into(),
        align,
    }
}

/// Writes all three outputs.
pub fn write(io: &Io, table: &Table, printed: &latex::Table) -> Result<()> {
    io.write("csv", &table.to_csv().map_err(failed)?)?;
    io.write("parquet", &table.to_parquet().map_err(failed)?)?;
    io.write("tex", latex::latex(printed).map_err(failed)?.as_bytes())
}
