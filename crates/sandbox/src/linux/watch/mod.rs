//! What a command may do, and what is written down of what it does.

mod changes;
pub mod judge;
pub mod look;
pub mod notes;
pub mod places;
