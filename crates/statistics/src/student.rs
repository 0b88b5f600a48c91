//! Tails of Student's t and the normal distribution, and the quantiles that tests need.
//!
//! Does not know what is tested. Only libm functions: the same bits on every machine.

/// P(T > t) for T of Student's t distribution with `df` >= 1 degrees of freedom.
///
/// Formula: the finite sums in theta = atan(t / sqrt df) of Abramowitz and Stegun 26.7.3 (odd df)
/// and 26.7.4 (even df). Absolute error about 1e-15, so tails below 1e-12 mean nothing.
///
/// # Panics
/// If df = 0.
pub fn t_tail(t: f64, df: usize) -> f64 {
    assert!(df > 0, "a t distribution needs a degree of freedom");
    if t.is_nan() {
        return f64::NAN;
    }
    let theta = libm::atan(t / (df as f64).sqrt());
    let (sin, cos) = (libm::sin(theta), libm::cos(theta));
    let odd = df % 2 == 1;
    // Terms cos^k with k of the parity of df, each the last one times (k-1)/k or k/(k+1) cos^2.
    let (mut term, mut k) = if odd { (cos, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while k + 2 <= df {
        sum += term;
        k += 2;
        term *= cos * cos * (k - 1) as f64 / k as f64;
    }
    let inside = if odd {
        std::f64::consts::FRAC_2_PI * (theta + sin * sum)
    } else {
        sin * sum
    };
    0.5 * (1.0 - inside)
}

/// The t that P(T > t) = `tail` has, 0 < tail <= 1/2, by bisection.
///
/// # Panics
/// If df = 0 or the tail is out of range.
pub fn t_quantile(tail: f64, df: usize) -> f64 {
    assert!(tail > 0.0 && tail <= 0.5, "a tail from 0 to 1/2");
    let (mut low, mut high) = (0.0, 1.0);
    while t_tail(high, df) > tail && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if t_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The chance that n normal values with mean `reserve` standard deviations above a bound fail to
/// show, by mean - t std_error > bound, that their mean is above it.
///
/// Formula: P((Z + reserve sqrt n)/S < t) with S^2 = chi^2/(n-1) over n-1 degrees of freedom (a noncentral t),
/// integrated over S by Simpson's rule. Absolute error below 1e-9.
///
/// # Panics
/// If n < 2.
pub fn shortfall(reserve: f64, n: usize, t: f64) -> f64 {
    assert!(n > 1, "a spread needs two values");
    const CELLS: usize = 4000;
    const WIDEST: f64 = 10.0;
    let (df, shift) = ((n - 1) as f64, reserve * (n as f64).sqrt());
    // Density of S: 2 (df/2)^(df/2) / Gamma(df/2) s^(df-1) exp(-df s^2 / 2).
    let scale = std::f64::consts::LN_2 + 0.5 * df * libm::log(0.5 * df) - libm::lgamma(0.5 * df);
    let value = |i: usize| {
        let s = WIDEST * i as f64 / CELLS as f64;
        if s == 0.0 {
            return if n == 2 {
                libm::exp(scale) * normal_tail(shift)
            } else {
                0.0
            };
        }
        let density = libm::exp(scale + (df - 1.0) * libm::log(s) - 0.5 * df * s * s);
        density * normal_tail(shift - t * s)
    };
    let sum = (1..CELLS).fold(value(0) + value(CELLS), |sum, i| {
        sum + value(i) * if i % 2 == 1 { 4.0 } else { 2.0 }
    });
    sum * WIDEST / (3.0 * CELLS as f64)
}

/// P(Z > z) for a standard normal Z.
pub fn normal_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of the t distribution (Abramowitz and Stegun, table 26.10), to their digits.
    #[test]
    fn printed_quantiles() {
        for (df, tail, expected) in [
            (1, 0.025, 12.706),
            (2, 0.005, 9.925),
            (3, 0.05, 2.353),
            (7, 0.005, 3.499),
            (8, 0.0005, 5.041),
            (11, 0.001, 4.025),
            (30, 0.025, 2.042),
        ] {
            let found = t_quantile(tail, df);
            assert!((found - expected).abs() < 1e-3, "{df} {tail}: {found}");
            assert!((t_tail(found, df) - tail).abs() < 1e-12);
            assert!((t_tail(-found, df) - (1.0 - tail)).abs() < 1e-12);
        }
    }

    /// Without a reserve the chance to show nothing is that of T < t; a far mean never falls short.
    #[test]
    fn shortfall_at_its_ends() {
        for (n, t) in [(3, 1.5), (9, 4.0), (12, 4.025)] {
            let found = shortfall(0.0, n, t);
            assert!(
                (found - (1.0 - t_tail(t, n - 1))).abs() < 1e-8,
                "{n}: {found}"
            );
        }
        assert!(shortfall(8.0, 12, 4.025) < 1e-12);
        assert!(shortfall(1.0, 12, 4.025) > 0.5);
    }

    #[test]
    fn the_normal_is_the_limit() {
        assert!((normal_tail(1.959964) - 0.025).abs() < 1e-8);
        assert!((normal_tail(5.0) / 2.866516e-7 - 1.0).abs() < 1e-5);
        assert!((t_tail(2.0, 100_000) - normal_tail(2.0)).abs() < 1e-5);
    }
}
