//! Prompts drawn with replacement from a fixed data set, in Gram form.
//!
//! Does not know what the prompts are for.

use crate::icl::data_set::DataSet;
use crate::icl::gram::PromptGroup;
use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::width::Width;
use crate::math::words::Words;
use std::hint::black_box;

/// Draws groups of eight prompts of n context pairs and a query pair.
///
/// Rows are drawn one group ahead and asked for from memory then: the set is larger than the caches
/// next to a core, and a group's arithmetic takes about as long as its rows are on their way.
#[derive(Debug, Clone)]
pub struct Resampler<'a> {
    data: &'a DataSet,
    n_pairs: u32,
    /// Where the next group's query pairs stand in the set.
    next_query: Words,
    /// The same for its context pairs, pair by pair.
    next_context: Vec<Words>,
    /// Sums of one tile.
    tile: [Lanes; TILE],
}

/// Coordinates of a token in one group.
const TILE: usize = WIDTH;

impl<'a> Resampler<'a> {
    /// # Panics
    /// If the set has 2^32 pairs or more (256 GiB).
    pub fn new(data: &'a DataSet, n_shots: usize) -> Resampler<'a> {
        Resampler {
            data,
            n_pairs: u32::try_from(data.n_pairs()).expect("fewer than 2^32 pairs"),
            next_query: Words::ZERO,
            next_context: vec![Words::ZERO; n_shots],
            tile: [Lanes::ZERO; TILE],
        }
    }

    /// Draws the rows of a block's first queries. To be called before `draw_query` whenever a stream
    /// is a new one.
    #[inline(always)]
    pub fn start_queries(&mut self, stream: &mut LaneStream) {
        self.next_query = draw_places(self.data, self.n_pairs, stream);
    }

    /// The same for contexts.
    #[inline(always)]
    pub fn start_contexts(&mut self, stream: &mut LaneStream) {
        for places in &mut self.next_context {
            *places = draw_places(self.data, self.n_pairs, stream);
        }
    }

    /// Draws the query pair: sets z_q and y_q. `width` is d + 2.
    #[inline(always)]
    pub fn draw_query<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        let dim = width.get();
        let z = &mut group.z[..dim];
        for first in (0..dim).step_by(TILE) {
            let len = TILE.min(dim - first);
            for lane in 0..WIDTH {
                let token = self.data.group(self.next_query.0[lane], first / TILE);
                for (coordinate, &value) in z[first..first + len].iter_mut().zip(&token.0) {
                    coordinate.0[lane] = value;
                }
            }
        }
        group.y = std::mem::replace(&mut z[dim - 1], Lanes::ZERO);
        self.start_queries(stream);
    }

    /// Draws the context pairs: sets S for the query drawn before. `width` is d + 2.
    ///
    /// Token by token: all coordinates of one times each of them, so that nothing has to be brought
    /// from rows into lanes but the finished sums.
    #[inline(always)]
    pub fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        let dim = width.get();
        let s = &mut group.s[..dim * dim];
        for lane in 0..WIDTH {
            for top in (0..dim).step_by(TILE) {
                for left in (top..dim).step_by(TILE) {
                    self.add_tokens(lane, (dim, top, left), s);
                }
            }
        }
        self.start_contexts(stream);
        group.add_query(width, self.next_context.len());
    }

    /// One tile of sum z z^T over the context of the prompt in this lane.
    #[inline(always)]
    fn add_tokens(
        &mut self,
        lane: usize,
        (dim, top, left): (usize, usize, usize),
        s: &mut [Lanes],
    ) {
        let (rows, columns) = (TILE.min(dim - top), TILE.min(dim - left));
        let mut sums = [Lanes::ZERO; TILE];
        for places in &self.next_context {
            let right = self.data.group(places.0[lane], left / TILE);
            // Seen to be the same token, the compiler would save half of the products and lose the
            // vectors. This hides it, and nothing else: no bit depends on it.
            let factors = black_box(self.data.group(places.0[lane], top / TILE));
            for (sum, &factor) in sums[..rows].iter_mut().zip(&factors.0) {
                *sum += *right * factor;
            }
        }
        // Through memory, as whole vectors: the compiler would sum single numbers otherwise.
        self.tile = sums;
        for (i, sum) in self.tile.iter().enumerate().take(rows) {
            for (j, &value) in sum.0.iter().enumerate().take(columns) {
                s[(top + i) * dim + left + j].0[lane] = value;
            }
        }
    }
}

/// Places of eight rows drawn with replacement, which are then on their way from memory.
#[inline(always)]
fn draw_places(data: &DataSet, n_pairs: u32, stream: &mut LaneStream) -> Words {
    let places = data.places(stream.index(n_pairs));
    data.prefetch(&places);
    places
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
        resampler.start_queries(&mut stream);
        resampler.start_contexts(&mut stream);
        for _ in 0..50 {
            resampler.draw_query(3, &mut stream, &mut group);
            resampler.draw_context(3, &mut stream, &mut group);
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
