//! The fixed fine-tuning set: pairs (x, y) of one task, laid out for random gathers.
//!
//! A pair is kept as its token (1, x_1..x_d, y), padded with zeros to whole groups of eight doubles, so
//! that it starts on a cache line and a token of d <= 6 is one. Does not know which rows a prompt takes.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::linalg::{self, MatrixError};
use crate::math::simd;
use crate::math::stream::Stream;
use crate::math::words::Words;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use ndarray::{Array1, Array2, ArrayView2};
use std::fmt;

/// Pairs (x, y).
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    d: usize,
    groups_per_row: usize,
    rows: Vec<Lanes>,
}

/// Why a data set is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum DataSetError {
    Empty,
    LabelCount { found: usize, expected: usize },
    NotFinite { row: usize },
    Task(MatrixError),
}

impl fmt::Display for DataSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataSetError::Empty => write!(f, "data set: it needs a row and a covariate"),
            DataSetError::LabelCount { found, expected } => {
                write!(
                    f,
                    "data set: {found} labels for {expected} rows of covariates"
                )
            }
            DataSetError::NotFinite { row } => {
                write!(f, "data set: row {row} has a number that is not finite")
            }
            DataSetError::Task(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DataSetError {}

/// Rows drawn from one stream; fixes the data for a seed.
const ROWS_PER_STREAM: usize = 1024;

impl DataSet {
    /// `n_pairs` independent pairs of the task; x ~ N(0, Sigma), y = theta . x + eps.
    ///
    /// # Errors
    /// No pairs, or a task of another dimension than the setting.
    pub fn generate(
        setting: &Setting,
        task: &Task,
        n_pairs: usize,
        seed: u64,
    ) -> Result<DataSet, DataSetError> {
        let d = setting.d();
        linalg::check_vector("theta", task.theta(), d).map_err(DataSetError::Task)?;
        let mut x = Array2::zeros((n_pairs, d));
        let mut y = vec![0.0; n_pairs];
        let mut stream = Stream::new(seed, "data set", &[0]);
        for (i, (mut row, label)) in x.rows_mut().into_iter().zip(&mut y).enumerate() {
            if i % ROWS_PER_STREAM == 0 {
                stream = Stream::new(seed, "data set", &[(i / ROWS_PER_STREAM) as u64]);
            }
            let mut covariates: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
            if let Some(root) = setting.covariance_root() {
                covariates = linalg::matvec(root.view(), &covariates);
            }
            let noise = setting.noise_std() * stream.normal();
            *label = linalg::inner(task.theta(), &covariates) + noise;
            row.iter_mut()
                .zip(covariates)
                .for_each(|(entry, value)| *entry = value);
        }
        DataSet::from_arrays(x.view(), &y)
    }

    /// A data set from plain arrays: x (n x d) and y (n).
    ///
    /// # Errors
    /// No rows or no columns, another number of labels than rows, a number that is not finite.
    pub fn from_arrays(x: ArrayView2<'_, f64>, y: &[f64]) -> Result<DataSet, DataSetError> {
        let (n, d) = x.dim();
        if n == 0 || d == 0 {
            return Err(DataSetError::Empty);
        }
        if y.len() != n {
            return Err(DataSetError::LabelCount {
                found: y.len(),
                expected: n,
            });
        }
        let groups_per_row = (d + 2).div_ceil(WIDTH);
        let mut rows = vec![Lanes::ZERO; n * groups_per_row];
        for (row, (covariates, &label)) in x.rows().into_iter().zip(y).enumerate() {
            let numbers = [1.0]
                .into_iter()
                .chain(covariates.iter().copied())
                .chain([label]);
            for (j, value) in numbers.enumerate() {
                if !value.is_finite() {
                    return Err(DataSetError::NotFinite { row });
                }
                rows[row * groups_per_row + j / WIDTH].0[j % WIDTH] = value;
            }
        }
        Ok(DataSet {
            d,
            groups_per_row,
            rows,
        })
    }

    /// Covariate dimension.
    pub fn d(&self) -> usize {
        self.d
    }

    /// Number of pairs; at least one.
    pub fn n_pairs(&self) -> usize {
        self.rows.len() / self.groups_per_row
    }

    /// Covariates, n x d.
    pub fn x(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.n_pairs(), self.d), |(row, j)| self.entry(row, j))
    }

    /// Labels.
    pub fn y(&self) -> Array1<f64> {
        Array1::from_shape_fn(self.n_pairs(), |row| self.entry(row, self.d))
    }

    /// Covariate j of a row, or its label at j = d.
    pub fn entry(&self, row: usize, j: usize) -> f64 {
        self.rows[row * self.groups_per_row + (j + 1) / WIDTH].0[(j + 1) % WIDTH]
    }

    /// Where eight rows begin, for `group` and `prefetch`.
    #[inline(always)]
    pub fn places(&self, rows: Words) -> Words {
        rows.times(self.groups_per_row as u32)
    }

    /// Coordinates 8 `group` to 8 `group` + 7 of the token at this place.
    #[inline(always)]
    pub fn group(&self, place: u64, group: usize) -> &Lanes {
        &self.rows[place as usize + group]
    }

    /// Asks memory for the first eight coordinates of each token at these places.
    #[inline(always)]
    pub fn prefetch(&self, places: &Words) {
        for &place in &places.0 {
            simd::prefetch(&self.rows[place as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::tolerance;

    #[test]
    fn arrays_round_trip() {
        for d in [1, 5, 7, 8, 21] {
            let setting = Setting::new(d, 0.1).unwrap();
            let data = DataSet::generate(&setting, &Task::random_unit(d, 1), 50, 9).unwrap();
            let again = DataSet::from_arrays(data.x().view(), &data.y().to_vec()).unwrap();
            assert_eq!(data, again);
            assert_eq!(data.entry(3, d), data.y()[3]);
            assert_eq!((data.n_pairs(), data.d()), (50, d));
        }
    }

    #[test]
    fn labels_follow_the_task_with_the_noise() {
        let sigma = ndarray::arr2(&[[2.0, 0.6], [0.6, 1.0]]);
        let setting = Setting::new(2, 0.25)
            .unwrap()
            .with_covariance(&sigma)
            .unwrap();
        let task = Task::new(vec![1.0, -2.0]).unwrap();
        let data = DataSet::generate(&setting, &task, 20_000, 4).unwrap();
        let (mut noise, mut cross) = (Moments::new(), Moments::new());
        for (x, y) in data.x().rows().into_iter().zip(data.y()) {
            let gap = y - (x[0] - 2.0 * x[1]);
            noise.push(gap * gap);
            cross.push(x[0] * x[1]);
        }
        assert!(noise.estimate().z_score(0.25).abs() < tolerance::STANDARD_ERRORS);
        assert!(cross.estimate().z_score(0.6).abs() < tolerance::STANDARD_ERRORS);
    }

    #[test]
    fn refusals() {
        let x = Array2::zeros((2, 3));
        let error = DataSet::from_arrays(x.view(), &[0.0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "data set: 1 labels for 2 rows of covariates"
        );
        assert!(DataSet::from_arrays(x.view(), &[0.0, f64::NAN]).is_err());
        assert!(DataSet::from_arrays(Array2::zeros((0, 3)).view(), &[]).is_err());
        let setting = Setting::new(3, 0.1).unwrap();
        assert!(DataSet::generate(&setting, &Task::random_unit(2, 0), 5, 0).is_err());
    }
}
