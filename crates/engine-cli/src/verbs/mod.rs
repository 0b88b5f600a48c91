//! The verbs that any pipeline has: each in a file with its options.

pub mod clean;
pub mod cluster;
pub mod completions;
pub mod ended;
pub mod explain;
pub mod gc;
pub mod graph;
pub mod man;
pub mod provenance;
pub mod rebuild;
pub mod repeat;
pub mod run;
pub mod runs;
pub mod schema;
pub mod status;
pub mod store;
pub mod transfer;
pub mod verify;
pub mod versions;
