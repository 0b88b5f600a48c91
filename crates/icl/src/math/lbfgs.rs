//! L-BFGS with a backtracking line search: a local minimum of a smooth function.
//!
//! Source: Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4 and 3.1 (sums in order, so equal bits
//! everywhere). Our own because descents here end at rounding, where each line search ends after a bounded
//! number of trials. Does not know what it minimises.

use crate::math::linalg::inner;
use std::collections::VecDeque;

/// When to stop, and what to remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    pub steps: usize,
    /// Pairs of steps and changes of the gradient.
    pub memory: usize,
    /// Norm of the gradient that is as good as zero.
    pub gradient_norm: f64,
}

/// Share of the predicted decrease that a step must bring.
const ARMIJO: f64 = 1e-4;
/// Halvings of a step before rounding is taken to end the descent.
const TRIALS: usize = 60;

/// Descends from `start`; returns the last point and its value. Never higher than the start.
pub fn minimise(
    start: Vec<f64>,
    plan: &Plan,
    mut value_and_gradient: impl FnMut(&[f64]) -> (f64, Vec<f64>),
) -> (Vec<f64>, f64) {
    let mut point = start;
    let (mut value, mut gradient) = value_and_gradient(&point);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(plan.memory);
    for _ in 0..plan.steps {
        if inner(&gradient, &gradient).sqrt() <= plan.gradient_norm {
            break;
        }
        let mut direction = direction(&gradient, &memory);
        let mut slope = inner(&direction, &gradient);
        // Curvature that no longer fits: begin anew.
        if slope.is_nan() || slope >= 0.0 {
            memory.clear();
            direction = gradient.iter().map(|x| -x).collect();
            slope = -inner(&gradient, &gradient);
        }
        let mut length = match memory.is_empty() {
            true => 1.0 / (-slope).sqrt().max(1.0),
            false => 1.0,
        };
        let mut taken = None;
        for _ in 0..TRIALS {
            let moved = point.iter().zip(&direction).map(|(x, s)| x + length * s);
            let moved: Vec<f64> = moved.collect();
            let (there, slopes) = value_and_gradient(&moved);
            if there <= value + ARMIJO * length * slope && there < value {
                taken = Some((moved, there, slopes));
                break;
            }
            length *= 0.5;
        }
        let Some((moved, there, slopes)) = taken else {
            if memory.is_empty() {
                break;
            }
            memory.clear();
            continue;
        };
        let pair = Pair::new(
            moved.iter().zip(&point).map(|(x, y)| x - y).collect(),
            slopes.iter().zip(&gradient).map(|(x, y)| x - y).collect(),
        );
        if let Some(pair) = pair {
            if memory.len() == plan.memory {
                memory.pop_front();
            }
            memory.push_back(pair);
        }
        (point, value, gradient) = (moved, there, slopes);
    }
    (point, value)
}

/// A step and the change of the gradient along it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step . change).
    rho: f64,
}

impl Pair {
    /// `None` where the function does not bend upwards along the step.
    fn new(step: Vec<f64>, change: Vec<f64>) -> Option<Pair> {
        let product = inner(&step, &change);
        let size = (inner(&step, &step) * inner(&change, &change)).sqrt();
        (product > 1e-10 * size).then(|| Pair {
            rho: 1.0 / product,
            step,
            change,
        })
    }
}

/// -H g by the two loops over what is remembered.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|x| -x).collect();
    let mut weights = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let weight = pair.rho * inner(&pair.step, &q);
        for (x, y) in q.iter_mut().zip(&pair.change) {
            *x -= weight * y;
        }
        weights.push(weight);
    }
    if let Some(last) = memory.back() {
        let scale = 1.0 / (last.rho * inner(&last.change, &last.change));
        q.iter_mut().for_each(|x| *x *= scale);
    }
    for (pair, weight) in memory.iter().zip(weights.into_iter().rev()) {
        let back = pair.rho * inner(&pair.change, &q);
        for (x, s) in q.iter_mut().zip(&pair.step) {
            *x += (weight - back) * s;
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's function in ten dimensions: a bent valley with its minimum at (1, ..., 1).
    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        let rosenbrock = |x: &[f64]| {
            let (mut value, mut gradient) = (0.0, vec![0.0; x.len()]);
            for i in 0..x.len() - 1 {
                let (rise, left) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
                value += 100.0 * rise * rise + left * left;
                gradient[i] += -400.0 * x[i] * rise - 2.0 * left;
                gradient[i + 1] += 200.0 * rise;
            }
            (value, gradient)
        };
        let plan = Plan {
            steps: 2000,
            memory: 8,
            gradient_norm: 1e-10,
        };
        let start = vec![-1.2, 1.0, -1.2, 1.0, -1.2, 1.0, -1.2, 1.0, -1.2, 1.0];
        let (point, value) = minimise(start, &plan, rosenbrock);
        assert!(value < 1e-18, "{value}");
        assert!(point.iter().all(|x| (x - 1.0).abs() < 1e-8), "{point:?}");
    }

    #[test]
    fn a_minimum_is_not_left_and_a_plain_ends_the_descent() {
        let plan = Plan {
            steps: 50,
            memory: 3,
            gradient_norm: 0.0,
        };
        let flat = |_: &[f64]| (2.0, vec![1.0, -1.0]);
        assert_eq!(minimise(vec![0.5, 0.5], &plan, flat), (vec![0.5, 0.5], 2.0));
    }
}
