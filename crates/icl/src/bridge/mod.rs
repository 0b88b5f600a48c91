//! The bridge from the paper's model to a transformer: its regression task as sequences of tokens, for models
//! that differ in one ingredient at a time.

pub mod regression;
