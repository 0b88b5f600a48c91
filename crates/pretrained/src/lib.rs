//! Pretrained language models, from the files that others made: configuration, parameters, tokenizer, chat template.
//!
//! Two forms of the same: a GGUF file ([`load_gguf`]), and the files of a folder of the model hub ([`load_folder`]).
//! Families: Llama and Qwen2. What comes out is what `tuning::transformer` takes. Everything is checked before it is
//! used, and what is taken from memory is bounded by the files' lengths. Knows nothing of stages, training or
//! where files come from; opens no connection.

mod base;
mod gguf;
mod hub;
mod model;
mod text;

pub use base::error::{Error, Result};
pub use gguf::{load_gguf, read_gguf};
pub use hub::{Files, load_folder};
pub use model::loaded::{About, Pretrained};
pub use text::chat::{ChatTemplate, Message};
pub use text::tokenizer::Tokenizer;
