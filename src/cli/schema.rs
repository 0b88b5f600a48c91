//! Verb `schema`: the JSON Schema of pipeline.yaml.

use crate::cli::exit;
use crate::cli::grammar::PROGRAM;
use crate::cli::terminal;
use crate::registry;
use retrace::base::error::{Error, Result};
use retrace::resolve::schema;

/// Prints the schema; needs no pipeline.
pub fn schema() -> Result<u8> {
    terminal::print(&text()?);
    Ok(exit::OK)
}

/// What `docs/pipeline.schema.json` holds.
pub fn text() -> Result<String> {
    let document = schema::document(PROGRAM, &registry::kinds());
    let text = serde_json::to_string_pretty(&document)
        .map_err(|e| Error::failed(format!("cannot write the schema: {e}")))?;
    Ok(text + "\n")
}
