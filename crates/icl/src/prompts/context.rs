//! Mean and covariance of what one context token adds to attention: t = z (v . z).
//!
//! In whitened coordinates (Sigma = I). Does not know Q, the query or the number of shots.

use crate::math::linalg;
use ndarray::Array2;

/// E\[t\] and Cov(t) for z = e0 + h, h ~ N(0, K), with what their derivatives need.
///
/// Formula (`docs/theory.md`, section 2): with s = v^T K v,
/// E\[t\] = K v + v0 e0 and
/// E[t t^T] = (v0^2 + s)(e0 e0^T + K) + 2 Kv Kv^T + 2 v0 (e0 Kv^T + Kv e0^T).
#[derive(Debug)]
pub struct ContextMoments {
    pub mean: Vec<f64>,
    pub covariance: Array2<f64>,
    /// K, d + 2 square.
    token: Array2<f64>,
    kv: Vec<f64>,
}

impl ContextMoments {
    /// For the whitened task theta (d entries) and value vector v (d + 2 entries).
    pub fn new(theta: &[f64], noise_var: f64, v: &[f64]) -> ContextMoments {
        let d = theta.len();
        let dim = d + 2;
        let token = Array2::from_shape_fn((dim, dim), |(i, j)| match (i.min(j), i.max(j)) {
            (0, _) => 0.0,
            (i, j) if j <= d => f64::from(u8::from(i == j)),
            (i, _) if i <= d => theta[i - 1],
            _ => linalg::inner(theta, theta) + noise_var,
        });
        let v0 = v[0];
        let kv = linalg::matvec(token.view(), v);
        let s = linalg::inner(v, &kv);
        let constant = |i: usize| f64::from(u8::from(i == 0));
        let mean: Vec<f64> = (0..dim).map(|i| kv[i] + v0 * constant(i)).collect();
        let covariance = Array2::from_shape_fn((dim, dim), |(i, j)| {
            let second = (v0 * v0 + s) * (constant(i) * constant(j) + token[[i, j]])
                + 2.0 * kv[i] * kv[j]
                + 2.0 * v0 * (constant(i) * kv[j] + kv[i] * constant(j));
            second - mean[i] * mean[j]
        });
        ContextMoments {
            mean,
            covariance,
            token,
            kv,
        }
    }

    /// Cov(t, t') with another head's t' = z (v' . z) on the same token; `v` and `other_v` are the
    /// vectors of the two. Its transpose is Cov(t', t).
    ///
    /// Formula (`docs/theory.md`, section 3): with s = v^T K v',
    /// s e0 e0^T + (v0 v0' + s) K + Kv' Kv^T + v0' e0 Kv^T + v0 Kv' e0^T.
    pub fn covariance_with(
        &self,
        v: &[f64],
        other: &ContextMoments,
        other_v: &[f64],
    ) -> Array2<f64> {
        let s = linalg::inner(v, &other.kv);
        let product = v[0] * other_v[0] + s;
        let mut covariance = Array2::from_shape_fn(self.token.raw_dim(), |(i, j)| {
            product * self.token[[i, j]] + other.kv[i] * self.kv[j]
        });
        covariance[[0, 0]] += s;
        for j in 0..v.len() {
            covariance[[0, j]] += other_v[0] * self.kv[j];
            covariance[[j, 0]] += v[0] * other.kv[j];
        }
        covariance
    }

    /// The chain rule: from derivatives by the mean and the covariance (symmetric) to those by v.
    ///
    /// Formula: Cov(t) = s e0 e0^T + (v0^2 + s) K + Kv Kv^T + v0 (e0 Kv^T + Kv e0^T).
    pub fn pull_back(&self, v: &[f64], d_mean: &[f64], d_covariance: &Array2<f64>) -> Vec<f64> {
        let (v0, kv) = (v[0], &self.kv);
        let overlap = d_covariance
            .iter()
            .zip(&self.token)
            .fold(0.0, |sum, (x, y)| sum + x * y);
        let d_s = d_covariance[[0, 0]] + overlap;
        let along_kv = linalg::matvec(d_covariance.view(), kv);
        let d_kv: Vec<f64> = (0..v.len())
            .map(|i| d_mean[i] + d_s * v[i] + 2.0 * (along_kv[i] + v0 * d_covariance[[i, 0]]))
            .collect();
        let mut d_v = linalg::matvec(self.token.view(), &d_kv);
        // s = v . Kv has v as a factor of its own.
        d_v.iter_mut().zip(kv).for_each(|(x, y)| *x += d_s * y);
        d_v[0] += d_mean[0] + 2.0 * (v0 * overlap + along_kv[0]);
        d_v
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::moments::Moments;
    use crate::math::stream::Stream;
    use crate::math::tolerance;

    /// Every entry, so that a transposed one is seen.
    #[test]
    fn the_covariance_of_two_heads_meets_sampled_tokens() {
        let (theta, noise_var) = ([0.8, -0.3], 0.4_f64);
        let (v, other_v) = ([0.7, -0.5, 0.9, 1.2], [-0.4, 1.1, 0.3, -0.8]);
        let one = ContextMoments::new(&theta, noise_var, &v);
        let other = ContextMoments::new(&theta, noise_var, &other_v);
        let covariance = one.covariance_with(&v, &other, &other_v);
        let mut stream = Stream::new(1, "tokens", &[]);
        let mut sampled = [[Moments::new(); 4]; 4];
        for _ in 0..200_000 {
            let x = [stream.normal(), stream.normal()];
            let y = linalg::inner(&theta, &x) + noise_var.sqrt() * stream.normal();
            let z = [1.0, x[0], x[1], y];
            let (score, other_score) = (linalg::inner(&v, &z), linalg::inner(&other_v, &z));
            for (i, row) in sampled.iter_mut().enumerate() {
                for (j, moments) in row.iter_mut().enumerate() {
                    let deviation = z[i] * score - one.mean[i];
                    moments.push(deviation * (z[j] * other_score - other.mean[j]));
                }
            }
        }
        for (i, row) in sampled.iter().enumerate() {
            for (j, moments) in row.iter().enumerate() {
                let z = moments.estimate().z_score(covariance[[i, j]]);
                assert!(z.abs() < tolerance::STANDARD_ERRORS, "({i}, {j}): z = {z}");
            }
        }
        let alone = one.covariance_with(&v, &one, &v);
        for (found, expected) in alone.iter().zip(&one.covariance) {
            assert!((found - expected).abs() < tolerance::ROUNDING);
        }
    }
}
