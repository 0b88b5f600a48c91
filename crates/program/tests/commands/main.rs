//! The program with pipelines of commands, as another author uses it: what runs again after an edit, what is
//! refused, what is contained, and how somebody starts.
//!
//! Commands are those of the system: nothing is installed.

mod adopt;
mod bad;
mod cluster;
mod contained;
mod folder;
mod new;
mod stale;
mod store;
mod tables;
mod tutorial;
mod unwatched;
