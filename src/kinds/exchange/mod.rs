//! Files that stages hand to each other: which columns they have, and how they are read and written.

pub mod data_set;
pub mod drawing;
pub mod examples;
pub mod foreign;
pub mod language;
pub mod measures;
pub mod model;
pub mod roles;
pub mod table;
pub mod task;
pub mod trace;
pub mod words;
