//! Many small things done several at a time: a network is slow to answer, not to carry.

use crate::base::error::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// So many are under way at once.
const AT_ONCE: usize = 16;

/// Hears how many of how many are done.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Does something to each; the results are in the order of `items`. After an error nothing more begins.
///
/// # Errors
/// What `work` says of one of them, or the user has interrupted.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    cancelled: &AtomicBool,
    observer: Progress,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let has_failed = AtomicBool::new(false);
    let worker = || -> Result<Vec<(usize, R)>> {
        let mut results = Vec::new();
        while !has_failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = go_on(cancelled).and_then(|()| work(item));
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.push((index, result?));
            observer(1 + done.fetch_add(1, Ordering::Relaxed), items.len());
        }
        Ok(results)
    };
    let mut results = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE.min(items.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        let panicked = |_| Err(Error::failed("a thread that asks a store panicked"));
        let mut results = Vec::with_capacity(items.len());
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(panicked)?);
        }
        Ok::<_, Error>(results)
    })?;
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

fn go_on(cancelled: &AtomicBool) -> Result<()> {
    match cancelled.load(Ordering::Relaxed) {
        true => Err(Error::of(ErrorKind::Interrupted, "interrupted")
            .hint("what was done is kept: the same command goes on from there")),
        false => Ok(()),
    }
}
