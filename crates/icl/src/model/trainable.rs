//! Which matrices training may change.
//!
//! Does not know how they change.

use crate::model::weights::{MatrixKind, Parametrization, Shape};
use std::fmt;

/// A set of matrices, or of parts of them; the same in every head, and in every layer unless it names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trainable {
    All,
    /// Q of merged heads.
    KeyQuery,
    /// W_q of separate heads.
    Query,
    /// W_k of separate heads.
    Key,
    /// V.
    Value,
    /// V, and the column of the label in Q of merged heads: what the context's labels are worth to a query.
    ValueAndLabelColumn,
    /// V of the first layer.
    FirstLayerValue,
    /// V of the last layer.
    LastLayerValue,
}

/// The trainable set names a matrix that the parametrisation does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainableError {
    pub trainable: Trainable,
    pub parametrization: Parametrization,
}

impl fmt::Display for TrainableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = match self.parametrization {
            Parametrization::Merged => {
                "all, key-query, value, value-and-label-column, first-layer-value or last-layer-value"
            }
            Parametrization::Separate => {
                "all, query, key, value, first-layer-value or last-layer-value"
            }
        };
        write!(
            f,
            "trainable set {:?}: a model with {} key and query matrices has no such matrix; use {hint}",
            self.trainable,
            match self.parametrization {
                Parametrization::Merged => "merged",
                Parametrization::Separate => "separate",
            }
        )
    }
}

impl std::error::Error for TrainableError {}

impl Trainable {
    /// Whether an entry of a layer's matrix may change.
    fn includes(self, shape: Shape, layer: usize, kind: MatrixKind, column: usize) -> bool {
        let value = kind == MatrixKind::Value;
        match self {
            Trainable::All => true,
            Trainable::KeyQuery => kind == MatrixKind::KeyQuery,
            Trainable::Query => kind == MatrixKind::Query,
            Trainable::Key => kind == MatrixKind::Key,
            Trainable::Value => value,
            Trainable::ValueAndLabelColumn => {
                value || kind == MatrixKind::KeyQuery && column + 1 == shape.token_dim()
            }
            Trainable::FirstLayerValue => value && layer == 0,
            Trainable::LastLayerValue => value && layer + 1 == shape.n_layers,
        }
    }

    /// The matrix without which the set is another one.
    fn needs(self) -> Option<MatrixKind> {
        match self {
            Trainable::KeyQuery | Trainable::ValueAndLabelColumn => Some(MatrixKind::KeyQuery),
            Trainable::Query => Some(MatrixKind::Query),
            Trainable::Key => Some(MatrixKind::Key),
            Trainable::All
            | Trainable::Value
            | Trainable::FirstLayerValue
            | Trainable::LastLayerValue => None,
        }
    }

    /// One flag per flat parameter.
    ///
    /// # Errors
    /// When the parametrisation has no such matrix (`KeyQuery` of a separate model, ...).
    pub fn mask(self, shape: Shape) -> Result<Vec<bool>, TrainableError> {
        let parametrization = shape.parametrization;
        if self
            .needs()
            .is_some_and(|kind| !parametrization.kinds().contains(&kind))
        {
            return Err(TrainableError {
                trainable: self,
                parametrization,
            });
        }
        let dim = shape.token_dim();
        Ok(shape
            .matrices()
            .flat_map(|(layer, _, kind, _)| {
                let column = (0..dim * dim).map(move |entry| entry % dim);
                column.map(move |column| self.includes(shape, layer, kind, column))
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_follow_the_storage_order() {
        let shape = Shape {
            d: 1,
            n_layers: 2,
            n_heads: 1,
            parametrization: Parametrization::Separate,
        };
        let mask = Trainable::Key.mask(shape).unwrap();
        let set: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
        assert_eq!(set, (9..18).chain(36..45).collect::<Vec<_>>());
        assert!(Trainable::All.mask(shape).unwrap().iter().all(|&x| x));
        let places = |trainable: Trainable, shape| -> Vec<usize> {
            let mask = trainable.mask(shape).unwrap();
            (0..mask.len()).filter(|&i| mask[i]).collect()
        };
        let [first, last] = [18..27, 45..54].map(|range| range.collect::<Vec<_>>());
        assert_eq!(places(Trainable::FirstLayerValue, shape), first);
        assert_eq!(places(Trainable::LastLayerValue, shape), last);
        assert_eq!(places(Trainable::Value, shape), [first, last].concat());
        // Q row-major, 3 x 3, then V.
        let column = places(Trainable::ValueAndLabelColumn, Shape::merged(1));
        assert_eq!(column, [vec![2, 5, 8], (9..18).collect()].concat());
    }

    #[test]
    fn misfits_are_refused_with_a_hint() {
        let error = Trainable::Key.mask(Shape::merged(1)).unwrap_err();
        assert!(
            error.to_string().contains("use all, key-query, value"),
            "{error}"
        );
        let separate = Shape {
            parametrization: Parametrization::Separate,
            ..Shape::merged(1)
        };
        assert!(Trainable::KeyQuery.mask(separate).is_err());
        assert!(Trainable::ValueAndLabelColumn.mask(separate).is_err());
    }
}
