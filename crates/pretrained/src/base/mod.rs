//! What everything here stands on: errors, and numbers as files store them. Knows no format.

pub(crate) mod error;
pub(crate) mod numbers;
