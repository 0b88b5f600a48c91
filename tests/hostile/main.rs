//! Hostile input: whatever the bytes, an answer or a message with its place, in reasonable time and memory.
//!
//! A process of its own, for it measures the memory of the process. `make fuzz` makes more mutants.

mod figure_attacks;
mod fuzz;
mod hostile;
mod pipelines;
mod targets;
#[path = "../engine/toy.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod toy;
mod yaml;
