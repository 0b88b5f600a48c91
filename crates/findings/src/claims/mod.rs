//! Claims: what they ask of tables, what is expected, and what they come to.

pub mod check;
pub mod claim;
pub mod decide;
pub mod kind;
pub mod print;
pub mod query;
pub mod questions;
pub mod spread;
pub mod verdict_table;
