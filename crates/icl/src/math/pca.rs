//! Principal components in a fixed order, and whitened coordinates along them.
//!
//! The same bits on every machine: sums in row order, the eigenvectors of [`linalg::symmetric_eigen`],
//! signs fixed by a rule. Does not know what the rows are.

use crate::math::linalg;
use crate::math::tolerance;
use ndarray::{Array2, ArrayView2};
use std::fmt;

/// The leading principal components of a sample of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Mean row, p numbers.
    pub mean: Vec<f64>,
    /// Variance along each component, descending, d numbers above 0.
    pub variances: Vec<f64>,
    /// Unit vectors by row, d x p; the entry of largest size of each is positive.
    pub components: Array2<f64>,
}

/// The rows do not span as many dimensions as were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankError {
    pub rank: usize,
    pub wanted: usize,
}

impl fmt::Display for RankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RankError { rank, wanted } = self;
        write!(
            f,
            "{wanted} principal components are asked for, but the rows vary in {rank} directions only"
        )
    }
}

impl std::error::Error for RankError {}

impl Pca {
    /// The d leading components of the rows of `x` (n x p), n >= 1.
    ///
    /// Formula: eigenvectors of (1/n) sum (x_i - mean)(x_i - mean)^T, by descending eigenvalue; of
    /// equal ones the one that the solver found first. An eigenvector u and -u are equally right:
    /// the entry of u of largest size (the first of equals) is made positive.
    ///
    /// # Errors
    /// When fewer than d eigenvalues are above `tolerance::DEFINITENESS` of the largest.
    ///
    /// # Panics
    /// If there are no rows, or d = 0.
    pub fn fit(x: ArrayView2<'_, f64>, d: usize) -> Result<Pca, RankError> {
        let (n, p) = x.dim();
        assert!(n > 0 && d > 0, "pca: no rows or no components");
        let mean: Vec<f64> = x
            .columns()
            .into_iter()
            .map(|column| column.iter().fold(0.0, |sum, value| sum + value) / n as f64)
            .collect();
        let centred = Array2::from_shape_fn((p, n), |(j, i)| x[[i, j]] - mean[j]);
        let covariance = Array2::from_shape_fn((p, p), |(i, j)| {
            let (i, j) = (i.min(j), i.max(j));
            let pairs = centred.row(i).into_iter().zip(centred.row(j));
            pairs.fold(0.0, |sum, (a, b)| sum + a * b) / n as f64
        });
        let (values, vectors) = linalg::symmetric_eigen(&covariance);
        let mut order: Vec<usize> = (0..p).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let least = tolerance::DEFINITENESS * order.first().map_or(0.0, |&first| values[first]);
        let rank = order
            .iter()
            .take_while(|&&at| values[at] > least && values[at] > 0.0)
            .count();
        if rank < d {
            return Err(RankError { rank, wanted: d });
        }
        let mut components = Array2::zeros((d, p));
        for (mut row, &at) in components.rows_mut().into_iter().zip(&order) {
            let vector = vectors.column(at);
            let largest = vector.iter().fold(0.0_f64, |most, &entry| {
                if entry.abs() > most.abs() {
                    entry
                } else {
                    most
                }
            });
            let sign = if largest < 0.0 { -1.0 } else { 1.0 };
            row.iter_mut()
                .zip(vector)
                .for_each(|(entry, value)| *entry = sign * value);
        }
        Ok(Pca {
            mean,
            variances: order[..d].iter().map(|&at| values[at]).collect(),
            components,
        })
    }

    /// Coordinates along the components in units of their standard deviations, n x d: over the rows
    /// of `fit` they have mean 0 and covariance I.
    ///
    /// # Panics
    /// If the rows have another length.
    pub fn whiten(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        assert_eq!(x.ncols(), self.mean.len(), "whiten: row length");
        Array2::from_shape_fn((x.nrows(), self.variances.len()), |(i, k)| {
            let row = x.row(i).into_iter().zip(&self.mean);
            let along = row
                .zip(self.components.row(k))
                .fold(0.0, |sum, ((value, mean), weight)| {
                    sum + (value - mean) * weight
                });
            along / self.variances[k].sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::Stream;

    fn sample(n: usize) -> Array2<f64> {
        let mut stream = Stream::new(3, "pca test", &[]);
        let mut x = Array2::from_shape_fn((n, 4), |_| stream.normal());
        for mut row in x.rows_mut() {
            row[0] *= 5.0;
            row[2] = row[0] - 2.0 * row[1] + 1.0;
        }
        x
    }

    #[test]
    fn whitened_rows_have_mean_zero_and_covariance_one() {
        let x = sample(200);
        let pca = Pca::fit(x.view(), 3).unwrap();
        let z = pca.whiten(x.view());
        for i in 0..3 {
            let mean = z.column(i).sum() / 200.0;
            assert!(mean.abs() < tolerance::ROUNDING * 10.0, "{mean}");
            for j in 0..3 {
                let product: f64 = (0..200).map(|row| z[[row, i]] * z[[row, j]]).sum();
                let expected = f64::from(u8::from(i == j));
                assert!((product / 200.0 - expected).abs() < 1e-10, "{i} {j}");
            }
        }
        assert!(pca.variances.windows(2).all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn signs_do_not_depend_on_those_of_the_rows() {
        let x = sample(50);
        let (plain, mirrored) = (Pca::fit(x.view(), 2), Pca::fit((-&x).view(), 2));
        let (plain, mirrored) = (plain.unwrap(), mirrored.unwrap());
        for (a, b) in plain.components.iter().zip(&mirrored.components) {
            assert!((a - b).abs() < 1e-10);
        }
        for row in plain.components.rows() {
            let largest = row.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(row.iter().any(|&x| x == largest));
        }
    }

    #[test]
    fn missing_directions_are_counted() {
        let error = Pca::fit(sample(50).view(), 4).unwrap_err();
        assert_eq!(error, RankError { rank: 3, wanted: 4 });
        let flat = Array2::from_elem((5, 2), 7.0);
        assert_eq!(Pca::fit(flat.view(), 1).unwrap_err().rank, 0);
    }
}
