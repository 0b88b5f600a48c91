//! Eight random streams side by side: one draw fills a [`Lanes`].
//!
//! Each lane is a xoshiro256++ of its own, and all advance together; the rare draws that a first try
//! does not settle (1 normal in 400) take their further numbers from one scalar stream, lane after
//! lane. So a name fixes every number, whatever the width of the machine's vectors. Does not know
//! what is drawn. Source of the generator: Blackman and Vigna, ACM TOMS 47(4), 2021.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::stream::Stream;
use crate::math::ziggurat::{self, Ziggurat};

type Words = [u64; WIDTH];

/// Random numbers for eight lanes that a name fixes.
#[derive(Debug, Clone)]
pub struct LaneStream {
    state: [Words; 4],
    /// Goes on where the state's first words ended.
    spare: Stream,
    ziggurat: &'static Ziggurat,
}

/// Uniforms from 64 random bits: multiples of this.
const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;

impl LaneStream {
    /// The lanes of this name. Their states are the first words of [`Stream::new`] of the same name.
    pub fn new(seed: u64, purpose: &str, index: &[u64]) -> LaneStream {
        let mut spare = Stream::new(seed, purpose, index);
        let state = std::array::from_fn(|_| std::array::from_fn(|_| spare.bits()));
        LaneStream {
            state,
            spare,
            ziggurat: Ziggurat::tables(),
        }
    }

    /// 64 random bits for each lane.
    #[inline(always)]
    pub fn bits(&mut self) -> Words {
        let [mut a, mut b, mut c, mut d] = self.state;
        let mut out = [0; WIDTH];
        for lane in 0..WIDTH {
            let sum = a[lane].wrapping_add(d[lane]);
            out[lane] = sum.rotate_left(23).wrapping_add(a[lane]);
            let shifted = b[lane] << 17;
            c[lane] ^= a[lane];
            d[lane] ^= b[lane];
            b[lane] ^= c[lane];
            a[lane] ^= d[lane];
            c[lane] ^= shifted;
            d[lane] = d[lane].rotate_left(45);
        }
        self.state = [a, b, c, d];
        out
    }

    /// Uniform in (0, 1], a multiple of 2^-53.
    #[inline(always)]
    fn uniform_above_zero(&mut self) -> Lanes {
        let bits = self.bits();
        Lanes(std::array::from_fn(|lane| {
            1.0 - (bits[lane] >> 11) as f64 * UNIT
        }))
    }

    /// Uniform in 0..bound by the high half of a product; each value is off by less than
    /// bound / 2^64. `bound` is below 2^32.
    #[inline(always)]
    pub fn index(&mut self, bound: u32) -> [usize; WIDTH] {
        let bits = self.bits();
        let bound = u64::from(bound);
        std::array::from_fn(|lane| {
            let (high, low) = (bits[lane] >> 32, bits[lane] & 0xffff_ffff);
            ((high * bound + ((low * bound) >> 32)) >> 32) as usize
        })
    }

    /// A standard normal in each lane.
    #[inline(always)]
    pub fn normal(&mut self) -> Lanes {
        let bits = self.bits();
        // The low 10 bits choose the layer, the high 53 the place: disjoint, hence independent.
        let mut layers = [0; WIDTH];
        let mut x = Lanes::ZERO;
        let mut certain = [0.0; WIDTH];
        for lane in 0..WIDTH {
            layers[lane] = (bits[lane] as usize) & (ziggurat::LAYERS - 1);
            let place = ((bits[lane] as i64) >> 11) as f64 * (2.0 * UNIT);
            x.0[lane] = place * self.ziggurat.width[layers[lane]];
            certain[lane] = self.ziggurat.width[layers[lane] + 1];
        }
        let mut settled = true;
        for lane in 0..WIDTH {
            settled &= x.0[lane].abs() < certain[lane];
        }
        if !settled {
            self.settle_normals(&layers, &mut x);
        }
        x
    }

    #[cold]
    #[inline(never)]
    fn settle_normals(&mut self, layers: &[usize; WIDTH], x: &mut Lanes) {
        for (value, &layer) in x.0.iter_mut().zip(layers) {
            if value.abs() >= self.ziggurat.width[layer + 1] {
                *value = self.spare.normal_at_the_border(layer, *value);
            }
        }
    }

    /// Standard normals, group after group.
    #[inline(always)]
    pub fn fill_normal(&mut self, groups: &mut [Lanes]) {
        for group in groups {
            *group = self.normal();
        }
    }

    /// Chi-square with `dof` >= 1 degrees of freedom in each lane, as [`Stream::chi_square`].
    #[inline(always)]
    pub fn chi_square(&mut self, dof: usize) -> Lanes {
        debug_assert!(dof >= 1, "chi-square needs a degree of freedom");
        let x = self.normal();
        if dof <= 1 {
            return x * x;
        }
        let shape = dof as f64 * 0.5 - 1.0 / 3.0;
        let root = 1.0 + (1.0 / (9.0 * shape).sqrt()) * x;
        let height = self.uniform_above_zero();
        let square = x * x;
        let bound = 1.0 - 0.0331 * (square * square);
        let mut out = 2.0 * shape * (root * root * root);
        let mut settled = true;
        for lane in 0..WIDTH {
            settled &= (root.0[lane] > 0.0) & (height.0[lane] < bound.0[lane]);
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
        for dof in [1, 2, 19].repeat(20_000) {
            take(&stream.normal().0);
            take(&stream.chi_square(dof).0);
            take(&stream.index(100_000).map(|index| index as f64));
        }
        let digest = hasher.finalize().to_hex();
        assert_eq!(&digest[..16], "golden");
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

    #[test]
    fn normals_have_their_moments_and_tails_in_each_lane() {
        let mut stream = LaneStream::new(7, "normal moments", &[]);
        assert_means("mean", 0.0, 100_000, || stream.normal().0);
        assert_means("square", 1.0, 100_000, || stream.normal().0.map(|x| x * x));
        for cut in [0.5, 1.0, 2.0, 3.0] {
            let above = 0.5 * libm::erfc(cut * std::f64::consts::FRAC_1_SQRT_2);
            assert_means("right tail", above, 200_000, || {
                stream.normal().0.map(|x| f64::from(x > cut))
            });
        }
    }

    #[test]
    fn chi_squares_have_their_moments_in_each_lane() {
        let mut stream = LaneStream::new(7, "chi-square moments", &[]);
        for dof in [1, 2, 3, 5, 19, 1000] {
            let k = dof as f64;
            assert_means("mean", k, 40_000, || stream.chi_square(dof).0);
            assert_means("variance", 2.0 * k, 40_000, || {
                stream.chi_square(dof).0.map(|x| (x - k) * (x - k))
            });
        }
        // P(chi2_2 > x) = exp(-x / 2)
        assert_means("tail", libm::exp(-2.0), 40_000, || {
            stream.chi_square(2).0.map(|x| f64::from(x > 4.0))
        });
    }

    #[test]
    fn indices_cover_the_range_evenly() {
        let mut stream = LaneStream::new(7, "indices", &[]);
        for value in 0..7 {
            assert_means("share", 1.0 / 7.0, 40_000, || {
                stream.index(7).map(|index| f64::from(u8::from(index == value)))
            });
        }
        assert_eq!(stream.index(1), [0; WIDTH]);
        assert!((0..1000).all(|_| stream.index(u32::MAX).iter().all(|&i| i < u32::MAX as usize)));
    }

    #[test]
    fn names_are_told_apart() {
        let first = |seed, purpose: &str, index: &[u64]| LaneStream::new(seed, purpose, index).bits();
        assert_eq!(first(1, "a", &[2]), first(1, "a", &[2]));
        assert_ne!(first(1, "a", &[2]), first(1, "a", &[3]));
        assert_ne!(first(1, "a", &[2]), first(2, "a", &[2]));
        let lanes = first(1, "a", &[]);
        assert!((1..WIDTH).all(|lane| lanes[lane] != lanes[0]));
    }
}
