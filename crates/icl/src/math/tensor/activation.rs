//! The curves between the two matrices of an MLP, and their slopes.
//!
//! Each entry alone. Does not know where it comes from.

use super::float::Float;
use crate::math::simd::{self, Kernel};

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// GELU in its tanh form: x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), computed
    /// as x / (1 + exp(-2 u)), which is the same and keeps its digits where x is far below 0.
    Gelu,
    /// max(x, 0)^2.
    SquaredRelu,
    /// x / (1 + exp(-x)), also called swish: the gate of SwiGLU.
    Silu,
}

impl Activation {
    /// out_i = f(x_i).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn forward<T: Float>(self, out: &mut [T], x: &[T]) {
        assert_eq!(out.len(), x.len(), "activation: lengths");
        match self {
            Activation::Gelu => simd::dispatch(Value(Gelu, out, x)),
            Activation::SquaredRelu => simd::dispatch(Value(SquaredRelu, out, x)),
            Activation::Silu => simd::dispatch(Value(Silu, out, x)),
        }
    }

    /// gradient_i = gradient_i f'(x_i).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward<T: Float>(self, gradient: &mut [T], x: &[T]) {
        assert_eq!(gradient.len(), x.len(), "activation: lengths");
        match self {
            Activation::Gelu => simd::dispatch(Slope(Gelu, gradient, x)),
            Activation::SquaredRelu => simd::dispatch(Slope(SquaredRelu, gradient, x)),
            Activation::Silu => simd::dispatch(Slope(Silu, gradient, x)),
        }
    }
}

/// A function of one variable.
trait Curve {
    fn value<T: Float>(&self, x: T) -> T;
    fn slope<T: Float>(&self, x: T) -> T;
}

#[derive(Clone, Copy)]
struct Gelu;

impl Gelu {
    /// 2 sqrt(2 / pi).
    const SCALE: f64 = 2.0 * 0.797_884_560_802_865_4;
    const CUBE: f64 = 0.044_715;
}

impl Curve for Gelu {
    #[inline(always)]
    fn value<T: Float>(&self, x: T) -> T {
        let u = T::from_f64(Self::SCALE) * (x + T::from_f64(Self::CUBE) * x * x * x);
        x * u.logistic()
    }

    #[inline(always)]
    fn slope<T: Float>(&self, x: T) -> T {
        let (scale, cube) = (T::from_f64(Self::SCALE), T::from_f64(Self::CUBE));
        let u = scale * (x + cube * x * x * x);
        let s = u.logistic();
        let du = scale * (T::ONE + T::from_f64(3.0) * cube * x * x);
        s + x * du * s * (T::ONE - s)
    }
}

#[derive(Clone, Copy)]
struct SquaredRelu;

impl Curve for SquaredRelu {
    // In this order what is not a number stays so.
    #[inline(always)]
    fn value<T: Float>(&self, x: T) -> T {
        let positive = T::ZERO.max(x);
        positive * positive
    }

    #[inline(always)]
    fn slope<T: Float>(&self, x: T) -> T {
        let positive = T::ZERO.max(x);
        positive + positive
    }
}

#[derive(Clone, Copy)]
struct Silu;

impl Curve for Silu {
    #[inline(always)]
    fn value<T: Float>(&self, x: T) -> T {
        x * x.logistic()
    }

    #[inline(always)]
    fn slope<T: Float>(&self, x: T) -> T {
        let s = x.logistic();
        s * (T::ONE + x * (T::ONE - s))
    }
}

struct Value<'a, C, T>(C, &'a mut [T], &'a [T]);

impl<C: Curve, T: Float> Kernel for Value<'_, C, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.1.iter_mut().zip(self.2) {
            *out = self.0.value(x);
        }
    }
}

struct Slope<'a, C, T>(C, &'a mut [T], &'a [T]);

impl<C: Curve, T: Float> Kernel for Slope<'_, C, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (gradient, &x) in self.1.iter_mut().zip(self.2) {
            *gradient *= self.0.slope(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::simd::{Level, dispatch_at, supported_levels};
    use crate::math::tolerance::{FINITE_DIFFERENCE, FINITE_DIFFERENCE_STEP, ROUNDING};

    const ALL: [Activation; 3] = [Activation::Gelu, Activation::SquaredRelu, Activation::Silu];

    fn grid() -> Vec<f64> {
        (-400..=400).map(|i| 0.0201 * f64::from(i)).collect()
    }

    #[test]
    fn values_beside_their_definitions() {
        let x = grid();
        for activation in ALL {
            let mut out = vec![0.0; x.len()];
            activation.forward(&mut out, &x);
            for (&out, &x) in out.iter().zip(&x) {
                let exact = match activation {
                    Activation::Gelu => {
                        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                        0.5 * x * (1.0 + libm::tanh(u))
                    }
                    Activation::SquaredRelu => x.max(0.0) * x.max(0.0),
                    Activation::Silu => x / (1.0 + libm::exp(-x)),
                };
                assert!((out - exact).abs() <= ROUNDING, "{activation:?} {x}");
            }
        }
    }

    #[test]
    fn slopes_beside_finite_differences() {
        let x = grid();
        for activation in ALL {
            let shifted = |by: f64| {
                let x: Vec<f64> = x.iter().map(|x| x + by).collect();
                let mut out = vec![0.0; x.len()];
                activation.forward(&mut out, &x);
                out
            };
            let (above, below) = (
                shifted(FINITE_DIFFERENCE_STEP),
                shifted(-FINITE_DIFFERENCE_STEP),
            );
            // The gradient that comes in is multiplied.
            let mut slopes = vec![-2.0; x.len()];
            activation.backward(&mut slopes, &x);
            for (i, slope) in slopes.iter().enumerate() {
                let exact = (above[i] - below[i]) / (2.0 * FINITE_DIFFERENCE_STEP);
                // The second derivative of max(x, 0)^2 jumps at 0: there the difference is off by a step.
                let allowed = FINITE_DIFFERENCE + f64::from(u8::from(x[i] == 0.0)) * 1e-5;
                let gap = (slope / -2.0 - exact).abs();
                assert!(gap <= allowed, "{activation:?} {}: {gap}", x[i]);
            }
        }
    }

    #[test]
    fn far_out_and_not_a_number() {
        for activation in ALL {
            let mut out = [0.0_f32; 3];
            activation.forward(&mut out, &[-1e4, 1e4, f32::NAN]);
            assert_eq!(out[0], 0.0, "{activation:?}");
            assert!(out[1] >= 1e4 && out[2].is_nan(), "{activation:?}: {out:?}");
            let mut slope = [1.0_f32; 3];
            activation.backward(&mut slope, &[-1e4, 1e4, f32::NAN]);
            assert_eq!(slope[0], 0.0, "{activation:?}");
            assert!(slope[1] >= 1.0 && slope[2].is_nan(), "{activation:?}");
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        fn check<T: Float, C: Curve + Copy>(curve: C) {
            let x: Vec<T> = grid().into_iter().map(T::from_f64).collect();
            let at = |level| {
                let (mut out, mut slopes) = (x.clone(), x.clone());
                dispatch_at(level, Value(curve, &mut out, &x));
                dispatch_at(level, Slope(curve, &mut slopes, &x));
                let all = out.into_iter().chain(slopes);
                all.map(|x| x.to_f64().to_bits()).collect::<Vec<_>>()
            };
            let baseline = at(Level::Baseline);
            for level in supported_levels() {
                assert_eq!(at(level), baseline, "{level:?}");
            }
        }
        check::<f32, _>(Gelu);
        check::<f64, _>(Gelu);
        check::<f32, _>(Silu);
        check::<f64, _>(Silu);
        check::<f32, _>(SquaredRelu);
    }
}
