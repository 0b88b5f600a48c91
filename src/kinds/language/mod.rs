//! Tasks as text, for language models.

pub mod items;
