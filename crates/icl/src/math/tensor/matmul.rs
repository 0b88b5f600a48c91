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
/// of the registers but not in all, and no shape in which the compiler stops to see vectors, as it
/// does in some of 8 rows (`cargo bench --locked --bench products` would show it).
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
tiles!(Avx512Double, (0, 8, 3, 8), (1, 6, 1, 8), (_, 6, 1, 8));

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

/// Rows of A, row-major.
struct Rows<'a, T> {
    data: &'a [T],
    stride: usize,
    m: usize,
    inner: usize,
}

impl<T> Rows<'_, T> {
    /// Rows `from .. from + MR`; those beyond the last are the last again, and their sums are dropped.
    #[inline(always)]
    fn strip<const MR: usize>(&self, from: usize) -> [&[T]; MR] {
        std::array::from_fn(|r| {
            let row = (from + r).min(self.m - 1);
            &self.data[row * self.stride..][..self.inner]
        })
    }
}

/// Columns of B for a panel, as rows of at least `width` entries with their distance: in place where
/// they lie so, else copied into `panel` and filled with zeros.
#[inline(always)]
fn columns<'a, T: Float>(
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
fn transpose<T: Float>(
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
fn copy<T: Float>(to: &mut [T], from: &[T]) {
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
fn first<T, const N: usize>(entries: &[T]) -> &[T; N] {
    entries.first_chunk().expect("bounds were checked before")
}

/// W sums side by side: one register, if the level has it.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Vector<T, const W: usize>([T; W]);

impl<T: Float, const W: usize> Vector<T, W> {
    /// self += a b, rounded after the product and after the sum.
    #[inline(always)]
    fn add_product(&mut self, a: T, b: Vector<T, W>) {
        // All products first, then all sums: so the compiler sees two operations of vectors.
        let products = b.0.map(|b| a * b);
        for (sum, product) in self.0.iter_mut().zip(products) {
            *sum += product;
        }
    }
}

/// Columns of C from rows of A and a panel of B.
struct Panel<'a, T> {
    a: Rows<'a, T>,
    b: &'a [T],
    b_stride: usize,
    c: &'a mut [T],
    c_stride: usize,
    /// Columns that are C's; those of the panel beyond are dropped.
    valid: usize,
    add: bool,
}

impl<T: Float> Panel<'_, T> {
    /// In tiles of MR rows and V vectors of W entries.
    #[inline(always)]
    fn multiply<const MR: usize, const W: usize, const V: usize>(self) {
        let Panel {
            a,
            b,
            b_stride,
            c,
            c_stride,
            valid,
            add,
        } = self;
        for from in (0..a.m).step_by(MR) {
            let height = MR.min(a.m - from);
            let mut sums = [[Vector([T::ZERO; W]); V]; MR];
            if add {
                let lines = c[from * c_stride..].chunks(c_stride).take(height);
                for (sums, line) in sums.iter_mut().zip(lines) {
                    if valid == V * W {
                        *sums = std::array::from_fn(|v| Vector(*first(&line[v * W..])));
                    } else {
                        // Through other memory: sums that are indexed would leave their registers.
                        let mut edge = [[T::ZERO; W]; V];
                        copy(&mut edge.as_flattened_mut()[..valid], line);
                        *sums = edge.map(Vector);
                    }
                }
            }
            let sums = tile::<T, MR, W, V>(sums, a.strip(from), b, b_stride);
            let lines = c[from * c_stride..].chunks_mut(c_stride).take(height);
            for (sums, line) in sums.iter().zip(lines) {
                if valid == V * W {
                    for (v, sum) in sums.iter().enumerate() {
                        line[v * W..][..W].copy_from_slice(&sum.0);
                    }
                } else {
                    let edge = sums.map(|sum| sum.0);
                    copy(&mut line[..valid], edge.as_flattened());
                }
            }
        }
    }
}

/// Sums to which the products of MR rows of A and a panel of B are added.
#[inline(always)]
fn tile<T: Float, const MR: usize, const W: usize, const V: usize>(
    mut sums: [[Vector<T, W>; V]; MR],
    rows: [&[T]; MR],
    b: &[T],
    b_stride: usize,
) -> [[Vector<T, W>; V]; MR] {
    /// Entries of a row whose bounds are checked at once.
    const RUN: usize = 8;
    let inner = rows[0].len();
    let whole = inner / RUN * RUN;
    let mut lines = b.chunks(b_stride);
    for k in (0..whole).step_by(RUN) {
        let a: [&[T; RUN]; MR] = std::array::from_fn(|r| first(&rows[r][k..]));
        for k in 0..RUN {
            let line = lines.next().expect("B has a row for each column of A");
            step(&mut sums, |r| a[r][k], line);
        }
    }
    for k in whole..inner {
        let line = lines.next().expect("B has a row for each column of A");
        step(&mut sums, |r| rows[r][k], line);
    }
    sums
}

/// One term of each sum.
#[inline(always)]
fn step<T: Float, const MR: usize, const W: usize, const V: usize>(
    sums: &mut [[Vector<T, W>; V]; MR],
    a: impl Fn(usize) -> T,
    b: &[T],
) {
    let b: [Vector<T, W>; V] = std::array::from_fn(|v| Vector(*first(&b[v * W..])));
    for (r, sums) in sums.iter_mut().enumerate() {
        let a = a(r);
        for (sum, &b) in sums.iter_mut().zip(&b) {
            sum.add_product(a, b);
        }
    }
}
