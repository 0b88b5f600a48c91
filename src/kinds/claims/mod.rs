//! The claims of the paper: quantities of tables, what is claimed of them, the verdicts.

pub mod check;
pub mod claim;
pub mod kind;
pub mod quantity;
