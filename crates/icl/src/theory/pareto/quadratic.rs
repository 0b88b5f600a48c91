//! Least value of a convex quadratic under a bound on another.
//!
//! Does not know what they measure.

use crate::math::linalg;
use ndarray::Array2;

/// c - 2 b . p + p^T A p, A symmetric and positive semidefinite.
#[derive(Debug, Clone, PartialEq)]
pub struct Quadratic {
    pub constant: f64,
    pub linear: Vec<f64>,
    pub square: Array2<f64>,
}

/// Where a [`Quadratic`] is least under the bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    pub point: Vec<f64>,
    pub value: f64,
    /// The bounded one there.
    pub bounded: f64,
}

/// What counts as zero beside the largest eigenvalue, and as equal beside the constant.
const RELATIVE: f64 = 1e-12;

impl Quadratic {
    /// The value at a point.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn at(&self, point: &[f64]) -> f64 {
        let square = linalg::inner(point, &linalg::matvec(self.square.view(), point));
        self.constant - 2.0 * linalg::inner(&self.linear, point) + square
    }

    /// The quadratic of p with this one at L p.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn of(&self, map: &Array2<f64>) -> Quadratic {
        let right = linalg::matmul(self.square.view(), map.view());
        Quadratic {
            constant: self.constant,
            linear: linalg::matvec(map.t(), &self.linear),
            square: linalg::matmul(map.t(), right.view()),
        }
    }

    /// The least value where `bounded` is at most `bound`; `None` where nothing is within the bound.
    ///
    /// Both squares are diagonal in one basis, w = L^T p with A = L L^T. There the minimiser under a
    /// multiplier lambda is w_i = (b_i + lambda z_i)/(1 + lambda d_i), and `bounded` falls as lambda grows:
    /// its root in lambda/(1 + lambda) is bisected.
    ///
    /// # Panics
    /// If the sizes differ, or A is not positive definite.
    pub fn least_within(&self, bounded: &Quadratic, bound: f64) -> Option<Minimum> {
        let basis = Basis::new(&self.square);
        let own = basis.linear(&self.linear);
        let square = basis.square(&bounded.square);
        let (mut values, vectors) = linalg::symmetric_eigen(&square);
        let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let own = linalg::matvec(vectors.t(), &own);
        let mut other = linalg::matvec(vectors.t(), &basis.linear(&bounded.linear));
        for (value, slope) in values.iter_mut().zip(&mut other) {
            if *value <= RELATIVE * largest {
                (*value, *slope) = (0.0, 0.0);
            }
        }
        // At multiplier share/(1 - share).
        let at = |share: f64| -> Vec<f64> {
            let entry = |i: usize| {
                let rest = 1.0 - share;
                match values[i] == 0.0 {
                    true => own[i],
                    false => (rest * own[i] + share * other[i]) / (rest + share * values[i]),
                }
            };
            (0..own.len()).map(entry).collect()
        };
        let reached = |w: &[f64]| {
            w.iter()
                .zip(&values)
                .zip(&other)
                .fold(bounded.constant, |sum, ((w, value), slope)| {
                    sum + value * w * w - 2.0 * slope * w
                })
        };
        if reached(&at(1.0)) > bound + RELATIVE * bounded.constant.abs() {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        if reached(&at(0.0)) <= bound {
            high = 0.0;
        }
        while high > low {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            match reached(&at(middle)) <= bound {
                true => high = middle,
                false => low = middle,
            }
        }
        let point = basis.back(&linalg::matvec(vectors.view(), &at(high)));
        Some(Minimum {
            value: self.at(&point),
            bounded: bounded.at(&point),
            point,
        })
    }
}

/// The lower triangle L of A = L L^T (Cholesky).
struct Basis(Array2<f64>);

impl Basis {
    fn new(matrix: &Array2<f64>) -> Basis {
        let n = matrix.nrows();
        let mut lower = Array2::zeros((n, n));
        for i in 0..n {
            for j in 0..=i {
                let sum = (0..j).fold(matrix[[i, j]], |sum, k| sum - lower[[i, k]] * lower[[j, k]]);
                lower[[i, j]] = match i == j {
                    true => {
                        assert!(
                            sum > 0.0,
                            "the square of the minimised quadratic is singular"
                        );
                        sum.sqrt()
                    }
                    false => sum / lower[[j, j]],
                };
            }
        }
        Basis(lower)
    }

    /// L^-1 b.
    fn linear(&self, b: &[f64]) -> Vec<f64> {
        let lower = &self.0;
        let mut x = b.to_vec();
        for i in 0..x.len() {
            let sum = (0..i).fold(x[i], |sum, k| sum - lower[[i, k]] * x[k]);
            x[i] = sum / lower[[i, i]];
        }
        x
    }

    /// L^-1 M L^-T, exactly symmetric.
    fn square(&self, matrix: &Array2<f64>) -> Array2<f64> {
        let n = matrix.nrows();
        let mut half = Array2::zeros((n, n));
        for j in 0..n {
            for (i, x) in self
                .linear(&matrix.column(j).to_vec())
                .into_iter()
                .enumerate()
            {
                half[[i, j]] = x;
            }
        }
        let mut out = Array2::zeros((n, n));
        for i in 0..n {
            for (j, x) in self.linear(&half.row(i).to_vec()).into_iter().enumerate() {
                out[[i, j]] = x;
            }
        }
        Array2::from_shape_fn((n, n), |(i, j)| 0.5 * (out[[i, j]] + out[[j, i]]))
    }

    /// L^-T w.
    fn back(&self, w: &[f64]) -> Vec<f64> {
        let lower = &self.0;
        let mut x = w.to_vec();
        for i in (0..x.len()).rev() {
            let sum = (i + 1..x.len()).fold(x[i], |sum, k| sum - lower[[k, i]] * x[k]);
            x[i] = sum / lower[[i, i]];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    fn pair() -> (Quadratic, Quadratic) {
        let own = Quadratic {
            constant: 3.0,
            linear: vec![1.0, -0.5],
            square: arr2(&[[2.0, 0.3], [0.3, 1.0]]),
        };
        let bounded = Quadratic {
            constant: 1.0,
            linear: vec![-0.8, 0.2],
            square: arr2(&[[1.0, 0.1], [0.1, 0.5]]),
        };
        (own, bounded)
    }

    /// On a fine grid nothing within the bound is lower, and the bound is reached where it binds.
    #[test]
    fn the_minimum_is_the_lowest_of_a_grid() {
        let (own, bounded) = pair();
        for bound in [0.35, 0.5, 1.0, 1.8] {
            let found = own.least_within(&bounded, bound).unwrap();
            assert!((found.bounded - bound).abs() < 1e-12, "{bound}: {found:?}");
            let mut least = f64::INFINITY;
            for i in -300..=300 {
                for j in -300..=300 {
                    let p = [f64::from(i) * 0.01, f64::from(j) * 0.01];
                    if bounded.at(&p) <= bound {
                        least = least.min(own.at(&p));
                    }
                }
            }
            assert!(
                found.value <= least && least < found.value + 0.05,
                "{bound}"
            );
        }
    }

    #[test]
    fn a_bound_that_does_not_bind_leaves_the_free_minimum_and_one_too_low_nothing() {
        let (own, bounded) = pair();
        let free = own.least_within(&bounded, 100.0).unwrap();
        let product = linalg::matvec(own.square.view(), &free.point);
        let gap = product.iter().zip(&own.linear).map(|(x, b)| x - b);
        assert!(gap.into_iter().all(|x| x.abs() < 1e-12));
        // The least of the bounded one is 1 - b^T A^-1 b.
        let det = 0.5 - 0.01;
        let b = [-0.8, 0.2];
        let least = 1.0 - (0.5 * b[0] * b[0] - 0.2 * b[0] * b[1] + b[1] * b[1]) / det;
        assert!(own.least_within(&bounded, least - 1e-6).is_none());
        let edge = own.least_within(&bounded, least).unwrap();
        assert!((edge.bounded - least).abs() < 1e-12);
    }
}
