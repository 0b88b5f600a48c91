//! An orthonormal basis that begins with the span of given vectors.
//!
//! Does not know what the vectors weigh.

use crate::math::linalg::inner;
use crate::math::tolerance;
use ndarray::Array2;

/// An orthonormal basis of R^k (columns) whose first r columns span the given vectors; returns it
/// with r. Twice-iterated Gram-Schmidt; a vector within `tolerance::SPAN` of the span adds nothing.
///
/// # Panics
/// If a vector does not have k entries.
pub fn basis_with_span(vectors: &[Vec<f64>], k: usize) -> (Array2<f64>, usize) {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(k);
    for vector in vectors {
        assert_eq!(vector.len(), k, "basis_with_span: sizes");
        let norm = inner(vector, vector).sqrt();
        let (rest, length) = residual(&basis, vector);
        if basis.len() < k && length > tolerance::SPAN * norm {
            basis.push(rest.iter().map(|x| x / length).collect());
        }
    }
    let rank = basis.len();
    while basis.len() < k {
        // The unit vector farthest from the span is at least sqrt((k - r) / k) away from it.
        let mut best: Option<(Vec<f64>, f64)> = None;
        for axis in 0..k {
            let unit: Vec<f64> = (0..k).map(|i| f64::from(u8::from(i == axis))).collect();
            let candidate = residual(&basis, &unit);
            if best
                .as_ref()
                .is_none_or(|(_, length)| candidate.1 > *length)
            {
                best = Some(candidate);
            }
        }
        if let Some((rest, length)) = best {
            basis.push(rest.iter().map(|x| x / length).collect());
        }
    }
    (Array2::from_shape_fn((k, k), |(i, j)| basis[j][i]), rank)
}

fn residual(basis: &[Vec<f64>], vector: &[f64]) -> (Vec<f64>, f64) {
    let mut rest = vector.to_vec();
    for _ in 0..2 {
        for direction in basis {
            let along = inner(direction, &rest);
            rest.iter_mut()
                .zip(direction)
                .for_each(|(r, d)| *r -= along * d);
        }
    }
    let length = inner(&rest, &rest).sqrt();
    (rest, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::linalg::{matmul, matvec};

    #[test]
    fn the_basis_spans_the_vectors_first() {
        let vectors = vec![
            vec![1.0, 2.0, 0.0, 1.0],
            vec![2.0, 4.0, 0.0, 2.0],
            vec![0.0, 0.0, 0.0, 0.0],
            vec![0.0, 1.0, 1.0, 0.0],
        ];
        let (basis, rank) = basis_with_span(&vectors, 4);
        assert_eq!(rank, 2);
        let identity = matmul(basis.t(), basis.view());
        assert!(
            (&identity - &Array2::<f64>::eye(4))
                .iter()
                .all(|x| x.abs() < 1e-14)
        );
        for vector in &vectors {
            let coordinates = matvec(basis.t(), vector);
            assert!(coordinates[2].abs() + coordinates[3].abs() < 1e-14);
        }
        assert_eq!(basis_with_span(&[], 3).1, 0);
    }
}
