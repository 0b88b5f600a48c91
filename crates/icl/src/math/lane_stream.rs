//! Random numbers in bulk for eight lanes: one draw fills a [`Lanes`].
//!
//! A name fixes every number, whatever the width of the machine's vectors. Bits come from 32
//! generators that advance together and are made 256 at a time; normals from a ziggurat whose rare
//! undecided draws (1 in 400) take their further numbers from one scalar stream, in order. Does not
//! know what is drawn. Source of the generator: Blackman and Vigna, ACM TOMS 47(4), 2021.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::simd::{self, Kernel};
use crate::math::stream::Stream;
use crate::math::words::Words;
use crate::math::ziggurat::{self, Ziggurat};

/// Generators side by side: enough that the loop over them becomes vector instructions of any width.
const GENERATORS: usize = 32;
/// Numbers made in one go.
const BULK: usize = 256;
const GROUPS: usize = BULK / WIDTH;

/// Random numbers for eight lanes that a name fixes.
#[derive(Debug, Clone)]
pub struct LaneStream {
    generators: Generators,
    /// Goes on where the generators' first words ended.
    spare: Stream,
    ziggurat: &'static Ziggurat,
    bits: Block<u64>,
    normals: Block<f64>,
    /// Groups of `bits` and of `normals` that are used up.
    bits_used: usize,
    normals_used: usize,
    /// What normals are made of: their bits, the widths of their layers, below what those are certain.
    words: Block<u64>,
    widths: Block<f64>,
    certain: Block<f64>,
}

/// Numbers on cache lines.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Block<T>([T; BULK]);

/// xoshiro256++, `GENERATORS` times.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Generators {
    a: [u64; GENERATORS],
    b: [u64; GENERATORS],
    c: [u64; GENERATORS],
    d: [u64; GENERATORS],
}

impl Generators {
    fn from_words_of(stream: &mut Stream) -> Generators {
        let mut words = || std::array::from_fn(|_| stream.bits());
        Generators {
            a: words(),
            b: words(),
            c: words(),
            d: words(),
        }
    }

    #[inline(always)]
    fn fill(&mut self, block: &mut Block<u64>) {
        for words in block.0.chunks_exact_mut(GENERATORS) {
            for (i, word) in words.iter_mut().enumerate() {
                let (a, b, c, d) = (self.a[i], self.b[i], self.c[i], self.d[i]);
                *word = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
                let (c, d) = (c ^ a, d ^ b);
                self.a[i] = a ^ d;
                self.c[i] = c ^ (b << 17);
                self.b[i] = b ^ c;
                self.d[i] = d.rotate_left(45);
            }
        }
    }
}

impl LaneStream {
    /// The lanes of this name. Their states are the first words of [`Stream::new`] of the same name.
    pub fn new(seed: u64, purpose: &str, index: &[u64]) -> LaneStream {
        let mut spare = Stream::new(seed, purpose, index);
        LaneStream {
            generators: Generators::from_words_of(&mut spare),
            spare,
            ziggurat: Ziggurat::tables(),
            bits: Block([0; BULK]),
            normals: Block([0.0; BULK]),
            bits_used: GROUPS,
            normals_used: GROUPS,
            words: Block([0; BULK]),
            widths: Block([0.0; BULK]),
            certain: Block([0.0; BULK]),
        }
    }

    /// What `new` makes, in the same memory.
    pub fn restart(&mut self, seed: u64, purpose: &str, index: &[u64]) {
        self.spare = Stream::new(seed, purpose, index);
        self.generators = Generators::from_words_of(&mut self.spare);
        self.bits_used = GROUPS;
        self.normals_used = GROUPS;
    }

    /// 64 random bits for each lane.
    #[inline(always)]
    pub fn bits(&mut self) -> Words {
        if self.bits_used == GROUPS {
            simd::dispatch(MoreBits(self));
        }
        let start = self.bits_used * WIDTH;
        let mut words = Words::ZERO;
        words.0.copy_from_slice(&self.bits.0[start..start + WIDTH]);
        self.bits_used += 1;
        words
    }

    /// Uniform in 0..bound; each value is off by less than bound / 2^64.
    #[inline(always)]
    pub fn index(&mut self, bound: u32) -> Words {
        self.bits().below(bound)
    }

    /// Standard normals, group after group.
    #[inline(always)]
    pub fn fill_normal(&mut self, groups: &mut [Lanes]) {
        for group in groups {
            if self.normals_used == GROUPS {
                simd::dispatch(MoreNormals(self));
            }
            let start = self.normals_used * WIDTH;
            group
                .0
                .copy_from_slice(&self.normals.0[start..start + WIDTH]);
            self.normals_used += 1;
        }
    }

    /// Chi-squares, one group after another, with `dof`, `dof` - 1, ... degrees of freedom: squared
    /// normals for one, else twice gammas as [`Stream::chi_square`]. `normals` holds as many standard
    /// normals, drawn before, which are used up.
    ///
    /// # Panics
    /// If `dof` is smaller than the number of groups.
    #[inline(always)]
    pub fn fill_chi_square(&mut self, dof: usize, normals: &mut [Lanes]) {
        assert!(dof >= normals.len(), "chi-square: degrees of freedom");
        for (used, x) in normals.iter_mut().enumerate() {
            *x = self.chi_square(dof - used, *x);
        }
    }

    /// From a standard normal, a uniform in (0, 1], and more of both where they are rejected.
    #[inline(always)]
    fn chi_square(&mut self, dof: usize, x: Lanes) -> Lanes {
        if dof == 1 {
            return x * x;
        }
        let height = 2.0 - self.bits().between_one_and_two();
        let (shape, scale) = Stream::gamma_constants(dof);
        let root = 1.0 + scale * x;
        let mut out = 2.0 * shape * (root * root * root);
        // Two bounds that spare the logarithms: Marsaglia and Tsang's, and one that is closer for large
        // `dof`. With t = scale x the exact bound is exp(-x^4 scale^2 / 12 (1 - 0.8 t + ...)), whose
        // series for |t| < 1/2 is at most 2 in the parentheses, and exp(-u) >= 1 - u.
        let fourth = (x * x) * (x * x);
        let wide = 1.0 - 0.0331 * fourth;
        let close = 1.0 - (scale * scale / 6.0) * fourth;
        let mut settled = true;
        for lane in 0..WIDTH {
            let (root, height) = (root.0[lane], height.0[lane]);
            settled &= ((root > 0.0) & (height < wide.0[lane]))
                | ((root > 0.5) & (root < 1.5) & (height < close.0[lane]));
        }
        if !settled {
            self.settle_chi_squares(dof, x, height, &mut out);
        }
        out
    }

    #[cold]
    #[inline(never)]
    fn settle_chi_squares(&mut self, dof: usize, x: Lanes, height: Lanes, out: &mut Lanes) {
        for lane in 0..WIDTH {
            out.0[lane] = Stream::chi_square_of(dof, x.0[lane], height.0[lane])
                .unwrap_or_else(|| self.spare.chi_square(dof));
        }
    }
}

/// Fills the block of bits.
struct MoreBits<'a>(&'a mut LaneStream);

impl Kernel for MoreBits<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.generators.fill(&mut self.0.bits);
        self.0.bits_used = 0;
    }
}

/// Fills the block of normals. One loop for each step, so that each is a run of vector instructions.
struct MoreNormals<'a>(&'a mut LaneStream);

impl Kernel for MoreNormals<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stream = self.0;
        stream.generators.fill(&mut stream.words);
        look_up(stream);
        for i in 0..BULK {
            // The low 10 bits choose the layer, the high 52 are the digits of the place in [1, 2), made
            // by bit operations alone, which every instruction set has for vectors. Disjoint, hence
            // independent.
            let place = f64::from_bits((stream.words.0[i] >> 12) | 1.0_f64.to_bits());
            stream.normals.0[i] = (2.0 * place - 3.0) * stream.widths.0[i];
        }
        for start in (0..BULK).step_by(WIDTH) {
            let mut decided = true;
            for i in start..start + WIDTH {
                decided &= stream.normals.0[i].abs() < stream.certain.0[i];
            }
            if !decided {
                stream.settle_normals(start);
            }
        }
        stream.normals_used = 0;
    }
}

impl LaneStream {
    #[cold]
    #[inline(never)]
    fn settle_normals(&mut self, start: usize) {
        for i in start..start + WIDTH {
            let x = &mut self.normals.0[i];
            if x.abs() >= self.certain.0[i] {
                let layer = ziggurat::layer(self.words.0[i]);
                *x = self.spare.normal_at_the_border(layer, *x);
            }
        }
    }
}

/// Sets `widths` and `certain`. A function of its own, so that it is never compiled to the gather
/// instructions of AVX2 and AVX-512: plain loads were faster (docs/performance.md).
#[inline(never)]
fn look_up(stream: &mut LaneStream) {
    for i in 0..BULK {
        let layer = ziggurat::layer(stream.words.0[i]);
        stream.widths.0[i] = stream.ziggurat.width[layer];
        stream.certain.0[i] = stream.ziggurat.width[layer + 1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::tolerance;

    /// Pins the streams: when this fails, every committed result changes.
    #[test]
    fn golden_values() {
        let mut stream = LaneStream::new(42, "golden", &[1, 2]);
        let mut hasher = blake3::Hasher::new();
        let mut take = |lanes: &[f64; WIDTH]| {
            for value in lanes {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        };
        // Long enough to pass through wedges and the tail, and to reject chi-squares.
        let mut normals = [Lanes::ZERO; 37];
        for dof in [10, 19, 100].repeat(1000) {
            stream.fill_normal(&mut normals);
            normals.iter().for_each(|x| take(&x.0));
            stream.fill_chi_square(dof, &mut normals[..10]);
            normals[..10].iter().for_each(|x| take(&x.0));
            take(&stream.index(100_000).0.map(|index| index as f64));
        }
        let digest = hasher.finalize().to_hex();
        assert_eq!(&digest[..16], "f7f6698c880ee9ba");
    }

    /// Lane by lane, and for pairs of lanes: means of the asked function are what they should be.
    fn assert_means(
        name: &str,
        expected: f64,
        n_groups: usize,
        mut draw: impl FnMut() -> [f64; WIDTH],
    ) {
        let mut by_lane = [Moments::new(); WIDTH];
        let mut neighbours = Moments::new();
        for _ in 0..n_groups {
            let values = draw();
            for (moments, value) in by_lane.iter_mut().zip(values) {
                moments.push(value);
            }
            for pair in values.windows(2) {
                neighbours.push((pair[0] - expected) * (pair[1] - expected));
            }
        }
        for (lane, moments) in by_lane.iter().enumerate() {
            let estimate = moments.estimate();
            assert!(
                estimate.z_score(expected).abs() < tolerance::STANDARD_ERRORS,
                "{name}, lane {lane}: {estimate:?}"
            );
        }
        // Products of neighbours do not correlate when lanes are independent, so their error holds.
        let estimate = neighbours.estimate();
        assert!(
            estimate.z_score(0.0).abs() < tolerance::STANDARD_ERRORS,
            "{name}, neighbours: {estimate:?}"
        );
    }

    fn normal(stream: &mut LaneStream) -> [f64; WIDTH] {
        let mut x = [Lanes::ZERO];
        stream.fill_normal(&mut x);
        x[0].0
    }

    fn chi_square(stream: &mut LaneStream, dof: usize) -> [f64; WIDTH] {
        let mut x = [Lanes::ZERO];
        stream.fill_normal(&mut x);
        stream.fill_chi_square(dof, &mut x);
        x[0].0
    }

    #[test]
    fn normals_have_their_moments_and_tails_in_each_lane() {
        let mut stream = LaneStream::new(7, "normal moments", &[]);
        assert_means("mean", 0.0, 100_000, || normal(&mut stream));
        assert_means("square", 1.0, 100_000, || {
            normal(&mut stream).map(|x| x * x)
        });
        for cut in [0.5, 1.0, 2.0, 3.0] {
            let above = 0.5 * libm::erfc(cut * std::f64::consts::FRAC_1_SQRT_2);
            assert_means("right tail", above, 200_000, || {
                normal(&mut stream).map(|x| f64::from(x > cut))
            });
        }
    }

    /// However they are asked for, the normals of a stream are the same.
    #[test]
    fn the_size_of_requests_does_not_matter() {
        let mut all = vec![Lanes::ZERO; 5000];
        LaneStream::new(3, "sizes", &[]).fill_normal(&mut all);
        for size in [1, 5, 16, 17, 40] {
            let mut stream = LaneStream::new(3, "sizes", &[]);
            let mut parts = vec![Lanes::ZERO; 5000];
            parts
                .chunks_mut(size)
                .for_each(|part| stream.fill_normal(part));
            assert!(parts == all, "{size} groups at a time");
        }
    }

    #[test]
    fn chi_squares_have_their_moments_in_each_lane() {
        let mut stream = LaneStream::new(7, "chi-square moments", &[]);
        for dof in [1, 2, 3, 5, 19, 1000] {
            let k = dof as f64;
            assert_means("mean", k, 40_000, || chi_square(&mut stream, dof));
            assert_means("variance", 2.0 * k, 40_000, || {
                chi_square(&mut stream, dof).map(|x| (x - k) * (x - k))
            });
        }
        // P(chi2_2 > x) = exp(-x / 2)
        assert_means("tail", libm::exp(-2.0), 40_000, || {
            chi_square(&mut stream, 2).map(|x| f64::from(x > 4.0))
        });
        let mut group = [Lanes::splat(0.5); 3];
        stream.fill_chi_square(3, &mut group);
        assert_eq!(group[2], Lanes::splat(0.25), "one degree of freedom");
    }

    #[test]
    fn indices_cover_the_range_evenly() {
        let mut stream = LaneStream::new(7, "indices", &[]);
        for value in 0..7 {
            assert_means("share", 1.0 / 7.0, 40_000, || {
                let indices = stream.index(7).0;
                indices.map(|index| f64::from(u8::from(index == value)))
            });
        }
        assert_eq!(stream.index(1), Words::ZERO);
        for _ in 0..1000 {
            let indices = stream.index(u32::MAX).0;
            assert!(indices.iter().all(|&index| index < u64::from(u32::MAX)));
        }
    }

    #[test]
    fn names_are_told_apart() {
        let first =
            |seed, purpose: &str, index: &[u64]| LaneStream::new(seed, purpose, index).bits().0;
        assert_eq!(first(1, "a", &[2]), first(1, "a", &[2]));
        assert_ne!(first(1, "a", &[2]), first(1, "a", &[3]));
        assert_ne!(first(1, "a", &[2]), first(2, "a", &[2]));
        let mut stream = LaneStream::new(3, "b", &[]);
        stream.fill_normal(&mut [Lanes::ZERO; 3]);
        stream.restart(1, "a", &[2]);
        assert_eq!(stream.bits().0, first(1, "a", &[2]));
        let lanes = first(1, "a", &[]);
        assert!((1..WIDTH).all(|lane| lanes[lane] != lanes[0]));
    }
}
