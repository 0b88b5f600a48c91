//! Kinds of fault that were mended, each with its neighbours: what destroyed, published or accused what
//! it must not, and what was silent.

mod ownership;
mod publishing;
#[path = "../faults/repository.rs"]
#[allow(dead_code, reason = "the faults use the rest")]
mod repository;
mod sharing;
mod tree;
