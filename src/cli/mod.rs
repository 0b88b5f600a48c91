//! The command line: verbs, progress, messages. Knows the engine and the stages, decides nothing.

pub mod app;
pub mod args;
pub mod citation;
pub mod claims;
pub mod clean;
pub mod crate_graph;
pub mod crate_values;
pub mod diff;
pub mod exit;
pub mod explain;
pub mod export;
pub mod gc;
pub mod git;
pub mod graph;
pub mod grid;
pub mod progress;
pub mod rebuild;
pub mod risk;
pub mod run;
pub mod runs;
pub mod schema;
pub mod session;
pub mod status;
pub mod terminal;
pub mod verify;
pub mod workers;
