//! Mutants of a corpus for everything that reads bytes of others: each ends in a result or in a
//! message, soon, within little memory, and never in a panic.
//!
//! The corpus is `fuzz/corpus/TARGET/`: files of every kind, and inputs that once did harm, named after
//! what they did. Mutants are made by a seeded generator from it; nothing here depends on a clock or on
//! threads, so a number names an input. `FUZZ_SCALE=20` tries twenty times as many, `FUZZ_SEED=1` others,
//! `FUZZ_TARGET=lock` those of one target (`make fuzz`). It does not watch which code an input reaches.

use crate::hostile::{HANG, MEMORY_KB, Told, mutate, peak_memory_kb};
use crate::targets::{Bench, TARGETS, Target};
use crate::yaml;
use icl::math::stream::Stream;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::str::FromStr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// A setting of the environment.
fn setting<T: FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .ok()
            .unwrap_or_else(|| panic!("{name}={text}?")),
        Err(_) => otherwise,
    }
}

/// Files of a target's corpus with their names, sorted.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target.name);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

/// What a target's thread says of an input that it is done with.
struct Word {
    accepted: bool,
    time: Duration,
    what: String,
}

fn try_one(target: &Target, bench: &Bench, what: String, bytes: &[u8], words: &Sender<Word>) {
    let start = Instant::now();
    let told: Told =
        catch_unwind(AssertUnwindSafe(|| (target.open)(bench, bytes))).unwrap_or_else(|_| {
            let path = std::env::temp_dir().join(format!("icl-repro-fuzz-{}-{what}", target.name));
            let _ = std::fs::write(&path, bytes);
            panic!(
                "{} {what} panics; the input is in {}",
                target.name,
                path.display()
            );
        });
    if let Err(message) = &told {
        assert!(
            !message.trim().is_empty(),
            "{} {what}: no message",
            target.name
        );
    }
    let word = Word {
        accepted: told.is_ok_and(|found| found > 0),
        time: start.elapsed(),
        what,
    };
    // A closed channel means that the test has failed already.
    let _ = words.send(word);
}

/// Tries the corpus, then mutants of it.
fn fuzz(target: &'static Target, mutants: usize, seed: u64, words: &Sender<Word>) {
    let bench = Bench::new();
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for (name, bytes) in corpus(target) {
        try_one(target, &bench, name, &bytes, words);
        seeds.push(bytes);
    }
    if target.name == "pipeline" {
        let (small, real) = yaml::seeds();
        // The whole file is a hundred times as large as the others: now and then is enough.
        seeds = small
            .iter()
            .cycle()
            .take(400.max(small.len()))
            .cloned()
            .collect();
        seeds.push(real);
    }
    for number in 0..mutants {
        // A stream for each input: any one can be made again.
        let mut random = Stream::new(seed, target.name, &[number as u64]);
        let bytes = mutate(&mut random, &seeds, target.tokens);
        try_one(target, &bench, number.to_string(), &bytes, words);
    }
}

/// Tries one target; how many inputs those were.
fn tried(target: &'static Target, scale: usize, seed: u64) -> usize {
    let mutants = scale * target.mutants;
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || fuzz(target, mutants, seed, &sender));
    let (mut count, mut accepted) = (0, 0);
    let mut slowest = (Duration::ZERO, String::new());
    loop {
        match receiver.recv_timeout(HANG) {
            Ok(word) => {
                count += 1;
                accepted += usize::from(word.accepted);
                slowest = slowest.max((word.time, word.what));
            }
            Err(RecvTimeoutError::Timeout) => panic!("{}: input {count} hangs", target.name),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    worker
        .join()
        .unwrap_or_else(|_| panic!("{}: see above", target.name));
    // Of all that were tried so far, and of those that are tried beside it.
    let (peak, (time, what)) = (peak_memory_kb(), slowest);
    eprintln!(
        "{:>9}: {count} inputs, {accepted} accepted; slowest {time:.1?} ({what}); peak {peak} kB",
        target.name
    );
    assert!(count >= mutants);
    // Mutants that are all refused at once show little.
    assert!(
        accepted > count / 2000,
        "{}: {accepted} of {count} accepted",
        target.name
    );
    assert!(peak < MEMORY_KB, "{}: {peak} kB", target.name);
    count
}

#[test]
fn mutants_end_in_a_result_or_a_message() {
    let (scale, seed) = (setting("FUZZ_SCALE", 1), setting("FUZZ_SEED", 0));
    let only: String = setting("FUZZ_TARGET", String::new());
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|t| only.is_empty() || t.name == only)
        .collect();
    assert!(!chosen.is_empty(), "there is no target {only}");
    let counts = chosen.par_iter().map(|target| tried(target, scale, seed));
    eprintln!("{} inputs in all", counts.sum::<usize>());
}
