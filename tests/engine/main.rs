//! The engine with toy stages: runs, locks, caches, and random histories of edits.

mod as_recorded;
mod company;
mod opt_in;
mod packing;
mod pipeline;
mod properties;
mod recorded;
mod scale;
mod supplied;
mod tolerant;
#[allow(dead_code, reason = "the tests of the program use the rest")]
mod toy;
mod watched;
mod work;
