//! Verbs for what the kinds here make: the verdicts, and the page.

pub mod against;
pub mod claims;
pub mod committed;
pub mod report;
