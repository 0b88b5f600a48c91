//! What a renderer can refuse, worded to follow "failed to draw the figure: ".
//!
//! Knows nothing of files or stages: the caller adds which figure it was.

use std::fmt;

/// Why no bytes came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportError {
    /// The description contradicts itself: where (`panels[0].y.range`) and what is wrong there.
    Figure { place: String, problem: String },
    /// The font bytes cannot be read.
    Font(String),
    /// A table's rows do not fit its columns.
    Table(String),
    /// A drawing or conversion library refused; the step and its words.
    Backend { step: &'static str, message: String },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figure { place, problem } => write!(f, "`{place}` {problem}"),
            Self::Font(problem) => write!(f, "the font {problem}"),
            Self::Table(problem) => write!(f, "the table {problem}"),
            Self::Backend { step, message } => write!(f, "{step}: {message}"),
        }
    }
}

impl std::error::Error for ReportError {}
