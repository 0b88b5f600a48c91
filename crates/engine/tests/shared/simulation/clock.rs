//! Virtual time: threads that take turns, each sleeping until a moment that nobody waits for.
//!
//! One thread runs at a time, and who is next depends on the moments and the seed alone: so a run is the same
//! whenever it is done again.

use retrace::base::digest::Digest;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Microseconds since the start.
pub type Moment = u64;
pub const MILLISECOND: Moment = 1000;
pub const SECOND: Moment = 1000 * MILLISECOND;

/// A number from 0 to 2^64 - 1 for a purpose, the same for one seed.
pub fn draw(seed: u64, purpose: &str, index: u64) -> u64 {
    let digest = Digest::of(format!("{seed} {purpose} {index}").as_bytes());
    let bytes = digest.as_bytes();
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

/// Whether something of this probability happens, in thousandths.
pub fn happens(seed: u64, purpose: &str, index: u64, thousandths: u64) -> bool {
    draw(seed, purpose, index) % 1000 < thousandths
}

/// The clock that all threads share.
pub struct Clock {
    seed: u64,
    state: Mutex<State>,
}

struct State {
    now: Moment,
    turns: u64,
    /// Who sleeps until when; the second number decides between two of one moment.
    asleep: BTreeMap<(Moment, u64), usize>,
    wake: Vec<Sender<()>>,
}

/// A thread's way to be woken.
pub struct Turn {
    who: usize,
    woken: Receiver<()>,
}

impl Clock {
    /// A clock for so many threads, all of which sleep until the start.
    pub fn new(seed: u64, threads: usize) -> (Clock, Vec<Turn>) {
        let (wake, turns): (Vec<_>, Vec<_>) = (0..threads)
            .map(|who| {
                let (wake, woken) = channel();
                (wake, Turn { who, woken })
            })
            .unzip();
        let clock = Clock {
            seed,
            state: Mutex::new(State {
                now: 0,
                turns: 0,
                asleep: BTreeMap::new(),
                wake,
            }),
        };
        (clock, turns)
    }

    pub fn now(&self) -> Moment {
        self.lock().now
    }

    /// Puts a thread to sleep that has not begun; then [`Clock::start`] wakes the first of all.
    pub fn enter(&self, who: usize) {
        let mut state = self.lock();
        self.put_asleep(&mut state, who, 0);
    }

    /// Wakes the first.
    pub fn start(&self) {
        self.wake_next(&mut self.lock());
    }

    /// Waits for its first turn.
    pub fn begin(&self, turn: &Turn) {
        turn.woken.recv().expect("the clock is there");
    }

    /// Sleeps for so long; others take turns meanwhile.
    pub fn sleep(&self, turn: &Turn, time: Moment) {
        {
            let mut state = self.lock();
            let until = state.now + time;
            self.put_asleep(&mut state, turn.who, until);
            self.wake_next(&mut state);
        }
        turn.woken.recv().expect("the clock is there");
    }

    /// Gives up its turns for ever.
    pub fn leave(&self) {
        self.wake_next(&mut self.lock());
    }

    fn put_asleep(&self, state: &mut State, who: usize, until: Moment) {
        state.turns += 1;
        let tie = draw(self.seed, "tie", state.turns);
        state.asleep.insert((until, tie), who);
    }

    fn wake_next(&self, state: &mut State) {
        if let Some(((moment, _), who)) = state.asleep.pop_first() {
            state.now = state.now.max(moment);
            state.wake[who].send(()).expect("whoever sleeps listens");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
