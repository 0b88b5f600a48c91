//! Both errors in the nine numbers that an optimum can have.
//!
//! A layer of any number of heads predicts f = sum of T_iab z_q,i S_ab. Rotations that fix theta0, and the
//! sign change of all covariates and labels, leave both errors as they are, so an optimum over all T can be
//! averaged over them (both errors are convex in T): what is left are nine invariants. Does not know which
//! T a given number of heads can have. `docs/theory.md`, section 10.

use crate::theory::pareto::quadratic::Quadratic;
use ndarray::Array2;

/// Number of invariants. What multiplies each, u = theta0, S the Gram matrix of the prompt and q the query's
/// covariates: S\[0,y\], q.S\[x,y\], (u.q)(u.S\[x,y\]); u.q, u.S\[0,x\], q.S\[x,x\]u, (u.q)(u.S\[x,x\]u), (u.q) tr S\[x,x\],
/// (u.q) S\[y,y\]. Features 0 to 2 are odd in the labels.
pub const INVARIANTS: usize = 9;

/// The features that differ for this d: for d = 1 three of them repeat others.
pub fn independent(d: usize) -> &'static [usize] {
    match d {
        1 => &[0, 1, 3, 4, 5, 8],
        _ => &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    }
}

/// The error at n = 0 on theta0, |theta0| = 1: only features 3 to 7 are left, polynomials in q.
///
/// Formula: with t = u.q and r = |q|^2 the features are t, t, r t, t^3, r t, and
/// E t^2 = 1, E r t^2 = d+2, E t^4 = 3, E r^2 t^2 = (d+2)(d+4), E r t^4 = 3(d+4), E t^6 = 15.
pub fn zero_shot(d: usize, noise_var: f64) -> Quadratic {
    let d = d as f64;
    let (r, rr) = (d + 2.0, (d + 2.0) * (d + 4.0));
    let (t4, rt4, t6) = (3.0, 3.0 * (d + 4.0), 15.0);
    let upper = [
        (3, [1.0, 1.0, r, t4, r]),
        (4, [1.0, 1.0, r, t4, r]),
        (5, [r, r, rr, rt4, rr]),
        (6, [t4, t4, rt4, t6, rt4]),
        (7, [r, r, rr, rt4, rr]),
    ];
    let mut square = Array2::zeros((INVARIANTS, INVARIANTS));
    for (i, row) in upper {
        for (j, x) in row.into_iter().enumerate() {
            square[[i, j + 3]] = x;
        }
    }
    Quadratic {
        constant: 1.0 + noise_var,
        linear: vec![0.0, 0.0, 0.0, 1.0, 1.0, r, t4, r, 0.0],
        square,
    }
}

/// The mean error at n shots over tasks uniform on the unit sphere.
///
/// Formula: `docs/theory.md`, section 10. Features 0 to 2 are odd in the labels and have a part in y_q, the
/// others are even: theta -> -theta, eps -> -eps makes both groups uncorrelated.
pub fn few_shot(d: usize, noise_var: f64, n_shots: usize) -> Quadratic {
    let (d, n) = (d as f64, n_shots as f64);
    let (k, kk) = (1.0 / (n + 1.0), 1.0 / ((n + 1.0) * (n + 1.0)));
    // Variance of a label, and E (sum x y)(sum x y)^T = p I.
    let u = 1.0 + noise_var;
    let p = n * n / d + n * u + n / d;
    // Moments of the query, as in `zero_shot`.
    let (r, rr, t4, rt4, t6) = (d + 2.0, (d + 2.0) * (d + 4.0), 3.0, 3.0 * (d + 4.0), 15.0);
    // Of C = sum x x^T with W = u^T C u, and of Y = sum y^2.
    let (ww, w_trace, trace_trace) = (
        n * n + 2.0 * n,
        n * n * d + 2.0 * n,
        n * n * d * d + 2.0 * n * d,
    );
    let (w_y, trace_y, yy) = (n * n * u + 2.0 * n / d, n * n * u * d + 2.0 * n, u * u * ww);
    let entries = [
        (0, 0, kk * n * u),
        (1, 1, kk * d * p),
        (1, 2, kk * p),
        (2, 2, kk * p),
        (3, 3, 1.0),
        (3, 4, k),
        (3, 5, k * (n + r)),
        (3, 6, k * (n + t4)),
        (3, 7, k * (n * d + r)),
        (3, 8, k * n * u),
        (4, 4, kk * (n + 1.0)),
        (4, 5, kk * (n + r)),
        (4, 6, kk * (n + t4)),
        (4, 7, kk * (n * d + r)),
        (4, 8, kk * n * u),
        (5, 5, kk * (n * n + n * (d + 1.0) + 2.0 * n * r + rr)),
        (5, 6, kk * (ww + n * t4 + n * r + rt4)),
        (5, 7, kk * (w_trace + n * r + n * d * r + rr)),
        (5, 8, kk * (w_y + n * u * r)),
        (6, 6, kk * (ww + 2.0 * n * t4 + t6)),
        (6, 7, kk * (w_trace + n * r + n * d * t4 + rt4)),
        (6, 8, kk * (w_y + n * u * t4)),
        (7, 7, kk * (trace_trace + 2.0 * n * d * r + rr)),
        (7, 8, kk * (trace_y + n * u * r)),
        (8, 8, kk * yy),
    ];
    let mut square = Array2::zeros((INVARIANTS, INVARIANTS));
    for (i, j, x) in entries {
        square[[i, j]] = x;
        square[[j, i]] = x;
    }
    let mut linear = vec![0.0; INVARIANTS];
    linear[1] = k * n;
    linear[2] = k * n / d;
    Quadratic {
        constant: u,
        linear,
        square,
    }
}
