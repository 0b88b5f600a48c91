//! The command line: verbs, progress, messages. Knows the engine and the stages, decides nothing.

pub mod app;
pub mod args;
pub mod claims;
pub mod clean;
pub mod exit;
pub mod explain;
pub mod gc;
pub mod graph;
pub mod progress;
pub mod risk;
pub mod run;
pub mod runs;
pub mod session;
pub mod status;
pub mod terminal;
pub mod verify;
