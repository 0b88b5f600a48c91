//! The nonlinearities between an MLP's linear maps: [`tensor::activation`](icl::math::tensor::activation), and
//! SwiGLU's product of two of them.

use crate::transformer::model::config::Activation;
use icl::math::tensor::activation::Activation as Curve;
use icl::math::tensor::float::Float;

/// `active` = the nonlinearity of `up`; `gate` is used by SwiGLU alone: silu(gate) up.
pub(crate) fn forward<T: Float>(activation: Activation, gate: &[T], up: &[T], active: &mut Vec<T>) {
    active.resize(up.len(), T::ZERO);
    match activation {
        Activation::Gelu => Curve::Gelu.forward(active, up),
        Activation::SquaredRelu => Curve::SquaredRelu.forward(active, up),
        Activation::SwiGlu => {
            Curve::Silu.forward(active, gate);
            times(active, up);
        }
    }
}

/// d_up (and d_gate for SwiGLU) from the gradient of `active`.
pub(crate) fn backward<T: Float>(
    activation: Activation,
    [gate, up, d_active]: [&[T]; 3],
    d_gate: &mut Vec<T>,
    d_up: &mut Vec<T>,
) {
    d_up.clear();
    d_up.extend_from_slice(d_active);
    match activation {
        Activation::Gelu => Curve::Gelu.backward(d_up, up),
        Activation::SquaredRelu => Curve::SquaredRelu.backward(d_up, up),
        Activation::SwiGlu => {
            d_gate.clear();
            d_gate.extend_from_slice(d_active);
            times(d_gate, up);
            Curve::Silu.backward(d_gate, gate);
            Curve::Silu.forward(d_up, gate);
            times(d_up, d_active);
        }
    }
}

fn times<T: Float>(values: &mut [T], factors: &[T]) {
    for (value, &factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}
