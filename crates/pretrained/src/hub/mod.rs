//! A model as the model hub lays it out: `config.json`, `tokenizer.json`, and safetensors files of weights.
//!
//! Each file is named by its path, so that whoever names them can watch each; [`Files::find`] looks for them in a
//! folder. Opens no connection.

mod config;
mod files;
mod json;
mod weights;

use crate::base::error::{self, Error, Result};
use crate::model::loaded::{About, Parts, Pretrained};
use crate::text::chat::ChatTemplate;
use crate::text::tokenizer::Tokenizer;
pub use files::Files;
use json::json;
use serde_json::Value;
use std::path::Path;

/// The model in these files. Takes the length of the longest file of weights of memory, and 4 bytes for each parameter.
///
/// # Errors
/// A file that cannot be read, is damaged, or does not fit the others; another family than Llama and Qwen2;
/// an ingredient or a type of values that is not supported; tensors that are missing, left over, of a shape that the
/// configuration does not give, or not finite.
pub fn load_folder(files: &Files) -> Result<Pretrained> {
    let settings = json(&files.config)?;
    let (config, context) = config::read(&files.config, &settings)?;
    let tokens = Tokenizer::of_text(&files.tokenizer, &error::read(&files.tokenizer)?)?;
    let of_tokenizer = match &files.tokenizer_config {
        Some(path) => json(path)?,
        None => Value::Null,
    };
    let path = files
        .tokenizer_config
        .as_deref()
        .unwrap_or(&files.tokenizer);
    let chat = chat(files, path, &of_tokenizer)?;
    let mut end = ends(&files.config, &settings["eos_token_id"])?;
    if let Some(path) = &files.generation_config {
        end.extend(ends(path, &json(path)?["eos_token_id"])?);
    }
    let last = word(&of_tokenizer["eos_token"]);
    if !last.is_empty() {
        let Some(id) = tokens.id_of(&last) else {
            let what = format!("its end token {last:?} is not in the tokenizer");
            let hint = "use the tokenizer that belongs to the model";
            return Err(Error::new(path, what, hint));
        };
        end.push(id);
    }
    let about = About {
        name: settings["_name_or_path"]
            .as_str()
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        licence: None,
    };
    let parts = Parts {
        config,
        context,
        tokens,
        chat,
        end,
        about,
    };
    let parameters = weights::read(files, &parts.config)?;
    parts.complete(&files.tokenizer, parameters)
}

/// A token's text, which may come with how it is matched.
fn word(value: &Value) -> String {
    let content = value.as_str().or_else(|| value["content"].as_str());
    content.unwrap_or_default().to_owned()
}

/// One id, or a list of them, or none.
fn ends(path: &Path, value: &Value) -> Result<Vec<u32>> {
    let id = |value: &Value| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| {
            Error::damaged(path, format!("eos_token_id has {value}, which is no token"))
        })
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.iter().map(id).collect(),
        one => Ok(vec![id(one)?]),
    }
}

/// The template in a file of its own, or in the tokenizer's configuration.
fn chat(files: &Files, path: &Path, of_tokenizer: &Value) -> Result<Option<ChatTemplate>> {
    let (first, last) = (
        word(&of_tokenizer["bos_token"]),
        word(&of_tokenizer["eos_token"]),
    );
    if let Some(path) = &files.chat_template {
        let source = String::from_utf8(error::read(path)?)
            .map_err(|e| Error::damaged(path, format!("it is no UTF-8: {e}")))?;
        return Ok(Some(ChatTemplate::new(path, &source, &first, &last)?));
    }
    match &of_tokenizer["chat_template"] {
        Value::Null => Ok(None),
        Value::String(source) => Ok(Some(ChatTemplate::new(path, source, &first, &last)?)),
        // Several by name: the one that is used unless another is asked for.
        Value::Array(list) => {
            let default = list.iter().find(|entry| entry["name"] == "default");
            let Some(source) = default.and_then(|entry| entry["template"].as_str()) else {
                let what = "none of its chat templates is called default";
                return Err(Error::unsupported(path, what));
            };
            Ok(Some(ChatTemplate::new(path, source, &first, &last)?))
        }
        _ => Err(Error::damaged(path, "its chat_template is no text")),
    }
}
