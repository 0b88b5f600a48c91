//! What fine-tuning changes: whole tensors, or low-rank additions to them (LoRA), and how the model's parameters
//! follow from it.
//!
//! LoRA: W = W_0 + (alpha / rank) B A with A rank x inputs, drawn N(0, 1 / inputs), and B outputs x rank, 0 at first (Hu et al.
//! 2021, doi:10.48550/arXiv.2106.09685). Gradients follow from that of W: dB = (alpha / rank) dW A^T,
//! dA = (alpha / rank) B^T dW.

use crate::transformer::model::layout::{Layout, Role, Tensor};
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use std::ops::Range;

/// Which tensors are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subset {
    Everything,
    /// Queries, keys and values, with their biases.
    QueryKeyValue,
    /// Q, K, V and O.
    Attention,
    Query,
    Key,
    Value,
    HeadOutput,
    Mlp,
    FirstLayerValue,
    LastLayerValue,
}

impl Subset {
    fn has(self, tensor: &Tensor, layers: usize) -> bool {
        let qkv = matches!(tensor.role, Role::Query | Role::Key | Role::Value);
        let value_of = |layer| tensor.role == Role::Value && tensor.layer == Some(layer);
        match self {
            Subset::Everything => true,
            Subset::QueryKeyValue => qkv,
            Subset::Attention => qkv || tensor.role == Role::HeadOutput,
            Subset::Query => tensor.role == Role::Query,
            Subset::Key => tensor.role == Role::Key,
            Subset::Value => tensor.role == Role::Value,
            Subset::HeadOutput => tensor.role == Role::HeadOutput,
            Subset::Mlp => tensor.role == Role::Mlp,
            Subset::FirstLayerValue => value_of(0),
            Subset::LastLayerValue => value_of(layers - 1),
        }
    }
}

/// A low-rank addition instead of whole matrices; vectors of the subset stay as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowRank {
    pub rank: usize,
    pub alpha: f64,
}

/// The numbers that are optimised, beside the parameters that they start from.
#[derive(Debug, Clone)]
pub(crate) struct Trained<T> {
    base: Vec<T>,
    pub values: Vec<T>,
    pieces: Vec<Piece>,
    wanted: Vec<bool>,
    scratch: Vec<T>,
}

#[derive(Debug, Clone)]
struct Piece {
    /// Entries among the parameters.
    tensor: Range<usize>,
    /// Where the trained numbers begin.
    at: usize,
    low_rank: Option<Factors>,
}

#[derive(Debug, Clone, Copy)]
struct Factors {
    rank: usize,
    outputs: usize,
    inputs: usize,
    scale: f64,
}

impl<T: Float> Trained<T> {
    /// # Errors
    /// A subset of which the model has no tensor, or a rank of 0.
    #[inline(never)]
    pub fn new(
        layout: &Layout,
        base: &[T],
        subset: Subset,
        low_rank: Option<LowRank>,
        seed: u64,
    ) -> Result<Trained<T>, String> {
        let mut trained = Trained {
            base: base.to_vec(),
            values: Vec::new(),
            pieces: Vec::new(),
            wanted: vec![false; layout.tensors().len()],
            scratch: Vec::new(),
        };
        if low_rank.is_some_and(|low_rank| low_rank.rank == 0) {
            return Err("a low-rank addition has a rank of at least 1".into());
        }
        for (tensor, wanted) in layout.tensors().iter().zip(&mut trained.wanted) {
            if !subset.has(tensor, layout.layers.len()) {
                continue;
            }
            let at = trained.values.len();
            let (range, rows) = (tensor.range(), tensor.rows);
            let factors = match (low_rank, tensor.columns) {
                (None, _) => None,
                (Some(_), None) => continue,
                (Some(LowRank { rank, alpha }), Some(inputs)) => Some(Factors {
                    rank,
                    outputs: rows,
                    inputs,
                    scale: alpha / rank as f64,
                }),
            };
            *wanted = true;
            match factors {
                None => trained.values.extend_from_slice(&base[range.clone()]),
                Some(Factors { rank, inputs, .. }) => {
                    let mut stream = Stream::new(seed, &format!("low rank {}", tensor.name), &[]);
                    let std = 1.0 / (inputs as f64).sqrt();
                    let a = (0..rank * inputs).map(|_| T::from_f64(std * stream.normal()));
                    trained.values.extend(a);
                    trained
                        .values
                        .extend(std::iter::repeat_n(T::ZERO, rows * rank));
                }
            }
            trained.pieces.push(Piece {
                tensor: range,
                at,
                low_rank: factors,
            });
        }
        match trained.pieces.is_empty() {
            true => Err("the model has no tensor of those that are to be trained".into()),
            false => Ok(trained),
        }
    }

    /// By tensor: whether its gradient is needed.
    pub fn wanted(&self) -> &[bool] {
        &self.wanted
    }

    /// Writes the parameters that follow from the trained numbers.
    #[inline(never)]
    pub fn write(&mut self, parameters: &mut [T]) {
        for piece in &self.pieces {
            let into = &mut parameters[piece.tensor.clone()];
            let Some(factors) = piece.low_rank else {
                into.copy_from_slice(&self.values[piece.at..piece.at + into.len()]);
                continue;
            };
            let (a, b) = factors.split(&self.values[piece.at..]);
            self.scratch.resize(into.len(), T::ZERO);
            multiply(
                MatrixMut::new(&mut self.scratch, factors.outputs, factors.inputs),
                b,
                a,
                false,
            );
            let scale = T::from_f64(factors.scale);
            let base = &self.base[piece.tensor.clone()];
            for ((into, &base), &change) in into.iter_mut().zip(base).zip(&self.scratch) {
                *into = base + scale * change;
            }
        }
    }

    /// The gradient of the trained numbers from that of the parameters.
    #[inline(never)]
    pub fn gradient(&self, of_parameters: &[T], gradient: &mut Vec<T>) {
        gradient.resize(self.values.len(), T::ZERO);
        for piece in &self.pieces {
            let d = &of_parameters[piece.tensor.clone()];
            let Some(factors) = piece.low_rank else {
                gradient[piece.at..piece.at + d.len()].copy_from_slice(d);
                continue;
            };
            let Factors {
                rank,
                outputs,
                inputs,
                ..
            } = factors;
            let (a, b) = factors.split(&self.values[piece.at..]);
            let d = MatrixRef::new(d, outputs, inputs);
            let into = &mut gradient[piece.at..piece.at + rank * (inputs + outputs)];
            let (d_a, d_b) = into.split_at_mut(rank * inputs);
            multiply(MatrixMut::new(d_a, rank, inputs), b.t(), d, false);
            multiply(MatrixMut::new(d_b, outputs, rank), d, a.t(), false);
            let scale = T::from_f64(factors.scale);
            for x in into {
                *x *= scale;
            }
        }
    }
}

impl Factors {
    /// A (rank x inputs) and B (outputs x rank).
    fn split<'a, T: Float>(&self, values: &'a [T]) -> (MatrixRef<'a, T>, MatrixRef<'a, T>) {
        let (a, rest) = values.split_at(self.rank * self.inputs);
        let b = &rest[..self.outputs * self.rank];
        (
            MatrixRef::new(a, self.rank, self.inputs),
            MatrixRef::new(b, self.outputs, self.rank),
        )
    }
}
