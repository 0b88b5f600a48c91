//! One head with a value vector of any direction: the exact optimum over all of Q.
//!
//! For a given v both errors are convex quadratics in Q, so the least few-shot error under the bound is a global
//! minimum over Q. By symmetry (rotations that fix theta0, signs) v = (v0, alpha theta0 + delta e, beta) with e
//! orthogonal to theta0 and v0, delta >= 0 stands for every v. Between the directions that are tried nothing is said.

use crate::theory::pareto::entries::Layout;
use crate::theory::pareto::front::Tradeoff;
use crate::theory::pareto::quadratic::{Minimum, Quadratic};
use ndarray::Array2;

/// Both errors, ready for any v; theta0 = e_1.
#[derive(Debug)]
pub struct EveryValue {
    layout: Layout,
    zero: Quadratic,
    few: Quadratic,
}

impl EveryValue {
    pub fn new(tradeoff: &Tradeoff) -> EveryValue {
        let layout = Layout {
            d: tradeoff.d(),
            n_heads: 1,
        };
        let (zero, few) = layout.errors(tradeoff);
        EveryValue { layout, zero, few }
    }

    /// The least few-shot error within the bound over all Q, for this v (d + 2 entries); `None` where none
    /// keeps the bound.
    ///
    /// # Panics
    /// If v has another length, or is 0.
    pub fn least(&self, v: &[f64], bound: f64) -> Option<Minimum> {
        let dim = self.layout.d + 2;
        assert!(
            v.len() == dim && v.iter().any(|x| *x != 0.0),
            "v: d + 2 entries, not all 0"
        );
        let free = self.layout.head_len() - dim;
        let mut map = Array2::zeros((self.few.linear.len(), free));
        let mut head = v.to_vec();
        head.resize(self.layout.head_len(), 0.0);
        for entry in 0..free {
            head[dim + entry] = 1.0;
            for (row, x) in self.layout.tensor(&head).into_iter().enumerate() {
                map[[row, entry]] = x;
            }
            head[dim + entry] = 0.0;
        }
        self.few.of(&map).least_within(&self.zero.of(&map), bound)
    }

    /// The lowest of all directions of a grid: `side` steps for each of three angles.
    ///
    /// Formula: (beta, alpha, v0, delta) = (cos p, sin p cos s, sin p sin s cos t, sin p sin s sin t) with p and s in
    /// \[0, pi) and t in \[0, pi/2): half of the sphere, as v and -v are one model, with v0 and delta of one sign each.
    pub fn least_of_grid(&self, bound: f64, side: usize) -> Option<Minimum> {
        use std::f64::consts::{FRAC_PI_2, PI};
        let d = self.layout.d;
        let mut least: Option<Minimum> = None;
        for at in 0..side * side * side {
            let (p, s, t) = (at / (side * side), at / side % side, at % side);
            let part = |i: usize, width: f64| width * i as f64 / side as f64;
            let (p, s, t) = (part(p, PI), part(s, PI), part(t, FRAC_PI_2));
            let mut v = vec![0.0; d + 2];
            v[d + 1] = libm::cos(p);
            v[1] = libm::sin(p) * libm::cos(s);
            v[0] = libm::sin(p) * libm::sin(s) * libm::cos(t);
            if d > 1 {
                v[2] = libm::sin(p) * libm::sin(s) * libm::sin(t);
            }
            if let Some(found) = self.least(&v, bound)
                && least.as_ref().is_none_or(|old| found.value < old.value)
            {
                least = Some(found);
            }
        }
        least
    }
}
