//! What draws training prompts: eight at a time, in Gram form.
//!
//! Does not know what they are for. Those who draw stand beside what they draw from.

use crate::math::lane_stream::LaneStream;
use crate::math::width::Width;
use crate::prompts::gram::PromptGroup;
use std::fmt::Debug;

/// Draws groups of eight prompts. Queries and contexts have streams of their own, so that prompts without
/// contexts have the queries that those with contexts have.
pub trait Sampler: Clone + Debug + Send {
    /// Before the first draw from new streams; contexts are drawn only for `few_shot`.
    #[inline(always)]
    fn start(&mut self, _queries: &mut LaneStream, _contexts: &mut LaneStream, _few_shot: bool) {}

    /// Draws the query pair: sets z_q and y_q. `width` is d + 2.
    fn draw_query<W: Width>(&mut self, width: W, stream: &mut LaneStream, group: &mut PromptGroup);

    /// Draws the context pairs: sets S for the query drawn before. `width` is d + 2.
    fn draw_context<W: Width>(
        &mut self,
        width: W,
        stream: &mut LaneStream,
        group: &mut PromptGroup,
    );
}
