//! What `diff` and `compare` compare: two sides with a lock and files each, and what is different in them.
//!
//! In the order of dependence: one side ([`side`]), which is meant by a word ([`meant`]), the tables of two
//! ([`tables`]), the values that changed ([`values`]), all of it ([`comparison`]).

pub mod comparison;
pub mod meant;
pub mod side;
pub mod tables;
pub mod values;
