//! What language models have in common, whatever they are used for: text and its tokens; and fine-tuning on tasks in words
//! with what is measured on the way.
//!
//! In the order of dependence: [`codec`], [`example`]; [`items`], [`split`], [`letters`], [`prompt`], [`tasks`], [`evaluation`],
//! [`world`], [`finetune`]. Knows no file format and no tokenizer's rules.

pub mod codec;
pub mod evaluation;
pub mod example;
pub mod finetune;
pub mod items;
pub mod letters;
pub mod prompt;
pub mod split;
pub mod tasks;
pub mod world;
