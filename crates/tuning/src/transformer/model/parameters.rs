//! The flat vectors of parameters and of their gradient, read tensor by tensor.

use crate::transformer::model::layout::{Layout, Role};
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;

/// Parameters to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters<'a, T> {
    pub layout: &'a Layout,
    pub values: &'a [T],
}

impl<'a, T> Parameters<'a, T> {
    /// A tensor's entries.
    pub fn get(&self, tensor: usize) -> &'a [T] {
        &self.values[self.layout.tensors()[tensor].range()]
    }
}

/// A gradient to add to; tensors that nobody trains have none and cost none.
#[derive(Debug)]
pub(crate) struct Gradient<'a, T> {
    pub layout: &'a Layout,
    /// By tensor: whether its gradient is wanted.
    pub wanted: &'a [bool],
    pub values: &'a mut [T],
}

impl<T> Gradient<'_, T> {
    /// A tensor's entries, where its gradient is wanted.
    pub fn get(&mut self, tensor: usize) -> Option<&mut [T]> {
        self.wanted[tensor].then(|| &mut self.values[self.layout.tensors()[tensor].range()])
    }

    /// The entries of two tensors, the second behind the first; each where it is there and its gradient is wanted.
    ///
    /// # Panics
    /// If the second is not behind the first.
    pub fn get_two(&mut self, first: usize, second: Option<usize>) -> [Option<&mut [T]>; 2] {
        let tensors = self.layout.tensors();
        let start = tensors[first].range().end;
        let (before, behind) = self.values.split_at_mut(start);
        let first = self.wanted[first].then(|| &mut before[tensors[first].range()]);
        let second = second.filter(|&second| self.wanted[second]).map(|second| {
            let range = tensors[second].range();
            &mut behind[range.start - start..range.end - start]
        });
        [first, second]
    }

    /// Whether some tensor below this layer is trained: the embedding or one of an earlier layer.
    pub fn wanted_below(&self, layer: usize) -> bool {
        let tensors = self.layout.tensors().iter().zip(self.wanted);
        { tensors }.any(|(tensor, &wanted)| {
            let below = match tensor.layer {
                Some(other) => other < layer,
                None => tensor.role == Role::Embedding,
            };
            wanted && below
        })
    }
}

/// How the first values are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Every entry of every matrix N(0, std^2), as in the paper.
    Normal { std: f64 },
    /// A linear map N(0, 1 / inputs); those that write into the stream (O and the MLP's last) divided by
    /// sqrt(2 layers); the output 0; embeddings N(0, 1).
    FanIn,
}

/// First values: matrices drawn, biases and shifts 0, norms' scales 1. A tensor has a stream of its own, so an
/// ingredient more changes no other tensor.
#[inline(never)]
pub fn initial<T: Float>(layout: &Layout, init: Init, seed: u64) -> Vec<T> {
    let layers = layout.layers.len();
    let mut values = Vec::with_capacity(layout.len());
    for tensor in layout.tensors() {
        let Some(columns) = tensor.columns else {
            let scale = tensor.role == Role::Norm && tensor.name.ends_with(".weight");
            let value = if scale { T::ONE } else { T::ZERO };
            values.extend(std::iter::repeat_n(value, tensor.len()));
            continue;
        };
        let std = match (init, tensor.role) {
            (Init::Normal { std }, _) => std,
            (Init::FanIn, Role::Embedding) => 1.0,
            (Init::FanIn, Role::Output) => 0.0,
            (Init::FanIn, role) => {
                let writes = role == Role::HeadOutput || tensor.name.contains("down_proj");
                let depth = if writes { 2.0 * layers as f64 } else { 1.0 };
                1.0 / (columns as f64 * depth).sqrt()
            }
        };
        let mut stream = Stream::new(seed, &format!("initial {}", tensor.name), &[]);
        values.extend((0..tensor.len()).map(|_| T::from_f64(std * stream.normal())));
    }
    values
}
