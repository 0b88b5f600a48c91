//! Tiles of sums that stay in registers while the inner index of a product runs.
//!
//! Knows a few rows of A, a panel of columns of B and where in C their products belong; not which
//! tile is fast.

use super::float::Float;
use super::pack::{copy, first};

/// Rows of A, row-major.
pub(super) struct Rows<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
    pub(super) m: usize,
    pub(super) inner: usize,
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

/// Columns of C from rows of A and a panel of B.
pub(super) struct Panel<'a, T> {
    pub(super) a: Rows<'a, T>,
    pub(super) b: &'a [T],
    pub(super) b_stride: usize,
    pub(super) c: &'a mut [T],
    pub(super) c_stride: usize,
    /// Columns that are C's; those of the panel beyond are dropped.
    pub(super) valid: usize,
    pub(super) add: bool,
}

impl<T: Float> Panel<'_, T> {
    /// In tiles of MR rows and V vectors of W entries.
    #[inline(always)]
    pub(super) fn multiply<const MR: usize, const W: usize, const V: usize>(self) {
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

/// Sums to which the products of MR rows of A and a panel of B are added.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "k is a place in several rows")]
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
    const { assert!(MR <= 8 && V <= 3, "rows and vectors are written out below") };
    let b: [Vector<T, W>; V] = std::array::from_fn(|v| Vector(*first(&b[v * W..])));
    // Written out: in a loop over rows the compiler takes a vector across rows, and scatters it.
    macro_rules! rows {
        ($($r:literal)+) => {
            $(if $r < MR {
                let a = a($r);
                if 0 < V {
                    sums[$r][0].add_product(a, b[0]);
                }
                if 1 < V {
                    sums[$r][1].add_product(a, b[1]);
                }
                if 2 < V {
                    sums[$r][2].add_product(a, b[2]);
                }
            })+
        };
    }
    rows!(0 1 2 3 4 5 6 7);
}
