//! How long a request may go on without a byte that moves.
//!
//! One limit around all that a request does, its retries too: a server that takes connections and says
//! nothing is given up after one wait, not one for each try.

use crate::exchange::Exchange;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Without a byte for so long, a request has failed.
pub const QUIET: Duration = Duration::from_secs(10);
/// For so long, after another was given up and nothing has been heard since: a server that stands still is
/// found out once, not once for each of those who ask one after the other.
pub const SHORT: Duration = Duration::from_secs(2);
/// How often that is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often a request that goes on is told of.
const TELL: Duration = Duration::from_secs(5);

/// The outcome of `work`, or `None` where it stood still for `quiet`. `tell` hears how many bytes have moved.
pub async fn patiently<T>(
    exchange: &Exchange,
    quiet: Duration,
    tell: impl Fn(u64),
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let (mut seen, mut told) = (exchange.steps(), exchange.moved());
    let (mut last_step, mut last_told) = (Instant::now(), Instant::now());
    loop {
        if let Ok(outcome) = timeout(TICK, work.as_mut()).await {
            return Some(outcome);
        }
        let steps = exchange.steps();
        if steps != seen {
            (seen, last_step) = (steps, Instant::now());
        } else if last_step.elapsed() >= quiet {
            return None;
        }
        let moved = exchange.moved();
        if moved != told && last_told.elapsed() >= TELL {
            tell(moved);
            (told, last_told) = (moved, Instant::now());
        }
    }
}
