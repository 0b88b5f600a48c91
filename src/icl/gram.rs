//! Eight prompts in Gram form: S = Z^T Z / N, the query token z_q, and its label y_q.
//!
//! A prompt of any length is (S, z_q): the cost of a forward pass does not depend on n. Does not know
//! where the tokens come from, nor what reads them.

use crate::math::lanes::Lanes;

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

    /// S of the query alone (N = 1): z_q z_q^T.
    #[inline(always)]
    pub fn set_zero_shot(&mut self) {
        let dim = self.z.len();
        for (row, &left) in self.s.chunks_exact_mut(dim).zip(&self.z) {
            for (entry, &right) in row.iter_mut().zip(&self.z) {
                *entry = left * right;
            }
        }
    }

    /// S of the context behind `columns` and the query: N = n + 1.
    #[inline(always)]
    pub fn set_few_shot(&mut self, columns: &Columns) {
        let dim = self.z.len();
        let scale = 1.0 / (columns.n_shots as f64 + 1.0);
        self.s[0] = Lanes::ONE;
        for i in 1..dim {
            let left = columns.coordinate(i - 1);
            let first = (columns.sum[i - 1] + self.z[i]) * scale;
            self.s[i] = first;
            self.s[i * dim] = first;
            for j in i..dim {
                let mut sum = self.z[i] * self.z[j];
                for (&a, &b) in left.iter().zip(columns.coordinate(j - 1)) {
                    sum += a * b;
                }
                self.s[i * dim + j] = sum * scale;
                self.s[j * dim + i] = sum * scale;
            }
        }
    }
}

/// Vectors c_t of (x, y) with sum_t c_t c_t^T = sum_i (x_i, y_i)(x_i, y_i)^T over the n context pairs,
/// and the pairs' plain sum: the pairs themselves, or fewer columns with the same Gram matrix.
#[derive(Debug, Clone)]
pub struct Columns {
    n_shots: usize,
    n_columns: usize,
    /// Coordinate-major: coordinate i of column t at i * n_columns + t.
    data: Vec<Lanes>,
    /// Sum over the n pairs.
    pub sum: Vec<Lanes>,
}

impl Columns {
    /// Room for `n_columns` columns of `n_coordinates` numbers that stand for `n_shots` pairs.
    pub fn new(n_coordinates: usize, n_columns: usize, n_shots: usize) -> Columns {
        Columns {
            n_shots,
            n_columns,
            data: vec![Lanes::ZERO; n_coordinates * n_columns],
            sum: vec![Lanes::ZERO; n_coordinates],
        }
    }

    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// One coordinate of all columns.
    #[inline(always)]
    pub fn coordinate(&self, i: usize) -> &[Lanes] {
        &self.data[i * self.n_columns..(i + 1) * self.n_columns]
    }

    #[inline(always)]
    pub fn coordinate_mut(&mut self, i: usize) -> &mut [Lanes] {
        &mut self.data[i * self.n_columns..(i + 1) * self.n_columns]
    }

    /// Everything, coordinate after coordinate.
    #[inline(always)]
    pub fn data_mut(&mut self) -> &mut [Lanes] {
        &mut self.data
    }

    /// Sets `sum` to the sum of the columns: when the columns are the pairs.
    #[inline(always)]
    pub fn sum_columns(&mut self) {
        let Columns {
            n_columns,
            data,
            sum,
            ..
        } = self;
        if *n_columns == 0 {
            return;
        }
        for (total, coordinate) in sum.iter_mut().zip(data.chunks_exact(*n_columns)) {
            let mut running = Lanes::ZERO;
            for &value in coordinate {
                running += value;
            }
            *total = running;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_prompt_by_hand() {
        // d = 1: context (x, y) = (1, 2), (3, -1); query x = 2.
        let mut columns = Columns::new(2, 2, 2);
        columns
            .coordinate_mut(0)
            .copy_from_slice(&[Lanes::splat(1.0), Lanes::splat(3.0)]);
        columns
            .coordinate_mut(1)
            .copy_from_slice(&[Lanes::splat(2.0), Lanes::splat(-1.0)]);
        columns.sum_columns();
        let mut group = PromptGroup::new(1);
        group.set_query(&[Lanes::splat(2.0)], Lanes::splat(9.0));
        group.set_few_shot(&columns);
        let lane: Vec<f64> = group.s.iter().map(|x| x.0[5] * 3.0).collect();
        let expected = [3.0, 6.0, 1.0, 6.0, 14.0, -1.0, 1.0, -1.0, 5.0];
        for (found, expected) in lane.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{lane:?}");
        }
        group.set_zero_shot();
        assert_eq!(group.s[4], Lanes::splat(4.0));
        assert_eq!(group.s[8], Lanes::ZERO);
    }
}
