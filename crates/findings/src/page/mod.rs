//! The HTML page on all results.

pub mod cells;
pub mod claims;
pub mod figures;
pub mod graph;
pub mod kind;
pub mod layers;
pub mod links;
pub mod recorded;
pub mod template;
pub mod within;
