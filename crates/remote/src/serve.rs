//! Requests from standard input, answers to standard output, sixteen at once.
//!
//! Knows no verb: [`crate::transfer`] does what is asked.

use crate::client;
use crate::failure::{Failure, FailureKind};
use crate::place::Place;
use crate::protocol::{Hello, Outcome, Reply, Request, VERSION};
use crate::transfer::Remote;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// As many requests are under way at once; more wait.
const AT_ONCE: usize = 16;

/// Serves a place until standard input ends.
pub fn serve(url: &str) -> ExitCode {
    // Once, and nobody else is there to have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let opened = Place::parse(url).and_then(|place| {
        let store = client::open(&place)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| format!("no threads to work with: {e}"))?;
        Ok((place, store, runtime))
    });
    let (place, store, runtime) = match opened {
        Ok(opened) => opened,
        Err(words) => {
            say(&Hello {
                retrace_remote: VERSION,
                url: None,
                failed: Some(&Failure::new(FailureKind::Other, words)),
            });
            return ExitCode::FAILURE;
        }
    };
    say(&Hello {
        retrace_remote: VERSION,
        url: Some(&place.shown),
        failed: None,
    });
    let remote = Arc::new(Remote::new(store, place));
    let (send, receive) = mpsc::channel(AT_ONCE);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { break };
            if send.blocking_send(line).is_err() {
                break;
            }
        }
    });
    runtime.block_on(until_the_end(remote, receive));
    // Nobody waits for what is still under way.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

async fn until_the_end(remote: Arc<Remote>, mut lines: mpsc::Receiver<String>) {
    let free = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(line) = lines.recv().await {
        let request = match understood(&line) {
            Ok(request) => request,
            Err(id) => {
                let words = "this retrace-remote does not know such a request: build it from the same version as the program that asks";
                let outcome = Outcome::Failed(Failure::new(FailureKind::Other, words));
                say(&Reply { id, outcome });
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        let remote = Arc::clone(&remote);
        tokio::spawn(async move {
            let id = request.id;
            let tell = move |bytes| {
                let outcome = Outcome::Moved(bytes);
                say(&Reply { id, outcome });
            };
            let shown = remote.shown().to_owned();
            let outcome = in_any_case(
                &shown,
                async move { remote.answer(request.verb, tell).await },
            );
            let outcome = outcome.await;
            drop(permit);
            say(&Reply { id, outcome });
        });
    }
}

/// What work comes to, also where a library that it calls panics: who has asked waits for an answer.
async fn in_any_case(shown: &str, work: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    tokio::spawn(work).await.unwrap_or_else(|_| {
        let words = format!("{shown}: retrace-remote broke off in the middle of a request");
        Outcome::Failed(Failure::new(FailureKind::Other, words))
    })
}

/// A request, or the number of one that is none; 0 where it has no number either.
fn understood(line: &str) -> Result<Request, u64> {
    #[derive(Deserialize)]
    struct Numbered {
        id: u64,
    }
    serde_json::from_str(line).map_err(|_| {
        let numbered = serde_json::from_str::<Numbered>(line);
        numbered.map_or(0, |numbered| numbered.id)
    })
}

/// Writes a line. Where nobody reads any more, the end of standard input is near.
fn say(line: &impl Serialize) {
    let Ok(mut text) = serde_json::to_vec(line) else {
        return;
    };
    text.push(b'\n');
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(&text).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_is_answered() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let outcome = runtime.block_on(in_any_case("s3://cache", async { panic!("a library") }));
        assert!(
            matches!(&outcome, Outcome::Failed(failure) if failure.words.starts_with("s3://cache: ")),
            "{outcome:?}"
        );
    }
}
