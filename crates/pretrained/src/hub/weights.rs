//! Tensors of one or several safetensors files as the parameters of a configuration.
//!
//! f16 and bf16 become f32 exactly. One file is in memory at a time. Does not know how a configuration came about.

use crate::base::error::{self, Error, Result};
use crate::base::numbers::Stored;
use crate::hub::files::{Files, weight_map};
use crate::hub::json::json;
use crate::model::loaded::{finite, layout, shape};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tuning::transformer::model::config::{Config, Output};
use tuning::transformer::model::layout::{Layout, Tensor};

/// # Errors
/// Files that are damaged or do not fit the index; tensors that are missing, left over, in two files, of another shape
/// or type, or not finite.
pub(crate) fn read(files: &Files, config: &Config) -> Result<Vec<f32>> {
    let Some(first) = files.weights.first() else {
        let hint = "name model.safetensors, or all of its parts";
        return Err(Error::new(
            &files.config,
            "there are no weights to it",
            hint,
        ));
    };
    let mut length = 0;
    for path in &files.weights {
        let about = std::fs::metadata(path);
        length += about
            .map_err(|e| Error::new(path, e.to_string(), "check the path"))?
            .len();
    }
    let layout = layout(&files.config, config, length)?;
    let places: BTreeMap<&str, &Tensor> = layout
        .tensors()
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    let index = match &files.index {
        Some(index) => Some(Index::read(index, &files.weights)?),
        None => None,
    };
    let mut parameters = vec![0.0; layout.len()];
    let mut found = BTreeSet::new();
    let mut spare = None;
    for path in &files.weights {
        let bytes = error::read(path)?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|e| Error::damaged(path, format!("it is no sound safetensors file: {e}")))?;
        let mut tensors: Vec<(&str, TensorView<'_>)> = file.iter().collect();
        tensors.sort_by_key(|(name, _)| *name);
        for (name, view) in tensors {
            if let Some(index) = &index {
                index.check(path, name)?;
            }
            let Some(tensor) = places.get(name) else {
                if name == "lm_head.weight" && config.output == Output::Tied {
                    spare = Some((path, values(path, name, &view)?));
                    continue;
                }
                // A table that older files carry along; it follows from the configuration.
                if name.ends_with(".rotary_emb.inv_freq") {
                    continue;
                }
                let what = format!("it has tensor {name}, which such a model does not have");
                return Err(Error::unsupported(path, what));
            };
            let expected = shape(tensor);
            if view.shape() != expected {
                let what = format!(
                    "tensor {name} is {:?}, by {} it should be {expected:?}",
                    view.shape(),
                    files.config.display()
                );
                return Err(Error::damaged(path, what));
            }
            if !found.insert(tensor.name.as_str()) {
                return Err(Error::damaged(
                    path,
                    format!("tensor {name} is in another file too"),
                ));
            }
            parameters[tensor.range()].copy_from_slice(&values(path, name, &view)?);
        }
    }
    if let Some(name) = places.keys().find(|name| !found.contains(*name)) {
        let what = format!("there is no tensor {name}");
        return Err(Error::new(
            first,
            what,
            "name all parts of the model, and the config.json that belongs to it",
        ));
    }
    if let Some((path, head)) = spare {
        tied(path, &layout, &parameters, &head)?;
    }
    Ok(parameters)
}

/// A tied output that is stored all the same is the embedding.
fn tied(path: &Path, layout: &Layout, parameters: &[f32], head: &[f32]) -> Result<()> {
    let table = layout
        .tensors()
        .first()
        .map(|tensor| &parameters[tensor.range()]);
    if table == Some(head) {
        return Ok(());
    }
    let what =
        "it has an lm_head.weight of its own, though the configuration ties it to the embedding";
    Err(Error::new(
        path,
        what,
        "set tie_word_embeddings to false, or get the model again",
    ))
}

fn values(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>> {
    let stored = match view.dtype() {
        Dtype::F32 => Stored::F32,
        Dtype::F16 => Stored::F16,
        Dtype::BF16 => Stored::Bf16,
        other => {
            let what = format!("tensor {name} is stored as {other:?}");
            return Err(Error::new(
                path,
                what,
                "use a model stored as F32, F16 or BF16",
            ));
        }
    };
    let mut values = Vec::with_capacity(view.data().len() / stored.block().1);
    stored.read(view.data(), &mut values);
    finite(path, name, &values)?;
    Ok(values)
}

/// Which file has which tensor.
struct Index {
    files: BTreeMap<String, String>,
}

impl Index {
    /// # Errors
    /// Files that the index does not name, or names and are not there.
    fn read(path: &Path, weights: &[std::path::PathBuf]) -> Result<Index> {
        let value = json(path)?;
        let files: BTreeMap<String, String> = weight_map(path, &value)?
            .map(|(tensor, file)| (tensor.to_owned(), file.to_owned()))
            .collect();
        let named: BTreeSet<&str> = files.values().map(String::as_str).collect();
        let given: BTreeSet<&str> = weights.iter().map(|path| name(path)).collect();
        if let Some(file) = named.symmetric_difference(&given).next() {
            let what = match named.contains(file) {
                true => format!("it names {file}, which is not among the files of weights"),
                false => format!("it does not name {file}, which is among the files of weights"),
            };
            return Err(Error::new(
                path,
                what,
                "name all parts of the model, and no others",
            ));
        }
        Ok(Index { files })
    }

    fn check(&self, path: &Path, tensor: &str) -> Result<()> {
        match self.files.get(tensor) {
            Some(file) if file == name(path) => Ok(()),
            Some(file) => {
                let what = format!("it has tensor {tensor}, which the index has in {file}");
                Err(Error::damaged(path, what))
            }
            None => {
                let what = format!("it has tensor {tensor}, which the index does not have");
                Err(Error::damaged(path, what))
            }
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}
