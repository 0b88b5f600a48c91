//! Stops of a fine-tuning as one safetensors file: of each stop the tensors that training changed, `STEP.NAME`.
//!
//! The header's entry `icl-repro` is JSON: the stops with their epochs, and those that were missed as training diverged. Whoever trained it may be another program. Does not know how it was trained.

use crate::kinds::exchange::table::failed;
use retrace::base::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tuning::transformer::network::Network;

/// The header's entry.
const ENTRY: &str = "icl-repro";

/// A place on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    pub step: usize,
    pub epoch: usize,
}

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Those that were reached, increasing; the model before training is none of them.
    pub stops: Vec<Stop>,
    /// Stops that were planned and not reached, as training diverged before.
    pub missed: Vec<Stop>,
}

/// Tensors by stop.
pub struct Checkpoints {
    pub about: About,
    /// By stop, then by tensor: its place in the layout and its values.
    pub changed: Vec<Vec<(usize, Vec<f32>)>>,
}

fn name(step: usize, tensor: &str) -> String {
    format!("{step}.{tensor}")
}

impl Checkpoints {
    /// The file's bytes.
    ///
    /// # Errors
    /// What the format cannot say.
    pub fn to_bytes(&self, network: &Network) -> Result<Vec<u8>> {
        let tensors = network.layout().tensors();
        let mut parts = Vec::new();
        for (stop, changed) in self.about.stops.iter().zip(&self.changed) {
            for (at, values) in changed {
                let tensor = &tensors[*at];
                let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                let shape: Vec<usize> =
                    std::iter::once(tensor.rows).chain(tensor.columns).collect();
                parts.push((name(stop.step, &tensor.name), shape, bytes));
            }
        }
        let views = parts.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(failed)?;
            Ok((name.clone(), view))
        });
        let views: Vec<(String, TensorView<'_>)> = views.collect::<Result<_>>()?;
        // One entry: a map of several would be written in any order.
        let about = serde_json::to_string(&self.about).map_err(failed)?;
        serialize(views, Some(HashMap::from([(ENTRY.to_owned(), about)]))).map_err(failed)
    }

    /// Reads a file for a network.
    ///
    /// # Errors
    /// Another file; a tensor that the network lacks or of another shape.
    pub fn from_bytes(bytes: &[u8], network: &Network) -> Result<Checkpoints> {
        let wrong = |why: String| Error::failed(format!("no checkpoints of a fine-tuning: {why}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| wrong(e.to_string()))?;
        let entries = header.metadata().as_ref();
        let about = entries.and_then(|entries| entries.get(ENTRY));
        let about = about.ok_or_else(|| wrong(format!("its header has no entry `{ENTRY}`")))?;
        let about: About = serde_json::from_str(about).map_err(|e| wrong(e.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
        let mut changed: Vec<Vec<(usize, Vec<f32>)>> = vec![Vec::new(); about.stops.len()];
        for (full, view) in file.iter() {
            let place = full.split_once('.').and_then(|(step, tensor)| {
                let stop = about
                    .stops
                    .iter()
                    .position(|stop| stop.step.to_string() == step)?;
                let tensors = network.layout().tensors();
                let at = tensors.iter().position(|known| known.name == tensor)?;
                Some((stop, at))
            });
            let (stop, at) = place.ok_or_else(|| {
                wrong(format!("`{full}` is of no stop, or no tensor of the model"))
            })?;
            let tensor = &network.layout().tensors()[at];
            let shape: Vec<usize> = std::iter::once(tensor.rows).chain(tensor.columns).collect();
            if view.shape() != shape || view.dtype() != Dtype::F32 {
                let (found, is) = (view.shape(), view.dtype());
                return Err(wrong(format!(
                    "{full} is {is:?} {found:?}, expected F32 {shape:?}"
                )));
            }
            let numbers = view.data().as_chunks().0.iter();
            let values = numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect();
            changed[stop].push((at, values));
        }
        // The file's order is its writer's own.
        changed
            .iter_mut()
            .for_each(|tensors| tensors.sort_by_key(|(at, _)| *at));
        Ok(Checkpoints { about, changed })
    }

    /// The model's parameters at a stop, from those before training.
    pub fn at(&self, stop: usize, network: &Network, before: &[f32]) -> Vec<f32> {
        let mut values = before.to_vec();
        for (at, changed) in &self.changed[stop] {
            values[network.layout().tensors()[*at].range()].copy_from_slice(changed);
        }
        values
    }
}
