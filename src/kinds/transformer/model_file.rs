//! A transformer as a safetensors file: its tensors by the model hub's names, and how it is built.
//!
//! The header's entry `icl-repro` is JSON: `model` as in pipeline.yaml, `tokens`, `outputs`, and `diverged_at`, the
//! step of training whose loss was not finite, or null.

use crate::kinds::exchange::table::failed;
use crate::kinds::transformer::model::{ModelParams, Tokens};
use icl::math::tensor::float::Float;
use retrace::base::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tuning::transformer::network::Network;

/// The header's entry.
const ENTRY: &str = "icl-repro";

/// How a model is built.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Built {
    pub model: ModelParams,
    pub tokens: Tokens,
    pub outputs: usize,
    pub diverged_at: Option<usize>,
}

impl Built {
    /// # Errors
    /// Sizes that do not fit each other.
    pub fn network(&self) -> Result<Network> {
        let config = self
            .model
            .config(self.tokens, self.outputs)
            .map_err(failed)?;
        Network::new(config).map_err(failed)
    }
}

/// Parameters in the precision that they were trained in.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The file's bytes.
///
/// # Errors
/// What the format cannot say, which no network's tensors are.
pub fn to_bytes(built: &Built, network: &Network, values: &Values) -> Result<Vec<u8>> {
    let (dtype, bytes): (Dtype, Vec<u8>) = match values {
        Values::F32(values) => (
            Dtype::F32,
            values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ),
        Values::F64(values) => (
            Dtype::F64,
            values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ),
    };
    let size = dtype.bitsize() / 8;
    let tensors = network.layout().tensors().iter().map(|tensor| {
        let range = tensor.range();
        let data = &bytes[range.start * size..range.end * size];
        let shape = std::iter::once(tensor.rows).chain(tensor.columns).collect();
        let view = TensorView::new(dtype, shape, data).map_err(failed)?;
        Ok((tensor.name.clone(), view))
    });
    let tensors: Vec<(String, TensorView<'_>)> = tensors.collect::<Result<_>>()?;
    // One entry: a map of several would be written in any order.
    let about = serde_json::to_string(built).map_err(failed)?;
    serialize(tensors, Some(HashMap::from([(ENTRY.to_owned(), about)]))).map_err(failed)
}

/// Reads a file that [`to_bytes`] made.
///
/// # Errors
/// Another file, or tensors that do not fit what it says.
pub fn from_bytes(bytes: &[u8]) -> Result<(Built, Network, Values)> {
    let wrong = |why: String| Error::failed(format!("no transformer of this program: {why}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| wrong(e.to_string()))?;
    let about = header
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(ENTRY));
    let about = about.ok_or_else(|| wrong(format!("its header has no entry `{ENTRY}`")))?;
    let built: Built = serde_json::from_str(about).map_err(|e| wrong(e.to_string()))?;
    let network = built.network()?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
    let tensors = network.layout().tensors();
    let first = tensors.first().map(|tensor| file.tensor(&tensor.name));
    let dtype = first
        .transpose()
        .map_err(|e| wrong(e.to_string()))?
        .map(|first| first.dtype());
    let read = |dtype: Dtype, data: &mut dyn FnMut(&[u8])| {
        for tensor in tensors {
            let found = file
                .tensor(&tensor.name)
                .map_err(|e| wrong(e.to_string()))?;
            let shape: Vec<usize> = std::iter::once(tensor.rows).chain(tensor.columns).collect();
            if found.shape() != shape || found.dtype() != dtype {
                let (name, is, type_is) = (&tensor.name, found.shape(), found.dtype());
                return Err(wrong(format!(
                    "{name} is {type_is:?} {is:?}, expected {dtype:?} {shape:?}"
                )));
            }
            data(found.data());
        }
        Ok(())
    };
    let values = match dtype {
        Some(Dtype::F32) => {
            let mut values = Vec::with_capacity(network.layout().len());
            read(Dtype::F32, &mut |data| {
                let numbers = data.as_chunks().0.iter();
                values.extend(numbers.map(|bytes| f32::from_le_bytes(*bytes)));
            })?;
            Values::F32(values)
        }
        Some(Dtype::F64) => {
            let mut values = Vec::with_capacity(network.layout().len());
            read(Dtype::F64, &mut |data| {
                let numbers = data.as_chunks().0.iter();
                values.extend(numbers.map(|bytes| f64::from_le_bytes(*bytes)));
            })?;
            Values::F64(values)
        }
        other => return Err(wrong(format!("its tensors are {other:?}, not F32 or F64"))),
    };
    Ok((built, network, values))
}

/// A precision that a stage may train in.
pub trait Stored: Float {
    fn store(values: Vec<Self>) -> Values;
}

impl Stored for f32 {
    fn store(values: Vec<f32>) -> Values {
        Values::F32(values)
    }
}

impl Stored for f64 {
    fn store(values: Vec<f64>) -> Values {
        Values::F64(values)
    }
}
