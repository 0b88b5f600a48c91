//! The mean over draws that share levels of two random factors, with a standard error that respects both.
//!
//! Draws of one level (one split of the images, one target pair) are not independent: their spread alone
//! says too little of what another level would give. Does not know what was drawn.

use crate::math::moments::Estimate;

/// Mean and two-way clustered standard error of `values`; `first[i]` and `second[i]` are the levels
/// (counted from 0) of the factors at which value i was drawn.
///
/// With residuals e_i = x_i - mean, N values, and groups g in any of the three groupings by the first
/// factor, by the second, and by both,
///
/// ```text
/// V_G = 1/N^2  G/(G-1)  sum_g (sum_{i in g} e_i)^2,        G = number of groups
/// V   = max(V_first + V_second - V_both, V_first, V_second)
/// ```
///
/// A factor with one level says nothing of its spread and is left out: with one split V is the usual
/// s^2/N over the targets. The subtraction can end below zero for few groups, hence the maximum. With few
/// levels (five splits) V is itself uncertain: intervals take quantiles of Student's t with G - 1 degrees
/// of freedom of the smaller factor.
///
/// Shapes: three slices of one length. The mean of no values, and the error of fewer than two, are NaN; so
/// is the error when each factor has one level.
///
/// Source: Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business &
/// Economic Statistics 29 (2011), doi:10.1198/jbes.2010.07136.
///
/// # Panics
/// If the slices have different lengths.
pub fn two_way(values: &[f64], first: &[usize], second: &[usize]) -> Estimate {
    assert!(
        values.len() == first.len() && values.len() == second.len(),
        "each value has a level of both factors"
    );
    let n = values.len();
    let sum = values.iter().fold(0.0, |sum, x| sum + x);
    let mean = sum / n as f64;
    let both: Vec<(usize, usize)> = first.iter().copied().zip(second.iter().copied()).collect();
    let residuals: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let v_first = between(&residuals, first);
    let v_second = between(&residuals, second);
    let variance = match (v_first, v_second) {
        (Some(v_first), Some(v_second)) => {
            let v_both = between(&residuals, &both).unwrap_or(0.0);
            (v_first + v_second - v_both).max(v_first).max(v_second)
        }
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => f64::NAN,
    };
    Estimate {
        mean,
        std_error: variance.sqrt(),
        n: n as u64,
    }
}

/// V_G of one grouping; `None` for fewer than two groups.
fn between<L: Ord + Copy>(residuals: &[f64], levels: &[L]) -> Option<f64> {
    let mut sums: std::collections::BTreeMap<L, f64> = std::collections::BTreeMap::new();
    for (residual, level) in residuals.iter().zip(levels) {
        *sums.entry(*level).or_insert(0.0) += residual;
    }
    let groups = sums.len();
    if groups < 2 {
        return None;
    }
    let squares = sums.values().fold(0.0, |total, sum| total + sum * sum);
    let n = residuals.len() as f64;
    Some(squares / (n * n) * (groups as f64 / (groups as f64 - 1.0)))
}

/// The median: the middle value, or the mean of the two in the middle. NaN of no values, and where a value
/// is NaN.
pub fn median(values: &[f64]) -> f64 {
    if values.is_empty() || values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => 0.5 * (sorted[middle - 1] + sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::stream::Stream;

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-14,
            "{found}, expected {expected}"
        );
    }

    /// By hand. Values by split (rows) and target (columns):
    ///
    /// ```text
    ///  1  2  6        residuals (mean 5)  -4 -3  1      sums of rows -6, 6; of columns -4, -2, 6
    ///  5  6 10                             0  1  5
    /// ```
    #[test]
    fn a_table_by_hand() {
        let values = [1.0, 2.0, 6.0, 5.0, 6.0, 10.0];
        let (split, target) = ([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]);
        let found = two_way(&values, &split, &target);
        let v_split = 2.0 * (36.0 + 36.0) / 36.0;
        let v_target = 1.5 * (16.0 + 4.0 + 36.0) / 36.0;
        let v_both = 1.2 * (16.0 + 9.0 + 1.0 + 0.0 + 1.0 + 25.0) / 36.0;
        near(found.mean, 5.0);
        near(found.std_error, libm::sqrt(v_split + v_target - v_both));
        assert_eq!(found.n, 6);
        // Neither order of the factors nor names of levels count.
        let renamed = two_way(&values, &[7, 9, 3, 7, 9, 3], &[5, 5, 5, 2, 2, 2]);
        near(renamed.std_error, found.std_error);
    }

    #[test]
    fn one_level_leaves_the_spread_over_the_other_factor() {
        let values = [0.5, 2.0, -1.0, 4.0];
        let mut moments = Moments::new();
        values.iter().for_each(|x| moments.push(*x));
        let usual = moments.estimate().std_error;
        near(two_way(&values, &[0; 4], &[0, 1, 2, 3]).std_error, usual);
        near(two_way(&values, &[0, 1, 2, 3], &[5; 4]).std_error, usual);
        assert!(two_way(&values, &[0; 4], &[0; 4]).std_error.is_nan());
        assert!(two_way(&[1.0], &[0], &[0]).std_error.is_nan());
        assert!(two_way(&[], &[], &[]).mean.is_nan());
    }

    /// Residuals that cancel in each row and column: the sum of the two variances is below that of the
    /// cells, and the larger one stays.
    #[test]
    fn the_error_is_not_below_that_of_either_factor() {
        let values = [1.0, -1.0, -1.0, 1.5];
        let found = two_way(&values, &[0, 0, 1, 1], &[0, 1, 0, 1]);
        let mean = 0.125;
        let row = (0.0 - 2.0 * mean, 0.5 - 2.0 * mean);
        let v = 2.0 * (row.0 * row.0 + row.1 * row.1) / 16.0;
        near(found.std_error, libm::sqrt(v));
    }

    /// Over many tables with effects of splits, targets and cells, the mean square of (mean - 0) is the mean
    /// of the squared standard errors; the usual error would be far too small.
    #[test]
    fn the_error_is_that_of_another_draw_of_both_factors() {
        let (splits, targets) = (12, 30);
        let mut stream = Stream::new(3, "clustered", &[]);
        let (mut squares, mut variances) = (Moments::new(), Moments::new());
        let mut usual = Moments::new();
        for _ in 0..600 {
            let of_split: Vec<f64> = (0..splits).map(|_| 0.5 * stream.normal()).collect();
            let of_target: Vec<f64> = (0..targets).map(|_| stream.normal()).collect();
            let (mut values, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
            let mut cells = Moments::new();
            for (s, a) in of_split.iter().enumerate() {
                for (t, b) in of_target.iter().enumerate() {
                    values.push(a + b + 0.3 * stream.normal());
                    first.push(s);
                    second.push(t);
                }
            }
            values.iter().for_each(|x| cells.push(*x));
            let found = two_way(&values, &first, &second);
            squares.push(found.mean * found.mean);
            variances.push(found.std_error * found.std_error);
            usual.push(cells.estimate().std_error * cells.estimate().std_error);
        }
        let (squares, variances) = (squares.estimate(), variances.estimate());
        // Clustered variances are a little low with few groups: a tenth is let pass.
        let gap = variances.mean / squares.mean;
        let noise = 4.0 * squares.std_error / squares.mean;
        assert!((gap - 1.0).abs() < 0.1 + noise, "{gap} {noise}");
        assert!(usual.estimate().mean < 0.2 * squares.mean);
    }

    #[test]
    fn medians() {
        near(median(&[3.0, 1.0, 2.0]), 2.0);
        near(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(&[]).is_nan() && median(&[1.0, f64::NAN]).is_nan());
        assert_eq!(median(&[1.0, f64::INFINITY, f64::INFINITY]), f64::INFINITY);
    }
}
