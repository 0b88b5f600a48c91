//! Attention within each sequence, head by head: weights from queries and keys, then the weighted sum
//! of values.
//!
//! Queries may be asked of some tokens only (of those whose outputs are read, in the last layer). Weights are kept
//! for backward: by sequence, head and query, one for each token of the sequence, 0 for those not seen.

use crate::transformer::model::config::{Attention, Kernel};
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use icl::math::tensor::rows;
use std::ops::Range;

/// A sequence of a part: its tokens' rows, and the rows of those that ask.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    pub tokens: Range<usize>,
    pub queries: Range<usize>,
}

/// What one call works on.
pub(crate) struct Work<'a, T> {
    pub config: &'a Attention,
    pub sequences: &'a [Sequence],
    /// Token (row of keys) of each query row.
    pub asking: &'a [usize],
    /// query rows x (heads * head size).
    pub q: &'a [T],
    /// token rows x (key_value_heads * head size).
    pub k: &'a [T],
    pub v: &'a [T],
}

/// Buffers for one sequence's products.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch<T> {
    d_weights: Vec<T>,
}

impl<T: Float> Work<'_, T> {
    /// Number of attention weights.
    fn weights(&self) -> usize {
        let pairs = self
            .sequences
            .iter()
            .map(|s| s.queries.len() * s.tokens.len());
        pairs.sum::<usize>() * self.config.heads
    }

    /// Tokens that the query in this row sees, from the first of its sequence.
    fn seen(&self, sequence: &Sequence, query: usize) -> usize {
        match self.config.causal {
            true => self.asking[query] - sequence.tokens.start + 1,
            false => sequence.tokens.len(),
        }
    }

    /// Scales the products of queries and keys, or their gradient; 0 for tokens that are not seen.
    fn scale_rows(&self, sequence: &Sequence, block: &mut [T]) {
        let rows = block.chunks_exact_mut(sequence.tokens.len());
        for (query, row) in sequence.queries.clone().zip(rows) {
            let seen = self.seen(sequence, query);
            let (visible, hidden) = row.split_at_mut(seen);
            hidden.fill(T::ZERO);
            let scale = self.scale(seen);
            for entry in visible {
                *entry *= scale;
            }
        }
    }

    /// The factor of q . k.
    fn scale(&self, seen: usize) -> T {
        match self.config.kernel {
            Kernel::Linear => T::ONE / T::from_f64(seen as f64),
            Kernel::Softmax => T::ONE / T::from_f64(self.config.head_size as f64).sqrt(),
        }
    }

    fn head_of_keys(&self, head: usize) -> usize {
        head / (self.config.heads / self.config.key_value_heads)
    }

    /// The columns of one head in rows of heads.
    fn head<'a>(
        &self,
        data: &'a [T],
        heads: usize,
        rows: &Range<usize>,
        head: usize,
    ) -> MatrixRef<'a, T> {
        let size = self.config.head_size;
        MatrixRef::new(data, data.len() / (heads * size), heads * size)
            .rows(rows.start, rows.len())
            .columns(head * size, size)
    }

    fn head_mut<'a>(
        &self,
        data: &'a mut [T],
        heads: usize,
        rows: &Range<usize>,
        head: usize,
    ) -> MatrixMut<'a, T> {
        let size = self.config.head_size;
        let total = data.len() / (heads * size);
        MatrixMut::new(data, total, heads * size)
            .rows(rows.start, rows.len())
            .columns(head * size, size)
    }

    /// `mixed` = query rows x (heads * head size).
    pub fn forward(&self, weights: &mut Vec<T>, mixed: &mut Vec<T>) {
        let Attention {
            heads,
            key_value_heads: groups,
            ..
        } = *self.config;
        weights.resize(self.weights(), T::ZERO);
        mixed.resize(self.q.len(), T::ZERO);
        let mut rest = weights.as_mut_slice();
        for sequence in self.sequences {
            let (queries, tokens) = (sequence.queries.len(), sequence.tokens.len());
            for head in 0..heads {
                let (block, after) = rest.split_at_mut(queries * tokens);
                rest = after;
                let of_keys = self.head_of_keys(head);
                let q = self.head(self.q, heads, &sequence.queries, head);
                let k = self.head(self.k, groups, &sequence.tokens, of_keys);
                let v = self.head(self.v, groups, &sequence.tokens, of_keys);
                multiply(MatrixMut::new(block, queries, tokens), q, k.t(), false);
                self.scale_rows(sequence, block);
                if self.config.kernel == Kernel::Softmax {
                    let first = sequence.queries.start;
                    rows::softmax(block, tokens, |row| self.seen(sequence, first + row));
                }
                let out = self.head_mut(mixed, heads, &sequence.queries, head);
                multiply(out, MatrixRef::new(block, queries, tokens), v, false);
            }
        }
    }

    /// Sets dq, dk and dv from the gradient of `mixed`.
    pub fn backward(
        &self,
        weights: &[T],
        d_mixed: &[T],
        [dq, dk, dv]: [&mut Vec<T>; 3],
        scratch: &mut Scratch<T>,
    ) {
        let Attention {
            heads,
            key_value_heads: groups,
            ..
        } = *self.config;
        dq.resize(self.q.len(), T::ZERO);
        for (d, of) in [(&mut *dk, self.k), (&mut *dv, self.v)] {
            d.clear();
            d.resize(of.len(), T::ZERO);
        }
        let mut rest = weights;
        for sequence in self.sequences {
            let (queries, tokens) = (sequence.queries.len(), sequence.tokens.len());
            scratch.d_weights.resize(queries * tokens, T::ZERO);
            for head in 0..heads {
                let (block, after) = rest.split_at(queries * tokens);
                rest = after;
                let of_keys = self.head_of_keys(head);
                let q = self.head(self.q, heads, &sequence.queries, head);
                let k = self.head(self.k, groups, &sequence.tokens, of_keys);
                let v = self.head(self.v, groups, &sequence.tokens, of_keys);
                let d_out = self.head(d_mixed, heads, &sequence.queries, head);
                let p = MatrixRef::new(block, queries, tokens);
                let into = self.head_mut(dv, groups, &sequence.tokens, of_keys);
                multiply(into, p.t(), d_out, true);
                let d_weights = &mut scratch.d_weights;
                multiply(
                    MatrixMut::new(d_weights, queries, tokens),
                    d_out,
                    v.t(),
                    false,
                );
                if self.config.kernel == Kernel::Softmax {
                    rows::softmax_backward(d_weights, block, tokens);
                }
                self.scale_rows(sequence, d_weights);
                let d_scores = MatrixRef::new(d_weights, queries, tokens);
                let into = self.head_mut(dq, heads, &sequence.queries, head);
                multiply(into, d_scores, k, false);
                let into = self.head_mut(dk, groups, &sequence.tokens, of_keys);
                multiply(into, d_scores.t(), q, true);
            }
        }
    }
}
