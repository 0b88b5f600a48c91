//! Attention on the query alone: predictions of eight zero-shot prompts, and gradients of their loss.
//!
//! With one token S = z z^T, and a layer is z <- z + (1/H) sum_h (z^T Q_h z) V_h z: vectors take the
//! place of the matrices of `attention`, whose results these are up to rounding. The prediction is the
//! last coordinate after the last layer. No allocation per call. Does not know where tokens come from
//! or what the loss is.

use crate::math::lanes::Lanes;
use crate::math::product::{View, add_outer, apply, dot};
use crate::math::width::Width;
use crate::model::attention::LaneGradient;
use crate::model::effective::Effective;

/// Buffers of one forward and backward pass.
#[derive(Debug, Clone)]
pub struct SingleToken {
    n_heads: usize,
    layers: Vec<Layer>,
    vector: Vec<Lanes>,
    product: Vec<Lanes>,
    d_z: Vec<Lanes>,
    d_z_next: Vec<Lanes>,
}

/// The token z that one layer reads, and by head: Q_h^T z, the score z^T Q_h z, and V_h z (of which the
/// last layer has the last entry alone, in front).
#[derive(Debug, Clone)]
struct Layer {
    z: Vec<Lanes>,
    qz: Vec<Lanes>,
    scores: Vec<Lanes>,
    vz: Vec<Lanes>,
}

impl SingleToken {
    /// Buffers for models of these sizes.
    ///
    /// # Panics
    /// If a size is 0.
    pub fn new(dim: usize, n_layers: usize, n_heads: usize) -> SingleToken {
        assert!(
            dim > 0 && n_layers > 0 && n_heads > 0,
            "single token: sizes"
        );
        let zeros = |len: usize| vec![Lanes::ZERO; len];
        let layer = Layer {
            z: zeros(dim),
            qz: zeros(n_heads * dim),
            scores: zeros(n_heads),
            vz: zeros(n_heads * dim),
        };
        SingleToken {
            n_heads,
            layers: vec![layer; n_layers],
            vector: zeros(dim),
            product: zeros(dim),
            d_z: zeros(dim),
            d_z_next: zeros(dim),
        }
    }

    /// Predictions for the tokens z, and the trace that `backward` needs. `width` is the d + 2 of
    /// `new`.
    #[inline(always)]
    pub fn forward<W: Width>(&mut self, width: W, matrices: &Effective, z: &[Lanes]) -> Lanes {
        let (dim, share) = (width.get(), 1.0 / self.n_heads as f64);
        let last = self.layers.len() - 1;
        self.layers[0].z.copy_from_slice(z);
        for index in 0..=last {
            let (before, after) = self.layers.split_at_mut(index + 1);
            let layer = &mut before[index];
            if let Some(next) = after.first_mut() {
                next.z.copy_from_slice(&layer.z);
            }
            for head in 0..self.n_heads {
                let qz = &mut layer.qz[head * dim..(head + 1) * dim];
                let q = View::square(matrices.q(index, head), dim);
                apply(qz, q.t(), &layer.z[..dim]);
                let score = dot(&layer.z[..dim], qz);
                layer.scores[head] = score;
                let vz = &mut layer.vz[head * dim..(head + 1) * dim];
                match after.first_mut() {
                    Some(next) => {
                        apply(
                            vz,
                            View::square(matrices.v(index, head), dim),
                            &layer.z[..dim],
                        );
                        for (z, &value) in next.z[..dim].iter_mut().zip(&*vz) {
                            *z += score * share * value;
                        }
                    }
                    None => vz[0] = dot(&layer.z[..dim], matrices.value_row(index, head)),
                }
            }
        }
        let layer = &self.layers[last];
        let mut sum = Lanes::ZERO;
        for (head, &score) in layer.scores.iter().enumerate() {
            sum += score * layer.vz[head * dim];
        }
        layer.z[dim - 1] + sum * share
    }

    /// Adds the gradient of sum over lanes of `seed` * prediction to `gradient`, for the tokens of the
    /// last `forward`.
    #[inline(always)]
    pub fn backward<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        seed: Lanes,
        gradient: &mut LaneGradient,
    ) {
        let (dim, share) = (width.get(), 1.0 / self.n_heads as f64);
        let last = self.layers.len() - 1;
        self.d_z.fill(Lanes::ZERO);
        self.d_z[dim - 1] = seed;
        for index in (0..=last).rev() {
            let layer = &self.layers[index];
            let z = &layer.z[..dim];
            self.d_z_next.copy_from_slice(&self.d_z);
            for head in 0..self.n_heads {
                let (d_q, d_v) = gradient.matrices(index, head);
                let score = layer.scores[head];
                let vz = &layer.vz[head * dim..(head + 1) * dim];
                let d_score = if index == last {
                    // Only the last row of V has a gradient.
                    let scale = seed * share * score;
                    for (entry, &x) in d_v[dim * (dim - 1)..].iter_mut().zip(z) {
                        *entry += scale * x;
                    }
                    seed * share * vz[0]
                } else {
                    for (scaled, &x) in self.vector.iter_mut().zip(&self.d_z) {
                        *scaled = share * score * x;
                    }
                    add_outer(d_v, &self.vector[..dim], z);
                    share * dot(&self.d_z[..dim], vz)
                };
                for (scaled, &x) in self.vector.iter_mut().zip(z) {
                    *scaled = d_score * x;
                }
                add_outer(d_q, &self.vector[..dim], z);
                if index > 0 {
                    // dz += (Q z + Q^T z) dscore + score V^T dz' / H; `vector` is z dscore.
                    for (entry, &x) in self.d_z_next.iter_mut().zip(&layer.qz[head * dim..]) {
                        *entry += d_score * x;
                    }
                    let q = View::square(matrices.q(index, head), dim);
                    apply(&mut self.product, q, &self.vector[..dim]);
                    for (entry, &x) in self.d_z_next.iter_mut().zip(&self.product) {
                        *entry += x;
                    }
                    let v = View::square(matrices.v(index, head), dim);
                    apply(&mut self.product, v.t(), &self.d_z[..dim]);
                    for (entry, &x) in self.d_z_next.iter_mut().zip(&self.product) {
                        *entry += share * score * x;
                    }
                }
            }
            std::mem::swap(&mut self.d_z, &mut self.d_z_next);
        }
    }
}
