//! Eight 64-bit words side by side: the integers beneath the random lanes.
//!
//! One method is one loop over the lanes, so that each becomes one vector instruction where the
//! machine has it. Does not know what the bits mean.

use crate::math::lanes::{Lanes, WIDTH};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_act_lane_by_lane() {
        let words = Words([0, 1, 2, 3, u64::MAX, 5, 6, 1 << 63]);
        let tenths = words.below(10).0;
        assert_eq!((tenths[0], tenths[4], tenths[7]), (0, 9, 5));
        assert_eq!(words.times(3).0[5], 15);
        let unit = words.between_one_and_two();
        assert_eq!((unit.0[0], unit.0[7]), (1.0, 1.5));
        assert_eq!(unit.0[4], 2.0 - f64::EPSILON);
    }
}
