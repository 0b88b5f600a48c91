//! Descent over all entries of the heads, under a bound on the zero-shot error, from many random starts.
//!
//! An augmented Lagrangian around L-BFGS. What it finds is a model, so an upper bound of the front; that nothing
//! lower was found from many starts is evidence, no proof. Knows neither families nor symmetries.

use crate::math::lbfgs;
use crate::math::stream::Stream;
use crate::theory::pareto::entries::Layout;
use crate::theory::pareto::front::Tradeoff;
use crate::theory::pareto::quadratic::Quadratic;
use rayon::prelude::*;

/// Where to begin and when to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Random starts: normal entries, of the standard deviations [`SPREADS`] in turn.
    pub starts: usize,
    pub seed: u64,
}

/// A model within the bound, as flat heads ([`Layout`]), theta0 = e_1.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub zero_shot: f64,
    pub few_shot: f64,
    pub heads: Vec<f64>,
}

/// Both errors of any heads.
#[derive(Debug)]
pub struct Errors {
    layout: Layout,
    zero: Sparse,
    few: Sparse,
}

/// A quadratic whose square is mostly zeros: moments of odd order vanish.
#[derive(Debug)]
struct Sparse {
    constant: f64,
    linear: Vec<f64>,
    /// By row, the entries that are not 0.
    rows: Vec<Vec<(usize, f64)>>,
}

/// Standard deviations of the entries of starts.
pub const SPREADS: [f64; 3] = [0.1, 0.3, 1.0];

/// Largest violation of the bound that a result may have.
const FEASIBLE: f64 = 1e-8;
/// First weights of a violation, of starts in turn, and the largest.
const WEIGHTS: [f64; 3] = [8.0, 256.0, 4096.0];
const HEAVIEST: f64 = 32768.0;
/// Rounds of the multiplier, each a descent.
const ROUNDS: usize = 24;
const DESCENT: lbfgs::Plan = lbfgs::Plan {
    steps: 3000,
    memory: 12,
    gradient_norm: 1e-11,
};

impl Errors {
    /// Of a trade-off with theta0 = e_1.
    pub fn new(tradeoff: &Tradeoff, n_heads: usize) -> Errors {
        let layout = Layout {
            d: tradeoff.d(),
            n_heads,
        };
        let (zero, few) = layout.errors(tradeoff);
        Errors {
            layout,
            zero: Sparse::new(zero),
            few: Sparse::new(few),
        }
    }

    /// (zero-shot, mean few-shot).
    ///
    /// # Panics
    /// If there are not [`Layout::size`] numbers.
    pub fn of(&self, heads: &[f64]) -> (f64, f64) {
        let tensor = self.layout.tensor(heads);
        (
            self.zero.at_with_gradient(&tensor).0,
            self.few.at_with_gradient(&tensor).0,
        )
    }

    /// The lowest few-shot error that the starts lead to within the bound.
    pub fn search(&self, bound: f64, plan: &Plan) -> Option<Found> {
        let descents: Vec<Option<Found>> = (0..plan.starts)
            .into_par_iter()
            .map(|start| {
                let spread = SPREADS[start % SPREADS.len()];
                let mut stream = Stream::new(plan.seed, "pareto start", &[start as u64]);
                let heads = (0..self.layout.size()).map(|_| spread * stream.normal());
                let weight = WEIGHTS[start / SPREADS.len() % WEIGHTS.len()];
                self.descend(heads.collect(), bound, weight)
            })
            .collect();
        descents
            .into_iter()
            .flatten()
            .reduce(|best, found| match found.few_shot < best.few_shot {
                true => found,
                false => best,
            })
    }

    /// From one start to a stationary point; `None` where it does not keep the bound. `weight` is that of a
    /// violation at first: starts with a large one come down beside the bound, with a small one through it.
    fn descend(&self, start: Vec<f64>, bound: f64, weight: f64) -> Option<Found> {
        let mut penalty = Penalty {
            errors: self,
            bound,
            multiplier: 0.0,
            weight,
        };
        let mut heads = start;
        let mut before = f64::INFINITY;
        for _ in 0..ROUNDS {
            (heads, _) = lbfgs::minimise(heads, &DESCENT, |x| penalty.value_and_gradient(x));
            let excess = self.of(&heads).0 - bound;
            let next = (penalty.multiplier + penalty.weight * excess).max(0.0);
            let settled = (next - penalty.multiplier).abs() <= FEASIBLE;
            penalty.multiplier = next;
            if settled {
                break;
            }
            if excess.abs() > 0.25 * before {
                penalty.weight = (penalty.weight * 4.0).min(HEAVIEST);
            }
            before = excess.abs();
        }
        let (zero_shot, few_shot) = self.of(&heads);
        (zero_shot <= bound + FEASIBLE).then_some(Found {
            zero_shot,
            few_shot,
            heads,
        })
    }
}

impl Sparse {
    fn new(quadratic: Quadratic) -> Sparse {
        let row = |row: ndarray::ArrayView1<f64>| {
            let entries = row.iter().copied().enumerate();
            entries.filter(|(_, x)| *x != 0.0).collect()
        };
        Sparse {
            constant: quadratic.constant,
            rows: quadratic.square.rows().into_iter().map(row).collect(),
            linear: quadratic.linear,
        }
    }

    /// As that of [`Quadratic`].
    fn at_with_gradient(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let mut value = self.constant;
        let gradient = self.rows.iter().zip(&self.linear).zip(point);
        let gradient = gradient.map(|((row, slope), x)| {
            let product = row.iter().fold(0.0, |sum, &(j, y)| sum + y * point[j]);
            value += x * (product - 2.0 * slope);
            2.0 * (product - slope)
        });
        let gradient = gradient.collect();
        (value, gradient)
    }
}

/// few + (max(0, multiplier + weight (zero - bound))^2 - multiplier^2) / (2 weight).
struct Penalty<'a> {
    errors: &'a Errors,
    bound: f64,
    multiplier: f64,
    weight: f64,
}

impl Penalty<'_> {
    fn value_and_gradient(&self, heads: &[f64]) -> (f64, Vec<f64>) {
        let layout = &self.errors.layout;
        let tensor = layout.tensor(heads);
        let (zero, d_zero) = self.errors.zero.at_with_gradient(&tensor);
        let (few, d_few) = self.errors.few.at_with_gradient(&tensor);
        let pull = (self.multiplier + self.weight * (zero - self.bound)).max(0.0);
        let value = few + 0.5 * (pull * pull - self.multiplier * self.multiplier) / self.weight;
        let slopes = d_few.iter().zip(&d_zero).map(|(x, y)| x + pull * y);
        let slopes: Vec<f64> = slopes.collect();
        (value, layout.pull_back(heads, &slopes))
    }
}
