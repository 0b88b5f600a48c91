//! Verb `claims`: verdicts on what a paper claims, decided here or committed.

pub mod decided_claims;
pub mod history;
pub mod ledgers;
pub mod registered;
pub mod turned;
pub mod verdicts;

use retrace_cli::Described;

/// What it prints with `--json`.
pub const ANSWERS: &[Described] = &[
    Described::of::<verdicts::Verdicts>(),
    Described::of::<history::Histories>(),
];
