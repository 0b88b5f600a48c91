//! The first part of the front in closed form: what the label column adds to a value-only model.
//!
//! Q\[x,y\] = gamma theta0 reads the context's labels alone: it costs nothing at n = 0, and cancels the bias that the
//! value matrix brought. `docs/theory.md`, section 10. Does not know learned models.

/// The gamma that minimises the mean error at n shots over random unit tasks, for v = (0, alpha theta0, 1),
/// Q\[x,x\] = a I, Q\[x,y\] = gamma theta0, |theta0| = 1, Sigma = I.
///
/// Formula: with u = 1 + sigma2 and N = n + 1
///
/// gamma* = -alpha M / ((n+2) u^2 + alpha^2 (u + N/d)),   M = a (u (n+d+3) + (n+3)/d) - N/d
///
/// # Panics
/// For d = 0 or n = 0.
pub fn best_label_weight(d: usize, noise_var: f64, n_shots: usize, alpha: f64, a: f64) -> f64 {
    assert!(d > 0 && n_shots > 0, "label weight: d and n are at least 1");
    let (d, n) = (d as f64, n_shots as f64);
    let (u, tokens) = (1.0 + noise_var, n + 1.0);
    let bias = a * (u * (n + d + 3.0) + (n + 3.0) / d) - tokens / d;
    -alpha * bias / ((n + 2.0) * u * u + alpha * alpha * (u + tokens / d))
}

/// By how much [`best_label_weight`] lowers that error.
///
/// Formula: n k^2 alpha^2 M^2 / ((n+2) u^2 + alpha^2 (u + N/d)), k = 1/N.
///
/// # Panics
/// For d = 0 or n = 0.
pub fn label_column_gain(d: usize, noise_var: f64, n_shots: usize, alpha: f64, a: f64) -> f64 {
    let gamma = best_label_weight(d, noise_var, n_shots, alpha, a);
    let (d, n) = (d as f64, n_shots as f64);
    let (u, tokens) = (1.0 + noise_var, n + 1.0);
    let bend = (n + 2.0) * u * u + alpha * alpha * (u + tokens / d);
    n / (tokens * tokens) * gamma * gamma * bend
}
