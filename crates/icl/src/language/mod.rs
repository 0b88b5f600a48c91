//! What language models have in common, whatever they are used for: text and its tokens.
//!
//! Knows no experiment, no file format and no tokenizer's rules.

pub mod codec;
