//! Where the engine and the science meet: the kinds of stages, by what they do.
//!
//! A kind's file says what it reads, writes and needs to know; its code digest starts there. Kinds know
//! the science and the files they exchange, never the cache or the lock.

pub mod claims;
pub mod data;
pub mod exchange;
pub mod figure;
pub mod kept;
pub mod language;
pub mod measure;
pub mod mmlu;
pub mod params;
pub mod table;
pub mod train;
pub mod transformer;
