//! What one request of the first program has moved, and what it was answered last.
//!
//! The connection writes into it and the verbs read: `object_store` stands in between and passes neither
//! bytes under way nor the code of an answer. Each request is a task, so it is a variable of the task.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How a connection was lost, or never made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No connection in time.
    Slow,
    Connection,
    /// After bytes had been sent or had come.
    Middle,
    /// Not tried, or not gone on with: it would not be encrypted, or with who knows whom.
    Refused,
}

/// What came of an HTTP request that did not succeed.
#[derive(Clone, Debug)]
pub enum Answer {
    Status {
        status: u16,
        /// As `NoSuchKey`, of services that have codes; letters and digits only.
        code: String,
        /// It was no request for an object, but for credentials of the machine.
        is_for_credentials: bool,
    },
    Lost {
        loss: Loss,
        words: String,
        is_for_credentials: bool,
    },
}

/// A file that is the body of every PUT of a task, in place of the body that `object_store` holds in memory.
#[derive(Debug)]
pub struct Upload {
    pub file: PathBuf,
    pub size: u64,
}

#[derive(Debug, Default)]
pub struct Exchange {
    moved: AtomicU64,
    steps: AtomicU64,
    failed: Mutex<Option<Answer>>,
    date: Mutex<Option<String>>,
    pub upload: Option<Upload>,
}

tokio::task_local! {
    static CURRENT: Arc<Exchange>;
}

impl Exchange {
    pub fn uploading(upload: Upload) -> Self {
        Exchange {
            upload: Some(upload),
            ..Exchange::default()
        }
    }

    /// That of this task.
    pub fn current() -> Arc<Exchange> {
        CURRENT.try_with(Arc::clone).unwrap_or_default()
    }

    /// Does work whose requests write into this.
    pub async fn during<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::clone(self), work).await
    }

    /// So many bytes went or came.
    pub fn has_moved(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
        self.has_stepped();
    }

    /// Something happened, though no byte of an object moved.
    pub fn has_stepped(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Rises with everything that happens.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// A request succeeded, at that time of the server's clock.
    pub fn succeeded(&self, date: Option<String>) {
        // Of an object that broke off, the rest is asked for: if that is no good either, it did break off.
        let mut failed = lock(&self.failed);
        if !matches!(
            *failed,
            Some(Answer::Lost {
                loss: Loss::Middle,
                ..
            })
        ) {
            *failed = None;
        }
        drop(failed);
        if date.is_some() {
            *lock(&self.date) = date;
        }
        self.has_stepped();
    }

    pub fn failed(&self, answer: Answer) {
        *lock(&self.failed) = Some(answer);
        self.has_stepped();
    }

    /// What the last request was answered, if it failed.
    pub fn answer(&self) -> Option<Answer> {
        lock(&self.failed).clone()
    }

    /// The header `Date` of the last answer.
    pub fn date(&self) -> Option<String> {
        lock(&self.date).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
