//! Small dense linear algebra in a fixed order, and the checks of matrices that come from outside.
//!
//! For matrices of a few dozen rows, outside hot loops. Does not know what they stand for, except
//! by the name that an error message carries.

use crate::math::tolerance;
use ndarray::{Array2, ArrayView2};
use std::fmt;

/// What is wrong with a matrix or vector, and where. `name` is the caller's word for it.
#[derive(Debug, Clone, PartialEq)]
pub enum MatrixError {
    Rows {
        name: &'static str,
        found: usize,
        expected: usize,
    },
    RowLength {
        name: &'static str,
        row: usize,
        found: usize,
        expected: usize,
    },
    Length {
        name: &'static str,
        found: usize,
        expected: usize,
    },
    NotFinite {
        name: &'static str,
        row: usize,
        column: usize,
        value: f64,
    },
    EntryNotFinite {
        name: &'static str,
        index: usize,
        value: f64,
    },
    NotSymmetric {
        name: &'static str,
        row: usize,
        column: usize,
        value: f64,
        mirrored: f64,
    },
    NotPositiveDefinite {
        name: &'static str,
        eigenvalue: f64,
    },
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MatrixError::Rows {
                name,
                found,
                expected,
            } => {
                write!(f, "{name}: it has {found} rows, expected {expected}")
            }
            MatrixError::RowLength {
                name,
                row,
                found,
                expected,
            } => {
                write!(
                    f,
                    "{name}: row {row} has {found} numbers, expected {expected}"
                )
            }
            MatrixError::Length {
                name,
                found,
                expected,
            } => {
                write!(f, "{name}: it has {found} numbers, expected {expected}")
            }
            MatrixError::NotFinite {
                name,
                row,
                column,
                value,
            } => {
                write!(
                    f,
                    "{name}: the entry in row {row}, column {column} is {value}"
                )
            }
            MatrixError::EntryNotFinite { name, index, value } => {
                write!(f, "{name}: entry {index} is {value}")
            }
            MatrixError::NotSymmetric {
                name,
                row,
                column,
                value,
                mirrored,
            } => write!(
                f,
                "{name}: not symmetric, {value} in row {row}, column {column} but {mirrored} mirrored"
            ),
            MatrixError::NotPositiveDefinite { name, eigenvalue } => {
                write!(
                    f,
                    "{name}: not positive definite, it has the eigenvalue {eigenvalue:e}"
                )
            }
        }
    }
}

impl std::error::Error for MatrixError {}

/// A square matrix of side `dim` from rows; rows and columns are counted from 0 in messages.
///
/// # Errors
/// Wrong number of rows, a row of the wrong length, an entry that is not finite.
pub fn square_from_rows(
    name: &'static str,
    rows: &[Vec<f64>],
    dim: usize,
) -> Result<Array2<f64>, MatrixError> {
    if rows.len() != dim {
        return Err(MatrixError::Rows {
            name,
            found: rows.len(),
            expected: dim,
        });
    }
    for (row, entries) in rows.iter().enumerate() {
        if entries.len() != dim {
            return Err(MatrixError::RowLength {
                name,
                row,
                found: entries.len(),
                expected: dim,
            });
        }
    }
    let matrix = Array2::from_shape_fn((dim, dim), |(i, j)| rows[i][j]);
    check_square(name, matrix.view(), dim)?;
    Ok(matrix)
}

/// Checks that a matrix is dim x dim with finite entries.
///
/// # Errors
/// Names the first row or entry that is wrong.
pub fn check_square(
    name: &'static str,
    matrix: ArrayView2<'_, f64>,
    dim: usize,
) -> Result<(), MatrixError> {
    if matrix.nrows() != dim {
        return Err(MatrixError::Rows {
            name,
            found: matrix.nrows(),
            expected: dim,
        });
    }
    if matrix.ncols() != dim {
        let found = matrix.ncols();
        return Err(MatrixError::RowLength {
            name,
            row: 0,
            found,
            expected: dim,
        });
    }
    match matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(MatrixError::NotFinite {
            name,
            row,
            column,
            value,
        }),
        None => Ok(()),
    }
}

/// Checks that a vector has `len` finite entries.
///
/// # Errors
/// Names the length or the first entry that is wrong.
pub fn check_vector(name: &'static str, vector: &[f64], len: usize) -> Result<(), MatrixError> {
    if vector.len() != len {
        return Err(MatrixError::Length {
            name,
            found: vector.len(),
            expected: len,
        });
    }
    match vector
        .iter()
        .enumerate()
        .find(|(_, value)| !value.is_finite())
    {
        Some((index, &value)) => Err(MatrixError::EntryNotFinite { name, index, value }),
        None => Ok(()),
    }
}

/// Checks a square matrix for symmetry up to `tolerance::ASYMMETRY` of its largest entry.
///
/// # Errors
/// Names the first pair of entries that differ.
pub fn check_symmetric(name: &'static str, matrix: &Array2<f64>) -> Result<(), MatrixError> {
    let scale = matrix
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for ((row, column), &value) in matrix.indexed_iter() {
        let mirrored = matrix[[column, row]];
        if (value - mirrored).abs() > tolerance::ASYMMETRY * scale {
            return Err(MatrixError::NotSymmetric {
                name,
                row,
                column,
                value,
                mirrored,
            });
        }
    }
    Ok(())
}

/// Inner product, summed in order.
pub fn inner(a: &[f64], b: &[f64]) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + x * y)
}

/// A B, each entry summed in order of the inner index.
///
/// # Panics
/// If the inner sizes differ.
pub fn matmul(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = vec![0.0; a.nrows() * b.ncols()];
    matmul_into(a, b, &mut out);
    Array2::from_shape_vec((a.nrows(), b.ncols()), out).expect("rows times columns")
}

/// The same into memory that is there, row-major.
///
/// # Panics
/// If the sizes differ.
pub fn matmul_into(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, out: &mut [f64]) {
    assert_eq!(a.ncols(), b.nrows(), "matmul: inner sizes");
    assert_eq!(out.len(), a.nrows() * b.ncols(), "matmul: output size");
    for (at, entry) in out.iter_mut().enumerate() {
        let (i, j) = (at / b.ncols(), at % b.ncols());
        *entry = (0..a.ncols()).fold(0.0, |sum, k| sum + a[[i, k]] * b[[k, j]]);
    }
}

/// A x, each entry summed in order.
///
/// # Panics
/// If the sizes differ.
pub fn matvec(a: ArrayView2<'_, f64>, x: &[f64]) -> Vec<f64> {
    assert_eq!(a.ncols(), x.len(), "matvec: sizes");
    a.rows()
        .into_iter()
        .map(|row| row.iter().zip(x).fold(0.0, |sum, (r, v)| sum + r * v))
        .collect()
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, A = U diag(l) U^T, by cyclic
/// Jacobi rotations in a fixed order. Source: Golub and Van Loan, Matrix Computations, section 8.5.
///
/// # Panics
/// If the matrix is not square.
pub fn symmetric_eigen(matrix: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    assert_eq!(n, matrix.ncols(), "symmetric_eigen: not square");
    // Quadratic convergence ends within about ten sweeps; more cannot help.
    const SWEEPS: usize = 40;
    let mut a = matrix.clone();
    let mut vectors = Array2::eye(n);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let size = (a[[p, p]] * a[[q, q]]).abs().sqrt();
                if a[[p, q]].abs() <= f64::EPSILON * size * 0.5 {
                    continue;
                }
                rotated = true;
                let tau = (a[[q, q]] - a[[p, p]]) / (2.0 * a[[p, q]]);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let c = 1.0 / (1.0 + t * t).sqrt();
                rotate_columns(&mut a, p, q, c, t * c);
                a.swap_axes(0, 1);
                rotate_columns(&mut a, p, q, c, t * c);
                a.swap_axes(0, 1);
                rotate_columns(&mut vectors, p, q, c, t * c);
            }
        }
        if !rotated {
            break;
        }
    }
    (a.diag().to_vec(), vectors)
}

fn rotate_columns(a: &mut Array2<f64>, p: usize, q: usize, c: f64, s: f64) {
    for mut row in a.rows_mut() {
        let (left, right) = (row[p], row[q]);
        row[p] = c * left - s * right;
        row[q] = s * left + c * right;
    }
}

/// The symmetric square root of a symmetric positive definite matrix.
///
/// # Errors
/// If it is not symmetric, or an eigenvalue is not positive (relative `tolerance::DEFINITENESS`).
pub fn symmetric_sqrt(
    name: &'static str,
    matrix: &Array2<f64>,
) -> Result<Array2<f64>, MatrixError> {
    check_symmetric(name, matrix)?;
    let (values, vectors) = symmetric_eigen(matrix);
    let largest = values.iter().fold(0.0_f64, |largest, x| largest.max(*x));
    if let Some(&eigenvalue) = values
        .iter()
        .find(|&&value| value.is_nan() || value <= tolerance::DEFINITENESS * largest)
    {
        return Err(MatrixError::NotPositiveDefinite { name, eigenvalue });
    }
    Ok(reassemble(&values, &vectors, f64::sqrt))
}

/// U diag(f(l)) U^T for a symmetric matrix U diag(l) U^T: the function of the matrix.
///
/// # Panics
/// If the matrix is not square.
pub fn symmetric_function(matrix: &Array2<f64>, f: impl Fn(f64) -> f64) -> Array2<f64> {
    let (values, vectors) = symmetric_eigen(matrix);
    reassemble(&values, &vectors, f)
}

/// Exactly symmetric: both triangles are computed from the upper indices.
fn reassemble(values: &[f64], vectors: &Array2<f64>, f: impl Fn(f64) -> f64) -> Array2<f64> {
    let n = values.len();
    Array2::from_shape_fn((n, n), |(i, j)| {
        let (i, j) = (i.min(j), i.max(j));
        (0..n).fold(0.0, |sum, k| {
            sum + vectors[[i, k]] * f(values[k]) * vectors[[j, k]]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(n: usize) -> Array2<f64> {
        let root = Array2::from_shape_fn((n, n), |(i, j)| ((i * 7 + j * 3) % 5) as f64 - 1.5);
        let mut matrix = matmul(root.view(), root.t());
        matrix.diag_mut().iter_mut().for_each(|x| *x += 1.0);
        matrix
    }

    fn largest_gap(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
        (a - b).iter().fold(0.0, |largest, x| largest.max(x.abs()))
    }

    #[test]
    fn the_root_squares_to_the_matrix() {
        for n in [1, 2, 5, 9] {
            let matrix = example(n);
            let root = symmetric_sqrt("sigma", &matrix).unwrap();
            assert!(largest_gap(&matmul(root.view(), root.view()), &matrix) < 1e-11);
            assert_eq!(root, root.t());
        }
    }

    #[test]
    fn a_function_of_a_matrix_acts_on_its_eigenvalues() {
        let matrix = example(5);
        let inverse = symmetric_function(&matrix, |x| 1.0 / x);
        let product = matmul(matrix.view(), inverse.view());
        assert!(largest_gap(&product, &Array2::eye(5)) < 1e-12);
        let square = symmetric_function(&matrix, |x| x * x);
        assert!(largest_gap(&square, &matmul(matrix.view(), matrix.view())) < 1e-10);
    }

    #[test]
    fn messages_name_the_entry() {
        let ragged = vec![vec![1.0, 2.0], vec![3.0]];
        let error = square_from_rows("q", &ragged, 2).unwrap_err();
        assert_eq!(error.to_string(), "q: row 1 has 1 numbers, expected 2");
        let nan = vec![vec![1.0, f64::NAN], vec![0.0, 1.0]];
        let error = square_from_rows("q", &nan, 2).unwrap_err();
        assert_eq!(error.to_string(), "q: the entry in row 0, column 1 is NaN");
        let skew = ndarray::arr2(&[[1.0, 0.5], [0.0, 1.0]]);
        assert!(matches!(
            symmetric_sqrt("sigma", &skew),
            Err(MatrixError::NotSymmetric {
                row: 0,
                column: 1,
                ..
            })
        ));
        for singular in [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]] {
            let error = symmetric_sqrt("sigma", &ndarray::arr2(&singular)).unwrap_err();
            assert!(
                matches!(error, MatrixError::NotPositiveDefinite { .. }),
                "{error}"
            );
        }
    }
}
