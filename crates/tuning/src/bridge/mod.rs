//! The bridge from the paper's model to a transformer: its regression task as sequences of tokens, for models
//! that differ in one ingredient at a time; and why value-only fine-tuning protects or does not.

pub mod explain;
pub mod explained_path;
pub mod regression;
