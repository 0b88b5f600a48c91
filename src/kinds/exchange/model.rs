//! Models of the science <-> model files.

use icl::model::weights::{LinearAttention, MatrixKind, Parametrization, Shape};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::read;
use std::collections::BTreeMap;
use std::path::Path;
use tables::model_file::{Matrix, ModelFile};

fn name(kind: MatrixKind) -> &'static str {
    match kind {
        MatrixKind::KeyQuery => "q",
        MatrixKind::Query => "wq",
        MatrixKind::Key => "wk",
        MatrixKind::Value => "v",
    }
}

/// The bytes of a model's file.
pub fn to_bytes(model: &LinearAttention, diverged_at: Option<usize>) -> Result<Vec<u8>> {
    let shape = model.shape();
    let head = |layer: usize, head: usize| -> BTreeMap<String, Matrix> {
        let matrices = shape.parametrization.kinds().iter().filter_map(|&kind| {
            let matrix = model.matrix(layer, head, kind)?;
            let rows = matrix.rows().into_iter().map(|row| row.to_vec()).collect();
            Some((name(kind).to_owned(), rows))
        });
        matrices.collect()
    };
    let layers =
        (0..shape.n_layers).map(|layer| (0..shape.n_heads).map(|h| head(layer, h)).collect());
    let file = ModelFile::new(shape.d, layers.collect(), diverged_at);
    file.to_bytes().map_err(Error::failed)
}

/// A model from its file's content. Errors name the layer, head, matrix and row.
pub fn from_file(file: &ModelFile) -> std::result::Result<LinearAttention, String> {
    let first = file.layers.first().and_then(|heads| heads.first());
    let first = first.ok_or("the model file has no layer, or a layer without heads")?;
    let shape = Shape {
        d: file.d,
        n_layers: file.layers.len(),
        n_heads: file.layers[0].len(),
        parametrization: match first.contains_key("q") {
            true => Parametrization::Merged,
            false => Parametrization::Separate,
        },
    };
    let kinds = shape.parametrization.kinds();
    let dim = shape.token_dim();
    let mut params = Vec::new();
    for (l, heads) in file.layers.iter().enumerate() {
        if heads.len() != shape.n_heads {
            return Err(format!(
                "layer {l} has {} heads, layer 0 {}",
                heads.len(),
                shape.n_heads
            ));
        }
        for (h, head) in heads.iter().enumerate() {
            if let Some(other) = head
                .keys()
                .find(|key| !kinds.iter().any(|&k| name(k) == *key))
            {
                return Err(format!(
                    "layer {l}, head {h} has an unknown matrix `{other}`"
                ));
            }
            for &kind in kinds {
                let place = format!("layer {l}, head {h}, matrix `{}`", name(kind));
                let matrix = head.get(name(kind)).ok_or(format!("{place} is missing"))?;
                if matrix.len() != dim {
                    return Err(format!("{place} has {} rows, expected {dim}", matrix.len()));
                }
                for (r, row) in matrix.iter().enumerate() {
                    if row.len() != dim {
                        let found = row.len();
                        return Err(format!(
                            "{place}: row {r} has {found} numbers, expected {dim}"
                        ));
                    }
                    params.extend_from_slice(row);
                }
            }
        }
    }
    LinearAttention::from_params(shape, params).map_err(|e| e.to_string())
}

/// Reads a model file.
pub fn read_model(path: &Path) -> Result<LinearAttention> {
    let file = ModelFile::from_bytes(&read(path)?).map_err(Error::failed)?;
    from_file(&file).map_err(Error::failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_every_shape_read_back_bit_for_bit() {
        for parametrization in [Parametrization::Merged, Parametrization::Separate] {
            let shape = Shape {
                d: 3,
                n_layers: 2,
                n_heads: 2,
                parametrization,
            };
            let model = LinearAttention::random(shape, 0.05, 7).unwrap();
            let file = ModelFile::from_bytes(&to_bytes(&model, None).unwrap()).unwrap();
            assert_eq!(from_file(&file).unwrap(), model);
        }
    }

    #[test]
    fn a_wrong_shape_is_named() {
        let model = LinearAttention::random(Shape::merged(2), 0.1, 1).unwrap();
        let mut file = ModelFile::from_bytes(&to_bytes(&model, None).unwrap()).unwrap();
        if let Some(row) = file.layers[0][0].get_mut("q").and_then(|q| q.get_mut(1)) {
            row.pop();
        }
        let error = from_file(&file).unwrap_err();
        assert_eq!(
            error,
            "layer 0, head 0, matrix `q`: row 1 has 3 numbers, expected 4"
        );
    }
}
