//! Both errors in all entries of any number of heads, as quadratics in the tensor that the heads make.
//!
//! f = sum of T_iab z_q,i S_ab with T_iab = (1/H) sum_h Q_h\[i,a\] v_h\[b\]: the errors are quadratics in T, their
//! coefficients are moments of prompts, computed here from Isserlis' theorem, entry by entry. Shares no formula with
//! [`crate::theory::whitened`] or [`crate::theory::pareto::invariants`], which it checks. Sigma = I.

use crate::math::linalg;
use crate::theory::pareto::front::Tradeoff;
use crate::theory::pareto::quadratic::Quadratic;
use ndarray::Array2;

/// The largest d whose moments are kept: those of d = 13 would take more than 20 MB each.
pub const LARGEST_D: usize = 12;

/// Heads as flat numbers: by head v (d + 2), then the first d + 1 rows of Q. The last row reads a masked label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub d: usize,
    pub n_heads: usize,
}

impl Layout {
    /// Numbers of one head.
    pub fn head_len(&self) -> usize {
        (self.d + 2) * (self.d + 2)
    }

    /// Numbers of all heads.
    pub fn size(&self) -> usize {
        self.n_heads * self.head_len()
    }

    fn dim(&self) -> usize {
        self.d + 2
    }

    /// Entries (a, b), a <= b, of a symmetric (d+2) x (d+2) matrix.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let dim = self.dim();
        (0..dim)
            .flat_map(|a| (a..dim).map(move |b| (a, b)))
            .collect()
    }

    /// The tensor of the heads: (d+1) rows of the entries of S, an entry off the diagonal once.
    ///
    /// # Panics
    /// If there are not [`Layout::size`] numbers.
    pub fn tensor(&self, heads: &[f64]) -> Vec<f64> {
        assert_eq!(heads.len(), self.size(), "heads: numbers");
        let (dim, pairs) = (self.dim(), self.pairs());
        let share = 1.0 / self.n_heads as f64;
        let mut tensor = vec![0.0; (self.d + 1) * pairs.len()];
        for head in heads.chunks_exact(self.head_len()) {
            let (v, q) = head.split_at(dim);
            for (row, entries) in q
                .chunks_exact(dim)
                .zip(tensor.chunks_exact_mut(pairs.len()))
            {
                for (&(a, b), entry) in pairs.iter().zip(entries) {
                    *entry += share * row[a] * v[b];
                    if a != b {
                        *entry += share * row[b] * v[a];
                    }
                }
            }
        }
        tensor
    }

    /// The chain rule: from derivatives by the tensor to those by the heads.
    ///
    /// # Panics
    /// If there are not [`Layout::size`] numbers.
    pub fn pull_back(&self, heads: &[f64], d_tensor: &[f64]) -> Vec<f64> {
        let (dim, pairs) = (self.dim(), self.pairs());
        let share = 1.0 / self.n_heads as f64;
        let mut gradient = vec![0.0; self.size()];
        for (head, out) in heads
            .chunks_exact(self.head_len())
            .zip(gradient.chunks_exact_mut(self.head_len()))
        {
            let (v, q) = head.split_at(dim);
            let (d_v, d_q) = out.split_at_mut(dim);
            for (i, entries) in d_tensor.chunks_exact(pairs.len()).enumerate() {
                let (row, d_row) = (&q[i * dim..(i + 1) * dim], &mut d_q[i * dim..(i + 1) * dim]);
                for (&(a, b), slope) in pairs.iter().zip(entries) {
                    let slope = share * slope;
                    d_row[a] += slope * v[b];
                    d_v[b] += slope * row[a];
                    if a != b {
                        d_row[b] += slope * v[a];
                        d_v[a] += slope * row[b];
                    }
                }
            }
        }
        gradient
    }

    /// Zero-shot error on theta0 = e_1 and mean few-shot error over random unit tasks.
    pub fn errors(&self, tradeoff: &Tradeoff) -> (Quadratic, Quadratic) {
        let d = self.d;
        let axis = |i: usize, sign: f64| {
            let mut theta = vec![0.0; d];
            theta[i] = sign;
            theta
        };
        // With Sigma = I these points have the mean over the sphere.
        let share = 0.5 / d as f64;
        let tasks: Vec<(Vec<f64>, f64)> = (0..d)
            .flat_map(|i| [(axis(i, 1.0), share), (axis(i, -1.0), share)])
            .collect();
        let noise_var = tradeoff.noise_var();
        (
            self.error(noise_var, &[(axis(0, 1.0), 1.0)], 0),
            self.error(noise_var, &tasks, tradeoff.n_shots()),
        )
    }

    /// The error at n shots, averaged over tasks theta with weights, as a quadratic in the tensor.
    ///
    /// Formula: S = k (C + z_q z_q^T), C the sum over the context. Given the task, E C_ab = n m_ab and
    /// E C_ab C_cd = n m_abcd + n(n-1) m_ab m_cd with the moments m of a token; those of the query are of order up to 6.
    pub fn error(&self, noise_var: f64, tasks: &[(Vec<f64>, f64)], n_shots: usize) -> Quadratic {
        let (d, dim, pairs) = (self.d, self.dim(), self.pairs());
        let n = n_shots as f64;
        let k = 1.0 / (n + 1.0);
        // Averages over tasks of E C_ab, E C_ab C_cd and theta_e E C_ab.
        let mut first = vec![0.0; pairs.len()];
        let mut second = Array2::<f64>::zeros((pairs.len(), pairs.len()));
        let mut with_task = Array2::<f64>::zeros((d, pairs.len()));
        let mut mean_task = vec![0.0; d];
        let mut constant = 0.0;
        for (theta, weight) in tasks {
            let covariance = covariance(theta, noise_var);
            let two = |a: usize, b: usize| isserlis(&covariance, &[a, b]);
            for (at, &(a, b)) in pairs.iter().enumerate() {
                first[at] += weight * n * two(a, b);
                for e in 0..d {
                    with_task[[e, at]] += weight * theta[e] * n * two(a, b);
                }
                for (to, &(c, e)) in pairs.iter().enumerate() {
                    let four = isserlis(&covariance, &[a, b, c, e]);
                    let squares = n * four + n * (n - 1.0) * two(a, b) * two(c, e);
                    second[[at, to]] += weight * squares;
                }
            }
            for (sum, x) in mean_task.iter_mut().zip(theta) {
                *sum += weight * x;
            }
            constant += weight * (linalg::inner(theta, theta) + noise_var);
        }
        let mut linear = Vec::with_capacity((d + 1) * pairs.len());
        for i in 0..=d {
            for (at, &(a, b)) in pairs.iter().enumerate() {
                let of = |e: usize| {
                    let context = with_task[[e, at]] * query(&[i, e + 1], dim);
                    context + mean_task[e] * query(&[i, e + 1, a, b], dim)
                };
                linear.push(k * (0..d).fold(0.0, |sum, e| sum + of(e)));
            }
        }
        let size = linear.len();
        let mut square = Array2::zeros((size, size));
        for i in 0..=d {
            for j in 0..=d {
                let both = query(&[i, j], dim);
                for (at, &(a, b)) in pairs.iter().enumerate() {
                    for (to, &(c, e)) in pairs.iter().enumerate() {
                        let sum = both * second[[at, to]]
                            + first[at] * query(&[i, j, c, e], dim)
                            + first[to] * query(&[i, j, a, b], dim)
                            + query(&[i, j, a, b, c, e], dim);
                        square[[i * pairs.len() + at, j * pairs.len() + to]] = k * k * sum;
                    }
                }
            }
        }
        Quadratic {
            constant,
            linear,
            square,
        }
    }
}

/// Covariance of (0, x, y).
fn covariance(theta: &[f64], noise_var: f64) -> Array2<f64> {
    let d = theta.len();
    Array2::from_shape_fn((d + 2, d + 2), |(a, b)| match (a.min(b), a.max(b)) {
        (0, _) => 0.0,
        (a, b) if b <= d => f64::from(u8::from(a == b)),
        (a, b) if a <= d && b == d + 1 => theta[a - 1],
        _ => linalg::inner(theta, theta) + noise_var,
    })
}

/// E of a product of at most four coordinates of a token (1, x, y).
fn isserlis(covariance: &Array2<f64>, indices: &[usize]) -> f64 {
    let mut rest = [0; 4];
    let mut count = 0;
    for &index in indices.iter().filter(|&&index| index != 0) {
        rest[count] = index;
        count += 1;
    }
    let k = |i: usize, j: usize| covariance[[rest[i], rest[j]]];
    match count {
        0 => 1.0,
        2 => k(0, 1),
        4 => k(0, 1) * k(2, 3) + k(0, 2) * k(1, 3) + k(0, 3) * k(1, 2),
        _ => 0.0,
    }
}

/// E of a product of at most six coordinates of the query (1, x, 0): covariates are independent.
fn query(indices: &[usize], dim: usize) -> f64 {
    if indices.iter().any(|&index| index + 1 == dim) {
        return 0.0;
    }
    let mut product = 1.0;
    for (at, &index) in indices.iter().enumerate() {
        if index == 0 || indices[..at].contains(&index) {
            continue;
        }
        product *= match indices.iter().filter(|&&other| other == index).count() {
            2 => 1.0,
            4 => 3.0,
            6 => 15.0,
            _ => return 0.0,
        };
    }
    product
}
