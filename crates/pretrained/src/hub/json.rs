//! A file whose text is one JSON object. Does not know what is in it.

use crate::base::error::{self, Error, Result};
use serde_json::Value;
use std::path::Path;

/// # Errors
/// A file that cannot be read, or is something else.
pub(crate) fn json(path: &Path) -> Result<Value> {
    let value: Value = serde_json::from_slice(&error::read(path)?)
        .map_err(|e| Error::damaged(path, format!("it is no JSON: {e}")))?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(Error::damaged(path, "it is no JSON object")),
    }
}
