//! How many trainings run now: a step is cut into parts where that keeps cores busy, and not where other trainings
//! have them.
//!
//! Which thread computes a block changes no bit. Does not know what a training is, nor what else has cores.

use std::sync::atomic::{AtomicUsize, Ordering};

static TRAININGS: AtomicUsize = AtomicUsize::new(0);

/// One of those that run, until it is dropped. Trainings side by side on the same prompts are one.
#[derive(Debug)]
pub struct Running(());

impl Running {
    pub fn start() -> Running {
        TRAININGS.fetch_add(1, Ordering::Relaxed);
        Running(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        TRAININGS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether there is one for each thread of rayon's current pool, at least.
pub fn fill_the_pool() -> bool {
    TRAININGS.load(Ordering::Relaxed) >= rayon::current_num_threads()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests may train at the same time: then there are more.
    #[test]
    fn as_many_as_there_are_threads_fill_the_pool() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
        let pool = pool.expect("threads");
        let _trainings: Vec<Running> = (0..3).map(|_| Running::start()).collect();
        assert!(pool.install(fill_the_pool));
    }
}
