//! What a transformer is made of: its configuration, its tensors and their values, and the batches that it reads.

pub mod batch;
pub mod config;
pub mod layout;
pub mod parameters;
