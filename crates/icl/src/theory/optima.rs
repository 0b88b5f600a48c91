//! Closed-form optima of the one-layer model, their losses, and the constants that follow.
//!
//! Sigma = I, save for [`zero_shot_head`]; [`crate::theory::covariance_optima`] has the rest, and the
//! functions of a setting here panic when it has a covariance. Source of every formula:
//! `docs/theory.md`, sections 7 and 9. Heads come back as (v, Q), so that the exact risk and the Monte
//! Carlo run on them. Does not know learned models.

use crate::math::linalg;
use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use ndarray::Array2;

/// a of the pretraining optimum: (m+1)/(m+1+d+d sigma^2), for vy = 1 and Q\[x,x\] = a I.
pub fn pretraining_scale(setting: &Setting, m: usize) -> f64 {
    let (tokens, d) = (m as f64 + 1.0, isotropic(setting));
    tokens / (tokens + d + d * setting.noise_var())
}

/// The pretraining loss at that optimum: 1 + sigma^2 - m/(m+1+d+d sigma^2).
pub fn pretraining_loss(setting: &Setting, m: usize) -> f64 {
    let (tokens, d) = (m as f64 + 1.0, isotropic(setting));
    1.0 + setting.noise_var() - m as f64 / (tokens + d + d * setting.noise_var())
}

/// a of the authors' theory line: m/(m+1+d), without noise and with 1/m normalisation.
pub fn authors_pretraining_scale(d: usize, m: usize) -> f64 {
    m as f64 / (m as f64 + 1.0 + d as f64)
}

/// The pretrained head: vy = 1, Q\[x,x\] = a I, all else 0.
///
/// # Panics
/// If d = 0 or a is not finite.
pub fn pretrained_head(d: usize, a: f64) -> Head {
    head(d, |v, q| {
        v[d + 1] = 1.0;
        (1..=d).for_each(|i| q[[i, i]] = a);
    })
}

/// A full zero-shot optimum for theta0, whatever Sigma: vx = w theta0, vy = 1, Q\[0,0\] = 1/w, all else 0.
///
/// # Panics
/// If w is 0 or not finite.
pub fn zero_shot_head(theta0: &Task, w: f64) -> Head {
    let d = theta0.d();
    head(d, |v, q| {
        v[d + 1] = 1.0;
        v[1..=d]
            .iter_mut()
            .zip(theta0.theta())
            .for_each(|(x, t)| *x = w * t);
        q[[0, 0]] = 1.0 / w;
    })
}

/// The value-only zero-shot optimum for theta0 in units where Q\[x,x\] = I: vx = theta0/(d+4), vy = w.
///
/// # Panics
/// If w is not finite.
pub fn value_only_head(theta0: &Task, w: f64) -> Head {
    let d = theta0.d();
    let scale = 1.0 / (d as f64 + 4.0);
    head(d, |v, q| {
        v[d + 1] = w;
        v[1..=d]
            .iter_mut()
            .zip(theta0.theta())
            .for_each(|(x, t)| *x = scale * t);
        (1..=d).for_each(|i| q[[i, i]] = 1.0);
    })
}

/// d, where a formula holds for Sigma = I alone.
fn isotropic(setting: &Setting) -> f64 {
    assert!(
        setting.covariance().is_none(),
        "this closed form holds for Sigma = I; covariance_optima has the general ones"
    );
    setting.d() as f64
}

fn head(d: usize, fill: impl FnOnce(&mut Vec<f64>, &mut Array2<f64>)) -> Head {
    let mut v = vec![0.0; d + 2];
    let mut q = Array2::zeros((d + 2, d + 2));
    fill(&mut v, &mut q);
    Head::new(v, q).expect("a closed-form head has finite entries and d >= 1")
}

/// Error of a full zero-shot optimum as n -> inf on any unit task: 1 + sigma^2.
pub fn zero_shot_asymptote(setting: &Setting) -> f64 {
    isotropic(setting);
    1.0 + setting.noise_var()
}

/// Zero-shot (n = 0) error of the value-only optimum on a unit task at cosine c with theta0:
/// sigma^2 + 1 + (d+2)(1-2c)/(d+4); 2/(d+4) + sigma^2 at c = 1.
pub fn value_only_zero_shot_loss(setting: &Setting, cosine: f64) -> f64 {
    let d = isotropic(setting);
    setting.noise_var() + 1.0 + (d + 2.0) * (1.0 - 2.0 * cosine) / (d + 4.0)
}

/// w*(n, c), the vy of the value-only family that is best for n >= 1 shots on a unit task at cosine
/// c with theta0: [(n+1) - c (n+3+2d)/(d+4)] / (n+1+d+d sigma^2). At n = 0 w has no effect.
pub fn best_value_weight(setting: &Setting, n_shots: usize, cosine: f64) -> f64 {
    let (tokens, d) = (n_shots as f64 + 1.0, isotropic(setting));
    let pull = cosine * (tokens + 2.0 + 2.0 * d) / (d + 4.0);
    (tokens - pull) / (tokens + d + d * setting.noise_var())
}

/// The limit of w*(n, 1) for n -> inf: (d+3)/(d+4).
pub fn best_value_weight_limit(d: usize) -> f64 {
    (d as f64 + 3.0) / (d as f64 + 4.0)
}

/// Error of the pretrained head (scale a) on a unit task at n shots; at a = 1, sigma^2 = 0 it is
/// 1 + n(d-1-n)/(n+1)^2.
pub fn pretrained_error(setting: &Setting, a: f64, n_shots: usize) -> f64 {
    let (n, d, noise) = (n_shots as f64, isotropic(setting), setting.noise_var());
    let k = 1.0 / (n + 1.0);
    let share = n * k * a;
    let bias = (1.0 - share) * (1.0 - share);
    bias + n * k * k * a * a * (d + 1.0 + d * noise) + noise
}

/// n above which few shots beat none for the pretrained head: d a (1+sigma^2)/(2-a) - 1.
pub fn few_shot_threshold(setting: &Setting, a: f64) -> f64 {
    isotropic(setting) * a * (1.0 + setting.noise_var()) / (2.0 - a) - 1.0
}

/// The |w| that zero-shot training of all parameters reaches from this pretrained head, by the
/// balance law (|v|^2 - |Q|^2 is conserved by gradient flow): with
/// g = v0^2 + |vx|^2 - |sym Q\[0x,0x\]|^2 and kappa^2 = (g + sqrt(g^2 + 4))/2, w = kappa/|vy|.
///
/// Infinite when vy = 0.
pub fn balance_law_weight(pretrained: &Head) -> f64 {
    let d = pretrained.d();
    let q = pretrained.q();
    let mut block = 0.0;
    for i in 0..=d {
        for j in 0..=d {
            let entry = 0.5 * (q[[i, j]] + q[[j, i]]);
            block += entry * entry;
        }
    }
    let v0 = pretrained.v0();
    let g = v0 * v0 + linalg::inner(pretrained.vx(), pretrained.vx()) - block;
    // For g < 0 the plain sum cancels; its conjugate does not.
    let root = (g * g + 4.0).sqrt();
    let kappa_squared = if g >= 0.0 {
        0.5 * (g + root)
    } else {
        2.0 / (root - g)
    };
    kappa_squared.sqrt() / pretrained.vy().abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::tolerance;
    use crate::theory::risk;

    fn defaults() -> Setting {
        Setting::new(5, 0.1).unwrap()
    }

    #[test]
    fn printed_constants() {
        let setting = defaults();
        let printed = [
            (pretraining_scale(&setting, 20), 0.792453),
            (pretraining_loss(&setting, 20), 0.345283),
            (authors_pretraining_scale(5, 20), 0.769231),
            (value_only_zero_shot_loss(&setting, 1.0), 0.322222),
            (value_only_zero_shot_loss(&setting, -1.0), 3.433333),
            (best_value_weight(&setting, 20, 1.0), 0.654088),
            (best_value_weight(&setting, 21, 1.0), 0.662626),
            (best_value_weight(&setting, 20, 0.0), 0.792453),
            (best_value_weight(&setting, 20, -1.0), 0.930818),
        ];
        for (found, expected) in printed {
            assert!(
                (found - expected).abs() < tolerance::PRINTED_6,
                "{found} {expected}"
            );
        }
        let far = best_value_weight(&setting, 100_000_000, 1.0);
        assert!((far - best_value_weight_limit(5)).abs() < 1e-6);
    }

    #[test]
    #[should_panic(expected = "holds for Sigma = I")]
    fn a_covariance_is_refused() {
        let sigma = Array2::<f64>::eye(5) * 2.0;
        pretraining_loss(&defaults().with_covariance(&sigma).unwrap(), 20);
    }

    #[test]
    fn losses_are_the_risk_of_their_heads() {
        let setting = defaults();
        let theta0 = Task::random_unit(5, 11);
        let close = |a: f64, b: f64| assert!((a - b).abs() < tolerance::ROUNDING, "{a} {b}");
        let risk = |head: &Head, task: &Task, n| risk::test_error(&setting, head, task, n).unwrap();
        let a = pretraining_scale(&setting, 20);
        let pretrained = pretrained_head(5, a);
        close(
            risk(&pretrained, &theta0, 20),
            pretraining_loss(&setting, 20),
        );
        close(
            risk(&pretrained, &theta0, 7),
            pretrained_error(&setting, a, 7),
        );
        let value_only = value_only_head(&theta0, 0.7);
        close(
            risk(&value_only, &theta0, 0),
            value_only_zero_shot_loss(&setting, 1.0),
        );
        close(
            risk(&value_only, &theta0.negated(), 0),
            value_only_zero_shot_loss(&setting, -1.0),
        );
        close(risk(&zero_shot_head(&theta0, 0.5), &theta0, 0), 0.1);
        let far = risk(&zero_shot_head(&theta0, 0.5), &theta0, 1_000_000_000);
        assert!((far - zero_shot_asymptote(&setting)).abs() < 1e-7);
    }

    /// w*(n, c) is the minimiser: the error rises on both sides by the same amount (a parabola).
    #[test]
    fn the_best_value_weight_is_the_vertex() {
        let setting = defaults();
        let theta0 = Task::random_unit(5, 12);
        for (task, cosine) in [(theta0.clone(), 1.0), (theta0.negated(), -1.0)] {
            for n in [1, 5, 20, 40] {
                let best = best_value_weight(&setting, n, cosine);
                let error =
                    |w| risk::test_error(&setting, &value_only_head(&theta0, w), &task, n).unwrap();
                let (left, right) = (error(best - 0.1), error(best + 0.1));
                assert!((left - right).abs() < tolerance::ROUNDING && left > error(best));
            }
        }
    }

    #[test]
    fn the_threshold_is_where_the_error_crosses_its_zero_shot_value() {
        for (d, noise, a) in [(6, 0.0, 1.0), (11, 0.2, 0.9), (21, 0.0, 0.5)] {
            let setting = Setting::new(d, noise).unwrap();
            let threshold = few_shot_threshold(&setting, a);
            let none = pretrained_error(&setting, a, 0);
            let below = threshold.ceil() as usize - 1;
            let above = threshold.floor() as usize + 1;
            assert!(pretrained_error(&setting, a, below.max(1)) > none || below == 0);
            assert!(pretrained_error(&setting, a, above) < none);
        }
        let noiseless = Setting::new(6, 0.0).unwrap();
        assert!((few_shot_threshold(&noiseless, 1.0) - 5.0).abs() < tolerance::ROUNDING);
        assert!((pretrained_error(&noiseless, 1.0, 5) - 1.0).abs() < tolerance::ROUNDING);
    }

    #[test]
    fn the_balance_law_is_invariant_and_stable() {
        // Q[x,x] = q I with s = vy: g = -d q^2 exactly.
        let base = pretrained_head(5, 0.8);
        let g: f64 = -5.0 * 0.64;
        let expected = (0.5 * (g + (g * g + 4.0).sqrt())).sqrt();
        assert!((balance_law_weight(&base) - expected).abs() < tolerance::ROUNDING);
        let flipped: Vec<f64> = base.v().iter().map(|x| -x).collect();
        let flipped = Head::new(flipped, base.q().mapv(|x| -x)).unwrap();
        assert_eq!(balance_law_weight(&flipped), balance_law_weight(&base));
    }
}
