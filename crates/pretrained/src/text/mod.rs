//! Texts to tokens and back, and conversations to texts. Does not know the model that reads them.

pub(crate) mod chat;
pub(crate) mod tokenizer;
