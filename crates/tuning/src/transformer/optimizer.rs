//! AdamW and SGD on a flat vector, learning-rate schedules, and clipping by the joint norm.

use icl::math::tensor::float::Float;

/// An update rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// v = momentum v + g; x = x - rate v.
    Sgd { momentum: f64 },
    /// Adam with bias correction; `weight_decay` is decoupled: x = x - rate decay x besides (Loshchilov and Hutter 2019,
    /// doi:10.48550/arXiv.1711.05101).
    AdamW {
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        weight_decay: f64,
    },
}

/// The learning rate over the steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub learning_rate: f64,
    /// Steps over which it rises linearly from 0, the first step having a share of 1 / warmup.
    pub warmup: usize,
    pub decay: Decay,
}

/// What comes after the warmup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    Constant,
    /// To 0 after the last step.
    Linear,
    /// Half a cosine, to 0 after the last step.
    Cosine,
}

impl Schedule {
    /// The rate of step `step` of `steps`, from 0.
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f64 / self.warmup as f64;
        }
        let left = (steps - step) as f64 / (steps - self.warmup).max(1) as f64;
        self.learning_rate
            * match self.decay {
                Decay::Constant => 1.0,
                Decay::Linear => left,
                Decay::Cosine => 0.5 - 0.5 * libm::cos(std::f64::consts::PI * left),
            }
    }
}

/// An update rule's memory.
#[derive(Debug, Clone)]
pub(crate) struct State<T> {
    optimizer: Optimizer,
    steps: i32,
    first: Vec<T>,
    second: Vec<T>,
}

impl<T: Float> State<T> {
    pub fn new(optimizer: Optimizer, len: usize) -> State<T> {
        let second = match optimizer {
            Optimizer::Sgd { .. } => 0,
            Optimizer::AdamW { .. } => len,
        };
        State {
            optimizer,
            steps: 0,
            first: vec![T::ZERO; len],
            second: vec![T::ZERO; second],
        }
    }

    /// One step against the gradient.
    #[inline(never)]
    pub fn step(&mut self, rate: f64, gradient: &[T], values: &mut [T]) {
        self.steps += 1;
        match self.optimizer {
            Optimizer::Sgd { momentum } => {
                let (rate, momentum) = (T::from_f64(rate), T::from_f64(momentum));
                let places = values.iter_mut().zip(&mut self.first).zip(gradient);
                for ((x, v), &g) in places {
                    *v = momentum * *v + g;
                    *x -= rate * *v;
                }
            }
            Optimizer::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            } => {
                let left = |beta: f64| 1.0 - libm::pow(beta, f64::from(self.steps));
                let (step, root) = (rate / left(beta1), 1.0 / left(beta2).sqrt());
                let (step, root) = (T::from_f64(step), T::from_f64(root));
                let keep = T::from_f64(1.0 - rate * weight_decay);
                let (b1, b2) = (T::from_f64(beta1), T::from_f64(beta2));
                let (c1, c2) = (T::from_f64(1.0 - beta1), T::from_f64(1.0 - beta2));
                let epsilon = T::from_f64(epsilon);
                let memory = self.first.iter_mut().zip(&mut self.second);
                for ((x, (m, v)), &g) in values.iter_mut().zip(memory).zip(gradient) {
                    *m = b1 * *m + c1 * g;
                    *v = b2 * *v + c2 * g * g;
                    *x = keep * *x - step * *m / (v.sqrt() * root + epsilon);
                }
            }
        }
    }
}

/// Scales the gradient to this Euclidean norm where it is longer; returns the norm before. The sum of squares is
/// one of 16 interleaved ones, added in order.
#[inline(never)]
pub(crate) fn clip<T: Float>(gradient: &mut [T], most: Option<f64>) -> f64 {
    let mut lanes = [0.0; 16];
    for chunk in gradient.chunks(lanes.len()) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let x = x.to_f64();
            *lane += x * x;
        }
    }
    let norm = lanes.iter().fold(0.0, |sum, lane| sum + lane).sqrt();
    if let Some(most) = most.filter(|&most| norm > most) {
        let scale = T::from_f64(most / norm);
        for x in gradient {
            *x *= scale;
        }
    }
    norm
}
