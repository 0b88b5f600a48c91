//! Kinds that pretrain and fine-tune transformers.

pub mod bridge_explain;
pub mod bridge_finetune;
pub mod bridge_pretrain;
pub mod finetune;
pub mod model;
pub mod model_file;
pub mod optimisation;
pub mod pretrain;
pub mod regression;
pub mod variant;
pub mod words;
pub mod words_finetune;
pub mod words_pretrain;
