//! What is kept between runs: contents by digest, actions by key, what was seen of files; and whose folder that is.

pub mod actions;
pub(crate) mod cache_folder;
pub mod content;
pub mod history;
pub mod stat;
pub mod variation;
pub mod workspace;
