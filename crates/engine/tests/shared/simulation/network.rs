//! A store behind a bad network: slow, failing now and then, with a clock that jumps, asked by programs that die.

use crate::simulation::clock::{Clock, MILLISECOND, Moment, SECOND, Turn, draw, happens};
use retrace::base::digest::{Digest, Encoder};
use retrace::shared::backend::{Backend, Failure, FailureKind, Listed};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub latency: Moment,
    /// Requests in a thousand that fail.
    pub failing: u64,
    /// Attempts in a thousand that die at some request.
    pub dying: u64,
    /// Days that the store's clock jumps at most, now and then, in either direction.
    pub jumps: u64,
}

/// A death that nobody catches but the machine that the program ran on.
pub struct Died;

/// The machine with the store.
pub struct Remote {
    pub clock: Clock,
    pub seed: u64,
    pub weather: Weather,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, (Vec<u8>, Moment)>,
    requests: u64,
    /// The name and the verb of every request with who asked and when, as one digest after the other.
    history: Vec<u8>,
}

/// What one attempt asked for, by verb and name.
pub type Requests = BTreeMap<(&'static str, String), usize>;

impl Remote {
    pub fn new(clock: Clock, seed: u64, weather: Weather) -> Self {
        Remote {
            clock,
            seed,
            weather,
            state: Mutex::default(),
        }
    }

    /// The bytes under a name, by who need not ask.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().files.get(name).map(|(bytes, _)| bytes.clone())
    }

    /// All that was asked, in order.
    pub fn history(&self) -> Digest {
        Digest::of(&self.lock().history)
    }

    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the store's own clock says, which is set anew every two seconds.
    fn wrong_time(&self) -> Moment {
        let now = self.clock.now();
        let day = 24 * 60 * 60 * SECOND;
        let jump = match self.weather.jumps {
            0 => 0,
            days => draw(self.seed, "jump", now / (2 * SECOND)) % (days * day),
        };
        now + jump
    }
}

/// The way from one attempt to the store.
pub struct Line {
    remote: Arc<Remote>,
    /// Its number among all attempts.
    attempt: u64,
    /// Shared with who else sleeps in this thread.
    turn: Arc<Mutex<Turn>>,
    asked: Arc<Mutex<Requests>>,
    /// The request at which it dies.
    dies_at: Option<usize>,
    done: AtomicUsize,
}

impl Line {
    pub fn new(
        remote: &Arc<Remote>,
        attempt: u64,
        turn: &Arc<Mutex<Turn>>,
        asked: &Arc<Mutex<Requests>>,
    ) -> Self {
        let seed = remote.seed;
        let dies = happens(seed, "dies", attempt, remote.weather.dying);
        // Most attempts have ended after a dozen requests.
        let at = draw(seed, "dies at", attempt) % 12;
        Line {
            remote: remote.clone(),
            attempt,
            turn: turn.clone(),
            asked: asked.clone(),
            dies_at: dies.then_some(at as usize),
            done: AtomicUsize::new(0),
        }
    }

    /// A request: it takes its time, fails or kills who asks, before or after it did something.
    fn ask<T>(
        &self,
        verb: &'static str,
        name: &str,
        act: impl FnOnce(&mut State, Moment) -> T,
    ) -> Result<T, Failure> {
        let Remote {
            clock,
            seed,
            weather,
            ..
        } = &*self.remote;
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked.entry((verb, name.to_owned())).or_default() += 1;
            let mut state = self.remote.lock();
            state.requests += 1;
            let mut encoder = Encoder::new("request");
            encoder.word(clock.now());
            encoder.word(self.attempt);
            encoder.text(verb);
            encoder.text(name);
            state.history.extend_from_slice(encoder.finish().as_bytes());
            state.requests
        };
        let dies = self.dies_at == Some(self.done.fetch_add(1, Ordering::Relaxed));
        let before = dies && happens(*seed, "before", self.attempt, 500);
        if before {
            resume_unwind(Box::new(Died));
        }
        let late = draw(*seed, "latency", number) % (weather.latency / 2 + 1);
        {
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            clock.sleep(&turn, weather.latency * 3 / 4 + late);
        }
        if happens(*seed, "fails", number, weather.failing) {
            let words = "the network does not answer";
            return Err(Failure::new(FailureKind::Unreachable, words));
        }
        let time = self.remote.wrong_time();
        let result = act(&mut self.remote.lock(), time);
        if dies {
            resume_unwind(Box::new(Died));
        }
        Ok(result)
    }
}

impl Backend for Line {
    fn shown(&self) -> String {
        "sim://store".into()
    }

    fn look(&self, name: &str) -> Result<Option<Listed>, Failure> {
        self.ask("look", name, |state, time| {
            let (bytes, put) = state.files.get(name)?;
            Some(listed(name, bytes, time, *put))
        })
    }

    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure> {
        let bytes = self.ask("get", name, |state, _| {
            state.files.get(name).map(|(bytes, _)| bytes.clone())
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let size = bytes.len() as u64;
        if size > most {
            return Err(Failure::new(FailureKind::TooLarge, "it is too large"));
        }
        std::fs::write(to, bytes).expect("the cache is on a real disk");
        Ok(Some(size))
    }

    fn put(&self, name: &str, from: &Path) -> Result<(), Failure> {
        let bytes = std::fs::read(from).expect("the cache is on a real disk");
        self.ask("put", name, |state, time| {
            state.files.insert(name.to_owned(), (bytes, time));
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        self.ask("list", prefix, |state, time| {
            let found = state
                .files
                .iter()
                .filter(|(name, _)| name.starts_with(prefix));
            found
                .map(|(name, (bytes, put))| listed(name, bytes, time, *put))
                .collect()
        })
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        self.ask("remove", name, |state, _| {
            state.files.remove(name);
        })
    }
}

fn listed(name: &str, bytes: &[u8], now: Moment, put: Moment) -> Listed {
    Listed {
        name: name.to_owned(),
        size: bytes.len() as u64,
        age_s: now.saturating_sub(put) / SECOND,
    }
}

/// What nobody can be harmed by: a store that is near and never fails.
pub const FAIR: Weather = Weather {
    latency: MILLISECOND,
    failing: 0,
    dying: 0,
    jumps: 0,
};
