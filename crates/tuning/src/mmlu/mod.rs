//! The paper's experiment on MMLU: items, prompts, batches of fine-tuning, and grading.
//!
//! In the order of dependence: [`subjects`], [`items`], [`split`], [`answer`], [`prompts`], [`word_count`], [`shots`],
//! [`padding`], [`builder`], [`training`], [`sampling`], [`speaker`], [`grading`], [`summary`]. Knows no file
//! format, no tokenizer but as a [`Codec`](crate::language::codec::Codec), and no model but as a
//! [`Speaker`](speaker::Speaker).

pub mod answer;
pub mod builder;
pub mod grading;
pub mod items;
pub mod padding;
pub mod prompts;
pub mod sampling;
pub mod shots;
pub mod speaker;
pub mod split;
pub mod subjects;
pub mod summary;
pub mod training;
pub mod word_count;
