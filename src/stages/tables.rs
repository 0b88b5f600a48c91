//! What the table kinds share: one table, written as CSV, Parquet and a LaTeX fragment.

use crate::artifact::table::Table;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::kind::Io;
use crate::report::latex::{self, Align, Column};
use crate::stages::exchange::failed;
use std::collections::BTreeMap;

/// Names of the outputs.
pub const OUTPUTS: &[&str] = &["csv", "parquet", "tex"];

/// How the models are called in print, by the label under which a stage knows them.
pub type Names = BTreeMap<String, String>;

/// The printed name of a model.
pub fn printed<'a>(names: &'a Names, model: &'a str) -> &'a str {
    names.get(model).map_or(model, String::as_str)
}

/// `items`, whose names `name` gives, in the order of `models`.
pub fn in_order<'a, T>(
    models: &[String],
    items: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
) -> Result<Vec<&'a T>> {
    let find = |model: &String| {
        items
            .iter()
            .find(|item| name(item) == model)
            .ok_or_else(|| {
                let error = Error::failed(format!("there is no model `{model}` for the table"));
                error.suggest(model, items.iter().map(&name))
            })
    };
    models.iter().map(find).collect()
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
