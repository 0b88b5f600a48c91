//! Eight doubles side by side: one lane is one prompt.
//!
//! Every operation acts on each lane alone with the plain IEEE operation, so a lane's bits do not
//! depend on how the compiler packs the lanes into registers, nor on the other lanes. There is no
//! fused multiply-add. Does not know what the lanes mean.

use std::ops::{Add, AddAssign, Mul, MulAssign, Sub};

/// Lanes in a group. Part of the definition of every result: it fixes the order of sums.
pub const WIDTH: usize = 8;

/// Eight doubles, aligned so that a group is one cache line and at most one AVX-512 register.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub struct Lanes(pub [f64; WIDTH]);

impl Lanes {
    pub const ZERO: Lanes = Lanes([0.0; WIDTH]);
    pub const ONE: Lanes = Lanes([1.0; WIDTH]);

    /// The same value in each lane.
    #[inline(always)]
    pub fn splat(value: f64) -> Lanes {
        Lanes([value; WIDTH])
    }

    /// One in the first `active` lanes, zero in the others: the weights of a group that a block's
    /// last prompts do not fill.
    #[inline(always)]
    pub fn first(active: usize) -> Lanes {
        let mut mask = [0.0; WIDTH];
        for weight in mask.iter_mut().take(active) {
            *weight = 1.0;
        }
        Lanes(mask)
    }

    /// Square root of each lane (correctly rounded, hence the same everywhere).
    #[inline(always)]
    pub fn sqrt(self) -> Lanes {
        let mut out = self.0;
        for value in &mut out {
            *value = value.sqrt();
        }
        Lanes(out)
    }

    /// One over each lane.
    #[inline(always)]
    pub fn recip(self) -> Lanes {
        let mut out = self.0;
        for value in &mut out {
            *value = 1.0 / *value;
        }
        Lanes(out)
    }

    /// Sum over the lanes, by halves: ((0+4)+(2+6)) + ((1+5)+(3+7)).
    #[inline(always)]
    pub fn sum(self) -> f64 {
        let l = self.0;
        ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
    }
}

/// Lane-wise operators, each as the plain operation on every lane.
macro_rules! lane_operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Lanes {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                Lanes(std::array::from_fn(|lane| self.0[lane] $op other.0[lane]))
            }
        }
        impl $trait<f64> for Lanes {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: f64) -> Lanes {
                self $op Lanes::splat(other)
            }
        }
        impl $trait<Lanes> for f64 {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                Lanes::splat(self) $op other
            }
        }
    };
}

lane_operator!(Add, add, +);
lane_operator!(Sub, sub, -);
lane_operator!(Mul, mul, *);

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Lanes) {
        *self = *self + other;
    }
}

impl MulAssign for Lanes {
    #[inline(always)]
    fn mul_assign(&mut self, other: Lanes) {
        *self = *self * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_act_on_each_lane() {
        let a = Lanes([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!((a * 2.0 - a).0, a.0);
        assert_eq!((1.0 + a).0[7], 9.0);
        assert_eq!((a * a).sqrt(), a);
        assert_eq!(a.recip().0[3], 0.25);
    }

    #[test]
    fn sum_has_the_documented_order() {
        // 1 is lost against 1e16 unless the two large lanes (0 and 4) meet first.
        let a = Lanes([1e16, 0.0, 1.0, 0.0, -1e16, 0.0, 0.0, 0.0]);
        assert_eq!(a.sum(), 1.0);
    }

    #[test]
    fn first_masks_the_rest() {
        assert_eq!(Lanes::first(3).sum(), 3.0);
        assert_eq!(Lanes::first(8), Lanes::ONE);
    }
}
