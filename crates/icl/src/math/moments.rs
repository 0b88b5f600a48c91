//! Running mean and variance that merge in a given order, and the estimate they end in.
//!
//! Does not know what is averaged; whoever merges keeps the order fixed.

use crate::math::lanes::Lanes;

/// Count, mean and sum of squared deviations.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

/// A Monte Carlo mean with its standard error (standard deviation / sqrt n) over `n` draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    pub std_error: f64,
    pub n: u64,
}

impl Estimate {
    /// (mean - expected) / std_error; infinite when they differ without any spread.
    pub fn z_score(&self, expected: f64) -> f64 {
        let gap = self.mean - expected;
        if gap == 0.0 {
            0.0
        } else {
            gap / self.std_error
        }
    }
}

impl Moments {
    pub fn new() -> Moments {
        Moments::default()
    }

    /// From plain sums over `n` values: sum x and sum x^2. Cancels when the spread is tiny against
    /// the mean, so keep `n` to one block and merge blocks.
    pub fn from_sums(n: u64, sum: f64, sum_of_squares: f64) -> Moments {
        if n == 0 {
            return Moments::default();
        }
        let mean = sum / n as f64;
        let squares = sum_of_squares - sum * mean;
        Moments {
            n,
            mean,
            // Rounding can leave a negative zero-spread; a NaN must stay one.
            squares: if squares < 0.0 { 0.0 } else { squares },
        }
    }

    /// Adds one value (Welford 1962).
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        let gap = value - self.mean;
        self.mean += gap / self.n as f64;
        self.squares += gap * (value - self.mean);
    }

    /// Adds all of `other` (Chan, Golub, LeVeque 1983). Not associative in bits: merge in a fixed order.
    pub fn merge(&mut self, other: &Moments) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = *other;
            return;
        }
        let n = self.n + other.n;
        let gap = other.mean - self.mean;
        let share = other.n as f64 / n as f64;
        self.mean += gap * share;
        self.squares += other.squares + gap * gap * (self.n as f64 * share);
        self.n = n;
    }

    /// The mean with its standard error; NaN where there are too few values to have one.
    pub fn estimate(&self) -> Estimate {
        let n = self.n as f64;
        Estimate {
            mean: if self.n == 0 { f64::NAN } else { self.mean },
            std_error: if self.n < 2 {
                f64::NAN
            } else {
                (self.squares / (n - 1.0) / n).sqrt()
            },
            n: self.n,
        }
    }
}

/// Sums of values and their squares, lane by lane, for one block.
#[derive(Debug, Clone, Copy)]
pub struct LaneSums {
    sum: Lanes,
    sum_of_squares: Lanes,
}

impl LaneSums {
    pub const ZERO: LaneSums = LaneSums {
        sum: Lanes::ZERO,
        sum_of_squares: Lanes::ZERO,
    };

    /// Adds a group of values; `mask` is 1 for lanes that count and 0 for the others.
    #[inline(always)]
    pub fn push(&mut self, values: Lanes, mask: Lanes) {
        let counted = values * mask;
        self.sum += counted;
        self.sum_of_squares += counted * values;
    }

    /// The moments of the `n` values that counted.
    pub fn moments(&self, n: u64) -> Moments {
        Moments::from_sums(n, self.sum.sum(), self.sum_of_squares.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_halves_equal_the_whole() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * i % 17)).collect();
        let fill = |part: &[f64]| {
            let mut moments = Moments::new();
            part.iter().for_each(|&x| moments.push(x));
            moments
        };
        let whole = fill(&values).estimate();
        let mut merged = fill(&values[..30]);
        merged.merge(&Moments::new());
        merged.merge(&fill(&values[30..]));
        let merged = merged.estimate();
        assert_eq!(merged.n, 100);
        assert!((merged.mean - whole.mean).abs() < 1e-13);
        assert!((merged.std_error - whole.std_error).abs() < 1e-13);

        let sums = Moments::from_sums(100, values.iter().sum(), values.iter().map(|x| x * x).sum());
        assert!((sums.estimate().std_error - whole.std_error).abs() < 1e-12);
    }

    #[test]
    fn a_known_small_case() {
        let mut moments = Moments::new();
        [1.0, 2.0, 3.0, 4.0].iter().for_each(|&x| moments.push(x));
        let estimate = moments.estimate();
        assert_eq!(estimate.mean, 2.5);
        // variance 5/3, over n = 4
        assert!((estimate.std_error - (5.0_f64 / 12.0).sqrt()).abs() < 1e-15);
        assert!((estimate.z_score(2.5)).abs() < 1e-15);
        assert!(Moments::new().estimate().mean.is_nan());
    }

    #[test]
    fn masked_lanes_do_not_count() {
        let mut sums = LaneSums::ZERO;
        sums.push(
            Lanes([1.0, 2.0, 3.0, 4.0, 9.0, 9.0, 9.0, 9.0]),
            Lanes::first(4),
        );
        assert_eq!(sums.moments(4).estimate().mean, 2.5);
    }
}
