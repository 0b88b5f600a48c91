//! Run-time choice of the vector instructions for a kernel, and prefetching: the one file with
//! `unsafe`.
//!
//! The same `#[inline(always)]` body is compiled under SSE2 (the baseline), AVX2 and AVX-512 and
//! gives the same bits under each: only lane-wise IEEE operations change width. No fused
//! multiply-add is enabled or used. Does not know what a kernel computes.

#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// Work to run under the widest instructions there are. `run` and all that it calls in its hot
/// part should be `#[inline(always)]`; what is not is called as baseline code, with the same bits.
pub trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// Instruction sets a kernel is compiled for, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Baseline,
    Avx2,
    Avx512,
}

const LEVELS: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

/// The widest level `dispatch` may use; lowered by tests only. It cannot change a bit of a result.
static CAP: AtomicU8 = AtomicU8::new(Level::Avx512 as u8);

/// The widest level of this machine, detected once.
pub fn best_level() -> Level {
    static BEST: OnceLock<Level> = OnceLock::new();
    *BEST.get_or_init(detect)
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = std::arch::is_x86_feature_detected!("avx2");
    let avx512 = std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && std::arch::is_x86_feature_detected!("avx512dq");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// The levels that this machine can run, narrowest first.
pub fn supported_levels() -> impl Iterator<Item = Level> {
    LEVELS.into_iter().filter(|&level| level <= best_level())
}

/// Lets `dispatch` use at most `level` from now on, in the whole process. For tests that compare
/// bits between levels; results do not depend on it, only speed does.
pub fn set_level_cap(level: Level) {
    CAP.store(level as u8, Ordering::Relaxed);
}

/// Runs the kernel at the widest level that the machine has and the cap allows.
#[inline(never)]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    let cap = LEVELS[usize::from(CAP.load(Ordering::Relaxed))];
    dispatch_at(cap, kernel)
}

/// Runs the kernel at `level`, or at the machine's widest where that is narrower.
pub fn dispatch_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level.min(best_level()) {
        Level::Baseline => kernel.run(),
        // SAFETY: `level` is at most `best_level()`, so the CPU has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { run_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { run_avx512(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => kernel.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512vl,avx512dq")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Asks memory for the cache line of `place`, without waiting for it; nothing where the
/// instruction is not at hand.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and cannot fault; every x86-64 has it (SSE).
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::lanes::Lanes;

    struct Polynomial<'a>(&'a [Lanes]);

    impl Kernel for Polynomial<'_> {
        type Output = Lanes;
        #[inline(always)]
        fn run(self) -> Lanes {
            let mut sum = Lanes::ZERO;
            for &x in self.0 {
                sum += (x * x + 0.1) * x + sum * 0.3;
            }
            sum
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let input: Vec<Lanes> = (0..100)
            .map(|i| Lanes([0.1, 0.2, 0.3, 0.7, 1.1, 1.3, 1.7, 1.9]) * (1.0 / f64::from(i + 1)))
            .collect();
        let baseline = dispatch_at(Level::Baseline, Polynomial(&input));
        for level in supported_levels() {
            let other = dispatch_at(level, Polynomial(&input));
            assert_eq!(
                baseline.0.map(f64::to_bits),
                other.0.map(f64::to_bits),
                "{level:?}"
            );
        }
    }
}
