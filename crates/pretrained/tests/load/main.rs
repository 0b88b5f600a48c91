//! Loading: the same small model from a GGUF file and from a folder, files that are broken in every place, files that
//! are refused, tokenizers and chat templates. All files are written here, by writers that share nothing with the
//! readers.

mod damaged;
mod folder;
mod gguf;
mod refused;
mod same;
mod texts;
mod tiny;
