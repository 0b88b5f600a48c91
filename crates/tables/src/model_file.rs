//! A model's matrices as JSON, every number in the shortest form that reads back to the same bits.
//!
//! ```json
//! {"format": 1, "d": 5, "layers": [[{"q": [[...]], "v": [[...]]}]], "diverged_at": null}
//! ```
//!
//! `layers` holds layers, a layer its heads, a head its named matrices: `q` (merged) or `wq` and
//! `wk`, and `v`. Rows are lists. Knows names and shapes, not what a matrix means.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const FORMAT: u64 = 1;

/// A matrix as a list of rows.
pub type Matrix = Vec<Vec<f64>>;

/// The content of a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    pub format: u64,
    /// Covariate dimension.
    pub d: usize,
    /// Layers, their heads, the heads' matrices by name.
    pub layers: Vec<Vec<BTreeMap<String, Matrix>>>,
    /// The training step whose loss was no longer finite; the matrices are those before it.
    #[serde(default)]
    pub diverged_at: Option<usize>,
}

impl ModelFile {
    /// A file of the current format.
    pub fn new(
        d: usize,
        layers: Vec<Vec<BTreeMap<String, Matrix>>>,
        diverged_at: Option<usize>,
    ) -> Self {
        ModelFile {
            format: FORMAT,
            d,
            layers,
            diverged_at,
        }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = serde_json::to_vec(self).map_err(|e| format!("cannot write: {e}"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file; shapes are for the caller to check.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let file: ModelFile =
            serde_json::from_slice(bytes).map_err(|e| format!("no model file: {e}"))?;
        if file.format == FORMAT {
            return Ok(file);
        }
        Err(format!(
            "the model file has format {}, this program knows {FORMAT}",
            file.format
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_reads_back() {
        let values = vec![0.1 + 0.2, -0.0, f64::MIN_POSITIVE / 3.0, 1e300, 1.0 / 3.0];
        let head = BTreeMap::from([("q".to_owned(), vec![values])]);
        let file = ModelFile::new(5, vec![vec![head]], Some(3));
        let back = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        let bits = |f: &ModelFile| -> Vec<u64> {
            f.layers[0][0]["q"][0].iter().map(|x| x.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&file));
        assert!(ModelFile::from_bytes(br#"{"format": 2, "d": 1, "layers": []}"#).is_err());
    }
}
