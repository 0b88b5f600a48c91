//! Values of the header by key and type, with errors that name the key.
//!
//! Does not know which keys there are.

use crate::base::error::{Error, Result};
use crate::gguf::file::{File, Value};
use std::path::Path;

/// The header's values of one file.
pub(crate) struct Header<'a> {
    pub path: &'a Path,
    pub file: &'a File<'a>,
}

impl<'a> Header<'a> {
    fn optional<T>(
        &self,
        key: &str,
        wanted: &str,
        of: impl Fn(&'a Value<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.file.values.get(key) else {
            return Ok(None);
        };
        let wrong = || Error::damaged(self.path, format!("{key} should be {wanted}"));
        of(value).map(Some).ok_or_else(wrong)
    }

    fn needed<T>(&self, key: &str, value: Result<Option<T>>) -> Result<T> {
        value?.ok_or_else(|| Error::damaged(self.path, format!("it has no {key}")))
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.optional(key, "a text", |value| match value {
            Value::Text(text) => Some(*text),
            _ => None,
        })
    }

    pub fn size(&self, key: &str) -> Result<Option<usize>> {
        self.optional(key, "a size", |value| match value {
            Value::Integer(integer) => usize::try_from(*integer).ok(),
            _ => None,
        })
    }

    pub fn token(&self, key: &str) -> Result<Option<u32>> {
        self.optional(key, "a token", |value| match value {
            Value::Integer(integer) => u32::try_from(*integer).ok(),
            _ => None,
        })
    }

    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.optional(key, "a number", |value| match value {
            Value::Float(number) => Some(*number),
            _ => None,
        })
    }

    pub fn truth(&self, key: &str) -> Result<Option<bool>> {
        self.optional(key, "true or false", |value| match value {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        })
    }

    pub fn texts(&self, key: &str) -> Result<Option<&'a [&'a str]>> {
        self.optional(key, "a list of texts", |value| match value {
            Value::Texts(texts) => Some(texts.as_slice()),
            _ => None,
        })
    }

    pub fn integers(&self, key: &str) -> Result<Option<&'a [i64]>> {
        self.optional(key, "a list of integers", |value| match value {
            Value::Integers(integers) => Some(integers.as_slice()),
            _ => None,
        })
    }

    pub fn needed_text(&self, key: &str) -> Result<&'a str> {
        self.needed(key, self.text(key))
    }

    pub fn needed_size(&self, key: &str) -> Result<usize> {
        self.needed(key, self.size(key))
    }

    pub fn needed_number(&self, key: &str) -> Result<f64> {
        self.needed(key, self.number(key))
    }

    pub fn needed_texts(&self, key: &str) -> Result<&'a [&'a str]> {
        self.needed(key, self.texts(key))
    }
}
