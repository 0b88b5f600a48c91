//! Tables as the page has them: the rows of a file with the words of the stage that wrote it.
//!
//! Does not know where on the page they stand.

use crate::exchange::trace::Trace;
use crate::page::cells::Cells;
use crate::page::graph::anchor;
use crate::page::links::{files, input, writer};
use crate::page::within::Within;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use serde::Serialize;

#[derive(Serialize)]
pub struct TableView<'a> {
    id: String,
    title: &'a str,
    caption: &'a str,
    /// None for a file of the repository.
    stage: Option<&'a str>,
    within: Vec<String>,
    files: Vec<(String, String)>,
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
}

/// The table in an input of the role `tables`.
///
/// # Errors
/// It is not there, or no table.
pub fn table<'a>(
    label: &'a str,
    io: &Io,
    trace: &'a Trace,
    within: &Within,
) -> Result<TableView<'a>> {
    let path = input(io, "tables", label);
    let bytes = read(path.ok_or_else(|| Error::failed("a table is missing"))?)?;
    let Cells { columns, rows } = Cells::read(&bytes)?;
    // A table that no stage wrote is a file of the repository, which has no words of its own.
    let Ok(made) = writer(trace, &bytes, label) else {
        return Ok(TableView {
            id: anchor("table", label),
            title: label,
            caption: "",
            stage: None,
            within: Vec::new(),
            files: Vec::new(),
            columns,
            rows,
        });
    };
    Ok(TableView {
        id: anchor("table", label),
        title: made.title.as_deref().unwrap_or(label),
        caption: made.caption.as_deref().unwrap_or_default(),
        stage: Some(&made.stage),
        within: within.of(&made.stage),
        files: files(made),
        columns,
        rows,
    })
}
