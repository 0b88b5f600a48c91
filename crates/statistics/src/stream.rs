//! Random streams: one per (seed, purpose, index), so that no draw depends on another's order.
//!
//! A stream's state is the BLAKE3 digest of a length-prefixed encoding of its name (see
//! [`Stream::new`]), which seeds xoshiro256++. Bulk normals come from an own ziggurat because those
//! of `rand_distr` call the platform's libm in their tails. Does not know what is drawn.

use crate::ziggurat::{self, Ziggurat};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng, impls};

/// A sequence of random numbers that its name fixes.
#[derive(Debug, Clone)]
pub struct Stream {
    bits: Xoshiro256PlusPlus,
    ziggurat: &'static Ziggurat,
}

/// Changes when the meaning of a name changes, that is, when every result does.
const DOMAIN: &[u8] = b"icl-repro random stream 1";

/// The domain of [`seed_of`].
const SEED_DOMAIN: &[u8] = b"icl-repro seed of parts 1";

/// One seed of several, whose order counts: the first 8 bytes, little-endian, of the BLAKE3 digest of the
/// domain, the number of parts, and the parts, each number 8 bytes, little-endian. So every
/// combination of levels of several random factors has draws of its own.
pub fn seed_of(parts: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(SEED_DOMAIN);
    hasher.update(&(parts.len() as u64).to_le_bytes());
    for part in parts {
        hasher.update(&part.to_le_bytes());
    }
    let digest = hasher.finalize();
    let first = digest.as_bytes().iter().take(8).rev();
    first.fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
}

impl Stream {
    /// The stream of this name. Hashed bytes: the domain; the seed; the purpose's length, the
    /// purpose; the index's length, its entries. All numbers are 8 bytes, little-endian.
    pub fn new(seed: u64, purpose: &str, index: &[u64]) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(DOMAIN);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(purpose.len() as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        hasher.update(&(index.len() as u64).to_le_bytes());
        for entry in index {
            hasher.update(&entry.to_le_bytes());
        }
        Stream {
            bits: Xoshiro256PlusPlus::from_seed(*hasher.finalize().as_bytes()),
            ziggurat: Ziggurat::tables(),
        }
    }

    /// 64 random bits.
    #[inline(always)]
    pub fn bits(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    #[inline(always)]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in 0..bound by a 128-bit product; each value is off by less than bound / 2^64.
    #[inline(always)]
    pub fn index(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Standard normal.
    #[inline(always)]
    pub fn normal(&mut self) -> f64 {
        let bits = self.bits();
        // The low 10 bits choose the layer, the high 53 the place: disjoint, hence independent.
        let layer = ziggurat::layer(bits);
        let place = ((bits as i64) >> 11) as f64 * (1.0 / (1_u64 << 52) as f64);
        let x = place * self.ziggurat.width[layer];
        if x.abs() < self.ziggurat.width[layer + 1] {
            x
        } else {
            self.normal_at_the_border(layer, x)
        }
    }

    /// The rare cases of `normal`: the wedge of a layer, and the tail, for a first try `x` there.
    #[cold]
    #[inline(never)]
    pub fn normal_at_the_border(&mut self, layer: usize, x: f64) -> f64 {
        if layer == 0 {
            return self.normal_tail().copysign(x);
        }
        let low = self.ziggurat.density[layer];
        let high = self.ziggurat.density[layer + 1];
        if low + self.uniform() * (high - low) < ziggurat::density(x) {
            x
        } else {
            self.normal()
        }
    }

    /// |x| beyond the edge, by Marsaglia's exponential rejection (1964).
    fn normal_tail(&mut self) -> f64 {
        loop {
            // 1 - uniform is in (0, 1]: its logarithm is finite.
            let excess = -libm::log(1.0 - self.uniform()) / ziggurat::EDGE;
            let height = -libm::log(1.0 - self.uniform());
            if 2.0 * height > excess * excess {
                return ziggurat::EDGE + excess;
            }
        }
    }

    /// Chi-square with `dof` >= 1 degrees of freedom: a squared normal for one, else twice a gamma
    /// of shape dof / 2 by rejection. Source: Marsaglia and Tsang, ACM TOMS 26(3), 2000.
    pub fn chi_square(&mut self, dof: usize) -> f64 {
        debug_assert!(dof >= 1, "chi-square needs a degree of freedom");
        if dof <= 1 {
            let x = self.normal();
            return x * x;
        }
        loop {
            let x = self.normal();
            let height = 1.0 - self.uniform();
            if let Some(value) = Stream::chi_square_of(dof, x, height) {
                return value;
            }
        }
    }

    /// Marsaglia and Tsang's d and c for a gamma of shape dof / 2.
    #[inline(always)]
    pub fn gamma_constants(dof: usize) -> (f64, f64) {
        let shape = dof as f64 * 0.5 - 1.0 / 3.0;
        (shape, 1.0 / (9.0 * shape).sqrt())
    }

    /// What a standard normal and a uniform in (0, 1] give, unless they are rejected; `dof` >= 2.
    pub fn chi_square_of(dof: usize, x: f64, height: f64) -> Option<f64> {
        let (shape, scale) = Stream::gamma_constants(dof);
        let root = 1.0 + scale * x;
        if root <= 0.0 {
            return None;
        }
        let cube = root * root * root;
        let square = x * x;
        // The squeeze spares the logarithms almost always.
        let accepted = height < 1.0 - 0.0331 * (square * square)
            || libm::log(height) < 0.5 * square + shape * (1.0 - cube + libm::log(cube));
        accepted.then_some(2.0 * shape * cube)
    }
}

/// Lets `ndarray-rand` make small arrays from a stream.
impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.bits()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        impls::fill_bytes_via_next(self, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let first = |purpose: &str, index: &[u64]| Stream::new(1, purpose, index).bits();
        let all = [
            first("ab", &[]),
            first("a", &[]),
            first("ab", &[0]),
            first("ab", &[0, 0]),
            first("", &[]),
            Stream::new(2, "ab", &[]).bits(),
        ];
        for (i, left) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|right| left != right));
        }
        assert_eq!(first("ab", &[3, 4]), first("ab", &[3, 4]));
    }

    #[test]
    fn seeds_of_parts_are_told_apart() {
        let parts: [&[u64]; 7] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 0], &[0, 0, 1]];
        for (i, left) in parts.iter().enumerate() {
            for right in &parts[i + 1..] {
                assert_ne!(seed_of(left), seed_of(right), "{left:?} {right:?}");
            }
        }
        // Pins the encoding.
        assert_eq!(seed_of(&[3, 24]), GOLDEN_SEED);
    }

    /// Pins the streams: when this fails, every committed result changes.
    #[test]
    fn golden_values() {
        let mut stream = Stream::new(42, "golden", &[1, 2]);
        assert_eq!(stream.bits(), GOLDEN_BITS);
        assert_eq!(stream.uniform(), GOLDEN_UNIFORM);
        assert_eq!(stream.index(100_000), GOLDEN_INDEX);
        assert_eq!(stream.normal(), GOLDEN_NORMAL);
        assert_eq!(stream.chi_square(1), GOLDEN_CHI_1);
        assert_eq!(stream.chi_square(19), GOLDEN_CHI_19);
        // Long enough to pass through wedges (about 2700) and the tail (about 50).
        let sum = (0..1_000_000).fold(0.0, |sum, _| sum + stream.normal());
        assert_eq!(sum, GOLDEN_SUM);
    }

    const GOLDEN_SEED: u64 = 719636164982956123;
    const GOLDEN_BITS: u64 = 2373478702967654153;
    const GOLDEN_UNIFORM: f64 = 0.3624401949190458;
    const GOLDEN_INDEX: usize = 17036;
    const GOLDEN_NORMAL: f64 = -0.774570931820415;
    const GOLDEN_CHI_1: f64 = 0.730506193292658;
    const GOLDEN_CHI_19: f64 = 30.93164947496683;
    const GOLDEN_SUM: f64 = 213.02683598485362;

    /// A mean is rejected beyond this many standard errors: 6e-7 two-sided per comparison.
    const STANDARD_ERRORS: f64 = 5.0;

    fn assert_mean(name: &str, expected: f64, n: usize, mut draw: impl FnMut() -> f64) {
        // Deviations from what is expected: no difference of large squares.
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let away = draw() - expected;
            sum += away;
            squares += away * away;
        }
        let n = n as f64;
        let variance = (squares - sum * sum / n) / (n - 1.0);
        let z = sum / n / (variance / n).sqrt();
        assert!(z.abs() < STANDARD_ERRORS, "{name}: z = {z}");
    }

    #[test]
    fn normal_moments_and_quantiles() {
        let n = 400_000;
        let mut stream = Stream::new(7, "normal moments", &[]);
        assert_mean("mean", 0.0, n, || stream.normal());
        assert_mean("square", 1.0, n, || {
            let x = stream.normal();
            x * x
        });
        assert_mean("fourth", 3.0, n, || {
            let x = stream.normal();
            x * x * x * x
        });
        for cut in [0.1, 0.5, 1.0, 2.0, 3.0, 3.9, ziggurat::EDGE] {
            let above = 0.5 * libm::erfc(cut * std::f64::consts::FRAC_1_SQRT_2);
            let n = if cut > 3.0 { 4_000_000 } else { n };
            assert_mean("two-sided tail", 2.0 * above, n, || {
                f64::from(stream.normal().abs() > cut)
            });
            assert_mean("right tail", above, n, || f64::from(stream.normal() > cut));
        }
    }

    /// Too rare (5e-5) for the moments above to tell its shape.
    #[test]
    fn the_tail_has_its_mean_and_spread() {
        let edge = ziggurat::EDGE;
        let mut stream = Stream::new(7, "normal tail", &[]);
        let mass = libm::erfc(edge * std::f64::consts::FRAC_1_SQRT_2);
        let mean = ziggurat::density(edge) / (std::f64::consts::FRAC_PI_2.sqrt() * mass);
        assert_mean("tail mean", mean, 200_000, || stream.normal_tail());
        assert_mean("tail square", 1.0 + edge * mean, 200_000, || {
            let x = stream.normal_tail();
            x * x
        });
    }

    #[test]
    fn chi_square_moments() {
        let mut stream = Stream::new(7, "chi-square moments", &[]);
        for dof in [1, 2, 3, 5, 19, 1000] {
            let k = dof as f64;
            assert_mean("mean", k, 100_000, || stream.chi_square(dof));
            assert_mean("variance", 2.0 * k, 100_000, || {
                let gap = stream.chi_square(dof) - k;
                gap * gap
            });
        }
        // P(chi2_2 > x) = exp(-x / 2)
        assert_mean("tail", libm::exp(-2.0), 100_000, || {
            f64::from(stream.chi_square(2) > 4.0)
        });
    }

    #[test]
    fn indices_cover_the_range() {
        let mut stream = Stream::new(7, "indices", &[]);
        for value in 0..7 {
            assert_mean("share", 1.0 / 7.0, 70_000, || {
                f64::from(u8::from(stream.index(7) == value))
            });
        }
        assert_eq!(stream.index(1), 0);
    }
}
