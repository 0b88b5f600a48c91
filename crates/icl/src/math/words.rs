//! Eight 64-bit words side by side: the integers beneath the random lanes.
//!
//! One method is one loop over the lanes, so that each becomes one vector instruction where the
//! machine has it. Does not know what the bits mean.

use crate::math::lanes::{Lanes, WIDTH};
use std::ops::Add;

/// Eight words, aligned like [`Lanes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub struct Words(pub [u64; WIDTH]);

impl Words {
    pub const ZERO: Words = Words([0; WIDTH]);

    /// Scales each word, read as a fraction of 2^64, to 0..bound: the high half of a product, in
    /// 32-bit multiplications, which every instruction set has for vectors.
    #[inline(always)]
    pub fn below(self, bound: u32) -> Words {
        let mut out = self.0;
        for word in &mut out {
            let low = (*word & 0xffff_ffff) * u64::from(bound);
            *word = ((*word >> 32) * u64::from(bound) + (low >> 32)) >> 32;
        }
        Words(out)
    }

    /// Scales each word as [`Words::below`], with a bound of its own below 2^32.
    #[inline(always)]
    pub fn below_each(self, bounds: Words) -> Words {
        let mut out = self.0;
        for (word, bound) in out.iter_mut().zip(bounds.0) {
            let low = (*word & 0xffff_ffff) * (bound & 0xffff_ffff);
            *word = ((*word >> 32) * (bound & 0xffff_ffff) + (low >> 32)) >> 32;
        }
        Words(out)
    }

    /// The low 32 bits of each word times a factor.
    #[inline(always)]
    pub fn times(self, factor: u32) -> Words {
        let mut out = self.0;
        for word in &mut out {
            *word = (*word & 0xffff_ffff) * u64::from(factor);
        }
        Words(out)
    }

    /// The high 52 bits as the digits of a number in [1, 2): bit operations alone, which every
    /// instruction set has for vectors, unlike a conversion.
    #[inline(always)]
    pub fn between_one_and_two(self) -> Lanes {
        let mut out = [0.0; WIDTH];
        for (value, word) in out.iter_mut().zip(self.0) {
            *value = f64::from_bits((word >> 12) | 1.0_f64.to_bits());
        }
        Lanes(out)
    }
}

impl Add for Words {
    type Output = Words;
    /// Modulo 2^64.
    #[inline(always)]
    fn add(self, other: Words) -> Words {
        let mut out = self.0;
        for (word, other) in out.iter_mut().zip(other.0) {
            *word = word.wrapping_add(other);
        }
        Words(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_act_lane_by_lane() {
        let words = Words([0, 1, 2, 3, u64::MAX, 5, 6, 1 << 63]);
        assert_eq!((words + words).0[4], u64::MAX - 1);
        let tenths = words.below(10).0;
        assert_eq!((tenths[0], tenths[4], tenths[7]), (0, 9, 5));
        let bounds = Words([10, 10, 10, 10, 3, 10, 10, 7]);
        let each = words.below_each(bounds).0;
        assert_eq!((each[0], each[4], each[7]), (0, 2, 3));
        assert_eq!(words.times(3).0[5], 15);
        let unit = words.between_one_and_two();
        assert_eq!((unit.0[0], unit.0[7]), (1.0, 1.5));
        assert_eq!(unit.0[4], 2.0 - f64::EPSILON);
    }
}
