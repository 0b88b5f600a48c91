//! Fine-tuning a language model on short tasks as text.

pub mod finetune;
pub mod items;
pub mod model;
pub mod rates;
