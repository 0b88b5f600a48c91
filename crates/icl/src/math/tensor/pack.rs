//! Copies of the factors of a product, in the order in which tiles read them.
//!
//! Does not know what is multiplied.

use super::float::Float;
use super::matrix::MatrixRef;

/// Columns of B for a panel, as rows of at least `width` entries with their distance: in place where
/// they lie so, else copied into `panel` and filled with zeros.
#[inline(always)]
pub(super) fn columns<'a, T: Float>(
    panel: &'a mut [T],
    width: usize,
    b: MatrixRef<'a, T>,
) -> (&'a [T], usize) {
    let (inner, valid) = (b.n_rows(), b.n_columns());
    let (b, stride, transposed) = b.parts();
    // What lies behind a window's columns may be read, for its sums are dropped.
    let last = (inner - 1) * stride + width;
    if !transposed && width <= stride && last <= b.len() {
        return (b, stride);
    }
    let panel = &mut panel[..inner * width];
    if valid < width {
        panel.fill(T::ZERO);
    }
    if transposed {
        transpose(panel, width, b, stride, inner, valid);
    } else {
        for (row, b) in panel.chunks_exact_mut(width).zip(b.chunks(stride)) {
            copy(&mut row[..valid], b);
        }
    }
    (panel, width)
}

/// out\[i\]\[j\] = input\[j\]\[i\] for i < rows, j < columns, both row-major with a distance between
/// rows; in blocks that the compiler turns into shuffles.
#[inline(always)]
pub(super) fn transpose<T: Float>(
    out: &mut [T],
    out_stride: usize,
    input: &[T],
    input_stride: usize,
    rows: usize,
    columns: usize,
) {
    const I: usize = 16;
    const J: usize = 8;
    let (whole_i, whole_j) = (rows / I * I, columns / J * J);
    for j in (0..whole_j).step_by(J) {
        for i in (0..whole_i).step_by(I) {
            let lines: [&[T; I]; J] =
                std::array::from_fn(|l| first(&input[(j + l) * input_stride + i..]));
            for r in 0..I {
                let line = &mut out[(i + r) * out_stride + j..][..J];
                for l in 0..J {
                    line[l] = lines[l][r];
                }
            }
        }
    }
    for i in 0..rows {
        let done = if i < whole_i { whole_j } else { 0 };
        for j in done..columns {
            out[i * out_stride + j] = input[j * input_stride + i];
        }
    }
}

/// to = the first entries of `from`. They are few: pieces of known sizes beat a call.
#[inline(always)]
pub(super) fn copy<T: Float>(to: &mut [T], from: &[T]) {
    let from = &from[..to.len()];
    let (to, from) = pieces::<T, 8>(to, from);
    let (to, from) = pieces::<T, 4>(to, from);
    let (to, from) = pieces::<T, 2>(to, from);
    pieces::<T, 1>(to, from);
}

/// Copies as many pieces of N entries as there are; what is left.
#[inline(always)]
fn pieces<'a, T: Float, const N: usize>(to: &'a mut [T], from: &'a [T]) -> (&'a mut [T], &'a [T]) {
    let (to, to_rest) = to.as_chunks_mut::<N>();
    let (from, from_rest) = from.as_chunks::<N>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    (to_rest, from_rest)
}

/// The first N entries.
#[inline(always)]
pub(super) fn first<T, const N: usize>(entries: &[T]) -> &[T; N] {
    entries.first_chunk().expect("bounds were checked before")
}
