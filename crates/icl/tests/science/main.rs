//! The science against closed forms, finite differences, independent formulas and known bits.
//!
//! Training stands alone (`tests/training.rs`): it caps the instruction level and counts allocations of the
//! whole process.

mod closed_form;
mod exact;
mod golden;
mod gradients;
mod pareto;
mod population;
mod products;
mod spread;
mod written_out;
