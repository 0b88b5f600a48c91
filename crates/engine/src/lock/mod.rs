//! The committed record of what every stage gave, and how it changes.

pub mod block;
pub mod conflict;
pub mod diff;
pub mod file;
pub mod keys;
pub mod moves;
pub mod older;
pub mod text;
