//! Fine-tuning a pretrained transformer in variants, and what it still can along the way: the same for every world of
//! tasks.

pub mod paths;
pub mod variant;
pub mod world;
