//! What tests with hostile input share: limits of time and memory, and mutation of bytes.

pub mod figures;
pub mod yaml;

use icl::math::stream::Stream;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// What became of an input: how much there was in it, or what the user is told.
pub type Told = Result<usize, String>;

/// An input that takes this long hangs. It is a bound for errors, some hundred times what the
/// slowest takes, not a pace.
pub const HANG: Duration = Duration::from_secs(60);
/// More memory than this at any moment is too much for a file of at most 4 MB.
pub const MEMORY_KB: u64 = 1 << 20;

/// Runs on a thread of its own; what it returns, or that it hangs.
pub fn within_reason<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(act()));
    match receiver.recv_timeout(HANG) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("{what}: hangs"),
        Err(RecvTimeoutError::Disconnected) => panic!("{what}: panics"),
    }
}

pub fn peak_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.map_or(0, |number| number.parse().expect("a number"))
}

/// Between one and six changes to a seed.
pub fn mutate(random: &mut Stream, seeds: &[Vec<u8>], tokens: &[&str]) -> Vec<u8> {
    let mut bytes = seeds[random.index(seeds.len())].clone();
    for _ in 0..=random.index(6) {
        let length = bytes.len();
        let at = random.index(length + 1);
        let end = (at + 1 + random.index(30)).min(length);
        match random.index(9) {
            0 if at < length => bytes[at] ^= 1 << random.index(8),
            1 if at < length => bytes[at] = random.bits() as u8,
            2 if at < end => drop(bytes.drain(at..end)),
            3 if at < end => {
                let piece = bytes[at..end].repeat(1 + random.index(20));
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = &seeds[random.index(seeds.len())];
                let from = random.index(other.len() + 1);
                let to = (from + random.index(300)).min(other.len());
                bytes.splice(at..end.max(at), other[from..to].iter().copied());
            }
            5 => swap_tokens(random, &mut bytes),
            6 => bytes.truncate(at),
            _ => {
                let token = tokens[random.index(tokens.len())];
                bytes.splice(at..at, token.bytes());
            }
        }
    }
    bytes
}

fn swap_tokens(random: &mut Stream, bytes: &mut Vec<u8>) {
    let mut tokens: Vec<&[u8]> = bytes
        .split_inclusive(|byte| !byte.is_ascii_alphanumeric())
        .collect();
    if tokens.len() > 1 {
        let (a, b) = (random.index(tokens.len()), random.index(tokens.len()));
        tokens.swap(a, b);
        *bytes = tokens.concat();
    }
}
