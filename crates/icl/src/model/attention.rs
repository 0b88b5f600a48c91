//! The hot kernel: predictions of eight prompts in Gram form, and gradients of their loss.
//!
//! Any number of layers and heads. Inner layers map (S, z) to (M^T S M, M^T z) with
//! M = I + (1/H) sum_h Q_h S V_h^T; the last layer needs only the last row v_h of each V_h:
//! prediction = z\[last\] + (1/H) sum_h z^T Q_h S v_h. Source: `docs/theory.md`, section 1. No
//! allocation per call. Does not know where prompts come from or what the loss is.

use crate::math::lanes::Lanes;
use crate::math::product::{View, add_outer, add_product, apply, dot, multiply};
use crate::math::width::Width;
use crate::model::effective::Effective;
use crate::prompts::gram::PromptGroup;

/// Buffers of one forward and backward pass.
#[derive(Debug, Clone)]
pub struct Attention {
    n_heads: usize,
    layers: Vec<Layer>,
    /// S v_h and Q_h^T z of the last layer, by head.
    sv: Vec<Lanes>,
    qz: Vec<Lanes>,
    vector: Vec<Lanes>,
    product: Vec<Lanes>,
    through_m: Vec<Lanes>,
    d_m: Vec<Lanes>,
    /// dS + dS^T: S is symmetric, and this is all of dS that what follows needs.
    d_s: Vec<Lanes>,
    d_z: Vec<Lanes>,
    d_z_next: Vec<Lanes>,
}

/// What one layer reads (S, z), empty for the first, which reads the prompt itself; and for an inner
/// layer its map M, S M, and Q_h S by head.
#[derive(Debug, Clone)]
struct Layer {
    s: Vec<Lanes>,
    z: Vec<Lanes>,
    m: Vec<Lanes>,
    sm: Vec<Lanes>,
    qs: Vec<Lanes>,
}

/// Sums of a gradient with respect to the effective matrices, lane by lane.
#[derive(Debug, Clone)]
pub struct LaneGradient {
    dim: usize,
    n_heads: usize,
    q: Vec<Lanes>,
    v: Vec<Lanes>,
}

impl LaneGradient {
    pub fn zeros(dim: usize, n_layers: usize, n_heads: usize) -> LaneGradient {
        let zeros = vec![Lanes::ZERO; n_layers * n_heads * dim * dim];
        LaneGradient {
            dim,
            n_heads,
            q: zeros.clone(),
            v: zeros,
        }
    }

    pub fn clear(&mut self) {
        self.q.fill(Lanes::ZERO);
        self.v.fill(Lanes::ZERO);
    }

    /// Writes the sums over the lanes.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn reduce_into(&self, out: &mut Effective) {
        let size = self.dim * self.dim;
        let places = (0..out.n_layers()).flat_map(|l| (0..self.n_heads).map(move |h| (l, h)));
        let sums = self.q.chunks_exact(size).zip(self.v.chunks_exact(size));
        for ((layer, head), (q, v)) in places.zip(sums) {
            for (entry, lanes) in out.q_mut(layer, head).iter_mut().zip(q) {
                *entry = lanes.sum();
            }
            for (entry, lanes) in out.v_mut(layer, head).iter_mut().zip(v) {
                *entry = lanes.sum();
            }
        }
    }

    /// The sums for Q and V of one head.
    #[inline(always)]
    pub fn matrices(&mut self, layer: usize, head: usize) -> (&mut [Lanes], &mut [Lanes]) {
        let size = self.dim * self.dim;
        let start = (layer * self.n_heads + head) * size;
        (
            &mut self.q[start..start + size],
            &mut self.v[start..start + size],
        )
    }
}

impl Attention {
    /// Buffers for models of these sizes.
    ///
    /// # Panics
    /// If a size is 0.
    pub fn new(dim: usize, n_layers: usize, n_heads: usize) -> Attention {
        assert!(dim > 0 && n_layers > 0 && n_heads > 0, "attention: sizes");
        let zeros = |len: usize| vec![Lanes::ZERO; len];
        let size = dim * dim;
        let layers = (1..=n_layers)
            .map(|layer| {
                let inner = if layer < n_layers { size } else { 0 };
                let (s, z) = if layer > 1 { (size, dim) } else { (0, 0) };
                Layer {
                    s: zeros(s),
                    z: zeros(z),
                    m: zeros(inner),
                    sm: zeros(inner),
                    qs: zeros(inner * n_heads),
                }
            })
            .collect();
        Attention {
            n_heads,
            layers,
            sv: zeros(n_heads * dim),
            qz: zeros(n_heads * dim),
            vector: zeros(dim),
            product: zeros(size),
            through_m: zeros(size),
            d_m: zeros(size),
            d_s: zeros(size),
            d_z: zeros(dim),
            d_z_next: zeros(dim),
        }
    }

    /// Predictions of the prompts, and the trace that `backward` needs. `width` is the d + 2 of
    /// `new`.
    #[inline(always)]
    pub fn forward<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
    ) -> Lanes {
        for layer in 0..self.layers.len() - 1 {
            self.forward_inner(width, matrices, prompts, layer);
        }
        self.forward_last(width, matrices, prompts)
    }

    #[inline(always)]
    fn forward_inner<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
        index: usize,
    ) {
        let (dim, share) = (width.get(), 1.0 / self.n_heads as f64);
        let (before, after) = self.layers.split_at_mut(index + 1);
        let (Layer { s, z, m, sm, qs }, next) = (&mut before[index], &mut after[0]);
        let (s, z) = if index == 0 {
            (&prompts.s[..], &prompts.z[..])
        } else {
            (&s[..], &z[..])
        };
        let s = View::square(s, dim);
        m.fill(Lanes::ZERO);
        for i in 0..dim {
            m[i * dim + i] = Lanes::ONE;
        }
        for (head, qs) in qs.chunks_exact_mut(dim * dim).enumerate() {
            let q = View::square(matrices.q(index, head), dim);
            let v = View::square(matrices.v(index, head), dim);
            multiply(qs, q, s);
            add_product(m, share, View::square(qs, dim), v.t());
        }
        let m = View::square(&m[..], dim);
        multiply(sm, s, m);
        multiply(&mut next.s, m.t(), View::square(&sm[..], dim));
        apply(&mut next.z, m.t(), z);
    }

    #[inline(always)]
    fn forward_last<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
    ) -> Lanes {
        let (dim, index) = (width.get(), self.layers.len() - 1);
        let (s, z) = input(&self.layers, index, prompts);
        let (s, z) = (View::square(s, dim), &z[..dim]);
        let mut sum = Lanes::ZERO;
        let buffers = self
            .sv
            .chunks_exact_mut(dim)
            .zip(self.qz.chunks_exact_mut(dim));
        for (head, (sv, qz)) in buffers.enumerate() {
            apply(sv, s, matrices.value_row(index, head));
            apply(qz, View::square(matrices.q(index, head), dim).t(), z);
            sum += dot(qz, sv);
        }
        z[dim - 1] + sum * (1.0 / self.n_heads as f64)
    }

    /// Adds the gradient of sum over lanes of `seed` * prediction to `gradient`, for the prompts of
    /// the last `forward`.
    #[inline(always)]
    pub fn backward<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
        seed: Lanes,
        gradient: &mut LaneGradient,
    ) {
        self.backward_last(width, matrices, prompts, seed, gradient);
        for layer in (0..self.layers.len() - 1).rev() {
            self.backward_inner(width, matrices, prompts, layer, gradient);
        }
    }

    #[inline(always)]
    fn backward_last<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
        seed: Lanes,
        gradient: &mut LaneGradient,
    ) {
        let (dim, index) = (width.get(), self.layers.len() - 1);
        let (s, z) = input(&self.layers, index, prompts);
        let s = View::square(s, dim);
        let seed_per_head = seed * (1.0 / self.n_heads as f64);
        let inner_layers = index > 0;
        if inner_layers {
            self.d_s.fill(Lanes::ZERO);
            self.d_z.fill(Lanes::ZERO);
            self.d_z[dim - 1] = seed;
        }
        for (scaled, &z) in self.d_z_next.iter_mut().zip(z) {
            *scaled = seed_per_head * z;
        }
        for head in 0..self.n_heads {
            let here = head * dim..(head + 1) * dim;
            let (sv, qz) = (&self.sv[here.clone()], &self.qz[here]);
            let (d_q, d_v) = gradient.matrices(index, head);
            add_outer(d_q, &self.d_z_next, sv);
            apply(&mut self.vector, s, qz);
            let d_value_row = &mut d_v[dim * (dim - 1)..];
            for (entry, &x) in d_value_row.iter_mut().zip(&self.vector) {
                *entry += seed_per_head * x;
            }
            if inner_layers {
                for (scaled, &x) in self.vector.iter_mut().zip(qz) {
                    *scaled = seed_per_head * x;
                }
                add_outer(&mut self.d_s, &self.vector, matrices.value_row(index, head));
                apply(
                    &mut self.vector,
                    View::square(matrices.q(index, head), dim),
                    sv,
                );
                for (d_z, &x) in self.d_z.iter_mut().zip(&self.vector) {
                    *d_z += seed_per_head * x;
                }
            }
        }
        if inner_layers {
            add_transpose(&mut self.d_s, dim);
        }
    }

    /// From dS + dS^T and dz of the layer's output to those of its input, and to Q and V.
    #[inline(always)]
    fn backward_inner<W: Width>(
        &mut self,
        width: W,
        matrices: &Effective,
        prompts: &PromptGroup,
        index: usize,
        gradient: &mut LaneGradient,
    ) {
        let (dim, share) = (width.get(), 1.0 / self.n_heads as f64);
        let layer = &self.layers[index];
        let (s, z) = input(&self.layers, index, prompts);
        let s = View::square(s, dim);
        let m = View::square(&layer.m[..], dim);
        // dM = S M (dS' + dS'^T) + z dz'^T
        let sm = View::square(&layer.sm[..], dim);
        multiply(&mut self.d_m, sm, View::square(&self.d_s[..], dim));
        add_outer(&mut self.d_m, z, &self.d_z);

        let first = index == 0;
        if !first {
            // Through S' = M^T S M: dS = M dS' M^T; dz = M dz'. The part through M comes below.
            multiply(&mut self.product, m, View::square(&self.d_s[..], dim));
            multiply(&mut self.d_s, View::square(&self.product[..], dim), m.t());
            apply(&mut self.d_z_next, m, &self.d_z);
            std::mem::swap(&mut self.d_z, &mut self.d_z_next);
        }
        let d_m = View::square(&self.d_m[..], dim);
        for (head, qs) in layer.qs.chunks_exact(dim * dim).enumerate() {
            let (d_q, d_v) = gradient.matrices(index, head);
            let v = View::square(matrices.v(index, head), dim);
            multiply(&mut self.product, d_m, v);
            let d_mv = View::square(&self.product[..], dim);
            add_product(d_q, share, d_mv, s);
            add_product(d_v, share, d_m.t(), View::square(qs, dim));
            if !first {
                let q = View::square(matrices.q(index, head), dim);
                multiply(&mut self.through_m, q.t(), d_mv);
                add_with_transpose(&mut self.d_s, share, &self.through_m, dim);
            }
        }
    }
}

/// What a layer reads.
#[inline(always)]
fn input<'a>(
    layers: &'a [Layer],
    index: usize,
    prompts: &'a PromptGroup,
) -> (&'a [Lanes], &'a [Lanes]) {
    if index == 0 {
        (&prompts.s, &prompts.z)
    } else {
        (&layers[index].s, &layers[index].z)
    }
}

/// a += a^T.
#[inline(always)]
fn add_transpose(a: &mut [Lanes], dim: usize) {
    for i in 0..dim {
        for j in i..dim {
            let sum = a[i * dim + j] + a[j * dim + i];
            a[i * dim + j] = sum;
            a[j * dim + i] = sum;
        }
    }
}

/// out += scale * (a + a^T).
#[inline(always)]
fn add_with_transpose(out: &mut [Lanes], scale: f64, a: &[Lanes], dim: usize) {
    for i in 0..dim {
        for j in 0..dim {
            out[i * dim + j] += scale * (a[i * dim + j] + a[j * dim + i]);
        }
    }
}
