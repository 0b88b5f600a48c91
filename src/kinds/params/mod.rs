//! Parameters that several kinds have.

pub mod matrices;
pub mod number;
pub mod seed;
pub mod training;
