//! Files that stages hand to each other: which columns they have, and how they are read and written.

pub mod data_set;
pub mod examples;
pub mod language;
pub mod measures;
pub mod model;
pub mod roles;
pub mod table;
pub mod task;
pub mod words;
