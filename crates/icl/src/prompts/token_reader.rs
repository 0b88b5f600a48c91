//! Reads chosen rows of a data set as the tokens of eight prompts.
//!
//! Does not know who chooses the rows, nor by which rule.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::width::Width;
use crate::math::words::Words;
use crate::prompts::data_set::DataSet;
use crate::prompts::gram::PromptGroup;
use std::hint::black_box;

/// Coordinates of a token in one group.
const TILE: usize = WIDTH;

/// Tokens of one data set. Rows are given by their places, as [`DataSet::places`] gives them.
#[derive(Debug, Clone)]
pub struct TokenReader<'a> {
    data: &'a DataSet,
    /// Sums of one tile.
    tile: [Lanes; TILE],
}

impl<'a> TokenReader<'a> {
    pub fn new(data: &'a DataSet) -> TokenReader<'a> {
        TokenReader {
            data,
            tile: [Lanes::ZERO; TILE],
        }
    }

    /// The tokens (1, x, y) at these places, coordinate by coordinate.
    #[inline(always)]
    pub fn read_token<W: Width>(&self, width: W, places: &Words, out: &mut [Lanes]) {
        let dim = width.get();
        let out = &mut out[..dim];
        for first in (0..dim).step_by(TILE) {
            let len = TILE.min(dim - first);
            for lane in 0..WIDTH {
                let token = self.data.group(places.0[lane], first / TILE);
                for (coordinate, &value) in out[first..first + len].iter_mut().zip(&token.0) {
                    coordinate.0[lane] = value;
                }
            }
        }
    }

    /// Sets z_q and y_q to the pairs at these places. `width` is d + 2.
    #[inline(always)]
    pub fn read_query<W: Width>(&self, width: W, places: &Words, group: &mut PromptGroup) {
        self.read_token(width, places, &mut group.z);
        group.y = std::mem::replace(&mut group.z[width.get() - 1], Lanes::ZERO);
    }

    /// Sets the upper triangle of `s` to sum z z^T over the context at these places, pair by pair:
    /// [`PromptGroup::add_query`] makes it S. `width` is d + 2.
    ///
    /// Token by token: all coordinates of one times each of them, so that nothing has to be brought
    /// from rows into lanes but the finished sums. Of the tiles that mirror each other the lower one, which at the
    /// rim has few rows: its columns are whole lanes anyway.
    #[inline(always)]
    pub fn read_context<W: Width>(&mut self, width: W, context: &[Words], group: &mut PromptGroup) {
        let dim = width.get();
        let s = &mut group.s[..dim * dim];
        for lane in 0..WIDTH {
            for top in (0..dim).step_by(TILE) {
                for left in (0..=top).step_by(TILE) {
                    let place = (dim, top, left);
                    // Tokens are padded with zeros: a tile may as well be a whole one.
                    match dim - top {
                        2 => self.add_tokens::<2>(context, lane, place, s),
                        6 => self.add_tokens::<6>(context, lane, place, s),
                        7 => self.add_tokens::<7>(context, lane, place, s),
                        _ => self.add_tokens::<TILE>(context, lane, place, s),
                    }
                }
            }
        }
    }

    /// One tile of `ROWS` rows of sum z z^T over the context of the prompt in this lane, mirrored.
    #[inline(always)]
    fn add_tokens<const ROWS: usize>(
        &mut self,
        context: &[Words],
        lane: usize,
        (dim, top, left): (usize, usize, usize),
        s: &mut [Lanes],
    ) {
        let (rows, columns) = (ROWS.min(dim - top), TILE.min(dim - left));
        let mut sums = [Lanes::ZERO; TILE];
        for places in context {
            let right = self.data.group(places.0[lane], left / TILE);
            // Seen to be the same token, the compiler would save half of the products and lose the
            // vectors. This hides it, and nothing else: no bit depends on it.
            let factors = black_box(self.data.group(places.0[lane], top / TILE));
            for (sum, &factor) in sums[..ROWS].iter_mut().zip(&factors.0) {
                *sum += *right * factor;
            }
        }
        // Through memory, as whole vectors: the compiler would sum single numbers otherwise.
        self.tile = sums;
        for (i, sum) in self.tile.iter().enumerate().take(rows) {
            for (j, &value) in sum.0.iter().enumerate().take(columns) {
                s[(left + j) * dim + top + i].0[lane] = value;
            }
        }
    }
}
