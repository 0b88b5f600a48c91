//! RMS norm and layer norm of rows, forward and backward.
//!
//! Sums over a row have the order of [`rows`](super::rows); those over rows run through the rows in
//! increasing order. Does not know what a row means.

use super::float::Float;
use super::rows::{check_rows, sum_of};
use crate::math::simd::{self, Kernel};

/// Rows to norm, one behind another, with the parameters of the norm.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a, T> {
    /// Factor of each column; its length is the width of the rows.
    pub gain: &'a [T],
    /// Layer norm if there is one (of the same width, added at the end), RMS norm otherwise.
    pub bias: Option<&'a [T]>,
    /// Added to the mean square before the root.
    pub epsilon: T,
}

/// What the backward pass needs of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RowStatistics<T> {
    /// Mean of the row; 0 in RMS norm.
    pub mean: T,
    /// 1 / sqrt(mean of (x - mean)^2 + epsilon).
    pub inverse: T,
}

/// Gradients by the parameters, which are added to; nothing is computed where there is none.
#[derive(Debug, Default)]
pub struct NormGradient<'a, T> {
    pub gain: Option<&'a mut [T]>,
    pub bias: Option<&'a mut [T]>,
}

impl<T: Float> Norm<'_, T> {
    fn check(&self, lengths: [usize; 2], rows: usize) {
        let width = self.gain.len();
        let bias = self.bias.map_or(width, <[T]>::len);
        check_rows(lengths[0], width);
        assert_eq!(bias, width, "norm: gain and bias");
        assert_eq!(lengths, [rows * width; 2], "norm: {rows} rows of {width}");
    }

    /// out = (x - mean) inverse gain (+ bias), row by row; the mean is 0 in RMS norm.
    ///
    /// # Panics
    /// If the sizes do not fit: `statistics` has an entry a row.
    pub fn forward(&self, out: &mut [T], x: &[T], statistics: &mut [RowStatistics<T>]) {
        self.check([out.len(), x.len()], statistics.len());
        if !x.is_empty() {
            simd::dispatch(Forward(self, out, x, statistics));
        }
    }

    /// Adds to `dx` the gradient by x, and to `gradient` those by the parameters.
    ///
    /// With h = (x - mean) inverse and g = gain dy: dx += inverse (g - h mean(g h)), and - mean(g) in
    /// the bracket for layer norm; dgain += dy h; dbias += dy.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn backward(
        &self,
        dx: &mut [T],
        mut gradient: NormGradient<'_, T>,
        dy: &[T],
        x: &[T],
        statistics: &[RowStatistics<T>],
    ) {
        self.check([dy.len(), x.len()], statistics.len());
        self.check([dx.len(), x.len()], statistics.len());
        for part in [&gradient.gain, &gradient.bias].into_iter().flatten() {
            assert_eq!(part.len(), self.gain.len(), "norm: a parameter's gradient");
        }
        if !x.is_empty() {
            simd::dispatch(Backward(self, dx, &mut gradient, dy, x, statistics));
        }
    }
}

struct Forward<'a, T>(
    &'a Norm<'a, T>,
    &'a mut [T],
    &'a [T],
    &'a mut [RowStatistics<T>],
);

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Forward(
            &Norm {
                gain,
                bias,
                epsilon,
            },
            out,
            x,
            statistics,
        ) = self;
        let width = gain.len();
        let share = T::from_f64(width as f64).recip();
        let rows = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
        for ((out, x), statistics) in rows.zip(statistics) {
            let mean = match bias {
                Some(_) => sum_of([x], |[x]| x) * share,
                None => T::ZERO,
            };
            let square = sum_of([x], |[x]| (x - mean) * (x - mean)) * share;
            let inverse = (square + epsilon).sqrt().recip();
            *statistics = RowStatistics { mean, inverse };
            for ((out, &x), &gain) in out.iter_mut().zip(x).zip(gain) {
                *out = (x - mean) * inverse * gain;
            }
            if let Some(bias) = bias {
                for (out, &bias) in out.iter_mut().zip(bias) {
                    *out += bias;
                }
            }
        }
    }
}

struct Backward<'a, 'b, T>(
    &'a Norm<'a, T>,
    &'a mut [T],
    &'a mut NormGradient<'b, T>,
    &'a [T],
    &'a [T],
    &'a [RowStatistics<T>],
);

impl<T: Float> Kernel for Backward<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Backward(&Norm { gain, bias, .. }, dx, gradient, dy, x, statistics) = self;
        let width = gain.len();
        let share = T::from_f64(width as f64).recip();
        let rows = dx.chunks_exact_mut(width).zip(dy.chunks_exact(width));
        let rows = rows.zip(x.chunks_exact(width)).zip(statistics);
        for (((dx, dy), x), &RowStatistics { mean, inverse }) in rows {
            let along = sum_of([dy, x, gain], |[dy, x, gain]| {
                (dy * gain) * ((x - mean) * inverse)
            }) * share;
            let level = match bias {
                Some(_) => sum_of([dy, gain], |[dy, gain]| dy * gain) * share,
                None => T::ZERO,
            };
            for (((dx, &dy), &x), &gain) in dx.iter_mut().zip(dy).zip(x).zip(gain) {
                let h = (x - mean) * inverse;
                *dx += inverse * ((dy * gain - level) - h * along);
            }
            if let Some(gradient) = &mut gradient.gain {
                for ((gradient, &dy), &x) in gradient.iter_mut().zip(dy).zip(x) {
                    *gradient += dy * ((x - mean) * inverse);
                }
            }
            if let Some(gradient) = &mut gradient.bias {
                for (gradient, &dy) in gradient.iter_mut().zip(dy) {
                    *gradient += dy;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::simd::{Level, dispatch_at, supported_levels};
    use crate::math::stream::Stream;
    use crate::math::tolerance::{FINITE_DIFFERENCE, FINITE_DIFFERENCE_STEP, ROUNDING};

    const ROWS: usize = 3;

    fn normals(n: usize, index: u64) -> Vec<f64> {
        let mut stream = Stream::new(0, "tests of norms", &[index]);
        (0..n).map(|_| stream.normal()).collect()
    }

    /// x, gain, bias one behind another.
    fn output(parameters: &[f64], width: usize, layer: bool) -> Vec<f64> {
        let (x, rest) = parameters.split_at(ROWS * width);
        let (gain, bias) = rest.split_at(width);
        let norm = Norm {
            gain,
            bias: layer.then_some(bias),
            epsilon: 0.01,
        };
        let mut out = vec![0.0; x.len()];
        norm.forward(&mut out, x, &mut [RowStatistics::default(); ROWS]);
        out
    }

    #[test]
    fn forward_beside_the_definition() {
        for (width, layer) in [(1, false), (16, true), (37, false), (37, true)] {
            let parameters = normals(ROWS * width + 2 * width, 0);
            let out = output(&parameters, width, layer);
            for row in 0..ROWS {
                let x = &parameters[row * width..][..width];
                let n = width as f64;
                let mean = if layer {
                    x.iter().sum::<f64>() / n
                } else {
                    0.0
                };
                let square = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
                for j in 0..width {
                    let gain = parameters[ROWS * width + j];
                    let bias = parameters[(ROWS + 1) * width + j];
                    let normed = (x[j] - mean) / (square + 0.01).sqrt() * gain;
                    let exact = if layer { normed + bias } else { normed };
                    assert!((out[row * width + j] - exact).abs() <= ROUNDING);
                }
            }
        }
    }

    #[test]
    fn backward_beside_finite_differences() {
        for (width, layer) in [(5, false), (5, true), (37, false), (37, true)] {
            let mut parameters = normals(ROWS * width + 2 * width, 1);
            let dy = normals(ROWS * width, 2);
            let (x, rest) = parameters.split_at(ROWS * width);
            let (gain, bias) = rest.split_at(width);
            let norm = Norm {
                gain,
                bias: layer.then_some(bias),
                epsilon: 0.01,
            };
            let mut statistics = [RowStatistics::default(); ROWS];
            norm.forward(&mut vec![0.0; x.len()], x, &mut statistics);
            // Gradients are added to what is there.
            let mut all = vec![1.0; parameters.len()];
            let (dx, rest) = all.split_at_mut(ROWS * width);
            let (dgain, dbias) = rest.split_at_mut(width);
            let gradient = NormGradient {
                gain: Some(dgain),
                bias: layer.then_some(dbias),
            };
            norm.backward(dx, gradient, &dy, x, &statistics);
            let loss = |parameters: &[f64]| -> f64 {
                let out = output(parameters, width, layer);
                out.iter().zip(&dy).map(|(out, dy)| out * dy).sum()
            };
            for i in 0..parameters.len() {
                let at = parameters[i];
                parameters[i] = at + FINITE_DIFFERENCE_STEP;
                let above = loss(&parameters);
                parameters[i] = at - FINITE_DIFFERENCE_STEP;
                let below = loss(&parameters);
                parameters[i] = at;
                let slope = (above - below) / (2.0 * FINITE_DIFFERENCE_STEP);
                let gap = (all[i] - 1.0 - slope).abs();
                assert!(gap <= FINITE_DIFFERENCE, "{width} {layer} {i}: {gap}");
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        fn check<T: Float>(bias: bool) {
            let width = 43;
            let values =
                |n, index| -> Vec<T> { normals(n, index).into_iter().map(T::from_f64).collect() };
            let (x, dy) = (values(ROWS * width, 3), values(ROWS * width, 4));
            let (gain, offset) = (values(width, 5), values(width, 6));
            let norm = Norm {
                gain: &gain,
                bias: bias.then_some(&offset[..]),
                epsilon: T::from_f64(1e-5),
            };
            let at = |level| {
                let mut out = vec![T::ZERO; x.len()];
                let mut statistics = [RowStatistics::default(); ROWS];
                dispatch_at(level, Forward(&norm, &mut out, &x, &mut statistics));
                let (mut dgain, mut dbias) = (gain.clone(), offset.clone());
                let mut gradient = NormGradient {
                    gain: Some(&mut dgain),
                    bias: Some(&mut dbias),
                };
                let backward = Backward(&norm, &mut out, &mut gradient, &dy, &x, &statistics);
                dispatch_at(level, backward);
                let all = out.iter().chain(&dgain).chain(&dbias);
                all.map(|x| x.to_f64().to_bits()).collect::<Vec<_>>()
            };
            let baseline = at(Level::Baseline);
            for level in supported_levels() {
                assert_eq!(at(level), baseline, "{level:?}");
            }
        }
        check::<f32>(false);
        check::<f32>(true);
        check::<f64>(true);
    }

    #[test]
    #[should_panic(expected = "norm: 1 rows of 2")]
    fn statistics_for_other_rows() {
        let norm = Norm {
            gain: &[1.0, 1.0],
            bias: None,
            epsilon: 0.0,
        };
        norm.forward(&mut [0.0; 4], &[1.0; 4], &mut [RowStatistics::default()]);
    }
}
