//! Products of matrices in a fixed order, at the speed of the processor's multiplications and
//! additions.
//!
//! Each entry of A B is one sum over the inner index in increasing order, each term one
//! multiplication and one addition in the matrices' own precision. So the bits depend neither on
//! tiles nor on instructions nor on how somebody cuts the rows among threads. Tiles of sums stay in
//! registers while the inner index runs; B is read a panel of columns at a time, copied only where
//! its rows are not contiguous or its last columns do not fill a tile; A is copied only where it is a
//! transpose. Does not know who multiplies what.

use super::float::Float;
use super::matrix::{MatrixMut, MatrixRef};
use super::pack::{columns, transpose};
use super::tile::{Panel, Rows};
use crate::math::simd::{self, Kernel, Level};
use std::marker::PhantomData;

/// C = A B, or C += A B where `add`.
///
/// c_ij = sum_k a_ik b_kj, k increasing, the sum starting from 0, or from c_ij where `add`: two calls
/// that add the halves of the inner index give the same bits as one over all of it. Shapes: A is
/// rows x inner, B inner x columns, C rows x columns; any of them may be 0.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply<T: Float>(
    c: MatrixMut<'_, T>,
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    add: bool,
) {
    Product { c, a, b, add }.run(simd::best_level(), None);
}

/// [`multiply`] with the tiles of one level and the instructions of another, or of the machine's
/// widest where that is narrower. The bits are the same for each pair.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply_at<T: Float>(
    (tiles, instructions): (Level, Level),
    c: MatrixMut<'_, T>,
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    add: bool,
) {
    Product { c, a, b, add }.run(tiles, Some(instructions));
}

/// What is multiplied.
struct Product<'a, T> {
    c: MatrixMut<'a, T>,
    a: MatrixRef<'a, T>,
    b: MatrixRef<'a, T>,
    add: bool,
}

impl<T: Float> Product<'_, T> {
    /// With the tiles of one level; with the instructions of `at`, or what `dispatch` takes.
    fn run(self, tiles: Level, at: Option<Level>) {
        assert_eq!(
            [self.a.n_rows(), self.b.n_columns(), self.a.n_columns()],
            [self.c.n_rows(), self.c.n_columns(), self.b.n_rows()],
            "product: rows, columns and inner size"
        );
        match (tiles, T::BITS) {
            (Level::Baseline, 32) => self.tiled::<BaselineSingle>(at),
            (Level::Baseline, _) => self.tiled::<BaselineDouble>(at),
            (Level::Avx2, 32) => self.tiled::<Avx2Single>(at),
            (Level::Avx2, _) => self.tiled::<Avx2Double>(at),
            (Level::Avx512, 32) => self.tiled::<Avx512Single>(at),
            (Level::Avx512, _) => self.tiled::<Avx512Double>(at),
        }
    }

    fn tiled<S: Tiles>(self, at: Option<Level>) {
        T::with_scratch(|scratch| {
            let kernel = Tiled::<T, S> {
                product: self,
                scratch,
                tiles: PhantomData,
            };
            match at {
                Some(level) => simd::dispatch_at(level, kernel),
                None => simd::dispatch(kernel),
            }
        });
    }
}

/// Three shapes of tiles, widest first: for most columns, and for the last ones.
trait Tiles {
    const WIDTHS: [usize; 3];
    fn multiply<T: Float>(which: usize, panel: Panel<'_, T>);
}

/// Rows, and columns as vectors of so many entries. These were fastest where measured: sums in most
/// of the registers and not in all, for a sum that waits in memory takes longer than all the others
/// (`cargo bench --locked --bench products` shows it).
macro_rules! tiles {
    ($name:ident, $(($which:pat, $rows:literal, $vectors:literal, $lanes:literal)),+) => {
        struct $name;

        impl Tiles for $name {
            const WIDTHS: [usize; 3] = [$($vectors * $lanes),+];

            #[inline(always)]
            fn multiply<T: Float>(which: usize, panel: Panel<'_, T>) {
                match which {
                    $($which => panel.multiply::<$rows, $lanes, $vectors>(),)+
                }
            }
        }
    };
}

tiles!(BaselineSingle, (0, 4, 2, 4), (1, 4, 1, 4), (_, 4, 1, 4));
tiles!(BaselineDouble, (0, 4, 2, 2), (1, 4, 1, 2), (_, 4, 1, 2));
tiles!(Avx2Single, (0, 5, 2, 8), (1, 6, 1, 8), (_, 6, 1, 8));
tiles!(Avx2Double, (0, 5, 2, 4), (1, 6, 1, 4), (_, 6, 1, 4));
tiles!(Avx512Single, (0, 8, 3, 16), (1, 8, 2, 16), (_, 6, 1, 8));
tiles!(Avx512Double, (0, 8, 3, 8), (1, 8, 2, 8), (_, 8, 1, 8));

/// A product in tiles, and memory for copies.
struct Tiled<'a, T, S> {
    product: Product<'a, T>,
    scratch: &'a mut Vec<T>,
    tiles: PhantomData<S>,
}

/// A longer inner dimension is cut, so that a panel of B stays near; the sums wait in C.
const LONGEST: usize = 512;
const CUT: usize = 256;

impl<T: Float, S: Tiles> Kernel for Tiled<'_, T, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Product { mut c, a, b, add } = self.product;
        let (m, n, k) = (c.n_rows(), c.n_columns(), a.n_columns());
        if m == 0 || n == 0 {
            return;
        }
        let (c, c_stride) = c.parts();
        if k == 0 {
            if !add {
                for row in c.chunks_mut(c_stride).take(m) {
                    row[..n].fill(T::ZERO);
                }
            }
            return;
        }
        let step = if k <= LONGEST { k } else { CUT };
        let (a, a_stride, a_transposed) = a.parts();
        let a_size = if a_transposed { m * step } else { 0 };
        let needed = a_size + step * S::WIDTHS[0];
        if self.scratch.len() < needed {
            self.scratch.resize(needed, T::ZERO);
        }
        let (a_copy, panel) = self.scratch.split_at_mut(a_size);
        for first in (0..k).step_by(step) {
            let inner = step.min(k - first);
            let (data, stride) = if a_transposed {
                transpose(a_copy, inner, &a[first * a_stride..], a_stride, m, inner);
                (&*a_copy, inner)
            } else {
                (&a[first..], a_stride)
            };
            let mut from = 0;
            while from < n {
                let left = n - from;
                let which = shape(S::WIDTHS, left);
                let width = S::WIDTHS[which];
                let valid = width.min(left);
                let b = b.rows(first, inner).columns(from, valid);
                let (b, b_stride) = columns(panel, width, b);
                S::multiply(
                    which,
                    Panel {
                        a: Rows {
                            data,
                            stride,
                            m,
                            inner,
                        },
                        b,
                        b_stride,
                        c: &mut c[from..],
                        c_stride,
                        valid,
                        add: add || first > 0,
                    },
                );
                from += valid;
            }
        }
    }
}

/// Which of three widths, widest first, to take while so many columns are left.
#[inline(always)]
fn shape([first, second, third]: [usize; 3], left: usize) -> usize {
    // Two of the second width rather than a first one that is half empty.
    if left > second && !(left > first && left <= 2 * second) {
        0
    } else if left > third || second == third {
        1
    } else {
        2
    }
}
