//! The two precisions a transformer is trained in, and elementary functions with the same bits
//! everywhere.
//!
//! All is made of additions, multiplications, divisions, comparisons and shifts, each as IEEE 754
//! and the language define it, without branches: a loop over a slice is vectorised under
//! [`simd::dispatch`](crate::math::simd::dispatch), and every width of it gives the same bits. No
//! platform library, no fused multiply-add. Does not know what the numbers mean.
//!
//! exp(x): n is x / ln 2 rounded to the nearest integer, by an addition of 1.5 * 2^(mantissa bits)
//! whose rounding drops the fraction; r = x - n ln 2, with ln 2 in two parts of which n times the
//! first is exact (Cody and Waite), so |r| <= 0.35; exp(x) = 2^n (1 + r + r^2 / 2! + ...), where the
//! first term left out is below a tenth of a rounding.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// f32 or f64.
pub trait Float:
    Copy
    + Default
    + Debug
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    /// Size in bits: 32 or 64.
    const BITS: usize;

    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;

    /// The same value as a double.
    fn to_f64(self) -> f64;

    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;

    fn abs(self) -> Self;

    /// The size of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// False for infinities and for what is not a number.
    fn is_finite(self) -> bool;

    /// e^x within 1.5 units of the last place in f32 and 2 in f64; subnormal results are rounded
    /// as others are. 0 below -104 (f32) or -746 (f64), infinity where the result is too large,
    /// NaN for NaN.
    fn exp(self) -> Self;

    /// e^x - 1 for x <= 0, within 3 units of the last place; -1 where x is far below. NaN for NaN.
    fn exp_m1_of_negative(self) -> Self;

    /// Work with memory that this thread keeps for the next call: nothing is allocated once it is
    /// large enough. What it holds is whatever was left there.
    ///
    /// # Panics
    /// If `work` asks for the same memory again.
    fn with_scratch<R>(work: impl FnOnce(&mut Vec<Self>) -> R) -> R;

    /// The larger; `other` where one is not a number.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    /// 1 / x.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::ONE / self
    }

    /// tanh(x) = -e / (e + 2) with e = exp(-2 |x|) - 1, with the sign of x; relative error at most
    /// 4 units of the last place, also near 0.
    #[inline(always)]
    fn tanh(self) -> Self {
        let two = Self::ONE + Self::ONE;
        let e = (-two * self.abs()).exp_m1_of_negative();
        (e / (e + two)).copysign(self)
    }

    /// 1 / (1 + exp(-x)); relative error at most 4 units of the last place while the result is
    /// normal, 0 where exp(-x) is too large.
    #[inline(always)]
    fn logistic(self) -> Self {
        (Self::ONE + (-self).exp()).recip()
    }
}

/// One precision: the integer type of its bits, the bits of its mantissa, the offset of its
/// exponent, the arguments between which exp is neither 0 nor infinite, below what exp(x) - 1 is -1,
/// ln 2 in two parts, and 1 / k! from k = 2.
macro_rules! float {
    ($float:ident, $bits:expr, $mantissa:expr, $offset:expr, $lowest:expr, $highest:expr,
     $minus_one:expr, $ln2_high:expr, $ln2_low:expr, $terms:expr) => {
        impl Float for $float {
            const ZERO: $float = 0.0;
            const ONE: $float = 1.0;
            const BITS: usize = $bits;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounds to the nearest")]
            fn from_f64(value: f64) -> $float {
                value as $float
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn sqrt(self) -> $float {
                $float::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> $float {
                $float::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: $float) -> $float {
                $float::copysign(self, sign)
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }

            #[inline(always)]
            fn exp(self) -> $float {
                // In this order, so that what is not a number stays so.
                let x = if self > $highest { $highest } else { self };
                let x = if x < $lowest { $lowest } else { x };
                let n = Self::nearest(x * std::$float::consts::LOG2_E);
                let mantissa = 1.0 + Self::series(x, n);
                // In two steps: 2^n itself may be too small or too large for a normal number.
                let half = Self::nearest(n * 0.5);
                mantissa * Self::power_of_two(half) * Self::power_of_two(n - half)
            }

            #[inline(always)]
            fn exp_m1_of_negative(self) -> $float {
                let x = if self < $minus_one { $minus_one } else { self };
                let n = Self::nearest(x * std::$float::consts::LOG2_E);
                let scale = Self::power_of_two(n);
                // Exact where n = 0: small arguments keep all their digits.
                scale * Self::series(x, n) + (scale - 1.0)
            }

            #[inline(always)]
            fn with_scratch<R>(work: impl FnOnce(&mut Vec<$float>) -> R) -> R {
                thread_local! {
                    static SCRATCH: std::cell::RefCell<Vec<$float>> =
                        const { std::cell::RefCell::new(Vec::new()) };
                }
                SCRATCH.with_borrow_mut(work)
            }
        }

        impl Parts for $float {
            /// A number so large that its last bit counts ones.
            const COUNTER: $float = 1.5 * (1_u64 << $mantissa) as $float;

            #[inline(always)]
            fn nearest(self) -> $float {
                (self + Self::COUNTER) - Self::COUNTER
            }

            #[inline(always)]
            fn power_of_two(self) -> $float {
                // The last bits of the sum are those of the integer; those above leave at the top.
                let integer = (self + Self::COUNTER).to_bits();
                $float::from_bits(integer.wrapping_add($offset) << $mantissa)
            }

            #[inline(always)]
            fn series(self, n: $float) -> $float {
                let r = (self - n * $ln2_high) - n * $ln2_low;
                let mut tail = 0.0;
                for term in $terms.iter().rev() {
                    tail = tail * r + term;
                }
                r + r * r * tail
            }
        }
    };
}

/// The steps of exp.
trait Parts: Sized {
    const COUNTER: Self;
    /// The nearest integer; of two the even one. For |x| < 2^(mantissa bits - 2).
    fn nearest(self) -> Self;
    /// 2^n for an integer n whose power is a normal number.
    fn power_of_two(self) -> Self;
    /// exp(x - n ln 2) - 1, where n is near x / ln 2.
    fn series(self, n: Self) -> Self;
}

float!(
    f32,
    32,
    23,
    127,
    -104.0,
    89.0,
    -40.0,
    // So few bits that products with n are exact, and what ln 2 is more.
    355.0 / 512.0,
    -2.121_944_4e-4,
    [
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0
    ]
);
float!(
    f64,
    64,
    52,
    1023,
    -746.0,
    710.0,
    -80.0,
    // The first 32 bits of ln 2, and the rest.
    0.693_147_180_369_123_8,
    1.908_214_929_270_587_7e-10,
    [
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0
    ]
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::simd::{Kernel, Level, dispatch_at, supported_levels};

    /// The distance in units of the last place that values of this size have in f32 (or f64).
    fn ulps_f32(value: f32, exact: f64) -> f64 {
        let ulp = f64::from((exact.abs() as f32).max(f32::MIN_POSITIVE).next_up())
            - f64::from((exact.abs() as f32).max(f32::MIN_POSITIVE));
        (f64::from(value) - exact).abs() / ulp
    }

    fn ulps_f64(value: f64, exact: f64) -> f64 {
        let size = exact.abs().max(f64::MIN_POSITIVE);
        (value - exact).abs() / (size.next_up() - size)
    }

    /// Arguments between the bounds, evenly spaced by an odd step, and powers of two.
    fn grid(from: f64, to: f64) -> impl Iterator<Item = f64> {
        const POINTS: u32 = 400_000;
        let even = (0..=POINTS).map(move |i| from + (to - from) * f64::from(i) / f64::from(POINTS));
        let small = (1..60).flat_map(|k| [1.0, -1.3].map(|sign| sign * libm::exp2(-f64::from(k))));
        even.chain(small.filter(move |&x| from <= x && x <= to))
    }

    #[test]
    fn exp_of_f32_is_within_a_unit_and_a_half() {
        let worst = grid(-103.9, 88.7).fold(0.0, |worst: f64, x| {
            let x = x as f32;
            worst.max(ulps_f32(Float::exp(x), libm::exp(f64::from(x))))
        });
        assert!(worst <= 1.5, "{worst}");
    }

    #[test]
    fn exp_of_f64_is_within_two_units() {
        let worst = grid(-745.0, 709.7).fold(0.0, |worst: f64, x| {
            worst.max(ulps_f64(Float::exp(x), libm::exp(x)))
        });
        assert!(worst <= 2.0, "{worst}");
    }

    #[test]
    fn tanh_and_logistic_are_within_four_units() {
        let mut worst = [0.0_f64; 4];
        for x in grid(-12.0, 12.0) {
            let single = x as f32;
            let exact = libm::tanh(f64::from(single));
            worst[0] = worst[0].max(ulps_f32(Float::tanh(single), exact));
            worst[1] = worst[1].max(ulps_f64(Float::tanh(x), libm::tanh(x)));
            let exact = 1.0 / (1.0 + libm::exp(-f64::from(single)));
            worst[2] = worst[2].max(ulps_f32(single.logistic(), exact));
            worst[3] = worst[3].max(ulps_f64(x.logistic(), 1.0 / (1.0 + libm::exp(-x))));
        }
        assert!(worst.iter().all(|&worst| worst <= 4.0), "{worst:?}");
    }

    #[test]
    fn the_ends_of_the_range() {
        fn check<T: Float>(overflow: f64, underflow: f64) {
            let exp = |x: f64| T::from_f64(x).exp().to_f64();
            for x in [-1e30, f64::NEG_INFINITY, underflow] {
                assert_eq!(exp(x), 0.0, "{x}");
            }
            for x in [1e30, f64::INFINITY, overflow] {
                assert_eq!(exp(x), f64::INFINITY, "{x}");
            }
            assert!(exp(f64::NAN).is_nan());
            assert_eq!(exp(0.0), 1.0);
            let tanh = |x: f64| T::from_f64(x).tanh().to_f64();
            assert_eq!(tanh(f64::INFINITY), 1.0);
            assert_eq!(tanh(-1e30), -1.0);
            assert!(tanh(f64::NAN).is_nan());
            assert_eq!(tanh(-0.0).to_bits(), (-0.0_f64).to_bits());
            assert_eq!(T::from_f64(-1e30).logistic().to_f64(), 0.0);
            assert_eq!(T::from_f64(1e30).logistic().to_f64(), 1.0);
            assert!(T::ONE.max(T::from_f64(f64::NAN)).to_f64().is_nan());
        }
        check::<f32>(88.73, -103.98);
        check::<f64>(709.79, -745.14);
    }

    struct Map<'a, T>(&'a [T]);

    impl<T: Float> Kernel for Map<'_, T> {
        type Output = Vec<u64>;
        #[inline(always)]
        fn run(self) -> Vec<u64> {
            let mut out = vec![T::ZERO; self.0.len()];
            for (out, &x) in out.iter_mut().zip(self.0) {
                *out = x.exp() + x.tanh() * x.logistic();
            }
            out.iter().map(|x| x.to_f64().to_bits()).collect()
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        fn check<T: Float>() {
            let x: Vec<T> = grid(-110.0, 80.0).map(T::from_f64).collect();
            let baseline = dispatch_at(Level::Baseline, Map(&x));
            for level in supported_levels() {
                assert!(dispatch_at(level, Map(&x)) == baseline, "{level:?}");
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
