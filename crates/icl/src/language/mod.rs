//! What language models have in common, whatever they are used for: text and its tokens; and short tasks as text.
//!
//! Knows no experiment, no file format and no tokenizer's rules.

pub mod codec;
pub mod items;
pub mod letters;
pub mod prompt;
pub mod split;
