//! The paper's experiment on MMLU: items that the user has, prompts, fine-tuning of a language model, and how right it is.
//!
//! The science is in [`tuning::mmlu`]; here are files and params.

pub mod checkpoints;
pub mod evaluate;
pub mod finetune;
pub mod frame;
pub mod item_table;
pub mod items;
pub mod prompting;
pub mod prompts;
pub mod random_model;
pub mod rationales;
pub mod score_tables;
pub mod source;
pub mod training;
