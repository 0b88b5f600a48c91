//! The nonlinearities between an MLP's linear maps, entry by entry, with their derivatives.

use crate::math::tensor::float::Float;
use crate::transformer::config::Activation;

/// sqrt(2 / pi) and the cubic term of GELU's tanh form (Hendrycks and Gimpel 2016, doi:10.48550/arXiv.1606.08415).
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

/// `active` = the nonlinearity of `up`; `gate` is used by SwiGLU alone.
pub(crate) fn forward<T: Float>(activation: Activation, gate: &[T], up: &[T], active: &mut Vec<T>) {
    active.resize(up.len(), T::ZERO);
    match activation {
        Activation::Gelu => {
            for (active, &x) in active.iter_mut().zip(up) {
                *active = T::from_f64(0.5) * x * (T::ONE + gelu_inner(x).tanh());
            }
        }
        Activation::SquaredRelu => {
            for (active, &x) in active.iter_mut().zip(up) {
                let x = x.max(T::ZERO);
                *active = x * x;
            }
        }
        Activation::SwiGlu => {
            for ((active, &x), &gate) in active.iter_mut().zip(up).zip(gate) {
                *active = gate * logistic(gate) * x;
            }
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
    d_up.resize(up.len(), T::ZERO);
    match activation {
        Activation::Gelu => {
            let half = T::from_f64(0.5);
            let (scale, cube) = (T::from_f64(GELU_SCALE), T::from_f64(3.0 * GELU_CUBE));
            for ((d_up, &x), &d) in d_up.iter_mut().zip(up).zip(d_active) {
                let tanh = gelu_inner(x).tanh();
                let slope = scale * (T::ONE + cube * x * x);
                *d_up = d * (half * (T::ONE + tanh) + half * x * (T::ONE - tanh * tanh) * slope);
            }
        }
        Activation::SquaredRelu => {
            for ((d_up, &x), &d) in d_up.iter_mut().zip(up).zip(d_active) {
                let x = x.max(T::ZERO);
                *d_up = d * (x + x);
            }
        }
        Activation::SwiGlu => {
            d_gate.resize(up.len(), T::ZERO);
            let outputs = d_gate.iter_mut().zip(d_up.iter_mut());
            for (((d_gate, d_up), (&gate, &x)), &d) in
                outputs.zip(gate.iter().zip(up)).zip(d_active)
            {
                let share = logistic(gate);
                *d_up = d * gate * share;
                *d_gate = d * x * share * (T::ONE + gate * (T::ONE - share));
            }
        }
    }
}

#[inline(always)]
fn gelu_inner<T: Float>(x: T) -> T {
    T::from_f64(GELU_SCALE) * (x + T::from_f64(GELU_CUBE) * x * x * x)
}

#[inline(always)]
fn logistic<T: Float>(x: T) -> T {
    T::ONE / (T::ONE + (T::ZERO - x).exp())
}
