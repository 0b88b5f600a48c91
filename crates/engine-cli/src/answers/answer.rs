//! What every answer to a program has: a name, a format with a number, and a schema.

use retrace::base::error::{Error, Result};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// An object that a verb prints with `--json`.
///
/// Within a format fields are only added. What takes one away, gives it another type or another meaning raises the
/// number: a reader that checks `format` is never misled.
pub trait Answer: Serialize + JsonSchema {
    /// What asks for its schema: the verb, and what it was asked to do where that gives another object.
    const NAME: &'static str;
    /// The program or library whose format it is, the name, and the number of the format.
    const FORMAT: &'static str;
}

/// An answer as it is printed.
#[derive(Serialize)]
struct Printed<'a, A> {
    format: &'static str,
    #[serde(flatten)]
    answer: &'a A,
}

/// The text of an answer: one object, `format` first, then its fields in the order of its schema.
///
/// # Errors
/// It cannot be written as JSON.
pub fn text<A: Answer>(answer: &A) -> Result<String> {
    let format = A::FORMAT;
    let text = serde_json::to_string_pretty(&Printed { format, answer });
    let text = text.map_err(|e| Error::failed(format!("cannot write the answer: {e}")))?;
    Ok(text + "\n")
}

/// The name, the format and the schema of an answer.
#[derive(Clone, Copy)]
pub struct Described {
    pub name: &'static str,
    pub format: &'static str,
    schema: fn() -> Json,
}

impl Described {
    /// Those of a type.
    pub const fn of<A: Answer>() -> Self {
        Described {
            name: A::NAME,
            format: A::FORMAT,
            schema: schema::<A>,
        }
    }

    /// The schema (draft 2020-12). It does not refuse fields that it does not name: a later program may have more.
    pub fn schema(&self) -> Json {
        (self.schema)()
    }
}

fn schema<A: Answer>() -> Json {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<A>().to_value();
    schema["title"] = json!(A::FORMAT);
    // As `text` writes it: the first field.
    let format = json!({"description": "The format of this object.", "const": A::FORMAT});
    schema["properties"]["format"] = format;
    let named = schema["required"].as_array().cloned();
    let required = std::iter::once(json!("format")).chain(named.unwrap_or_default());
    schema["required"] = required.collect();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Some {
        number: u8,
    }

    impl Answer for Some {
        const NAME: &'static str = "some";
        const FORMAT: &'static str = "retrace some 3";
    }

    #[test]
    fn the_format_comes_first_and_is_required() {
        let text = text(&Some { number: 7 }).unwrap();
        assert_eq!(
            text,
            "{\n  \"format\": \"retrace some 3\",\n  \"number\": 7\n}\n"
        );
        let schema = Described::of::<Some>().schema();
        assert_eq!(schema["required"], json!(["format", "number"]));
        assert_eq!(schema["properties"]["format"]["const"], "retrace some 3");
    }
}
