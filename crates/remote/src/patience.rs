//! How long a request may go on without a byte that moves.
//!
//! One limit around all that a request does, its retries too: a server that takes connections and says
//! nothing is given up after one wait, not one for each try. It is a number of looks and not a time of the clock: a
//! machine that slept, or that stood still with all its programs, has not waited for anybody.

use crate::exchange::Exchange;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Without a byte for so long, a request has failed.
pub const QUIET: Duration = Duration::from_secs(10);
/// For so long, after another was given up and nothing has been heard since: a server that stands still is
/// found out once, not once for each of those who ask one after the other.
pub const SHORT: Duration = Duration::from_secs(2);
/// How often that is looked at, at most.
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
    let (mut quiet_ticks, mut last_told) = (0, Instant::now());
    loop {
        if let Ok(outcome) = timeout(TICK, work.as_mut()).await {
            return Some(outcome);
        }
        let steps = exchange.steps();
        if steps != seen {
            (seen, quiet_ticks) = (steps, 0);
        } else {
            quiet_ticks += 1;
            if TICK * quiet_ticks >= quiet {
                return None;
            }
        }
        let moved = exchange.moved();
        if moved != told && last_told.elapsed() >= TELL {
            tell(moved);
            (told, last_told) = (moved, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    /// What comes of a request that is answered, if at all, when the clock has been set forward by so much at once,
    /// and how long it went on after that.
    fn after_a_leap(leap: Duration, answer: Option<u32>) -> (Option<u32>, Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(async {
            let (answering, answered) = oneshot::channel();
            let waiting = tokio::spawn(async {
                let work = async { answered.await.unwrap() };
                patiently(&Exchange::default(), QUIET, |_| (), work).await
            });
            // It looks before the leap.
            tokio::task::yield_now().await;
            tokio::time::advance(leap).await;
            let start = Instant::now();
            // One who never answers is there all the same.
            let kept = match answer {
                Some(answer) => {
                    tokio::task::yield_now().await;
                    answering.send(answer).unwrap();
                    None
                }
                None => Some(answering),
            };
            let outcome = waiting.await.unwrap();
            drop(kept);
            (outcome, start.elapsed())
        })
    }

    #[test]
    fn a_machine_that_slept_has_not_waited() {
        for leap in [Duration::ZERO, QUIET, 100 * QUIET] {
            let (outcome, took) = after_a_leap(leap, Some(7));
            assert_eq!(outcome, Some(7), "{leap:?}");
            assert!(took < TICK);
            let (outcome, took) = after_a_leap(leap, None);
            assert_eq!(outcome, None, "{leap:?}");
            assert!(
                took + 2 * TICK >= QUIET && took <= QUIET + 2 * TICK,
                "{leap:?}: {took:?}"
            );
        }
    }
}
