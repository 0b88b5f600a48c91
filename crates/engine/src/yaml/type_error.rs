//! What is wrong with a value for its type, in words of the reader of a pipeline.
//!
//! serde speaks of Rust's types (`u64`, `struct Params`, `an array of length 2`); nobody who writes a
//! pipeline knows those. Knows no document.

use crate::base::error::{Error, Place};
use crate::yaml::decimal;
use serde::de::{Expected, Unexpected};
use std::fmt;

/// A serde error that remembers the place of the value it is about.
#[derive(Debug, Default)]
pub struct TypeError {
    pub message: String,
    pub place: Option<Place>,
    pub suggestion: Option<(String, &'static [&'static str])>,
    pub hint: Option<Box<str>>,
}

impl TypeError {
    /// Any other mistake.
    pub fn new(message: String) -> Self {
        TypeError {
            message,
            ..TypeError::default()
        }
    }

    /// Another value stands there than one of the expected kind.
    pub fn expected(what: &str, found: &str) -> Self {
        TypeError::new(format!("expected {what}, not {found}"))
    }

    /// Says where; a place that is already known is kept, since it is the more precise one.
    pub fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

impl From<Error> for TypeError {
    fn from(error: Error) -> Self {
        TypeError {
            message: error.message,
            place: error.place,
            suggestion: None,
            hint: error.hint.map(Into::into),
        }
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TypeError {}

/// What a type expects, in words of the reader of a pipeline: serde names Rust's types.
pub fn plain(expected: &dyn Expected) -> String {
    const WHOLE: &str = "a whole number";
    let text = expected.to_string();
    let last_number = || text.split(' ').find_map(|word| word.parse::<usize>().ok());
    match text.as_str() {
        "u8" => format!("{WHOLE} from 0 to {}", u8::MAX),
        "u16" => format!("{WHOLE} from 0 to {}", u16::MAX),
        "u32" => format!("{WHOLE} from 0 to {}", u32::MAX),
        "u64" | "usize" | "u128" => format!("{WHOLE} of at least 0"),
        "i8" => format!("{WHOLE} from {} to {}", i8::MIN, i8::MAX),
        "i16" => format!("{WHOLE} from {} to {}", i16::MIN, i16::MAX),
        "i32" => format!("{WHOLE} from {} to {}", i32::MIN, i32::MAX),
        "i64" | "isize" | "i128" => WHOLE.to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" | "a borrowed string" | "a character" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a sequence" => "a list".to_owned(),
        "unit" => "nothing".to_owned(),
        "option" => "a value or nothing".to_owned(),
        "any valid JSON value" => "a value".to_owned(),
        _ if text.starts_with("a nonzero ") => format!("{WHOLE} of at least 1"),
        _ if text.contains("struct ") && text.ends_with(" elements") => "a mapping".to_owned(),
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ if text.starts_with("enum ") || text.contains("identifier") => "a name".to_owned(),
        _ if text.contains("array") || text.contains("tuple") => match last_number() {
            Some(1) => "a list of one value".to_owned(),
            Some(count) => format!("a list of {count} values"),
            None => "a list".to_owned(),
        },
        _ => text,
    }
}

impl serde::de::Error for TypeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        TypeError::new(message.to_string())
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        let expected = plain(expected);
        let found_text = match found {
            Unexpected::Str(text) => format!("the text `{text}`"),
            Unexpected::Signed(number) => format!("the number {number}"),
            Unexpected::Unsigned(number) => format!("the number {number}"),
            Unexpected::Float(number) => format!("the number {}", decimal::text(number)),
            Unexpected::Char(c) => format!("the text `{c}`"),
            Unexpected::Bool(value) => format!("`{value}`"),
            Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a mapping".to_owned(),
            _ => "a name".to_owned(),
        };
        let mut error = TypeError::expected(&expected, &found_text);
        let is_plain = matches!(
            found,
            Unexpected::Signed(_)
                | Unexpected::Unsigned(_)
                | Unexpected::Float(_)
                | Unexpected::Bool(_)
        );
        if expected == "text" && is_plain {
            error.hint = Some("write it in quotes".into());
        }
        error
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let found = match length {
            1 => "one value".to_owned(),
            count => format!("{count} values"),
        };
        TypeError::expected(&plain(expected), &found)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut error = TypeError::new(format!("unknown key `{field}`"));
        error.suggestion = Some((field.to_owned(), expected));
        error
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut error = TypeError::new(format!("unknown value `{variant}`"));
        error.suggestion = Some((variant.to_owned(), expected));
        error
    }

    fn missing_field(field: &'static str) -> Self {
        TypeError::new(format!("the key `{field}` is missing"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        TypeError::new(format!("the key `{field}` stands twice"))
    }
}
