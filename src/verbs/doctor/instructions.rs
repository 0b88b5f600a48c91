//! How wide the vector instructions may be: `ICL_REPRO_SIMD`, for comparing their bits.
//!
//! It changes speed only; it enters no key and no output.

use crate::golden::check::{self, Level};
use retrace::base::error::{Error, Result};

/// At most `baseline`, `avx2` or `avx512`.
const VARIABLE: &str = "ICL_REPRO_SIMD";

/// Obeys the variable; returns the widest level that is allowed.
pub fn cap() -> Result<Level> {
    let Some(value) = std::env::var_os(VARIABLE) else {
        return Ok(Level::Avx512);
    };
    let name = value.to_string_lossy();
    let level = check::level_of(&name).ok_or_else(|| {
        Error::config(format!("{VARIABLE}: there is no level `{name}`"))
            .hint("set it to baseline, avx2 or avx512, or unset it")
    })?;
    check::cap(level);
    Ok(level)
}
