//! What acts on rows: sums, products of vectors, softmax and its gradient.
//!
//! A buffer holds rows of one width one behind another. Sums over a row run in [`LANES`] partial sums,
//! entry i in sum i mod LANES, i increasing; these are then added by halves, 0 + 8, 1 + 9, ..., then
//! 0 + 4, ...: the order is part of every result, and vectors of any size can follow it. Does not know
//! what a row means.

use super::float::Float;
use super::pack::first;
use crate::math::simd::{self, Kernel};

/// Partial sums of a row.
pub const LANES: usize = 16;

/// sum_i x_i.
pub fn sum<T: Float>(x: &[T]) -> T {
    simd::dispatch(Sum(x))
}

/// sum_i a_i b_i.
///
/// # Panics
/// If the lengths differ.
pub fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    assert_eq!(a.len(), b.len(), "dot: lengths");
    simd::dispatch(Dot(a, b))
}

/// y += a x.
///
/// # Panics
/// If the lengths differ.
pub fn axpy<T: Float>(y: &mut [T], a: T, x: &[T]) {
    assert_eq!(y.len(), x.len(), "axpy: lengths");
    simd::dispatch(Axpy(y, a, x));
}

/// Adds `x` to each row of `rows`, whose width is that of `x`.
///
/// # Panics
/// If `rows` is not whole rows.
pub fn add_to_each_row<T: Float>(rows: &mut [T], x: &[T]) {
    check_rows(rows.len(), x.len());
    if !x.is_empty() {
        simd::dispatch(AddToEachRow(rows, x));
    }
}

/// out_j += sum_i rows_ij, rows in increasing order: the gradient of what
/// [`add_to_each_row`] added.
///
/// # Panics
/// If `rows` is not whole rows of the width of `out`.
pub fn add_sum_of_rows<T: Float>(out: &mut [T], rows: &[T]) {
    check_rows(rows.len(), out.len());
    if !out.is_empty() {
        simd::dispatch(AddSumOfRows(out, rows));
    }
}

/// In row i, the first n = `prefix(i)` scores become exp(s_j - max) / sum_k exp(s_k - max), the
/// others 0; all n are NaN where a score is NaN or +infinity, or all are -infinity.
///
/// # Panics
/// If `scores` is not whole rows of `width`, or a prefix is longer than a row.
pub fn softmax<T: Float>(scores: &mut [T], width: usize, prefix: impl Fn(usize) -> usize) {
    check_rows(scores.len(), width);
    if width > 0 {
        simd::dispatch(Softmax(scores, width, prefix));
    }
}

/// The gradient by the scores, in place of that by the probabilities:
/// g_j = p_j (g_j - sum_k p_k g_k). Entries with p = 0 (those behind a prefix) get 0.
///
/// # Panics
/// If `gradient` and `probabilities` are not whole rows of `width`, equally many.
pub fn softmax_backward<T: Float>(gradient: &mut [T], probabilities: &[T], width: usize) {
    check_rows(gradient.len(), width);
    assert_eq!(gradient.len(), probabilities.len(), "softmax: lengths");
    if width > 0 {
        simd::dispatch(SoftmaxBackward(gradient, probabilities, width));
    }
}

/// # Panics
/// If `len` entries are not whole rows of `width`.
pub(super) fn check_rows(len: usize, width: usize) {
    let whole = len.checked_rem(width).unwrap_or(len) == 0;
    assert!(whole, "rows of {width}: {len} entries");
}

/// sum_i term(entry i of each slice), in the order of this module.
#[inline(always)]
pub(super) fn sum_of<T: Float, const N: usize>(x: [&[T]; N], term: impl Fn([T; N]) -> T) -> T {
    let mut sums = [T::ZERO; LANES];
    let whole = x[0].len() / LANES * LANES;
    for from in (0..whole).step_by(LANES) {
        let x: [&[T; LANES]; N] = x.map(|x| first(&x[from..]));
        let terms: [T; LANES] = std::array::from_fn(|lane| term(x.map(|x| x[lane])));
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += term;
        }
    }
    for i in whole..x[0].len() {
        sums[i - whole] += term(x.map(|x| x[i]));
    }
    total(sums)
}

/// The partial sums by halves.
#[inline(always)]
fn total<T: Float>(mut sums: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The largest entry; -infinity for none. An entry that is not a number may be passed over.
#[inline(always)]
fn largest<T: Float>(x: &[T]) -> T {
    let mut lanes = [T::from_f64(f64::NEG_INFINITY); LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for (largest, &x) in lanes.iter_mut().zip(x) {
            *largest = x.max(*largest);
        }
    }
    for (largest, &x) in lanes.iter_mut().zip(rest) {
        *largest = x.max(*largest);
    }
    lanes.into_iter().fold(lanes[0], T::max)
}

struct Sum<'a, T>(&'a [T]);

impl<T: Float> Kernel for Sum<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        sum_of([self.0], |[x]| x)
    }
}

struct Dot<'a, T>(&'a [T], &'a [T]);

impl<T: Float> Kernel for Dot<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        sum_of([self.0, self.1], |[a, b]| a * b)
    }
}

struct Axpy<'a, T>(&'a mut [T], T, &'a [T]);

impl<T: Float> Kernel for Axpy<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.0.iter_mut().zip(self.2) {
            *y += self.1 * x;
        }
    }
}

struct AddToEachRow<'a, T>(&'a mut [T], &'a [T]);

impl<T: Float> Kernel for AddToEachRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for row in self.0.chunks_exact_mut(self.1.len()) {
            for (y, &x) in row.iter_mut().zip(self.1) {
                *y += x;
            }
        }
    }
}

struct AddSumOfRows<'a, T>(&'a mut [T], &'a [T]);

impl<T: Float> Kernel for AddSumOfRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for row in self.1.chunks_exact(self.0.len()) {
            for (y, &x) in self.0.iter_mut().zip(row) {
                *y += x;
            }
        }
    }
}

struct Softmax<'a, T, P>(&'a mut [T], usize, P);

impl<T: Float, P: Fn(usize) -> usize> Kernel for Softmax<'_, T, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        /// Rows that stay near between the passes.
        const BLOCK: usize = 32;
        let Softmax(scores, width, prefix) = self;
        for (block, scores) in scores.chunks_mut(BLOCK * width).enumerate() {
            let n = |i: usize| prefix(BLOCK * block + i);
            for (i, row) in scores.chunks_exact_mut(width).enumerate() {
                let row_number = BLOCK * block + i;
                let n = n(i);
                assert!(
                    n <= width,
                    "softmax: {n} of {width} scores in row {row_number}"
                );
                let largest = largest(&row[..n]);
                for x in row {
                    *x -= largest;
                }
            }
            // Over all at once, those behind prefixes too: short rows would be all remainder.
            for x in scores.iter_mut() {
                *x = x.exp();
            }
            for (i, row) in scores.chunks_exact_mut(width).enumerate() {
                let n = n(i);
                row[n..].fill(T::ZERO);
                // Zeros change no sum, and a row's width is the same for all.
                let scale = sum_of([&*row], |[x]| x).recip();
                for x in &mut row[..n] {
                    *x *= scale;
                }
            }
        }
    }
}

struct SoftmaxBackward<'a, T>(&'a mut [T], &'a [T], usize);

impl<T: Float> Kernel for SoftmaxBackward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let SoftmaxBackward(gradient, probabilities, width) = self;
        let rows = gradient.chunks_exact_mut(width);
        for (gradient, p) in rows.zip(probabilities.chunks_exact(width)) {
            let mean = sum_of([&*gradient, p], |[g, p]| p * g);
            for (g, &p) in gradient.iter_mut().zip(p) {
                *g = p * (*g - mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::simd::{Level, dispatch_at, supported_levels};
    use crate::math::stream::Stream;
    use crate::math::tolerance::ROUNDING;

    fn normals<T: Float>(n: usize, index: u64) -> Vec<T> {
        let mut stream = Stream::new(0, "tests of rows", &[index]);
        (0..n).map(|_| T::from_f64(3.0 * stream.normal())).collect()
    }

    fn bits<T: Float>(x: &[T]) -> Vec<u64> {
        x.iter().map(|x| x.to_f64().to_bits()).collect()
    }

    #[test]
    fn sums_have_the_documented_order() {
        fn check<T: Float>() {
            for n in 0..70 {
                let (a, b) = (normals::<T>(n, 0), normals::<T>(n, 1));
                let mut sums = [T::ZERO; LANES];
                for i in 0..n {
                    sums[i % LANES] += a[i] * b[i];
                }
                for half in [8, 4, 2, 1] {
                    for i in 0..half {
                        sums[i] += sums[i + half];
                    }
                }
                let ones = vec![T::ONE; n];
                for level in supported_levels() {
                    assert_eq!(dispatch_at(level, Dot(&a, &b)), sums[0], "{level:?} {n}");
                    let products: Vec<T> = a.iter().zip(&b).map(|(&a, &b)| a * b).collect();
                    assert_eq!(dispatch_at(level, Sum(&products)), sums[0]);
                    assert_eq!(dispatch_at(level, Dot(&products, &ones)), sums[0]);
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn softmax_beside_its_definition() {
        for width in 1..50 {
            let scores = normals::<f64>(5 * width, 2);
            let prefix = |i: usize| [width, 0, 1, width / 2, width - width / 3][i];
            let mut p = scores.clone();
            softmax(&mut p, width, prefix);
            for i in 0..5 {
                let row = &scores[i * width..][..prefix(i)];
                let all: f64 = row.iter().map(|&x| libm::exp(x)).sum();
                for j in 0..width {
                    let exact = row.get(j).map_or(0.0, |&x| libm::exp(x) / all);
                    let p = p[i * width + j];
                    assert!(
                        (p - exact).abs() <= ROUNDING,
                        "{width} {i} {j}: {p} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_gradient_of_softmax_beside_its_matrix() {
        let width = 21;
        let mut p = normals::<f64>(2 * width, 3);
        softmax(&mut p, width, |i| width - 4 * i);
        let g = normals::<f64>(2 * width, 4);
        let mut got = g.clone();
        softmax_backward(&mut got, &p, width);
        for i in 0..2 {
            let (p, g) = (&p[i * width..][..width], &g[i * width..][..width]);
            for j in 0..width {
                // dp_k / ds_j = p_k ((k = j) - p_j).
                let terms = (0..width).map(|k| g[k] * p[k] * (f64::from(u8::from(k == j)) - p[j]));
                let exact: f64 = terms.sum();
                assert!((got[i * width + j] - exact).abs() <= ROUNDING);
            }
        }
        assert_eq!(got[2 * width - 4..], [0.0; 4]);
    }

    #[test]
    fn large_and_missing_scores() {
        let mut p = [1e30_f32, -1e30, 1e30, 5.0];
        softmax(&mut p, 4, |_| 3);
        assert_eq!(p, [0.5, 0.0, 0.5, 0.0]);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut p = [1.0, bad, 2.0, 3.0];
            softmax(&mut p, 4, |_| 3);
            assert!(p[..3].iter().all(|p| p.is_nan()) && p[3] == 0.0, "{p:?}");
        }
        softmax::<f32>(&mut [], 0, |_| 0);
    }

    #[test]
    #[should_panic(expected = "softmax: 5 of 4 scores in row 1")]
    fn a_prefix_beyond_the_row() {
        softmax(&mut [0.0_f64; 8], 4, |i| 4 + i);
    }

    #[test]
    #[should_panic(expected = "rows of 3: 7 entries")]
    fn rows_that_are_not_whole() {
        add_to_each_row(&mut [0.0_f64; 7], &[0.0; 3]);
    }

    #[test]
    fn vectors_and_rows_add_up() {
        let mut rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        add_to_each_row(&mut rows, &[10.0, 20.0, 30.0]);
        assert_eq!(rows, [11.0, 22.0, 33.0, 14.0, 25.0, 36.0]);
        let mut out = [100.0, 0.0, 0.0];
        add_sum_of_rows(&mut out, &rows);
        assert_eq!(out, [125.0, 47.0, 69.0]);
        axpy(&mut out, 2.0, &[1.0, 2.0, 3.0]);
        assert_eq!(out, [127.0, 51.0, 75.0]);
        assert_eq!(sum(&out), 253.0);
        assert_eq!(dot(&out, &[1.0, 0.0, -1.0]), 52.0);
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        fn check<T: Float>() {
            for width in [1, 15, 16, 17, 34, 100] {
                let (scores, g) = (normals::<T>(3 * width, 5), normals::<T>(3 * width, 6));
                let at = |level| {
                    let (mut p, mut g) = (scores.clone(), g.clone());
                    dispatch_at(level, Softmax(&mut p, width, |i| width - i * width / 3));
                    dispatch_at(level, SoftmaxBackward(&mut g, &p, width));
                    let mut sums = vec![T::ONE; width];
                    dispatch_at(level, AddSumOfRows(&mut sums, &g));
                    dispatch_at(level, AddToEachRow(&mut g, &sums));
                    dispatch_at(level, Axpy(&mut g, sums[0], &p));
                    bits(&g)
                };
                let baseline = at(Level::Baseline);
                for level in supported_levels() {
                    assert_eq!(at(level), baseline, "{level:?} {width}");
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
