//! Verb `schema`: the JSON Schema of pipeline.yaml.

use crate::console::terminal;
use crate::program::description::Program;
use crate::program::exit;
use retrace::base::error::{Error, Result};
use retrace::resolve::schema;

/// Prints the schema; needs no pipeline.
pub fn schema(program: &Program) -> Result<u8> {
    terminal::print(&text(program)?);
    Ok(exit::OK)
}

/// The schema as it is printed.
pub fn text(program: &Program) -> Result<String> {
    let document = schema::document(program.name, &(program.kinds)());
    let text = serde_json::to_string_pretty(&document)
        .map_err(|e| Error::failed(format!("cannot write the schema: {e}")))?;
    Ok(text + "\n")
}
