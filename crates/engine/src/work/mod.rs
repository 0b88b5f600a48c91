//! Work on many machines: a plan of tasks, made once, and what one task does, wherever it runs.
//!
//! A task needs the repository, the plan's folder and a shared store; it writes to the latter two and to a cache of
//! its own. Knows no scheduler: who starts tasks sees to it that a task comes after those that it waits for.
//! In the order of dependence: [`pack`], [`plan`], [`refusal`] (whether a worker may work on a plan), [`notes`]
//! (what tasks tell each other beside the store), [`place`], [`walk`] (what the store knows), [`offer`], [`worker`].

pub mod notes;
pub mod offer;
pub mod pack;
pub mod place;
pub mod plan;
pub mod refusal;
pub mod walk;
pub mod worker;
