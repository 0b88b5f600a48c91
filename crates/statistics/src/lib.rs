//! Random streams, and what can be said of numbers that were drawn: bounds of means, medians and shares.
//!
//! The same bits on every machine: no function of the platform's libm, every sum in a fixed order. Knows
//! neither models nor pipelines; the moments that trainings keep are in `icl`.

pub mod beta;
pub mod clusters;
pub mod stream;
pub mod student;
pub mod ziggurat;
