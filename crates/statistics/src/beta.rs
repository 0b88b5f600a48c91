//! The beta distribution, for bounds of shares.
//!
//! Does not know what is counted.

/// P(B <= x) for B of the beta distribution with parameters a, b > 0, 0 <= x <= 1.
///
/// Formula: the continued fraction of Abramowitz and Stegun 26.5.8, by Lentz's method. Relative error
/// about 1e-12.
pub fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // It converges quickly below the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_below(1.0 - x, b, a);
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
        + a * libm::log(x)
        + b * libm::log1p(-x);
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    libm::exp(log_front) * fraction / a
}

/// One-sided bounds for a share, each missed with chance `tail` at most, 0 < tail < 1: `successes` of n
/// independent values; neither need be whole.
///
/// Formula: Clopper and Pearson, the share p at which P(at least so many | p) = tail, and at most so many.
pub fn share_bounds(successes: f64, n: f64, tail: f64) -> [f64; 2] {
    let failures = n - successes;
    let least = |k: f64, others: f64| match k <= 0.0 {
        true => 0.0,
        false => quantile(tail, k, others + 1.0),
    };
    [least(successes, failures), 1.0 - least(failures, successes)]
}

/// The x with [`beta_below`] = p, by bisection.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if beta_below(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_parameters_are_binomial_sums() {
        // P(B <= x) for whole a, b is P(at least a of a + b - 1 | x).
        for (a, b) in [(1_u32, 12_u32), (3, 9), (7, 2), (20, 26)] {
            for x in [0.01, 0.2, 0.5, 0.9] {
                let n = a + b - 1;
                let choose =
                    |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
                let term = |k: u32| {
                    choose(k) * libm::pow(x, f64::from(k)) * libm::pow(1.0 - x, f64::from(n - k))
                };
                let wanted: f64 = (a..=n).map(term).sum();
                let found = beta_below(x, f64::from(a), f64::from(b));
                assert!(
                    (found - wanted).abs() < 1e-12,
                    "{a} {b} {x}: {found} {wanted}"
                );
            }
        }
    }

    #[test]
    fn bounds_are_those_of_tables() {
        // Nothing in 12: 1 - tail^(1/12). Everything: mirrored.
        let [low, high] = share_bounds(0.0, 12.0, 0.01);
        assert!(low == 0.0 && (high - (1.0 - libm::pow(0.01, 1.0 / 12.0))).abs() < 1e-12);
        let [low, high] = share_bounds(12.0, 12.0, 0.01);
        assert!(high == 1.0 && (low - libm::pow(0.01, 1.0 / 12.0)).abs() < 1e-12);
        // 10 of 100, two-sided 95 %: 0.0490 to 0.1762.
        let [low, high] = share_bounds(10.0, 100.0, 0.025);
        assert!(
            (low - 0.0490).abs() < 1e-4 && (high - 0.1762).abs() < 1e-4,
            "{low} {high}"
        );
    }
}
