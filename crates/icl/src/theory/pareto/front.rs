//! The least few-shot error under a bound on the zero-shot error, for families of one-layer models.
//!
//! For one head with v = (0, alpha theta0, beta) both errors are convex quadratics in Q, whose optimum has
//! Q00 = c, Q\[x,x\] = b I + (a - b) theta0 theta0^T, Q\[x,y\] = gamma theta0 and zeros elsewhere: a convex problem of four
//! numbers at each angle of (alpha, beta), and a search over that one angle. For any number of heads it is
//! one convex problem of nine. Does not know v with other directions: `search` looks there.

use crate::math::linalg;
use crate::model::head::Head;
use crate::prompts::task::Task;
use crate::theory::pareto::invariants::{self, INVARIANTS};
use crate::theory::pareto::quadratic::{Minimum, Quadratic};
use ndarray::{Array2, s};
use std::f64::consts::{FRAC_PI_2, PI};
use std::fmt;

/// Which entries of one head are free beside v; the rest is as pretrained, Q\[x,x\] = a I.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The value matrix alone.
    Value,
    /// And Q\[x,y\].
    ValueAndLabelColumn,
    /// And Q00.
    ValueAndConstant,
    ValueLabelColumnAndConstant,
    /// All of Q.
    OneHead,
    /// Any number of heads.
    AnyHeads,
}

/// All, from the smallest set to the largest.
pub const FAMILIES: [Family; 6] = [
    Family::Value,
    Family::ValueAndLabelColumn,
    Family::ValueAndConstant,
    Family::ValueLabelColumnAndConstant,
    Family::OneHead,
    Family::AnyHeads,
];

/// d, sigma2 and n of both errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tradeoff {
    d: usize,
    noise_var: f64,
    n_shots: usize,
}

/// Why there is no front, or no point of it.
#[derive(Debug, Clone, PartialEq)]
pub enum FrontError {
    NoDimension,
    NoiseVariance(f64),
    NoShots,
    BelowNoise {
        bound: f64,
        noise_var: f64,
    },
    OutOfReach {
        family: Family,
        bound: f64,
        least: f64,
    },
}

impl fmt::Display for FrontError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrontError::NoDimension => write!(f, "d: the covariate dimension must be at least 1"),
            FrontError::NoiseVariance(value) => {
                write!(f, "noise variance: {value} is not a finite number >= 0")
            }
            FrontError::NoShots => write!(
                f,
                "n = 0: without examples there is no few-shot error to trade; n must be at least 1"
            ),
            FrontError::BelowNoise { bound, noise_var } => write!(
                f,
                "a zero-shot error of {bound} is out of reach: no predictor is below the label noise, sigma2 = {noise_var}"
            ),
            FrontError::OutOfReach {
                family,
                bound,
                least,
            } => write!(
                f,
                "a zero-shot error of {bound} is out of reach of {}: its least is {least}",
                family.words()
            ),
        }
    }
}

impl std::error::Error for FrontError {}

/// A point of a front.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontPoint {
    pub zero_shot: f64,
    pub few_shot: f64,
    /// What the point is made of.
    pub model: FrontModel,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FrontModel {
    /// v = (0, alpha theta0, beta), alpha^2 + beta^2 = 1, and Q as in the module's text.
    OneHead {
        alpha: f64,
        beta: f64,
        a: f64,
        b: f64,
        c: f64,
        gamma: f64,
    },
    /// Coefficients of the nine features.
    AnyHeads([f64; INVARIANTS]),
}

impl Family {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Family::Value => "value",
            Family::ValueAndLabelColumn => "value_label",
            Family::ValueAndConstant => "value_constant",
            Family::ValueLabelColumnAndConstant => "value_label_constant",
            Family::OneHead => "one_head",
            Family::AnyHeads => "any_heads",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Family::Value => "the value matrix alone",
            Family::ValueAndLabelColumn => "the value matrix and the label column",
            Family::ValueAndConstant => "the value matrix and Q00",
            Family::ValueLabelColumnAndConstant => "the value matrix, the label column and Q00",
            Family::OneHead => "one head",
            Family::AnyHeads => "any number of heads",
        }
    }

    /// The features' coefficients as a linear map of the free numbers of Q, for v = (0, alpha theta0, beta).
    ///
    /// f = c (S v)_0 + q^T Q\[x,x\] (S v)_x + gamma (u.q)(S v)_y.
    fn map(self, d: usize, alpha: f64, beta: f64) -> Array2<f64> {
        // Columns a, b, c, gamma.
        let mut all = Array2::zeros((INVARIANTS, 4));
        all[[2, 0]] = beta;
        all[[6, 0]] = alpha;
        all[[1, 1]] = beta;
        all[[2, 1]] = -beta;
        all[[5, 1]] = alpha;
        all[[6, 1]] = -alpha;
        all[[0, 2]] = beta;
        all[[4, 2]] = alpha;
        all[[2, 3]] = alpha;
        all[[8, 3]] = beta;
        // a = b: the column of both.
        let scale = || &all.slice(s![.., 0]) + &all.slice(s![.., 1]);
        let with = |columns: &[usize]| {
            let mut map = Array2::zeros((INVARIANTS, columns.len() + 1));
            map.column_mut(0).assign(&scale());
            for (to, &from) in columns.iter().enumerate() {
                map.column_mut(to + 1).assign(&all.column(from));
            }
            map
        };
        let map = match self {
            Family::Value => with(&[]),
            Family::ValueAndLabelColumn => with(&[3]),
            Family::ValueAndConstant => with(&[2]),
            Family::ValueLabelColumnAndConstant => with(&[2, 3]),
            Family::OneHead if d == 1 => with(&[2, 3]),
            Family::OneHead => all,
            Family::AnyHeads => Array2::eye(INVARIANTS),
        };
        if d > 1 {
            return map;
        }
        // For d = 1 features 2, 6 and 7 are 1, 5 and 5 over again.
        let mut folded = map.clone();
        for (from, to) in [(2, 1), (6, 5), (7, 5)] {
            let row = &folded.row(to) + &map.row(from);
            folded.row_mut(to).assign(&row);
            folded.row_mut(from).fill(0.0);
        }
        folded
    }

    fn model(self, d: usize, alpha: f64, beta: f64, point: &[f64]) -> FrontModel {
        let free = |at: usize| point.get(at).copied().unwrap_or_default();
        let [a, b, c, gamma] = match self {
            Family::Value => [free(0), free(0), 0.0, 0.0],
            Family::ValueAndLabelColumn => [free(0), free(0), 0.0, free(1)],
            Family::ValueAndConstant => [free(0), free(0), free(1), 0.0],
            Family::ValueLabelColumnAndConstant => [free(0), free(0), free(1), free(2)],
            Family::OneHead if d == 1 => [free(0), free(0), free(1), free(2)],
            Family::OneHead => [free(0), free(1), free(2), free(3)],
            Family::AnyHeads => {
                let mut features = [0.0; INVARIANTS];
                for (entry, &feature) in point.iter().zip(invariants::independent(d)) {
                    features[feature] = *entry;
                }
                return FrontModel::AnyHeads(features);
            }
        };
        FrontModel::OneHead {
            alpha,
            beta,
            a,
            b,
            c,
            gamma,
        }
    }
}

impl FrontModel {
    /// The coefficients of the features.
    pub fn features(&self) -> Vec<f64> {
        match *self {
            FrontModel::AnyHeads(features) => features.to_vec(),
            FrontModel::OneHead {
                alpha,
                beta,
                a,
                b,
                c,
                gamma,
            } => {
                // Any d above 1: nothing is folded.
                let map = Family::OneHead.map(2, alpha, beta);
                linalg::matvec(map.view(), &[a, b, c, gamma])
            }
        }
    }

    /// The head of a point of one head.
    ///
    /// # Panics
    /// If the task has another dimension than the front had.
    pub fn head(&self, theta0: &Task) -> Option<Head> {
        let FrontModel::OneHead {
            alpha,
            beta,
            a,
            b,
            c,
            gamma,
        } = *self
        else {
            return None;
        };
        let (d, u) = (theta0.d(), theta0.theta());
        let v = std::iter::once(0.0)
            .chain(u.iter().map(|x| alpha * x))
            .chain(std::iter::once(beta));
        let mut q = Array2::zeros((d + 2, d + 2));
        q[[0, 0]] = c;
        for i in 0..d {
            for j in 0..d {
                q[[i + 1, j + 1]] = (a - b) * u[i] * u[j] + if i == j { b } else { 0.0 };
            }
            q[[i + 1, d + 1]] = gamma * u[i];
        }
        Some(Head::new(v.collect(), q).expect("finite: a minimum of finite quadratics"))
    }
}

/// Angles of (alpha, beta) at which the search begins, over half a turn: v and -v are one model.
const ANGLES: usize = 1440;
/// Golden-section steps: 0.618^80 of two angles is below rounding.
const STEPS: usize = 80;

impl Tradeoff {
    /// Sigma = I, |theta0| = 1.
    ///
    /// # Errors
    /// d = 0, no shots, a noise variance that is negative or not finite.
    pub fn new(d: usize, noise_var: f64, n_shots: usize) -> Result<Tradeoff, FrontError> {
        if d == 0 {
            return Err(FrontError::NoDimension);
        }
        if !(noise_var.is_finite() && noise_var >= 0.0) {
            return Err(FrontError::NoiseVariance(noise_var));
        }
        if n_shots == 0 {
            return Err(FrontError::NoShots);
        }
        Ok(Tradeoff {
            d,
            noise_var,
            n_shots,
        })
    }

    pub fn d(&self) -> usize {
        self.d
    }

    pub fn noise_var(&self) -> f64 {
        self.noise_var
    }

    pub fn n_shots(&self) -> usize {
        self.n_shots
    }

    /// The least zero-shot error of a family: sigma2 where Q00 is free, else the value-only floor
    /// (`docs/theory.md`, section 7).
    pub fn least_zero_shot(&self, family: Family) -> f64 {
        let d = self.d as f64;
        match family {
            Family::Value | Family::ValueAndLabelColumn => self.noise_var + 2.0 / (d + 4.0),
            Family::ValueAndConstant
            | Family::ValueLabelColumnAndConstant
            | Family::OneHead
            | Family::AnyHeads => self.noise_var,
        }
    }

    /// The least mean few-shot error of a family whose zero-shot error is at most `bound`.
    ///
    /// # Errors
    /// A bound below the noise, or below the least zero-shot error of the family.
    pub fn point(&self, family: Family, bound: f64) -> Result<FrontPoint, FrontError> {
        let (noise_var, least) = (self.noise_var, self.least_zero_shot(family));
        if bound.is_nan() || bound < noise_var {
            return Err(FrontError::BelowNoise { bound, noise_var });
        }
        let out_of_reach = FrontError::OutOfReach {
            family,
            bound,
            least,
        };
        let zero = invariants::zero_shot(self.d, noise_var);
        let few = invariants::few_shot(self.d, noise_var, self.n_shots);
        if family == Family::AnyHeads {
            let kept = Array2::from_shape_fn(
                (INVARIANTS, invariants::independent(self.d).len()),
                |(i, j)| f64::from(u8::from(invariants::independent(self.d)[j] == i)),
            );
            let found = few.of(&kept).least_within(&zero.of(&kept), bound);
            let found = found.ok_or(out_of_reach)?;
            return Ok(self.found(family, 0.0, &found));
        }
        let at = |angle: f64| self.at_angle(family, angle, &few, &zero, bound);
        let value = |angle: f64| at(angle).map_or(f64::INFINITY, |minimum| minimum.value);
        let step = PI / ANGLES as f64;
        // From -pi/2, where beta = 0, to just before pi/2, which is the same.
        let angle = |at: usize| -FRAC_PI_2 + step * at as f64;
        let grid: Vec<f64> = (0..ANGLES).map(|at| value(angle(at))).collect();
        let mut best: Option<(f64, Minimum)> = None;
        let mut take = |angle: f64| {
            if let Some(minimum) = at(angle)
                && best
                    .as_ref()
                    .is_none_or(|(_, old)| minimum.value < old.value)
            {
                best = Some((angle, minimum));
            }
        };
        for here in 0..ANGLES {
            let (before, after) = (
                grid[(here + ANGLES - 1) % ANGLES],
                grid[(here + 1) % ANGLES],
            );
            if grid[here] <= before && grid[here] <= after && grid[here].is_finite() {
                take(angle(here));
                take(golden(angle(here) - step, angle(here) + step, value));
            }
        }
        let (angle, minimum) = best.ok_or(out_of_reach)?;
        Ok(self.found(family, angle, &minimum))
    }

    fn at_angle(
        &self,
        family: Family,
        angle: f64,
        few: &Quadratic,
        zero: &Quadratic,
        bound: f64,
    ) -> Option<Minimum> {
        let map = family.map(self.d, libm::sin(angle), libm::cos(angle));
        few.of(&map).least_within(&zero.of(&map), bound)
    }

    fn found(&self, family: Family, angle: f64, minimum: &Minimum) -> FrontPoint {
        FrontPoint {
            zero_shot: minimum.bounded,
            few_shot: minimum.value,
            model: family.model(self.d, libm::sin(angle), libm::cos(angle), &minimum.point),
        }
    }
}

/// Where a function with one minimum between two ends has it.
fn golden(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (value(left), value(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = value(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = value(right);
        }
    }
    0.5 * (low + high)
}
