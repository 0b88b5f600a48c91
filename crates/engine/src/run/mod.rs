//! Bringing stages up to date: what is stale, in which order, what a run leaves behind.

pub mod absent;
pub mod event;
pub(crate) mod execute;
pub(crate) mod inputs;
pub mod inspection;
pub mod leftover;
pub mod plan;
pub(crate) mod recorded;
pub mod schedule;
pub mod settle;
pub mod tolerant;
pub mod watched;
