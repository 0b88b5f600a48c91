//! Prompts drawn with replacement from a fixed data set, in Gram form.
//!
//! Does not know what the prompts are for.

use crate::icl::data_set::DataSet;
use crate::icl::gram::{Columns, PromptGroup};
use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::width::Width;

/// Draws groups of eight prompts of n context pairs and a query pair.
#[derive(Debug, Clone)]
pub struct Resampler<'a> {
    data: &'a DataSet,
    n_pairs: u32,
    columns: Columns,
    query: Vec<Lanes>,
    /// Rows of the prompts' context pairs, pair by pair.
    rows: Vec<[usize; WIDTH]>,
}

impl<'a> Resampler<'a> {
    /// # Panics
    /// If the set has 2^32 pairs or more (256 GiB).
    pub fn new(data: &'a DataSet, n_shots: usize) -> Resampler<'a> {
        Resampler {
            data,
            n_pairs: u32::try_from(data.n_pairs()).expect("fewer than 2^32 pairs"),
            columns: Columns::new(data.d() + 1, n_shots, n_shots),
            query: vec![Lanes::ZERO; data.d() + 1],
            rows: vec![[0; WIDTH]; n_shots],
        }
    }

    /// Draws the query pair: sets z_q and y_q.
    #[inline(always)]
    pub fn draw_query(&mut self, stream: &mut LaneStream, group: &mut PromptGroup) {
        let d = self.data.d();
        let rows = self.draw_rows(stream);
        for (j, coordinate) in self.query.iter_mut().enumerate() {
            *coordinate = entries(self.data, j, &rows);
        }
        group.set_query(&self.query[..d], self.query[d]);
    }

    /// Draws the context pairs: sets S. `width` is d + 2.
    #[inline(always)]
    pub fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        let k = width.get() - 1;
        for pair in 0..self.rows.len() {
            self.rows[pair] = self.draw_rows(stream);
        }
        for j in 0..k {
            let columns = self.columns.data_mut().chunks_exact_mut(k);
            for (column, rows) in columns.zip(&self.rows) {
                column[j] = entries(self.data, j, rows);
            }
        }
        self.columns.sum_columns(k);
        group.set_few_shot(width, &self.columns);
    }

    #[inline(always)]
    fn draw_rows(&self, stream: &mut LaneStream) -> [usize; WIDTH] {
        stream.index(self.n_pairs)
    }
}

/// One coordinate of the given rows.
#[inline(always)]
fn entries(data: &DataSet, coordinate: usize, rows: &[usize; WIDTH]) -> Lanes {
    let mut lanes = Lanes::ZERO;
    for (value, &row) in lanes.0.iter_mut().zip(rows) {
        *value = data.entry(row, coordinate);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows (x, y) = (i, 100 i): every entry of a prompt tells which rows it holds.
    #[test]
    fn prompts_hold_rows_of_the_set() {
        let x = ndarray::Array2::from_shape_fn((6, 1), |(i, _)| i as f64);
        let y: Vec<f64> = (0..6).map(|i| 100.0 * f64::from(i)).collect();
        let data = DataSet::from_arrays(x.view(), &y).unwrap();
        let mut resampler = Resampler::new(&data, 3);
        let mut group = PromptGroup::new(1);
        let mut stream = LaneStream::new(1, "resample test", &[]);
        let mut seen = [false; 6];
        for _ in 0..50 {
            resampler.draw_query(&mut stream, &mut group);
            resampler.draw_context(group.dim(), &mut stream, &mut group);
            for lane in 0..WIDTH {
                let query = group.z[1].0[lane];
                assert_eq!(group.y.0[lane], 100.0 * query);
                seen[query as usize] = true;
                // Context sums without the query: sum y = 100 sum x.
                let sum_x = 4.0 * group.s[1].0[lane] - query;
                let sum_y = 4.0 * group.s[2].0[lane];
                assert!((sum_y - 100.0 * sum_x).abs() < 1e-9);
                assert!((sum_x - sum_x.round()).abs() < 1e-12 && sum_x <= 15.0);
            }
        }
        assert!(seen.iter().all(|&x| x));
    }
}
