//! Which generic functions become code in this crate, and so at its level of optimisation, whoever calls them.
//!
//! A generic function is otherwise compiled in each crate that calls it, and a program that only puts files and params
//! together would have to be optimised for the loops of an evaluation. One marked `#[inline(never)]` is taken from here,
//! if it is asked for here. Nothing in this file is ever called.

use crate::evaluate::pool::{self, PoolEvaluateError, PoolPlan, Readers, Scores};
use crate::prompts::task_pool::TaskPool;
use std::ops::ControlFlow;

/// The kernel that reads prompts of real data.
fn scores(
    readers: &Readers<'_>,
    sets: &[&TaskPool],
    plan: &PoolPlan,
    on_set: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Scores, PoolEvaluateError> {
    pool::evaluate(readers, sets, plan, on_set)
}

/// All of them: what can be called from outside becomes code with all that it names.
pub fn instances() -> Vec<*const ()> {
    vec![scores as *const ()]
}
