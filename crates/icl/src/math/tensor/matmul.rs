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

/// A product with the tiles of a level, and memory for copies.
struct Tiled<'a, T, const LEVEL: usize> {
    product: Product<'a, T>,
    scratch: &'a mut Vec<T>,
}

const BASELINE: usize = Level::Baseline as usize;
const AVX2: usize = Level::Avx2 as usize;
const AVX512: usize = Level::Avx512 as usize;

impl<T: Float> Product<'_, T> {
    /// With the tiles of one level; with the instructions of `at`, or what `dispatch` takes.
    fn run(self, tiles: Level, at: Option<Level>) {
        assert_eq!(
            [self.a.n_rows(), self.b.n_columns(), self.a.n_columns()],
            [self.c.n_rows(), self.c.n_columns(), self.b.n_rows()],
            "product: rows, columns and inner size"
        );
        T::with_scratch(|scratch| match tiles {
            Level::Baseline => self.tiled::<BASELINE>(scratch, at),
            Level::Avx2 => self.tiled::<AVX2>(scratch, at),
            Level::Avx512 => self.tiled::<AVX512>(scratch, at),
        });
    }

    fn tiled<const LEVEL: usize>(self, scratch: &mut Vec<T>, at: Option<Level>) {
        let kernel = Tiled::<T, LEVEL> {
            product: self,
            scratch,
        };
        match at {
            Some(level) => simd::dispatch_at(level, kernel),
            None => simd::dispatch(kernel),
        }
    }
}

impl<T: Float, const LEVEL: usize> Kernel for Tiled<'_, T, LEVEL> {
    type Output = ();

    /// Tiles that were fastest where measured: sums in most of the registers, but not in all, and no
    /// shape at which the compiler stops to see vectors (`cargo bench --bench products` shows it).
    #[inline(always)]
    fn run(self) {
        let Tiled { product, scratch } = self;
        match (LEVEL, T::BITS) {
            (AVX512, 32) => blocks::<T, 8, 16, 3, 16, 2, 8, 1>(product, scratch),
            (AVX512, _) => blocks::<T, 8, 8, 3, 8, 1, 8, 1>(product, scratch),
            (AVX2, 32) => blocks::<T, 6, 8, 2, 8, 1, 8, 1>(product, scratch),
            (AVX2, _) => blocks::<T, 6, 4, 1, 4, 1, 4, 1>(product, scratch),
            (_, 32) => blocks::<T, 4, 4, 2, 4, 1, 4, 1>(product, scratch),
            _ => blocks::<T, 4, 2, 2, 2, 1, 2, 1>(product, scratch),
        }
    }
}

/// A longer inner dimension is cut, so that a panel of B stays near; the sums wait in C.
const LONGEST: usize = 512;
const CUT: usize = 256;

/// All of C in panels of V1 W1, V2 W2 or V3 W3 columns, widest first, as tiles of MR rows.
#[inline(always)]
fn blocks<
    T: Float,
    const MR: usize,
    const W1: usize,
    const V1: usize,
    const W2: usize,
    const V2: usize,
    const W3: usize,
    const V3: usize,
>(
    product: Product<'_, T>,
    scratch: &mut Vec<T>,
) {
    let Product { mut c, a, b, add } = product;
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
    let (w1, w2, w3) = (W1 * V1, W2 * V2, W3 * V3);
    let needed = a_size + step * w1;
    if scratch.len() < needed {
        scratch.resize(needed, T::ZERO);
    }
    let (a_copy, panel) = scratch.split_at_mut(a_size);
    for first in (0..k).step_by(step) {
        let inner = step.min(k - first);
        let rows = if a_transposed {
            transpose(a_copy, inner, &a[first * a_stride..], a_stride, m, inner);
            Rows {
                data: a_copy,
                stride: inner,
                m,
                inner,
            }
        } else {
            Rows {
                data: &a[first..],
                stride: a_stride,
                m,
                inner,
            }
        };
        let add = add || first > 0;
        let mut from = 0;
        while from < n {
            let left = n - from;
            let c = &mut c[from..];
            let right = |width: usize| (b, first, inner, from, width.min(left));
            // Two of the second width rather than a first that is half empty.
            if w1 == w2 || (left > w2 && !(left > w1 && left <= 2 * w2)) {
                let b = columns(panel, w1, right(w1));
                tiles::<T, MR, W1, V1>(c, c_stride, &rows, b, w1.min(left), add);
                from += w1;
            } else if w2 == w3 || left > w3 {
                let b = columns(panel, w2, right(w2));
                tiles::<T, MR, W2, V2>(c, c_stride, &rows, b, w2.min(left), add);
                from += w2;
            } else {
                let b = columns(panel, w3, right(w3));
                tiles::<T, MR, W3, V3>(c, c_stride, &rows, b, w3.min(left), add);
                from += w3;
            }
        }
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
    (b, first, inner, from, valid): (MatrixRef<'a, T>, usize, usize, usize, usize),
) -> (&'a [T], usize) {
    let (b, stride, transposed) = b.parts();
    if transposed {
        transpose(
            panel,
            width,
            &b[from * stride + first..],
            stride,
            inner,
            valid,
        );
        for row in panel.chunks_exact_mut(width).take(inner) {
            row[valid..].fill(T::ZERO);
        }
        return (panel, width);
    }
    let b = &b[first * stride + from..];
    if valid == width {
        return (b, stride);
    }
    for (row, b) in panel
        .chunks_exact_mut(width)
        .zip(b.chunks(stride))
        .take(inner)
    {
        row[..valid].copy_from_slice(&b[..valid]);
        row[valid..].fill(T::ZERO);
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

/// Columns `0..valid` of C from rows of A and a panel of B, V W columns wide.
#[inline(always)]
fn tiles<T: Float, const MR: usize, const W: usize, const V: usize>(
    c: &mut [T],
    c_stride: usize,
    rows: &Rows<'_, T>,
    (b, b_stride): (&[T], usize),
    valid: usize,
    add: bool,
) {
    for from in (0..rows.m).step_by(MR) {
        let height = MR.min(rows.m - from);
        let mut sums = [[Vector([T::ZERO; W]); V]; MR];
        if add {
            for (sums, line) in sums
                .iter_mut()
                .zip(c[from * c_stride..].chunks(c_stride))
                .take(height)
            {
                if valid == V * W {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = Vector(*first(&line[v * W..]));
                    }
                } else {
                    for (j, &entry) in line[..valid].iter().enumerate() {
                        sums[j / W].0[j % W] = entry;
                    }
                }
            }
        }
        let sums = tile::<T, MR, W, V>(sums, rows.strip(from), b, b_stride);
        for (sums, line) in sums
            .iter()
            .zip(c[from * c_stride..].chunks_mut(c_stride))
            .take(height)
        {
            if valid == V * W {
                for (v, sum) in sums.iter().enumerate() {
                    line[v * W..][..W].copy_from_slice(&sum.0);
                }
            } else {
                for (j, entry) in line[..valid].iter_mut().enumerate() {
                    *entry = sums[j / W].0[j % W];
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
