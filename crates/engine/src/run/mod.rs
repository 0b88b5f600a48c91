//! Bringing stages up to date: what is stale, in which order, what a run leaves behind.

pub mod absent;
pub(crate) mod as_recorded;
pub mod event;
pub(crate) mod execute;
pub(crate) mod fetched;
pub(crate) mod inputs;
pub mod inspection;
pub(crate) mod judged;
pub mod leftover;
pub mod plan;
pub mod reason;
pub(crate) mod recorded;
pub mod schedule;
pub mod settle;
pub mod tolerant;
pub mod watched;
