//! Which files make a model, and finding them in a folder. Does not read them.

use crate::base::error::{Error, Result};
use crate::hub::json::json;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files of a model; those in `Option` may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `config.json`.
    pub config: PathBuf,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// `tokenizer_config.json`: the chat template, and which tokens begin and end.
    pub tokenizer_config: Option<PathBuf>,
    /// `generation_config.json`: more tokens that end an answer.
    pub generation_config: Option<PathBuf>,
    /// `chat_template.jinja`, where it is a file of its own.
    pub chat_template: Option<PathBuf>,
    /// `model.safetensors.index.json`: which tensor is in which file, where there are several.
    pub index: Option<PathBuf>,
    /// `model.safetensors`, or its parts in any order.
    pub weights: Vec<PathBuf>,
}

impl Files {
    /// The files in a folder, by the hub's names.
    ///
    /// # Errors
    /// A folder without one that is needed, which is named.
    pub fn find(folder: &Path) -> Result<Files> {
        let optional = |name: &str| {
            let path = folder.join(name);
            path.is_file().then_some(path)
        };
        let needed = |name: &str| {
            optional(name).ok_or_else(|| {
                let hint = "name a folder as the model hub lays it out, or a .gguf file";
                Error::new(folder, format!("it has no file {name}"), hint)
            })
        };
        let index = optional("model.safetensors.index.json");
        let weights = match &index {
            None => vec![needed("model.safetensors")?],
            Some(index) => shards(index)?
                .iter()
                .map(|name| needed(name))
                .collect::<Result<_>>()?,
        };
        Ok(Files {
            config: needed("config.json")?,
            tokenizer: needed("tokenizer.json")?,
            tokenizer_config: optional("tokenizer_config.json"),
            generation_config: optional("generation_config.json"),
            chat_template: optional("chat_template.jinja"),
            index,
            weights,
        })
    }
}

/// Names of the files of an index, in ascending order.
fn shards(index: &Path) -> Result<BTreeSet<String>> {
    let value = json(index)?;
    let map = weight_map(index, &value)?;
    map.map(|(_, name)| {
        let plain = !name.contains(['/', '\\']) && !name.starts_with('.');
        match plain {
            true => Ok(name.to_owned()),
            false => Err(Error::damaged(
                index,
                format!("it names {name:?}, which is no file beside it"),
            )),
        }
    })
    .collect()
}

/// Tensors and their files.
pub(crate) fn weight_map<'a>(
    index: &Path,
    value: &'a Value,
) -> Result<impl Iterator<Item = (&'a str, &'a str)>> {
    let map = value["weight_map"].as_object();
    let map = map.ok_or_else(|| Error::damaged(index, "it has no weight_map"))?;
    if let Some((tensor, file)) = map.iter().find(|(_, file)| !file.is_string()) {
        let what = format!("tensor {tensor} is in {file}, which is no file");
        return Err(Error::damaged(index, what));
    }
    Ok(map
        .iter()
        .map(|(tensor, file)| (tensor.as_str(), file.as_str().unwrap_or_default())))
}
