//! Runs every computation and compares its digest with the expected one.
//!
//! Does not know who asks, nor what to do where a digest differs.

use crate::golden::expected::EXPECTED;
use crate::golden::{files, numbers};
use icl::math::simd;

pub use icl::math::simd::Level;

/// The name of a computation and the digest of what it gave.
pub type Digests = Vec<(&'static str, String)>;

/// One round: all computations with one instruction set and one number of threads.
#[derive(Clone, Debug)]
pub struct Round {
    pub level: Level,
    pub threads: usize,
    pub digests: Digests,
}

/// A computation that did not give what it should.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    pub name: String,
    /// `None` where nothing of this name is expected.
    pub expected: Option<String>,
    /// `None` where an expected computation was not made.
    pub found: Option<String>,
}

/// Lets kernels use at most this level, in the whole process.
pub fn cap(level: Level) {
    simd::set_level_cap(level);
}

/// Every level of this machine that is not above `cap`, narrowest first.
pub fn levels(cap: Level) -> Vec<Level> {
    simd::supported_levels()
        .filter(|level| *level <= cap)
        .collect()
}

/// The word for a level, on the command line and in reports.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Baseline => "baseline",
        Level::Avx2 => "avx2",
        Level::Avx512 => "avx512",
    }
}

/// The level of a word, if it is one.
pub fn level_of(name: &str) -> Option<Level> {
    [Level::Baseline, Level::Avx2, Level::Avx512]
        .into_iter()
        .find(|level| level_name(*level) == name)
}

/// Every computation with at most `level` and `threads` threads. Those that draw need the bundled font.
/// Other work of the process is at that level meanwhile, which costs it time, and at most at `cap` from then on.
///
/// # Errors
/// When a computation ends in an error, which none does where the program is sound, or threads cannot start.
pub fn round(
    level: Level,
    cap: Level,
    threads: usize,
    font: Option<&[u8]>,
) -> Result<Round, String> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| format!("cannot start {threads} threads: {e}"))?;
    simd::set_level_cap(level);
    let digests = pool.install(|| digests(font));
    simd::set_level_cap(cap);
    Ok(Round {
        level,
        threads,
        digests: digests?,
    })
}

fn digests(font: Option<&[u8]>) -> Result<Digests, String> {
    let mut all = Digests::new();
    for (name, compute) in numbers::ALL {
        let numbers = compute().map_err(|e| format!("{name}: {e}"))?;
        let mut hasher = blake3::Hasher::new();
        for number in numbers {
            hasher.update(&number.to_bits().to_le_bytes());
        }
        all.push((name, short(hasher.finalize())));
    }
    for (name, bytes) in files::tables()?.into_iter().chain(match font {
        Some(font) => files::figure(font)?,
        None => Vec::new(),
    }) {
        all.push((name, short(blake3::hash(&bytes))));
    }
    Ok(all)
}

/// 128 bits are enough against accidents.
fn short(digest: blake3::Hash) -> String {
    digest.to_hex()[..32].to_owned()
}

/// What differs between the expected digests and those found. Drawings are expected where there is a font.
pub fn differences(found: &Digests, with_font: bool) -> Vec<Difference> {
    compare(EXPECTED, found, with_font)
}

/// As [`differences`], for any list of expected digests.
pub fn compare(expected: &[(&str, &str)], found: &Digests, with_font: bool) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, digest) in expected {
        let drawn = files::DRAWN.contains(name);
        let other = found.iter().find(|(other, _)| other == name);
        if other.is_some_and(|(_, found)| found == digest) || (drawn && !with_font) {
            continue;
        }
        differences.push(Difference {
            name: (*name).to_owned(),
            expected: Some((*digest).to_owned()),
            found: other.map(|(_, digest)| digest.clone()),
        });
    }
    for (name, digest) in found {
        if !expected.iter().any(|(known, _)| known == name) {
            differences.push(Difference {
                name: (*name).to_owned(),
                expected: None,
                found: Some(digest.clone()),
            });
        }
    }
    differences
}
