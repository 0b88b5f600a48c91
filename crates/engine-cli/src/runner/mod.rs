//! From arguments to a verb, from its outcome to an exit code.

pub mod app;
pub mod call;
pub mod completing;
pub mod grammar;
