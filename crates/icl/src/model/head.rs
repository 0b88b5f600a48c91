//! One attention head as a one-layer prediction sees it: the pair (v, Q).
//!
//! prediction = z_q^T Q S v, where v is the last row of the value matrix and Q the merged key-query
//! matrix; coordinates are ordered (constant, x_1..x_d, y). Does not know how it was learned.

use crate::math::linalg::{self, MatrixError};
use ndarray::{Array2, ArrayView1, ArrayView2, s};

/// v (d + 2) and Q ((d + 2) x (d + 2)), finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    v: Vec<f64>,
    q: Array2<f64>,
}

impl Head {
    /// A head from its vector and matrix.
    ///
    /// # Errors
    /// v shorter than 3, Q of another size than v, an entry that is not finite.
    pub fn new(v: Vec<f64>, q: Array2<f64>) -> Result<Head, MatrixError> {
        linalg::check_vector("v", &v, v.len().max(3))?;
        linalg::check_square("q", q.view(), v.len())?;
        Ok(Head { v, q })
    }

    /// The same from rows: `q: row 3 has 6 numbers, expected 7` when one is ragged.
    ///
    /// # Errors
    /// As [`Head::new`], and rows of different lengths.
    pub fn from_rows(v: Vec<f64>, q: &[Vec<f64>]) -> Result<Head, MatrixError> {
        let q = linalg::square_from_rows("q", q, v.len())?;
        Head::new(v, q)
    }

    /// Covariate dimension d.
    pub fn d(&self) -> usize {
        self.v.len() - 2
    }

    pub fn v(&self) -> &[f64] {
        &self.v
    }

    pub fn q(&self) -> ArrayView2<'_, f64> {
        self.q.view()
    }

    /// Weight of the constant.
    pub fn v0(&self) -> f64 {
        self.v[0]
    }

    /// Weights of the covariates.
    pub fn vx(&self) -> &[f64] {
        &self.v[1..self.v.len() - 1]
    }

    /// Weight of the label.
    pub fn vy(&self) -> f64 {
        self.v[self.v.len() - 1]
    }

    /// Q[x, x], d x d.
    pub fn q_xx(&self) -> ArrayView2<'_, f64> {
        let end = self.v.len() - 1;
        self.q.slice(s![1..end, 1..end])
    }

    /// Q[x, 0].
    pub fn q_x0(&self) -> ArrayView1<'_, f64> {
        self.q.slice(s![1..self.v.len() - 1, 0])
    }

    /// Q[x, y].
    pub fn q_xy(&self) -> ArrayView1<'_, f64> {
        let label = self.v.len() - 1;
        self.q.slice(s![1..label, label])
    }

    /// Q[0, x].
    pub fn q_0x(&self) -> ArrayView1<'_, f64> {
        self.q.slice(s![0, 1..self.v.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_refusals() {
        let q = Array2::from_shape_fn((4, 4), |(i, j)| (10 * i + j) as f64);
        let head = Head::new(vec![1.0, 2.0, 3.0, 4.0], q).unwrap();
        assert_eq!((head.d(), head.v0(), head.vy()), (2, 1.0, 4.0));
        assert_eq!(head.vx(), [2.0, 3.0]);
        assert_eq!(head.q_xx()[[1, 0]], 21.0);
        assert_eq!(head.q_x0().to_vec(), [10.0, 20.0]);
        assert_eq!(head.q_0x().to_vec(), [1.0, 2.0]);

        let ragged: Vec<Vec<f64>> = (0..7)
            .map(|row| vec![0.0; if row == 3 { 6 } else { 7 }])
            .collect();
        let error = Head::from_rows(vec![0.0; 7], &ragged).unwrap_err();
        assert_eq!(error.to_string(), "q: row 3 has 6 numbers, expected 7");
        assert!(Head::new(vec![0.0; 2], Array2::zeros((2, 2))).is_err());
        assert!(Head::new(vec![0.0, f64::NAN, 0.0], Array2::zeros((3, 3))).is_err());
    }
}
