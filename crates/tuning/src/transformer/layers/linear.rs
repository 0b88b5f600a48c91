//! Linear maps y = x W^T + b, W out x in, over the rows of x.

use crate::transformer::model::layout::Linear;
use crate::transformer::model::parameters::{Gradient, Parameters};
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use icl::math::tensor::rows;

/// Whether a result replaces what is there or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Set,
    Add,
}

/// y = x W^T + b; `y` becomes rows x outputs.
pub(crate) fn forward<T: Float>(
    map: &Linear,
    parameters: Parameters<'_, T>,
    x: &[T],
    y: &mut Vec<T>,
) {
    let rows = x.len() / map.inputs;
    y.resize(rows * map.outputs, T::ZERO);
    apply(parameters.get(map.weight), x, [map.inputs, map.outputs], y);
    if let Some(bias) = map.bias {
        rows::add_to_each_row(y, parameters.get(bias));
    }
}

/// y = x W^T.
pub(crate) fn apply<T: Float>(weight: &[T], x: &[T], [inputs, outputs]: [usize; 2], y: &mut [T]) {
    let rows = x.len() / inputs;
    multiply(
        MatrixMut::new(y, rows, outputs),
        MatrixRef::new(x, rows, inputs),
        MatrixRef::new(weight, outputs, inputs).t(),
        false,
    );
}

/// dx = dy W, set or added.
pub(crate) fn input_gradient<T: Float>(
    weight: &[T],
    dy: &[T],
    [inputs, outputs]: [usize; 2],
    dx: &mut [T],
    write: Write,
) {
    let rows = dy.len() / outputs;
    multiply(
        MatrixMut::new(dx, rows, inputs),
        MatrixRef::new(dy, rows, outputs),
        MatrixRef::new(weight, outputs, inputs),
        write == Write::Add,
    );
}

/// dW += dy^T x.
pub(crate) fn weight_gradient<T: Float>(
    dy: &[T],
    x: &[T],
    [inputs, outputs]: [usize; 2],
    dw: &mut [T],
) {
    let rows = dy.len() / outputs;
    multiply(
        MatrixMut::new(dw, outputs, inputs),
        MatrixRef::new(dy, rows, outputs).t(),
        MatrixRef::new(x, rows, inputs),
        true,
    );
}

/// The gradients of the map's own tensors, where they are wanted.
pub(crate) fn own_gradients<T: Float>(
    map: &Linear,
    dy: &[T],
    x: &[T],
    gradient: &mut Gradient<'_, T>,
) {
    if let Some(dw) = gradient.get(map.weight) {
        weight_gradient(dy, x, [map.inputs, map.outputs], dw);
    }
    if let Some(db) = map.bias.and_then(|bias| gradient.get(bias)) {
        rows::add_sum_of_rows(db, dy);
    }
}

/// The gradients of the map's own tensors, and dx = dy W, set or added.
pub(crate) fn backward<T: Float>(
    map: &Linear,
    parameters: Parameters<'_, T>,
    [dy, x]: [&[T]; 2],
    dx: &mut [T],
    write: Write,
    gradient: &mut Gradient<'_, T>,
) {
    own_gradients(map, dy, x, gradient);
    let sizes = [map.inputs, map.outputs];
    input_gradient(parameters.get(map.weight), dy, sizes, dx, write);
}
