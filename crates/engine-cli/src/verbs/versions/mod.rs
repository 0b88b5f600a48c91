//! Verbs on versions of the results, `diff`, `compare` and `variations`: two sides with a lock and files each, and what
//! is different in them.
//!
//! In the order of dependence: one side ([`side`]), which is meant by a word ([`meant`]), the tables of two
//! ([`tables`]), the values that changed ([`values`]), all of it ([`comparison`]).

pub mod compare;
pub mod comparison;
pub mod diff;
pub mod meant;
pub mod side;
pub mod tables;
pub mod values;
pub mod variations;
