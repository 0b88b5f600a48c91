//! Points and weights that average a test error over the unit sphere of tasks exactly.
//!
//! Knows the error's degree in theta, not the error.

use crate::prompts::setting::Setting;

/// Tasks on the unit sphere with weights that sum to 1.
///
/// Formula: with Sigma = I the label's variance |theta|^2 + sigma^2 is constant on the sphere, which
/// leaves the test error of degree 2 in theta, and the 2d points +-e_i suffice. With a general Sigma
/// that variance varies and the error is of degree 4: a degree-5 rule is used, +-e_i with weight (4-d)/(2d(d+2)) and (+-e_i +-e_j)/sqrt 2 with weight
/// 1/(d(d+2)). Source: Stroud 1971, U_n 5-2; `docs/theory.md`, section 6.
pub fn cubature(setting: &Setting) -> Vec<(Vec<f64>, f64)> {
    let d = setting.d();
    let size = d as f64;
    let axis_weight = if setting.covariance().is_none() {
        1.0 / (2.0 * size)
    } else {
        (4.0 - size) / (2.0 * size * (size + 2.0))
    };
    // For d = 1 the sphere is the two points +-1, whatever the degree.
    let axis_weight = if d == 1 { 0.5 } else { axis_weight };
    let mut points = Vec::new();
    for i in 0..d {
        for sign in [1.0, -1.0] {
            let mut point = vec![0.0; d];
            point[i] = sign;
            points.push((point, axis_weight));
        }
    }
    if setting.covariance().is_some() {
        let pair_weight = 1.0 / (size * (size + 2.0));
        for (i, j) in (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j))) {
            for (left, right) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
                let mut point = vec![0.0; d];
                point[i] = left * std::f64::consts::FRAC_1_SQRT_2;
                point[j] = right * std::f64::consts::FRAC_1_SQRT_2;
                points.push((point, pair_weight));
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;
    use ndarray::Array2;

    /// Moments of the uniform distribution on the sphere: 1, 1/d, 3/(d(d+2)), 1/(d(d+2)); odd ones 0.
    #[test]
    fn the_moments_are_those_of_the_sphere() {
        for d in [1, 2, 3, 4, 7, 21] {
            let plain = Setting::new(d, 0.0).unwrap();
            let general = plain.clone().with_covariance(&Array2::eye(d)).unwrap();
            let size = d as f64;
            let close =
                |a: f64, b: f64| assert!((a - b).abs() < tolerance::ROUNDING, "{d}: {a} {b}");
            for setting in [&plain, &general] {
                let points = cubature(setting);
                let mean = |f: &dyn Fn(&[f64]) -> f64| {
                    points.iter().fold(0.0, |sum, (x, w)| sum + w * f(x))
                };
                let last = d - 1;
                close(mean(&|_| 1.0), 1.0);
                close(mean(&|x| x[0]), 0.0);
                close(mean(&|x| x[last] * x[last]), 1.0 / size);
                close(mean(&|x| x[0] * x[0] * x[0]), 0.0);
                if d > 1 {
                    close(mean(&|x| x[0] * x[last]), 0.0);
                }
                if setting.covariance().is_some() {
                    let fourth = size * (size + 2.0);
                    close(mean(&|x| x[0] * x[0] * x[0] * x[0]), 3.0 / fourth);
                    if d > 1 {
                        close(mean(&|x| x[0] * x[0] * x[last] * x[last]), 1.0 / fourth);
                        close(mean(&|x| x[0] * x[0] * x[0] * x[last]), 0.0);
                    }
                }
            }
        }
    }
}
