//! RMSNorm and LayerNorm of each row, with learned scale g and shift b.
//!
//! y = (x - m) r g + b with r = 1 / sqrt(mean (x - m)^2 + epsilon); m is the row's mean for LayerNorm, 0
//! for RMSNorm, which has no b.

use crate::math::tensor::float::Float;
use crate::transformer::config::{Norm, NormKind};
use crate::transformer::layout::NormTensors;
use crate::transformer::parameters::{Gradient, Parameters};

/// What backward needs of a forward: m and r of each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments<T> {
    mean: Vec<T>,
    scale: Vec<T>,
}

/// y = the normalised rows of x.
pub(crate) fn forward<T: Float>(
    norm: Norm,
    tensors: NormTensors,
    parameters: Parameters<'_, T>,
    x: &[T],
    y: &mut Vec<T>,
    moments: &mut Moments<T>,
) {
    let g = parameters.get(tensors.scale);
    let b = tensors.shift.map(|shift| parameters.get(shift));
    let count = T::from_f64(g.len() as f64);
    let epsilon = T::from_f64(norm.epsilon);
    moments.mean.clear();
    moments.scale.clear();
    y.resize(x.len(), T::ZERO);
    for (x, y) in x.chunks_exact(g.len()).zip(y.chunks_exact_mut(g.len())) {
        let mean = match norm.kind {
            NormKind::Rms => T::ZERO,
            NormKind::Layer => sum(x.iter().copied()) / count,
        };
        let square = sum(x.iter().map(|&x| (x - mean) * (x - mean))) / count;
        let scale = T::ONE / (square + epsilon).sqrt();
        moments.mean.push(mean);
        moments.scale.push(scale);
        for ((y, &x), &g) in y.iter_mut().zip(x).zip(g) {
            *y = (x - mean) * scale * g;
        }
        if let Some(b) = b {
            for (y, &b) in y.iter_mut().zip(b) {
                *y += b;
            }
        }
    }
}

/// Adds to dx what dy asks of x, and to the gradients of g and b.
pub(crate) fn backward<T: Float>(
    norm: Norm,
    tensors: NormTensors,
    parameters: Parameters<'_, T>,
    [dy, x]: [&[T]; 2],
    moments: &Moments<T>,
    dx: &mut [T],
    gradient: &mut Gradient<'_, T>,
) {
    let g = parameters.get(tensors.scale);
    let width = g.len();
    let rows = || dy.chunks_exact(width).zip(x.chunks_exact(width));
    let saved = || moments.mean.iter().zip(&moments.scale);
    if let Some(dg) = gradient.get(tensors.scale) {
        for ((dy, x), (&mean, &scale)) in rows().zip(saved()) {
            for ((dg, &dy), &x) in dg.iter_mut().zip(dy).zip(x) {
                *dg += dy * ((x - mean) * scale);
            }
        }
    }
    if let Some(db) = tensors.shift.and_then(|shift| gradient.get(shift)) {
        for dy in dy.chunks_exact(width) {
            for (db, &dy) in db.iter_mut().zip(dy) {
                *db += dy;
            }
        }
    }
    let count = T::from_f64(width as f64);
    for (((dy, x), (&mean, &scale)), dx) in rows().zip(saved()).zip(dx.chunks_exact_mut(width)) {
        // With h = (x - m) r: dx = r (g dy - mean(g dy h) h), and for LayerNorm less r mean(g dy).
        let pushed = dy.iter().zip(g).map(|(&dy, &g)| dy * g);
        let along = sum(pushed
            .clone()
            .zip(x)
            .map(|(pushed, &x)| pushed * ((x - mean) * scale)))
            / count;
        let shift = match norm.kind {
            NormKind::Rms => T::ZERO,
            NormKind::Layer => sum(pushed) / count,
        };
        for (((dx, &dy), &g), &x) in dx.iter_mut().zip(dy).zip(g).zip(x) {
            *dx += scale * (dy * g - along * ((x - mean) * scale) - shift);
        }
    }
}

/// Partial sums that grow side by side, so that the order of a sum is the same however wide the processor's
/// registers are.
const LANES: usize = 16;

/// The sum in [`LANES`] interleaved partial sums, added in order.
#[inline(always)]
fn sum<T: Float>(values: impl Iterator<Item = T>) -> T {
    let mut lanes = [T::ZERO; LANES];
    for (at, value) in values.enumerate() {
        lanes[at % LANES] += value;
    }
    lanes.iter().fold(T::ZERO, |sum, &lane| sum + lane)
}
