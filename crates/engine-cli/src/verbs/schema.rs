//! Verb `schema`: the JSON Schema of pipeline.yaml, or of what a verb prints with `--json`.

use crate::answers::answer::Described;
use crate::console::terminal;
use crate::program::description::Program;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::resolve::schema;
use serde_json::Value as Json;

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Whose answer: a verb that has --json, or `verify-rebuild`; none means pipeline.yaml
    #[arg(value_name = "VERB")]
    pub answer: Option<String>,
}

/// Prints the schema; needs no pipeline.
pub fn schema(program: &Program, args: &SchemaArgs) -> Result<u8> {
    terminal::print(&match &args.answer {
        None => text(program)?,
        Some(name) => of_answer(program, name)?,
    });
    Ok(exit::OK)
}

/// The schema of pipeline.yaml as it is printed.
pub fn text(program: &Program) -> Result<String> {
    printed(&schema::document(program.name, &(program.kinds)()))
}

/// The schema of an answer as it is printed.
///
/// # Errors
/// No answer has that name: the hint has the nearest, or all.
pub fn of_answer(program: &Program, name: &str) -> Result<String> {
    let answers = program.answers();
    match answers.iter().find(|answer| answer.name == name) {
        Some(answer) => printed(&answer.schema()),
        None => {
            let known: Vec<&str> = answers
                .iter()
                .map(|answer: &Described| answer.name)
                .collect();
            let error = Error::config(format!("there is no schema of what `{name}` prints"));
            Err(error.hint(format!("there are those of {}", known.join(", "))))
        }
    }
}

fn printed(document: &Json) -> Result<String> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::failed(format!("cannot write the schema: {e}")))?;
    Ok(text + "\n")
}
