//! GGUF, llama.cpp's format: one file with configuration, tokenizer, chat template and weights, which may be quantised.
//!
//! Weights are made f32 as llama.cpp makes them. Does not know who runs the model.

mod architecture;
mod cursor;
mod file;
mod header;
mod words;

use crate::base::error::{self, Result};
use crate::gguf::header::Header;
use crate::model::loaded::{About, Parts, Pretrained};
use crate::text::chat::ChatTemplate;
use crate::text::tokenizer::Tokenizer;
use std::path::Path;

/// The model in a file. Takes the file's length of memory, and 4 bytes for each parameter.
///
/// # Errors
/// A file that cannot be read, is no GGUF file, is damaged, or has what [`read_gguf`] refuses.
pub fn load_gguf(path: &Path) -> Result<Pretrained> {
    read_gguf(path, &error::read(path)?)
}

/// The model in a file's bytes; `path` names them in errors.
///
/// # Errors
/// No GGUF file of version 2 or 3; one that is cut off, contradicts itself, or has tensors that are missing, left
/// over, of a shape that its sizes do not give, or not finite; another architecture than `llama` and `qwen2`, another
/// tokenizer than byte-level BPE, or types of values that are not supported.
pub fn read_gguf(path: &Path, bytes: &[u8]) -> Result<Pretrained> {
    let file = file::parse(path, bytes)?;
    let header = Header { path, file: &file };
    let tokens = Tokenizer::of_json(path, words::tokenizer(&header)?)?;
    let word = |key: &str| -> Result<String> {
        let id = header.token(key)?;
        Ok(id.and_then(|id| tokens.token(id)).unwrap_or_default())
    };
    let chat = match header.text("tokenizer.chat_template")? {
        None => None,
        Some(template) => {
            let first = word("tokenizer.ggml.bos_token_id")?;
            let last = word("tokenizer.ggml.eos_token_id")?;
            Some(ChatTemplate::new(path, template, &first, &last)?)
        }
    };
    let ends = ["eos_token_id", "eot_token_id"].map(|key| format!("tokenizer.ggml.{key}"));
    let mut end = Vec::new();
    for key in &ends {
        end.extend(header.token(key)?);
    }
    let own = |key: &str| Ok(header.text(key)?.map(str::to_owned));
    let about = About {
        name: own("general.name")?,
        licence: own("general.license")?,
    };
    let (config, context, parameters) = architecture::read(&header, bytes.len())?;
    let parts = Parts {
        config,
        context,
        tokens,
        chat,
        end,
        about,
    };
    parts.complete(path, parameters)
}
