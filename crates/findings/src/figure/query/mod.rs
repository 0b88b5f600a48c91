//! Which rows of which tables are meant. Knows no statistics and no drawing.

pub mod choice;
pub mod selector;
pub mod tables;
