//! The linear-attention model: one type for any heads, any layers, merged or separate matrices.
//!
//! Parameters are one flat vector: by layer, by head, by kind (in the order of
//! [`Parametrization::kinds`]), each matrix (d+2) x (d+2), row-major. Knows its prediction's
//! ingredients (the effective matrices), but neither prompts nor training.

use crate::math::linalg;
use crate::math::stream::Stream;
use crate::model::effective::Effective;
use crate::model::head::Head;
use ndarray::{Array1, ArrayView2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::{Normal, NormalError};
use std::fmt;

/// How a head stores its scores: one matrix Q, or W_q and W_k with Q = W_q^T W_k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parametrization {
    Merged,
    Separate,
}

/// The role of one matrix of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixKind {
    /// Q of a merged head.
    KeyQuery,
    /// W_q of a separate head.
    Query,
    /// W_k of a separate head.
    Key,
    /// V (or W_v): values of token z are V z. In the last layer only its last row matters.
    Value,
}

impl Parametrization {
    /// The matrices of one head, in storage order.
    pub fn kinds(self) -> &'static [MatrixKind] {
        match self {
            Parametrization::Merged => &[MatrixKind::KeyQuery, MatrixKind::Value],
            Parametrization::Separate => &[MatrixKind::Query, MatrixKind::Key, MatrixKind::Value],
        }
    }
}

/// Everything about a model but its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Covariate dimension; matrices have side d + 2.
    pub d: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub parametrization: Parametrization,
}

impl Shape {
    /// One layer, one head, merged: the paper's analysed model.
    pub fn merged(d: usize) -> Shape {
        Shape {
            d,
            n_layers: 1,
            n_heads: 1,
            parametrization: Parametrization::Merged,
        }
    }

    /// Token width d + 2.
    pub fn token_dim(&self) -> usize {
        self.d + 2
    }

    /// Numbers in the flat parameter vector.
    pub fn n_params(&self) -> usize {
        let matrices = self.n_layers * self.n_heads * self.parametrization.kinds().len();
        matrices * self.token_dim() * self.token_dim()
    }

    /// All matrices in storage order: (layer, head, kind, start in the flat vector).
    pub fn matrices(&self) -> impl Iterator<Item = (usize, usize, MatrixKind, usize)> + use<> {
        let Shape {
            n_layers,
            n_heads,
            parametrization,
            ..
        } = *self;
        let size = self.token_dim() * self.token_dim();
        (0..n_layers)
            .flat_map(move |layer| (0..n_heads).map(move |head| (layer, head)))
            .flat_map(move |(layer, head)| {
                parametrization
                    .kinds()
                    .iter()
                    .map(move |&kind| (layer, head, kind))
            })
            .enumerate()
            .map(move |(position, (layer, head, kind))| (layer, head, kind, position * size))
    }

    fn start(&self, layer: usize, head: usize, kind: MatrixKind) -> Option<usize> {
        self.matrices()
            .find(|&(l, h, k, _)| (l, h, k) == (layer, head, kind))
            .map(|(.., start)| start)
    }

    fn check(&self) -> Result<(), ModelError> {
        if self.d == 0 || self.n_layers == 0 || self.n_heads == 0 {
            return Err(ModelError::Empty(*self));
        }
        Ok(())
    }
}

/// Why a model is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelError {
    Empty(Shape),
    ParameterCount { found: usize, expected: usize },
    NotFinite { index: usize, value: f64 },
    InitialSpread(f64),
    NotOneLayer { n_layers: usize },
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelError::Empty(shape) => write!(
                f,
                "model: d = {}, {} layers, {} heads; each must be at least 1",
                shape.d, shape.n_layers, shape.n_heads
            ),
            ModelError::ParameterCount { found, expected } => {
                write!(f, "model: {found} parameters, expected {expected}")
            }
            ModelError::NotFinite { index, value } => {
                write!(f, "model: parameter {index} is {value}")
            }
            ModelError::InitialSpread(value) => {
                write!(
                    f,
                    "initial standard deviation: {value} is not a finite number >= 0"
                )
            }
            ModelError::NotOneLayer { n_layers } => write!(
                f,
                "model: it has {n_layers} layers, but only a one-layer model has heads (v, Q)"
            ),
        }
    }
}

impl std::error::Error for ModelError {}

/// A model with its parameters, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearAttention {
    shape: Shape,
    params: Vec<f64>,
}

impl LinearAttention {
    /// Entries drawn from N(0, init_std^2), from the seed's own stream.
    ///
    /// # Errors
    /// An empty shape, or an `init_std` that is negative or not finite.
    pub fn random(shape: Shape, init_std: f64, seed: u64) -> Result<LinearAttention, ModelError> {
        shape.check()?;
        if init_std.is_nan() || init_std < 0.0 {
            return Err(ModelError::InitialSpread(init_std));
        }
        let normal = Normal::new(0.0, init_std)
            .map_err(|_: NormalError| ModelError::InitialSpread(init_std))?;
        let mut stream = Stream::new(seed, "initial parameters", &[]);
        let params = Array1::random_using(shape.n_params(), normal, &mut stream).to_vec();
        Ok(LinearAttention { shape, params })
    }

    /// A model from its flat parameters (for codecs).
    ///
    /// # Errors
    /// An empty shape, a wrong number of parameters, a parameter that is not finite.
    pub fn from_params(shape: Shape, params: Vec<f64>) -> Result<LinearAttention, ModelError> {
        shape.check()?;
        let expected = shape.n_params();
        if params.len() != expected {
            return Err(ModelError::ParameterCount {
                found: params.len(),
                expected,
            });
        }
        match params
            .iter()
            .enumerate()
            .find(|(_, value)| !value.is_finite())
        {
            Some((index, &value)) => Err(ModelError::NotFinite { index, value }),
            None => Ok(LinearAttention { shape, params }),
        }
    }

    /// The merged one-layer, one-head model of a head; the rows of V above the last are zero.
    pub fn from_head(head: &Head) -> LinearAttention {
        let shape = Shape::merged(head.d());
        let dim = shape.token_dim();
        let mut params: Vec<f64> = head.q().iter().copied().collect();
        params.resize(2 * dim * dim - dim, 0.0);
        params.extend_from_slice(head.v());
        LinearAttention { shape, params }
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The flat parameters, in the order the file's head states.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// Replaces the parameters; `false`, and no change, when one is not finite.
    ///
    /// # Panics
    /// If the number of parameters differs.
    pub fn set_params(&mut self, params: &[f64]) -> bool {
        assert_eq!(params.len(), self.params.len(), "set_params: sizes");
        let finite = params.iter().all(|value| value.is_finite());
        if finite {
            self.params.copy_from_slice(params);
        }
        finite
    }

    /// One matrix, (d+2) x (d+2); `None` when the model has no such matrix.
    pub fn matrix(
        &self,
        layer: usize,
        head: usize,
        kind: MatrixKind,
    ) -> Option<ArrayView2<'_, f64>> {
        let start = self.shape.start(layer, head, kind)?;
        let dim = self.shape.token_dim();
        ArrayView2::from_shape((dim, dim), &self.params[start..start + dim * dim]).ok()
    }

    /// The effective matrices of every layer and head: Q (W_q^T W_k when separate) and V.
    pub fn effective(&self) -> Effective {
        let shape = self.shape;
        let mut out = Effective::zeros(shape.token_dim(), shape.n_layers, shape.n_heads);
        self.effective_into(&mut out);
        out
    }

    /// The same into memory that is there.
    ///
    /// # Panics
    /// If `effective` has another shape.
    pub fn effective_into(&self, effective: &mut Effective) {
        let Shape {
            d, parametrization, ..
        } = self.shape;
        let size = (d + 2) * (d + 2);
        for (layer, head, kind, start) in self.shape.matrices() {
            let entries = &self.params[start..start + size];
            match kind {
                MatrixKind::KeyQuery => effective.q_mut(layer, head).copy_from_slice(entries),
                MatrixKind::Value => effective.v_mut(layer, head).copy_from_slice(entries),
                MatrixKind::Query => {
                    let key = square(&self.params, start + size, d + 2);
                    let query = square(&self.params, start, d + 2);
                    linalg::matmul_into(query.t(), key, effective.q_mut(layer, head));
                }
                MatrixKind::Key => debug_assert_eq!(parametrization, Parametrization::Separate),
            }
        }
    }

    /// The chain rule from the effective matrices back to the parameters:
    /// dW_q = W_k dQ^T, dW_k = W_q dQ; dQ and dV themselves when merged.
    ///
    /// # Panics
    /// If the gradient has another shape than `effective()`.
    pub fn pull_back(&self, gradient: &Effective) -> Vec<f64> {
        let mut out = vec![0.0; self.params.len()];
        self.pull_back_into(gradient, &mut out);
        out
    }

    /// The same into memory that is there, one number for each parameter.
    ///
    /// # Panics
    /// If the gradient has another shape than `effective()`, or `out` another size.
    pub fn pull_back_into(&self, gradient: &Effective, out: &mut [f64]) {
        let dim = self.shape.token_dim();
        let size = dim * dim;
        for (layer, head, kind, start) in self.shape.matrices() {
            let (q, v) = (gradient.q(layer, head), gradient.v(layer, head));
            let target = &mut out[start..start + size];
            match kind {
                MatrixKind::KeyQuery => target.copy_from_slice(q),
                MatrixKind::Value => target.copy_from_slice(v),
                MatrixKind::Query => {
                    let key = square(&self.params, start + size, dim);
                    linalg::matmul_into(key, square(q, 0, dim).t(), target);
                }
                MatrixKind::Key => {
                    let query = square(&self.params, start - size, dim);
                    linalg::matmul_into(query, square(q, 0, dim), target);
                }
            }
        }
    }

    /// The heads (v, Q) of a one-layer model; the prediction is their mean.
    ///
    /// # Errors
    /// If the model has more than one layer.
    pub fn heads(&self) -> Result<Vec<Head>, ModelError> {
        if self.shape.n_layers != 1 {
            return Err(ModelError::NotOneLayer {
                n_layers: self.shape.n_layers,
            });
        }
        let dim = self.shape.token_dim();
        let effective = self.effective();
        (0..self.shape.n_heads)
            .map(|head| {
                let v = effective.value_row(0, head).to_vec();
                let q = square(effective.q(0, head), 0, dim).to_owned();
                // Finite parameters can still overflow in W_q^T W_k.
                Head::new(v, q).map_err(|_| ModelError::NotFinite {
                    index: 0,
                    value: f64::INFINITY,
                })
            })
            .collect()
    }

    /// The head of a model that has one layer and one head.
    pub fn only_head(&self) -> Option<Head> {
        let heads = self.heads().ok()?;
        <[Head; 1]>::try_from(heads).ok().map(|[head]| head)
    }
}

fn square(data: &[f64], start: usize, dim: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((dim, dim), &data[start..start + dim * dim])
        .expect("a slice of dim * dim entries is a dim x dim matrix")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(n_layers: usize, n_heads: usize, parametrization: Parametrization) -> Shape {
        Shape {
            d: 2,
            n_layers,
            n_heads,
            parametrization,
        }
    }

    #[test]
    fn merged_and_separate_agree_on_the_effective_matrices() {
        let separate =
            LinearAttention::random(shape(2, 2, Parametrization::Separate), 1.0, 5).unwrap();
        let effective = separate.effective();
        let query = separate.matrix(1, 0, MatrixKind::Query).unwrap();
        let key = separate.matrix(1, 0, MatrixKind::Key).unwrap();
        let expected = linalg::matmul(query.t(), key);
        assert_eq!(effective.q(1, 0), expected.as_slice().unwrap());
        let value = separate.matrix(1, 1, MatrixKind::Value).unwrap();
        assert_eq!(effective.v(1, 1), value.as_slice().unwrap());
        assert!(separate.matrix(0, 0, MatrixKind::KeyQuery).is_none());
        assert!(separate.matrix(2, 0, MatrixKind::Value).is_none());
        assert!(separate.heads().is_err());
    }

    #[test]
    fn a_head_round_trips() {
        let q = ndarray::Array2::from_shape_fn((4, 4), |(i, j)| (i * 4 + j) as f64);
        let head = Head::new(vec![1.0, 2.0, 3.0, 4.0], q).unwrap();
        let model = LinearAttention::from_head(&head);
        assert_eq!(model.heads().unwrap(), [head]);
        let again = LinearAttention::from_params(model.shape(), model.params().to_vec());
        assert_eq!(again.unwrap(), model);
    }

    #[test]
    fn initial_entries_have_the_asked_spread() {
        let shape = Shape {
            d: 30,
            ..Shape::merged(30)
        };
        let model = LinearAttention::random(shape, 0.05, 1).unwrap();
        let n = model.params().len() as f64;
        let square = linalg::inner(model.params(), model.params()) / n;
        // Relative standard deviation of a mean square: sqrt(2 / n) = 0.03.
        assert!((square / 0.0025 - 1.0).abs() < 0.16, "{square}");
        assert_eq!(model, LinearAttention::random(shape, 0.05, 1).unwrap());
        assert_ne!(model, LinearAttention::random(shape, 0.05, 2).unwrap());
    }

    #[test]
    fn refusals() {
        let shape = Shape::merged(2);
        assert!(LinearAttention::random(shape, -1.0, 0).is_err());
        assert!(
            LinearAttention::random(
                Shape {
                    n_heads: 0,
                    ..shape
                },
                1.0,
                0
            )
            .is_err()
        );
        let error = LinearAttention::from_params(shape, vec![0.0; 31]).unwrap_err();
        assert_eq!(error.to_string(), "model: 31 parameters, expected 32");
        let mut model = LinearAttention::from_params(shape, vec![0.0; 32]).unwrap();
        assert!(!model.set_params(&[f64::NAN; 32]));
        assert_eq!(model.params()[0], 0.0);
    }
}
