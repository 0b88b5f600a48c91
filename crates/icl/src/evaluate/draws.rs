//! Means over draws that belong to several crossed factors, such as split and target.
//!
//! Does not know what was drawn.

use crate::math::clusters::Crossed;
use crate::math::moments::Estimate;

/// The mean of one value for each draw, with a standard error that takes every factor of more than one level for
/// random (see [`Crossed::variance_of_mean`]); NaN where no factor has more than one.
///
/// `levels` has for each factor the level of each value.
pub fn mean(values: &[f64], levels: &[Vec<usize>]) -> Estimate {
    let varies = |levels: &&Vec<usize>| levels.iter().any(|level| *level != levels[0]);
    let levels: Vec<Vec<usize>> = levels.iter().filter(varies).cloned().collect();
    let variance = match levels.is_empty() {
        true => f64::NAN,
        false => Crossed {
            values,
            levels: &levels,
        }
        .variance_of_mean(),
    };
    let sum = values.iter().fold(0.0, |sum, x| sum + x);
    Estimate {
        mean: sum / values.len() as f64,
        std_error: variance.sqrt(),
        n: values.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_factor_gives_the_usual_standard_error_and_one_level_none() {
        let found = mean(&[1.0, 2.0, 3.0, 6.0], &[vec![0, 1, 2, 3]]);
        // Squared deviations 4 + 1 + 0 + 9, over n (n - 1).
        assert_eq!(found.mean, 3.0);
        assert!((found.std_error - (14.0f64 / 12.0).sqrt()).abs() < 1e-15);
        // A factor with one level says nothing, and takes nothing from the others.
        let beside = mean(&[1.0, 2.0, 3.0, 6.0], &[vec![0, 1, 2, 3], vec![0; 4]]);
        assert_eq!(beside, found);
        assert!(mean(&[1.0, 2.0], &[vec![0, 0]]).std_error.is_nan());
        assert!(mean(&[1.0], &[vec![0]]).std_error.is_nan());
        assert!(mean(&[], &[]).mean.is_nan());
    }

    #[test]
    fn values_of_one_level_may_depend_on_each_other() {
        let values = [1.0, 1.0, 5.0, 5.0];
        let crossed = mean(&values, &[vec![0, 0, 1, 1], vec![0, 1, 0, 1]]);
        // The two halves differ by 4: as if there were two values, not four.
        assert!((crossed.std_error - 2.0).abs() < 1e-15, "{crossed:?}");
    }
}
