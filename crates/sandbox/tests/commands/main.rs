//! Commands that are run for real, each in a repository of its own: what is seen of them, what they are
//! refused, and that nothing of them is left.
//!
//! They need what the crate needs (Linux with Landlock and user notification), `sh`, `python3` and `cc`.

mod bad;
mod limits;
mod links;
mod network;
mod place;
mod processes;
mod reads;
mod writes;
