//! Kinds of faults that were found in the program and mended: each with its neighbours.

#[path = "../hostile/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod hostile;
#[path = "../toy/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod toy;

mod inputs;
mod items;
mod language;
mod options;
mod targets;
mod words;
