//! Eight random streams side by side: one draw fills a [`Lanes`].
//!
//! Each lane is a xoshiro256++ of its own, and all advance together; the rare draws that a first try
//! does not settle (1 normal in 400) take their further numbers from one scalar stream, lane after
//! lane. So a name fixes every number, whatever the width of the machine's vectors. Does not know
//! what is drawn. Source of the generator: Blackman and Vigna, ACM TOMS 47(4), 2021.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::stream::Stream;
use crate::math::words::Words;
use crate::math::ziggurat::{self, Ziggurat};

/// Random numbers for eight lanes that a name fixes.
#[derive(Debug, Clone)]
pub struct LaneStream {
    state: State,
    /// Goes on where the state's first words ended.
    spare: Stream,
    ziggurat: &'static Ziggurat,
    scratch: Scratch,
}

/// Eight generators.
#[derive(Debug, Clone, Copy)]
struct State([Words; 4]);

impl State {
    #[inline(always)]
    fn next(&mut self) -> Words {
        let [mut a, mut b, mut c, mut d] = self.0;
        let out = (a + d).rotate_left::<23>() + a;
        let shifted = b.shift_left::<17>();
        c = c ^ a;
        d = d ^ b;
        b = b ^ c;
        a = a ^ d;
        c = c ^ shifted;
        d = d.rotate_left::<45>();
        self.0 = [a, b, c, d];
        out
    }
}

/// Groups of normals made in one go.
const BULK: usize = 16;

/// What the normals of one go pass through.
#[derive(Debug, Clone)]
struct Scratch {
    layers: [Words; BULK],
    widths: [Lanes; BULK],
    certain: [Lanes; BULK],
}

impl LaneStream {
    /// The lanes of this name. Their states are the first words of [`Stream::new`] of the same name.
    pub fn new(seed: u64, purpose: &str, index: &[u64]) -> LaneStream {
        let mut spare = Stream::new(seed, purpose, index);
        let state = State(std::array::from_fn(|_| {
            Words(std::array::from_fn(|_| spare.bits()))
        }));
        LaneStream {
            state,
            spare,
            ziggurat: Ziggurat::tables(),
            scratch: Scratch {
                layers: [Words::ZERO; BULK],
                widths: [Lanes::ZERO; BULK],
                certain: [Lanes::ZERO; BULK],
            },
        }
    }

    /// 64 random bits for each lane.
    #[inline(always)]
    pub fn bits(&mut self) -> Words {
        self.state.next()
    }

    /// Uniform in 0..bound; each value is off by less than bound / 2^64.
    #[inline(always)]
    pub fn index(&mut self, bound: u32) -> Words {
        self.bits().below(bound)
    }

    /// Standard normals, group after group.
    #[inline(always)]
    pub fn fill_normal(&mut self, groups: &mut [Lanes]) {
        for groups in groups.chunks_mut(BULK) {
            self.fill_some_normal(groups);
        }
    }

    /// At most `BULK` groups. One loop for each step, so that each is a run of vector instructions.
    #[inline(always)]
    fn fill_some_normal(&mut self, groups: &mut [Lanes]) {
        let n = groups.len();
        let Scratch {
            layers,
            widths,
            certain,
        } = &mut self.scratch;
        let mut state = self.state;
        for (x, layer) in groups.iter_mut().zip(&mut layers[..n]) {
            let bits = state.next();
            // The low 10 bits choose the layer, the high 52 the place: disjoint, hence independent.
            *layer = bits & (ziggurat::LAYERS as u64 - 1);
            *x = 2.0 * bits.between_one_and_two() - 3.0;
        }
        self.state = state;
        look_up(
            self.ziggurat,
            &layers[..n],
            &mut widths[..n],
            &mut certain[..n],
        );
        for (index, x) in groups.iter_mut().enumerate() {
            *x *= self.scratch.widths[index];
            if !x.all_smaller_than(self.scratch.certain[index]) {
                self.settle_normals(index, x);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_normals(&mut self, index: usize, x: &mut Lanes) {
        let (layers, certain) = (self.scratch.layers[index], self.scratch.certain[index]);
        for lane in 0..WIDTH {
            if x.0[lane].abs() >= certain.0[lane] {
                let layer = layers.0[lane] as usize;
                x.0[lane] = self.spare.normal_at_the_border(layer, x.0[lane]);
            }
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
        let mut dof = dof;
        for groups in normals.chunks_mut(BULK) {
            // In memory first, as the normals' bits, so that they are made eight at a time.
            let mut state = self.state;
            for height in &mut self.scratch.widths[..groups.len()] {
                *height = 2.0 - state.next().between_one_and_two();
            }
            self.state = state;
            for (index, x) in groups.iter_mut().enumerate() {
                *x = self.chi_square(dof, *x, self.scratch.widths[index]);
                dof -= 1;
            }
        }
    }

    /// From a standard normal and a uniform in (0, 1], and more of both where they are rejected.
    #[inline(always)]
    fn chi_square(&mut self, dof: usize, x: Lanes, height: Lanes) -> Lanes {
        if dof == 1 {
            return x * x;
        }
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

/// Widths of the layers, and below what they are certain. A function of its own, so that it is never
/// compiled to the gather instructions of AVX2 and AVX-512: plain loads take a third of their time.
#[inline(never)]
fn look_up(tables: &Ziggurat, layers: &[Words], widths: &mut [Lanes], certain: &mut [Lanes]) {
    for ((layers, width), certain) in layers.iter().zip(widths).zip(certain) {
        for lane in 0..WIDTH {
            let layer = layers.0[lane] as usize & (ziggurat::LAYERS - 1);
            width.0[lane] = tables.width[layer];
            certain.0[lane] = tables.width[layer + 1];
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
        let mut normals = [Lanes::ZERO; 37];
        for dof in [10, 19, 100].repeat(1000) {
            stream.fill_normal(&mut normals);
            normals.iter().for_each(|x| take(&x.0));
            stream.fill_chi_square(dof, &mut normals[..10]);
            normals[..10].iter().for_each(|x| take(&x.0));
            take(&stream.index(100_000).0.map(|index| index as f64));
        }
        let digest = hasher.finalize().to_hex();
        assert_eq!(&digest[..16], "2b77630550c908f2");
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
        let lanes = first(1, "a", &[]);
        assert!((1..WIDTH).all(|lane| lanes[lane] != lanes[0]));
    }
}
