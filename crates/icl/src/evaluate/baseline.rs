//! What a reader compares a model with: classifiers fitted on the shots of a prompt alone.
//!
//! Eight prompts side by side, one in each lane. With z = (1, x) and labels y = 1 or -1:
//!
//! * ridge regression: w = argmin sum_i (y_i - w.z_i)^2 + penalty |w|^2, prediction w.z
//! * logistic regression: w = argmin sum_i log(1 + exp(-y_i w.z_i)) + penalty/2 |w|^2, prediction
//!   2 P(y = 1) - 1 = tanh(w.z / 2)
//! * nearest class mean: 1 or -1 by the nearer mean of the shots of a class; the class that there is when
//!   there is one only; 0 where both are equally near
//!
//! Without shots all three predict 0. The constant is penalised like the other weights, so that one
//! class alone has a finite fit. Does not know where prompts come from.

use crate::math::lanes::{Lanes, WIDTH};
use crate::math::product::dot;

/// How much large weights cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalties {
    pub ridge: f64,
    pub logistic: f64,
}

/// The baselines, in the order of their predictions.
pub const NAMES: [&str; 3] = ["ridge", "logistic", "nearest_mean"];

/// Newton steps end when the longest is shorter than this; the next would be about its square.
const SHORT: f64 = 1e-8;
/// More steps than any prompt needed; each lowers the loss, so that stopping is safe.
const MOST_STEPS: usize = 60;

/// The three baselines on the first shots of eight prompts; shots are added one by one.
#[derive(Debug, Clone)]
pub struct Baselines {
    d: usize,
    penalties: Penalties,
    /// z = (1, x) and y of each shot.
    shots: Vec<Vec<Lanes>>,
    labels: Vec<Lanes>,
    /// Longest z, for the step length of Newton's method.
    longest: Lanes,
    /// Sum of z z^T (lower triangle) and of z y.
    gram: Vec<Lanes>,
    moment: Vec<Lanes>,
    /// Sums of x and numbers of shots of the classes 1 and -1.
    class_sums: [Vec<Lanes>; 2],
    class_sizes: [Lanes; 2],
    /// Logistic weights at the shots so far, from which the next fit starts.
    weights: Vec<Lanes>,
    matrix: Vec<Lanes>,
    vector: Vec<Lanes>,
}

impl Baselines {
    /// For features of dimension d.
    pub fn new(d: usize, penalties: Penalties) -> Baselines {
        let zeros = |len: usize| vec![Lanes::ZERO; len];
        let dim = d + 1;
        Baselines {
            d,
            penalties,
            shots: Vec::new(),
            labels: Vec::new(),
            longest: Lanes::ZERO,
            gram: zeros(dim * dim),
            moment: zeros(dim),
            class_sums: [zeros(d), zeros(d)],
            class_sizes: [Lanes::ZERO; 2],
            weights: zeros(dim),
            matrix: zeros(dim * dim),
            vector: zeros(dim),
        }
    }

    /// Forgets all shots.
    pub fn clear(&mut self) {
        self.shots.clear();
        self.labels.clear();
        self.longest = Lanes::ZERO;
        for sums in [&mut self.gram, &mut self.moment, &mut self.weights] {
            sums.fill(Lanes::ZERO);
        }
        self.class_sums
            .iter_mut()
            .for_each(|sums| sums.fill(Lanes::ZERO));
        self.class_sizes = [Lanes::ZERO; 2];
    }

    /// Adds a shot to each prompt.
    ///
    /// # Panics
    /// If x does not have d entries.
    #[inline(always)]
    pub fn push(&mut self, x: &[Lanes], y: Lanes) {
        assert_eq!(x.len(), self.d, "baselines: features");
        let mut z = Vec::with_capacity(self.d + 1);
        z.push(Lanes::ONE);
        z.extend_from_slice(x);
        let dim = z.len();
        for i in 0..dim {
            for j in 0..=i {
                self.gram[i * dim + j] += z[i] * z[j];
            }
            self.moment[i] += z[i] * y;
        }
        let length = dot(&z, &z).sqrt();
        for (most, length) in self.longest.0.iter_mut().zip(length.0) {
            *most = most.max(length);
        }
        // Labels are 1 or -1: (1 + y)/2 and (1 - y)/2 are the shares of the classes.
        for (class, sign) in [1.0, -1.0].into_iter().enumerate() {
            let share = 0.5 + 0.5 * sign * y;
            self.class_sizes[class] += share;
            for (sum, &x) in self.class_sums[class].iter_mut().zip(x) {
                *sum += share * x;
            }
        }
        self.shots.push(z);
        self.labels.push(y);
    }

    /// Predictions at a query with features x, in the order of [`NAMES`].
    #[inline(always)]
    pub fn predict(&mut self, x: &[Lanes]) -> [Lanes; 3] {
        if self.shots.is_empty() {
            return [Lanes::ZERO; 3];
        }
        self.fit_ridge();
        let ridge = self.vector[0] + dot(&self.vector[1..], x);
        self.fit_logistic();
        let score = self.weights[0] + dot(&self.weights[1..], x);
        let logistic = Lanes(score.0.map(|score| libm::tanh(0.5 * score)));
        [ridge, logistic, self.nearest_mean(x)]
    }

    /// Leaves the weights in `vector`.
    #[inline(always)]
    fn fit_ridge(&mut self) {
        self.matrix.copy_from_slice(&self.gram);
        self.vector.copy_from_slice(&self.moment);
        add_diagonal(&mut self.matrix, self.d + 1, self.penalties.ridge);
        solve(&mut self.matrix, &mut self.vector);
    }

    /// Damped Newton steps. With R the longest z, the third derivative of the loss along a step s is at
    /// most R |s| times the second, so a step of ln(1 + b)/b, b = R |s|, lowers it for certain.
    /// Source: Sun and Tran-Dinh, Mathematical Programming 178 (2019), theorem 2 with nu = 2.
    #[inline(always)]
    fn fit_logistic(&mut self) {
        let dim = self.d + 1;
        for _ in 0..MOST_STEPS {
            self.matrix.fill(Lanes::ZERO);
            for (gradient, &weight) in self.vector.iter_mut().zip(&self.weights) {
                *gradient = weight * self.penalties.logistic;
            }
            for (z, &y) in self.shots.iter().zip(&self.labels) {
                // P(the other class), and the curvature P (1 - P).
                let margin = y * dot(&self.weights, z);
                let other = Lanes(margin.0.map(|margin| 1.0 / (1.0 + libm::exp(margin))));
                let pull = y * other;
                let curvature = other * (1.0 - other);
                for i in 0..dim {
                    self.vector[i] = self.vector[i] - pull * z[i];
                    let scaled = curvature * z[i];
                    let row = &mut self.matrix[i * dim..=i * dim + i];
                    for (entry, &z) in row.iter_mut().zip(z) {
                        *entry += scaled * z;
                    }
                }
            }
            add_diagonal(&mut self.matrix, dim, self.penalties.logistic);
            solve(&mut self.matrix, &mut self.vector);
            let length = dot(&self.vector, &self.vector).sqrt();
            let damping: [f64; WIDTH] = std::array::from_fn(|lane| {
                let reach = self.longest.0[lane] * length.0[lane];
                if reach < 1e-12 {
                    1.0
                } else {
                    libm::log1p(reach) / reach
                }
            });
            for (weight, &step) in self.weights.iter_mut().zip(&self.vector) {
                *weight = *weight - Lanes(damping) * step;
            }
            if length.0.iter().all(|&length| length < SHORT) {
                break;
            }
        }
    }

    #[inline(always)]
    fn nearest_mean(&self, x: &[Lanes]) -> Lanes {
        let mut distances = [Lanes::ZERO; 2];
        for (class, distance) in distances.iter_mut().enumerate() {
            let share = self.class_sizes[class].recip();
            for (&sum, &x) in self.class_sums[class].iter().zip(x) {
                let gap = x - sum * share;
                *distance += gap * gap;
            }
        }
        let [ones, others] = self.class_sizes;
        Lanes(std::array::from_fn(|lane| {
            let (near, far) = (distances[0].0[lane], distances[1].0[lane]);
            if others.0[lane] == 0.0 || (ones.0[lane] > 0.0 && near < far) {
                1.0
            } else if ones.0[lane] == 0.0 || far < near {
                -1.0
            } else {
                0.0
            }
        }))
    }
}

/// Weights (w_0, w_1..w_d) of the ridge regression of labels on rows of features: a linear classifier
/// that knows one task and reads no context.
///
/// # Panics
/// If there are no rows, or rows of different lengths.
pub fn linear_fit(rows: &[Vec<f64>], labels: &[f64], penalty: f64) -> Vec<f64> {
    let penalties = Penalties {
        ridge: penalty,
        logistic: 1.0,
    };
    let mut fit = Baselines::new(rows[0].len(), penalties);
    for (row, &label) in rows.iter().zip(labels) {
        let x: Vec<Lanes> = row.iter().map(|&value| Lanes::splat(value)).collect();
        fit.push(&x, Lanes::splat(label));
    }
    fit.fit_ridge();
    fit.vector.iter().map(|weight| weight.0[0]).collect()
}

#[inline(always)]
fn add_diagonal(matrix: &mut [Lanes], dim: usize, value: f64) {
    for i in 0..dim {
        matrix[i * dim + i] += Lanes::splat(value);
    }
}

/// Solves A w = b for eight symmetric positive definite A, given by their lower triangles, by
/// Cholesky's factors in place; b becomes w.
#[inline(always)]
fn solve(a: &mut [Lanes], b: &mut [Lanes]) {
    let dim = b.len();
    for j in 0..dim {
        let mut pivot = a[j * dim + j];
        for k in 0..j {
            pivot = pivot - a[j * dim + k] * a[j * dim + k];
        }
        // The inverse of the factor's diagonal takes its place.
        let inverse = pivot.sqrt().recip();
        a[j * dim + j] = inverse;
        for i in j + 1..dim {
            let mut entry = a[i * dim + j];
            for k in 0..j {
                entry = entry - a[i * dim + k] * a[j * dim + k];
            }
            a[i * dim + j] = entry * inverse;
        }
    }
    for i in 0..dim {
        let mut entry = b[i];
        for k in 0..i {
            entry = entry - a[i * dim + k] * b[k];
        }
        b[i] = entry * a[i * dim + i];
    }
    for i in (0..dim).rev() {
        let mut entry = b[i];
        for k in i + 1..dim {
            entry = entry - a[k * dim + i] * b[k];
        }
        b[i] = entry * a[i * dim + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::lane_stream::LaneStream;
    use crate::math::tolerance;

    const PENALTIES: Penalties = Penalties {
        ridge: 0.7,
        logistic: 0.3,
    };

    /// Shots of all lanes: features and labels.
    fn shots(n: usize, d: usize) -> Vec<(Vec<Lanes>, Lanes)> {
        let mut stream = LaneStream::new(8, "baseline test", &[d as u64]);
        let mut shot = || {
            let mut x = vec![Lanes::ZERO; d];
            stream.fill_normal(&mut x);
            let mut noise = [Lanes::ZERO];
            stream.fill_normal(&mut noise);
            let score = x[0] + noise[0] * 0.5;
            let y = Lanes(score.0.map(|y| if y > 0.0 { 1.0 } else { -1.0 }));
            (x, y)
        };
        (0..n).map(|_| shot()).collect()
    }

    /// At its minimum a loss has no slope, whatever found it.
    #[test]
    fn fits_have_no_slope() {
        for d in [1, 4, 9] {
            let shots = shots(20, d);
            let mut fit = Baselines::new(d, PENALTIES);
            for (n, (x, y)) in shots.iter().enumerate() {
                fit.push(x, *y);
                fit.predict(x);
                let logistic = fit.weights.clone();
                fit.fit_ridge();
                let z = |i: usize| [&[Lanes::ONE][..], &shots[i].0].concat();
                for lane in 0..WIDTH {
                    let score = |w: &[Lanes], i: usize| dot(w, &z(i)).0[lane];
                    for j in 0..=d {
                        let mut slope = 2.0 * PENALTIES.ridge * fit.vector[j].0[lane];
                        let mut steep = PENALTIES.logistic * logistic[j].0[lane];
                        for (i, shot) in shots[..=n].iter().enumerate() {
                            let (zj, y) = (z(i)[j].0[lane], shot.1.0[lane]);
                            slope -= 2.0 * zj * (y - score(&fit.vector, i));
                            steep -= zj * y / (1.0 + libm::exp(y * score(&logistic, i)));
                        }
                        assert!(
                            slope.abs() < 1e3 * tolerance::ROUNDING,
                            "ridge {n}: {slope}"
                        );
                        assert!(steep.abs() < SHORT, "logistic {n}: {steep}");
                    }
                }
            }
        }
    }

    /// One example of each class in one dimension, by hand: ridge without a slope of the constant has
    /// w = 2/(2 + penalty); the means are the examples.
    #[test]
    fn two_examples_by_hand() {
        let mut fit = Baselines::new(1, PENALTIES);
        let at = |x: f64| vec![Lanes::splat(x)];
        assert_eq!(fit.predict(&at(3.0)), [Lanes::ZERO; 3]);
        fit.push(&at(1.0), Lanes::ONE);
        assert_eq!(fit.predict(&at(-9.0))[2], Lanes::ONE);
        fit.push(&at(-1.0), Lanes::splat(-1.0));
        let [ridge, logistic, nearest] = fit.predict(&at(0.5)).map(|p| p.0[3]);
        assert!((ridge - 0.5 * 2.0 / 2.7).abs() < tolerance::ROUNDING);
        // Its weight solves penalty w = 2/(1 + e^w); bisection finds it too.
        let (mut low, mut high) = (0.0, 10.0);
        for _ in 0..100 {
            let middle: f64 = 0.5 * (low + high);
            if PENALTIES.logistic * middle < 2.0 / (1.0 + libm::exp(middle)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        assert!((logistic - libm::tanh(0.25 * low)).abs() < 1e-9);
        assert_eq!(nearest, 1.0);
        assert_eq!(fit.predict(&at(0.0))[2], Lanes::ZERO);
        assert_eq!(fit.predict(&at(-2.0))[2], Lanes::splat(-1.0));
        fit.clear();
        fit.push(&at(5.0), Lanes::splat(-1.0));
        assert_eq!(fit.predict(&at(5.0))[2], Lanes::splat(-1.0));
    }

    #[test]
    fn a_separable_line_is_found() {
        let rows = [[0.0, 1.0], [1.0, 0.0], [-1.0, 3.0], [2.0, 2.0]].map(|row| row.to_vec());
        let labels: Vec<f64> = rows.iter().map(|x| 2.0 + 3.0 * x[0] - x[1]).collect();
        let weights = linear_fit(&rows, &labels, 1e-9);
        for (weight, expected) in weights.iter().zip([2.0, 3.0, -1.0]) {
            assert!((weight - expected).abs() < 1e-6, "{weights:?}");
        }
    }
}
