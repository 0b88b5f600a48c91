//! Kinds of fault that were found and mended, each with its neighbours.

#[path = "../faults/repository.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod repository;
#[path = "../toy/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod toy;

mod answers;
mod checkouts;
mod children;
mod fresh_clones;
mod merges;
mod moves;
mod threads;
