//! The formula of the exact test error at Sigma = I, its derivatives, and the map that leads there.
//!
//! Value and derivatives share one forward pass. Does not check dimensions; [`crate::theory::risk`] does.

use crate::math::linalg;
use crate::model::head::Head;
use crate::model::head_gradient::HeadGradient;
use crate::prompts::context::ContextMoments;
use crate::prompts::setting::Setting;
use ndarray::Array2;

/// A head in whitened coordinates: v -> T v, Q -> T Q T with T = diag(1, Sigma^{1/2}, 1).
#[derive(Debug)]
pub struct Whitened<'a> {
    setting: &'a Setting,
    /// T, unless Sigma = I.
    transform: Option<Array2<f64>>,
    v: Vec<f64>,
    q: Array2<f64>,
}

impl<'a> Whitened<'a> {
    pub fn new(setting: &'a Setting, head: &Head) -> Whitened<'a> {
        let (mut v, mut q) = (head.v().to_vec(), head.q().to_owned());
        let transform = setting.covariance_root().map(|root| {
            let mut transform = Array2::eye(setting.token_dim());
            for ((i, j), &entry) in root.indexed_iter() {
                transform[[i + 1, j + 1]] = entry;
            }
            transform
        });
        if let Some(transform) = &transform {
            v = linalg::matvec(transform.view(), &v);
            let left = linalg::matmul(transform.view(), q.view());
            q = linalg::matmul(left.view(), transform.view());
        }
        Whitened {
            setting,
            transform,
            v,
            q,
        }
    }

    /// theta -> Sigma^{1/2} theta.
    pub fn task(&self, theta: &[f64]) -> Vec<f64> {
        match self.setting.covariance_root() {
            None => theta.to_vec(),
            Some(root) => linalg::matvec(root.view(), theta),
        }
    }

    /// The error on a whitened task.
    pub fn error(&self, theta: &[f64], n_shots: usize) -> f64 {
        self.forward(theta, n_shots).error
    }

    /// The error of the mean prediction of `heads` on a whitened task (`docs/theory.md`, section 3,
    /// several heads). O(H^2 d^3).
    pub fn error_of_mean(heads: &[Whitened], theta: &[f64], n_shots: usize) -> f64 {
        let (d, share) = (theta.len(), 1.0 / heads.len() as f64);
        let parts: Vec<Forward> = heads
            .iter()
            .map(|head| head.forward(theta, n_shots))
            .collect();
        let mean = |part: &dyn Fn(&Forward) -> f64| {
            share * parts.iter().fold(0.0, |sum, forward| sum + part(forward))
        };

        let c = mean(&|f| f.c);
        let a = Array2::from_shape_fn((d, d), |(i, j)| mean(&|f| f.a[[i, j]]));
        let trace = a.diag().iter().fold(0.0, |sum, x| sum + x);
        let squares = a.iter().fold(0.0, |sum, x| sum + x * x);
        let even = (c + trace) * (c + trace) + 2.0 * squares;

        // The cubic terms (w . x)(x^T B x) of all heads as one symmetric tensor.
        let cubic = |i: usize, j: usize, k: usize| {
            let of = |f: &Forward| {
                f.w[i] * f.sym[[j, k]] + f.w[j] * f.sym[[i, k]] + f.w[k] * f.sym[[i, j]]
            };
            mean(&of) / 3.0
        };
        let (mut odd, mut cubes) = (0.0, 0.0);
        for i in 0..d {
            let mut contracted = 0.0;
            for j in 0..d {
                contracted += cubic(i, j, j);
                for k in 0..d {
                    cubes += cubic(i, j, k) * cubic(i, j, k);
                }
            }
            let linear = mean(&|f| f.l[i]) + 3.0 * contracted;
            odd += linear * linear;
        }
        odd += 6.0 * cubes;

        let mut variance = 0.0;
        for (head, part) in heads.iter().zip(&parts) {
            for (other, other_part) in heads.iter().zip(&parts) {
                let covariance =
                    part.context
                        .covariance_with(&head.v, &other_part.context, &other.v);
                let spread = linalg::matmul(head.q.view(), covariance.view());
                // The label coordinate of the query is masked: the last row does not count.
                variance += (0..=d).fold(0.0, |sum, i| {
                    let row = spread.row(i).into_iter().zip(other.q.row(i));
                    sum + row.fold(0.0, |inner, (x, y)| inner + x * y)
                });
            }
        }
        let n = n_shots as f64;
        let k = 1.0 / (n + 1.0);
        let noise_var = heads
            .first()
            .map_or(f64::NAN, |head| head.setting.noise_var());
        even + odd + n * k * k * share * share * variance + noise_var
    }

    /// The error on a whitened task; adds `weight` times its derivatives by the whitened head.
    pub fn error_and_gradient(
        &self,
        theta: &[f64],
        n_shots: usize,
        weight: f64,
        gradient: &mut HeadGradient,
    ) -> f64 {
        let forward = self.forward(theta, n_shots);
        gradient.add_scaled(weight, &self.backward(&forward));
        forward.error
    }

    /// The chain rule back through T, which is symmetric: dv = T dv', dQ = T dQ' T.
    pub fn pull_back(&self, gradient: HeadGradient) -> HeadGradient {
        match &self.transform {
            None => gradient,
            Some(transform) => {
                let left = linalg::matmul(transform.view(), gradient.q.view());
                HeadGradient {
                    v: linalg::matvec(transform.view(), &gradient.v),
                    q: linalg::matmul(left.view(), transform.view()),
                }
            }
        }
    }

    /// The formula, in the names of `docs/theory.md`, section 3.
    fn forward(&self, theta: &[f64], n_shots: usize) -> Forward {
        let d = theta.len();
        let n = n_shots as f64;
        let k = 1.0 / (n + 1.0);
        let (v, q_matrix) = (&self.v, &self.q);
        let (v0, vx) = (v[0], &v[1..=d]);
        let q00 = q_matrix[[0, 0]];

        let context = ContextMoments::new(theta, self.setting.noise_var(), v);
        let q = linalg::matvec(q_matrix.view(), &context.mean);

        let c = -n * k * q[0] - k * q00 * v0;
        let b: Vec<f64> = (1..=d)
            .map(|i| q_matrix[[0, i]] + q_matrix[[i, 0]])
            .collect();
        let l: Vec<f64> = (0..d)
            .map(|i| theta[i] - n * k * q[i + 1] - k * (q00 * vx[i] + v0 * b[i]))
            .collect();
        let sym = Array2::from_shape_fn((d, d), |(i, j)| {
            0.5 * (q_matrix[[i + 1, j + 1]] + q_matrix[[j + 1, i + 1]])
        });
        let a = Array2::from_shape_fn((d, d), |(i, j)| {
            -k * (v0 * sym[[i, j]] + 0.5 * (b[i] * vx[j] + vx[i] * b[j]))
        });
        let w: Vec<f64> = vx.iter().map(|x| -k * x).collect();

        let trace = |matrix: &Array2<f64>| matrix.diag().iter().fold(0.0, |sum, x| sum + x);
        let square = |matrix: &Array2<f64>| matrix.iter().fold(0.0, |sum, x| sum + x * x);
        let (tr_a, tr_b) = (trace(&a), trace(&sym));
        let bw = linalg::matvec(sym.view(), &w);
        let even = c * c + 2.0 * c * tr_a + tr_a * tr_a + 2.0 * square(&a);
        let odd = linalg::inner(&l, &l)
            + 2.0 * (tr_b * linalg::inner(&l, &w) + 2.0 * linalg::inner(&l, &bw))
            + linalg::inner(&w, &w) * (tr_b * tr_b + 2.0 * square(&sym))
            + 4.0 * tr_b * linalg::inner(&w, &bw)
            + 8.0 * linalg::inner(&bw, &bw);

        let spread = linalg::matmul(q_matrix.view(), context.covariance.view());
        // The label coordinate of the query is masked: the last row does not count.
        let variance = (0..=d).fold(0.0, |sum, i| {
            let row = spread.row(i).into_iter().zip(q_matrix.row(i));
            sum + row.fold(0.0, |inner, (x, y)| inner + x * y)
        });
        let error = even + odd + n * k * k * variance + self.setting.noise_var();
        Forward {
            n,
            k,
            error,
            context,
            c,
            b,
            l,
            sym,
            a,
            w,
            bw,
            spread,
        }
    }

    /// Reverse-mode derivatives of `forward`'s error; `d_x` is the derivative by `x`.
    fn backward(&self, forward: &Forward) -> HeadGradient {
        let Forward {
            n,
            k,
            context,
            b,
            l,
            sym,
            a,
            w,
            bw,
            ..
        } = forward;
        let (n, k, d) = (*n, *k, l.len());
        let (v0, vx, q00) = (self.v[0], &self.v[1..=d], self.q[[0, 0]]);
        let mut gradient = HeadGradient::zeros(d + 2);

        // The residual's polynomial in the query: d_c, d_a (even part), d_l, d_w, d_sym (odd part).
        let trace = |matrix: &Array2<f64>| matrix.diag().iter().fold(0.0, |sum, x| sum + x);
        let (tr_b, size_b) = (trace(sym), sym.iter().fold(0.0, |sum, x| sum + x * x));
        let d_c = 2.0 * (forward.c + trace(a));
        let mut d_a = a * 4.0;
        d_a.diag_mut().iter_mut().for_each(|x| *x += d_c);
        let bl = linalg::matvec(sym.view(), l);
        let bbw = linalg::matvec(sym.view(), bw);
        let d_l: Vec<f64> = (0..d)
            .map(|i| 2.0 * l[i] + 2.0 * tr_b * w[i] + 4.0 * bw[i])
            .collect();
        let quartic = 2.0 * (tr_b * tr_b + 2.0 * size_b);
        let d_w: Vec<f64> = (0..d)
            .map(|i| {
                let linear = 2.0 * tr_b * l[i] + 4.0 * bl[i];
                linear + quartic * w[i] + 8.0 * tr_b * bw[i] + 16.0 * bbw[i]
            })
            .collect();
        let ww = linalg::inner(w, w);
        let d_tr_b = 2.0 * linalg::inner(l, w) + 2.0 * tr_b * ww + 4.0 * linalg::inner(w, bw);
        let mut d_sym = Array2::from_shape_fn((d, d), |(i, j)| {
            let outer = 2.0 * (l[i] * w[j] + w[i] * l[j]) + 8.0 * (bw[i] * w[j] + w[i] * bw[j]);
            outer + 4.0 * (ww * sym[[i, j]] + tr_b * w[i] * w[j]) - k * v0 * d_a[[i, j]]
        });
        d_sym.diag_mut().iter_mut().for_each(|x| *x += d_tr_b);

        // From c, l, a, w and their ingredients to (v, Q).
        let overlap = d_a.iter().zip(sym).fold(0.0, |sum, (x, y)| sum + x * y);
        let a_vx = linalg::matvec(d_a.view(), vx);
        let a_b = linalg::matvec(d_a.view(), b);
        gradient.v[0] = -k * (overlap + linalg::inner(&d_l, b) + d_c * q00);
        gradient.q[[0, 0]] = -k * (linalg::inner(&d_l, vx) + d_c * v0);
        for i in 0..d {
            gradient.v[i + 1] = -k * (a_b[i] + d_w[i] + q00 * d_l[i]);
            let d_b = -k * (a_vx[i] + v0 * d_l[i]);
            gradient.q[[0, i + 1]] = d_b;
            gradient.q[[i + 1, 0]] = d_b;
            for j in 0..d {
                gradient.q[[i + 1, j + 1]] = d_sym[[i, j]];
            }
        }

        // The context's mean and variance; the last row of Q reads a masked label.
        let d_q: Vec<f64> = std::iter::once(&d_c)
            .chain(&d_l)
            .map(|x| -n * k * x)
            .collect();
        let rows = self.q.slice(ndarray::s![..=d, ..]);
        let factor = n * k * k;
        for (i, d_row) in d_q.iter().enumerate() {
            for (j, mean) in context.mean.iter().enumerate() {
                gradient.q[[i, j]] += d_row * mean + 2.0 * factor * forward.spread[[i, j]];
            }
        }
        let d_mean = linalg::matvec(rows.t(), &d_q);
        let d_covariance = linalg::matmul(rows.t(), rows) * factor;
        let d_v = context.pull_back(&self.v, &d_mean, &d_covariance);
        gradient
            .v
            .iter_mut()
            .zip(&d_v)
            .for_each(|(sum, x)| *sum += x);
        gradient
    }
}

/// What `backward` needs of a forward pass.
struct Forward {
    n: f64,
    /// 1 / N.
    k: f64,
    error: f64,
    context: ContextMoments,
    /// The residual given the query: c + x^T A x, and l . x + (w . x)(x^T B x).
    c: f64,
    l: Vec<f64>,
    a: Array2<f64>,
    w: Vec<f64>,
    /// B = sym(Q[x,x]).
    sym: Array2<f64>,
    /// B w.
    bw: Vec<f64>,
    /// Q[0,x] + Q[x,0].
    b: Vec<f64>,
    /// Q C.
    spread: Array2<f64>,
}
