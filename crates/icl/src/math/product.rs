//! Small products in a fixed order, over doubles, lanes, or one of each.
//!
//! `ndarray`'s matrix product picks its kernel by CPU and changes bits with it; these loops do not.
//! Sums run over the inner index in increasing order. Does not know who multiplies what.

use crate::math::lanes::Lanes;
use std::ops::Mul;

/// A matrix to read: row-major data, or its transpose.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    data: &'a [T],
    row_stride: usize,
    column_stride: usize,
    rows: usize,
    columns: usize,
}

impl<'a, T> View<'a, T> {
    /// `data` as rows x columns, row-major.
    ///
    /// # Panics
    /// If `data` does not have rows * columns entries.
    #[inline(always)]
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> View<'a, T> {
        assert_eq!(data.len(), rows * columns, "view: {rows} x {columns}");
        View {
            data,
            row_stride: columns,
            column_stride: 1,
            rows,
            columns,
        }
    }

    /// A square matrix of side `dim`.
    #[inline(always)]
    pub fn square(data: &'a [T], dim: usize) -> View<'a, T> {
        View::new(data, dim, dim)
    }

    /// A column vector.
    #[inline(always)]
    pub fn column(data: &'a [T]) -> View<'a, T> {
        View::new(data, data.len(), 1)
    }

    /// The transpose, without a copy.
    #[inline(always)]
    pub fn t(self) -> View<'a, T> {
        View {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            rows: self.columns,
            columns: self.rows,
            ..self
        }
    }
}

/// out = A B, row-major.
///
/// # Panics
/// If the shapes do not fit.
#[inline(always)]
pub fn multiply<A, B>(out: &mut [Lanes], a: View<'_, A>, b: View<'_, B>)
where
    A: Copy + Mul<B, Output = Lanes>,
    B: Copy,
{
    product(out, a, b, |entry, sum| *entry = sum);
}

/// out += scale * A B, row-major.
///
/// # Panics
/// If the shapes do not fit.
#[inline(always)]
pub fn add_product<A, B>(out: &mut [Lanes], scale: f64, a: View<'_, A>, b: View<'_, B>)
where
    A: Copy + Mul<B, Output = Lanes>,
    B: Copy,
{
    product(out, a, b, |entry, sum| *entry += scale * sum);
}

/// Entries of a row whose sums grow side by side, in registers where the sizes are constants.
const TILE: usize = 8;

#[inline(always)]
fn product<A, B>(
    out: &mut [Lanes],
    a: View<'_, A>,
    b: View<'_, B>,
    store: impl Fn(&mut Lanes, Lanes),
) where
    A: Copy + Mul<B, Output = Lanes>,
    B: Copy,
{
    assert_eq!(a.columns, b.rows, "product: inner sizes");
    assert_eq!(out.len(), a.rows * b.columns, "product: output size");
    for i in 0..a.rows {
        let mut first = 0;
        while first < b.columns {
            let len = TILE.min(b.columns - first);
            let mut sums = [Lanes::ZERO; TILE];
            for k in 0..a.columns {
                let left = a.data[i * a.row_stride + k * a.column_stride];
                for (j, sum) in sums.iter_mut().enumerate().take(len) {
                    *sum += left * b.data[k * b.row_stride + (first + j) * b.column_stride];
                }
            }
            for (j, &sum) in sums.iter().enumerate().take(len) {
                store(&mut out[i * b.columns + first + j], sum);
            }
            first += TILE;
        }
    }
}

/// out = A x.
///
/// # Panics
/// If the shapes do not fit.
#[inline(always)]
pub fn apply<A, B>(out: &mut [Lanes], a: View<'_, A>, x: &[B])
where
    A: Copy + Mul<B, Output = Lanes>,
    B: Copy,
{
    assert_eq!(a.columns, x.len(), "product: inner sizes");
    assert_eq!(a.rows, out.len(), "product: output size");
    let mut first = 0;
    while first < a.rows {
        let len = TILE.min(a.rows - first);
        let mut sums = [Lanes::ZERO; TILE];
        for (k, &right) in x.iter().enumerate().take(a.columns) {
            for (i, sum) in sums.iter_mut().enumerate().take(len) {
                *sum += a.data[(first + i) * a.row_stride + k * a.column_stride] * right;
            }
        }
        out[first..first + len].copy_from_slice(&sums[..len]);
        first += TILE;
    }
}

/// out\[i\]\[j\] += a\[i\] * b\[j\]: the outer product that a gradient accumulates.
#[inline(always)]
pub fn add_outer<B>(out: &mut [Lanes], a: &[Lanes], b: &[B])
where
    B: Copy,
    Lanes: Mul<B, Output = Lanes>,
{
    assert_eq!(out.len(), a.len() * b.len(), "outer product: output size");
    for (row, &left) in out.chunks_exact_mut(b.len()).zip(a) {
        for (entry, &right) in row.iter_mut().zip(b) {
            *entry += left * right;
        }
    }
}

/// sum_i a\[i\] b\[i\].
#[inline(always)]
pub fn dot<A, B>(a: &[A], b: &[B]) -> Lanes
where
    A: Copy + Mul<B, Output = Lanes>,
    B: Copy,
{
    assert_eq!(a.len(), b.len(), "dot: sizes");
    let mut sum = Lanes::ZERO;
    for (&left, &right) in a.iter().zip(b) {
        sum += left * right;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(values: &[f64]) -> Vec<Lanes> {
        values.iter().map(|&x| Lanes::splat(x)).collect()
    }

    #[test]
    fn products_and_transposes() {
        let a = [1.0, 2.0, 3.0, 4.0];
        let b = lanes(&[5.0, 6.0, 7.0, 8.0]);
        let mut out = lanes(&[0.0; 4]);
        multiply(&mut out, View::square(&a[..], 2), View::square(&b[..], 2));
        assert_eq!(out, lanes(&[19.0, 22.0, 43.0, 50.0]));
        multiply(
            &mut out,
            View::square(&a[..], 2).t(),
            View::square(&b[..], 2).t(),
        );
        assert_eq!(out, lanes(&[23.0, 31.0, 34.0, 46.0]));
        add_product(
            &mut out,
            2.0,
            View::square(&b[..], 2),
            View::square(&b[..], 2),
        );
        assert_eq!(out[0], Lanes::splat(23.0 + 2.0 * 67.0));
    }

    #[test]
    fn outer_and_dot() {
        let a = lanes(&[1.0, 2.0]);
        let mut out = lanes(&[1.0; 4]);
        add_outer(&mut out, &a, &[3.0, 4.0]);
        assert_eq!(out, lanes(&[4.0, 5.0, 7.0, 9.0]));
        assert_eq!(dot(&a, &[3.0, 4.0]), Lanes::splat(11.0));
    }
}
