//! Eight prompts in Gram form: S = Z^T Z / N, the query token z_q, and its label y_q.
//!
//! A prompt of any length is (S, z_q): the cost of a forward pass does not depend on n. Does not know
//! where the tokens come from, nor what reads them.

use crate::math::lanes::Lanes;
use crate::math::width::Width;

/// The Gram form of eight prompts, one per lane. Tokens are (1, x_1..x_d, y).
#[derive(Debug, Clone)]
pub struct PromptGroup {
    /// S, (d+2) x (d+2) row-major, symmetric.
    pub s: Vec<Lanes>,
    /// z_q = (1, x_q, 0): the query's label is masked.
    pub z: Vec<Lanes>,
    /// y_q, noise included.
    pub y: Lanes,
}

impl PromptGroup {
    pub fn new(d: usize) -> PromptGroup {
        let dim = d + 2;
        PromptGroup {
            s: vec![Lanes::ZERO; dim * dim],
            z: vec![Lanes::ZERO; dim],
            y: Lanes::ZERO,
        }
    }

    /// Token width d + 2.
    pub fn dim(&self) -> usize {
        self.z.len()
    }

    /// Sets z_q = (1, x, 0) and y_q.
    #[inline(always)]
    pub fn set_query(&mut self, x: &[Lanes], y: Lanes) {
        let last = self.z.len() - 1;
        self.z[0] = Lanes::ONE;
        self.z[1..last].copy_from_slice(x);
        self.z[last] = Lanes::ZERO;
        self.y = y;
    }

    /// From sum z z^T over `n_shots` context tokens in the upper triangle of `s` to S with the query.
    #[inline(always)]
    pub fn add_query<W: Width>(&mut self, width: W, n_shots: usize) {
        let dim = width.get();
        let scale = 1.0 / (n_shots as f64 + 1.0);
        let (z, s) = (&self.z[..dim], &mut self.s[..dim * dim]);
        for i in 0..dim {
            for j in i..dim {
                let entry = (s[i * dim + j] + z[i] * z[j]) * scale;
                s[i * dim + j] = entry;
                s[j * dim + i] = entry;
            }
        }
    }

    /// S of the context behind `columns` and the query: N = n + 1. `width` is d + 2.
    #[allow(
        clippy::needless_range_loop,
        reason = "places in a triangle of a tile, not items"
    )]
    #[inline(always)]
    pub fn set_few_shot<W: Width>(&mut self, width: W, columns: &Columns) {
        let (dim, k) = (width.get(), width.get() - 1);
        let scale = 1.0 / (columns.n_shots as f64 + 1.0);
        let z = &self.z[1..dim];
        let s = &mut self.s[..dim * dim];
        s[0] = Lanes::ONE;
        for i in 0..k {
            let first = (columns.sum[i] + z[i]) * scale;
            s[i + 1] = first;
            s[(i + 1) * dim] = first;
        }
        // A tile of the upper triangle at a time, its sums side by side. Where the width is a constant
        // all loops but the one over columns unroll, and the sums stay in registers.
        for top in (0..k).step_by(TILE) {
            for left in (top..k).step_by(TILE) {
                let (rows, others) = (TILE.min(k - top), TILE.min(k - left));
                let mut sums = [[Lanes::ZERO; TILE]; TILE];
                for i in 0..rows {
                    for j in (if top == left { i } else { 0 })..others {
                        sums[i][j] = z[top + i] * z[left + j];
                    }
                }
                for column in columns.data.chunks_exact(k) {
                    for i in 0..rows {
                        for j in (if top == left { i } else { 0 })..others {
                            sums[i][j] += column[top + i] * column[left + j];
                        }
                    }
                }
                for i in 0..rows {
                    for j in (if top == left { i } else { 0 })..others {
                        let (row, column) = (top + i + 1, left + j + 1);
                        s[row * dim + column] = sums[i][j] * scale;
                        s[column * dim + row] = sums[i][j] * scale;
                    }
                }
            }
        }
    }
}

/// Vectors c_t of (x, y) with sum_t c_t c_t^T = sum_i (x_i, y_i)(x_i, y_i)^T over the n context pairs,
/// and the pairs' plain sum: the pairs themselves, or fewer columns with the same Gram matrix.
#[derive(Debug, Clone)]
pub struct Columns {
    n_shots: usize,
    /// Column after column, d + 1 coordinates each.
    data: Vec<Lanes>,
    /// Sum over the n pairs.
    pub sum: Vec<Lanes>,
}

impl Columns {
    /// Room for `n_columns` columns of `n_coordinates` numbers that stand for `n_shots` pairs.
    pub fn new(n_coordinates: usize, n_columns: usize, n_shots: usize) -> Columns {
        Columns {
            n_shots,
            data: vec![Lanes::ZERO; n_coordinates * n_columns],
            sum: vec![Lanes::ZERO; n_coordinates],
        }
    }

    /// Column after column, d + 1 coordinates each.
    #[inline(always)]
    pub fn data_mut(&mut self) -> &mut [Lanes] {
        &mut self.data
    }

    /// The first column, and the plain sum to set.
    #[inline(always)]
    pub fn first_and_sum(&mut self) -> (&[Lanes], &mut [Lanes]) {
        let len = self.sum.len();
        (&self.data[..len], &mut self.sum)
    }

    /// Sets `sum` to the sum of the columns: when the columns are the pairs. `k` is d + 1.
    #[inline(always)]
    pub fn sum_columns(&mut self, k: usize) {
        let sum = &mut self.sum[..k];
        sum.fill(Lanes::ZERO);
        for column in self.data.chunks_exact(k) {
            for (total, &value) in sum.iter_mut().zip(column) {
                *total += value;
            }
        }
    }
}

/// Sums that grow side by side, in registers where the sizes are constants.
const TILE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_prompt_by_hand() {
        // d = 1: context (x, y) = (1, 2), (3, -1); query x = 2.
        let mut columns = Columns::new(2, 2, 2);
        let pairs = [1.0, 2.0, 3.0, -1.0].map(Lanes::splat);
        columns.data_mut().copy_from_slice(&pairs);
        columns.sum_columns(2);
        let mut group = PromptGroup::new(1);
        group.set_query(&[Lanes::splat(2.0)], Lanes::splat(9.0));
        group.set_few_shot(3, &columns);
        let lane: Vec<f64> = group.s.iter().map(|x| x.0[5] * 3.0).collect();
        let expected = [3.0, 6.0, 1.0, 6.0, 14.0, -1.0, 1.0, -1.0, 5.0];
        for (found, expected) in lane.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{lane:?}");
        }
    }
}
