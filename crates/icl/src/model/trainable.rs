//! Which matrices training may change.
//!
//! Does not know how they change.

use crate::model::weights::{MatrixKind, Parametrization, Shape};
use std::fmt;

/// A set of matrices, the same in every layer and head.
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
            Parametrization::Merged => "all, key-query or value",
            Parametrization::Separate => "all, query, key or value",
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
    fn includes(self, kind: MatrixKind) -> bool {
        match self {
            Trainable::All => true,
            Trainable::KeyQuery => kind == MatrixKind::KeyQuery,
            Trainable::Query => kind == MatrixKind::Query,
            Trainable::Key => kind == MatrixKind::Key,
            Trainable::Value => kind == MatrixKind::Value,
        }
    }

    /// One flag per flat parameter.
    ///
    /// # Errors
    /// When the set is empty for this parametrisation (`KeyQuery` of a separate model, ...).
    pub fn mask(self, shape: Shape) -> Result<Vec<bool>, TrainableError> {
        let parametrization = shape.parametrization;
        if !parametrization
            .kinds()
            .iter()
            .any(|&kind| self.includes(kind))
        {
            return Err(TrainableError {
                trainable: self,
                parametrization,
            });
        }
        let size = shape.token_dim() * shape.token_dim();
        Ok(shape
            .matrices()
            .flat_map(|(_, _, kind, _)| std::iter::repeat_n(self.includes(kind), size))
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
    }

    #[test]
    fn misfits_are_refused_with_a_hint() {
        let error = Trainable::Key.mask(Shape::merged(1)).unwrap_err();
        assert!(
            error.to_string().contains("use all, key-query or value"),
            "{error}"
        );
        let separate = Shape {
            parametrization: Parametrization::Separate,
            ..Shape::merged(1)
        };
        assert!(Trainable::KeyQuery.mask(separate).is_err());
    }
}
