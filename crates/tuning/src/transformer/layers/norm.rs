//! RMSNorm and LayerNorm of each token, with learned scale and shift: [`tensor::norm`](icl::math::tensor::norm)
//! on the tensors of a layout.

use crate::transformer::model::config::Norm;
use crate::transformer::model::layout::NormTensors;
use crate::transformer::model::parameters::{Gradient, Parameters};
use icl::math::tensor::float::Float;
use icl::math::tensor::norm::{self, NormGradient, RowStatistics};

/// What backward needs of a forward, for each row.
pub(crate) type Moments<T> = Vec<RowStatistics<T>>;

/// y = the normalised rows of x.
pub(crate) fn forward<T: Float>(
    config: Norm,
    tensors: NormTensors,
    parameters: Parameters<'_, T>,
    x: &[T],
    y: &mut Vec<T>,
    moments: &mut Moments<T>,
) {
    let norm = of(config, tensors, parameters);
    y.resize(x.len(), T::ZERO);
    moments.resize(x.len() / norm.gain.len(), RowStatistics::default());
    norm.forward(y, x, moments);
}

/// Adds to dx what dy asks of x, and to the gradients of scale and shift where they are wanted.
pub(crate) fn backward<T: Float>(
    config: Norm,
    tensors: NormTensors,
    parameters: Parameters<'_, T>,
    [dy, x]: [&[T]; 2],
    moments: &Moments<T>,
    dx: &mut [T],
    gradient: &mut Gradient<'_, T>,
) {
    let norm = of(config, tensors, parameters);
    let [gain, bias] = gradient.get_two(tensors.scale, tensors.shift);
    norm.backward(dx, NormGradient { gain, bias }, dy, x, moments);
}

fn of<T: Float>(
    config: Norm,
    tensors: NormTensors,
    parameters: Parameters<'_, T>,
) -> norm::Norm<'_, T> {
    norm::Norm {
        gain: parameters.get(tensors.scale),
        bias: tensors.shift.map(|shift| parameters.get(shift)),
        epsilon: T::from_f64(config.epsilon),
    }
}
