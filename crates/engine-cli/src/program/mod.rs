//! Which program it is whose command line this is: its name, its kinds of stages, what it knows of files.

pub mod changes;
pub mod child;
pub mod completions;
pub mod description;
pub mod examples;
pub mod exit;
pub mod formats;
pub mod manual;
pub mod plain;
pub mod verdicts;
