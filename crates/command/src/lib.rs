//! Stages that run somebody's program: kind `command`.
//!
//! The program runs in a view of the repository, confined, and what it reads there is found by watching
//! it (the crate `sandbox`). What it can see enters its key: its arguments, its variables, the contents of what
//! it read, what it looked for and did not find, the programs that it started. How it is confined and watched
//! does not.
//!
//! What is not seen: what lies outside of the repository but for the programs themselves. Packages are held to
//! a lock file where the stage names one.

mod described;
mod kind;
mod running;
pub mod trial;

pub use kind::Command;
/// The first thing in `main` of a program that has the kind: what stands beside a command is that program, started
/// again.
pub use sandbox::act_if_asked;
