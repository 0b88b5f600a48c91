//! The kinds of stages, and what they share.

pub mod count;
pub mod counts;
pub mod draw;
pub mod estimate;
pub mod fit;
pub mod random;
