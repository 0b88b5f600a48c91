//! Prompts drawn with replacement from a fixed data set, in Gram form.
//!
//! Does not know what the prompts are for.

use crate::math::lane_stream::LaneStream;
use crate::math::width::Width;
use crate::math::words::Words;
use crate::prompts::data_set::DataSet;
use crate::prompts::gram::PromptGroup;
use crate::prompts::sampler::Sampler;
use crate::prompts::token_reader::TokenReader;

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
    reader: TokenReader<'a>,
}

impl<'a> Resampler<'a> {
    /// # Panics
    /// If the set has 2^32 pairs or more (256 GiB).
    pub fn new(data: &'a DataSet, n_shots: usize) -> Resampler<'a> {
        Resampler {
            data,
            n_pairs: u32::try_from(data.n_pairs()).expect("fewer than 2^32 pairs"),
            next_query: Words::ZERO,
            next_context: vec![Words::ZERO; n_shots],
            reader: TokenReader::new(data),
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
}

/// Places of eight rows drawn with replacement, which are then on their way from memory.
#[inline(always)]
fn draw_places(data: &DataSet, n_pairs: u32, stream: &mut LaneStream) -> Words {
    let places = data.places(stream.index(n_pairs));
    data.prefetch(&places);
    places
}

impl Sampler for Resampler<'_> {
    #[inline(always)]
    fn start(&mut self, queries: &mut LaneStream, contexts: &mut LaneStream, few_shot: bool) {
        self.start_queries(queries);
        if few_shot {
            self.start_contexts(contexts);
        }
    }

    #[inline(always)]
    fn draw_query<W: Width>(&mut self, width: W, stream: &mut LaneStream, group: &mut PromptGroup) {
        self.reader.read_query(width, &self.next_query, group);
        self.start_queries(stream);
    }

    #[inline(always)]
    fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    ) {
        self.reader.read_context(width, &self.next_context, group);
        self.start_contexts(stream);
        group.add_query(width, self.next_context.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::lanes::WIDTH;

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
