//! The exact gradient and the general-Sigma optima against finite differences and Monte Carlo.
//!
//! Parameters, tasks, shots, noise and covariances are random. Tokens are sampled one by one here and
//! attention is written out, so that nothing but the parameters is shared with the library.

use icl::math::linalg;
use icl::math::moments::Moments;
use icl::math::stream::Stream;
use icl::math::tolerance;
use icl::model::head::Head;
use icl::model::head_gradient::HeadGradient;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::covariance_optima;
use icl::theory::optima;
use icl::theory::risk;
use ndarray::{Array2, s};

/// Four kinds: the identity (implicit), a spread diagonal, a random one, a strong common factor.
fn covariances(d: usize, stream: &mut Stream) -> Vec<Option<Array2<f64>>> {
    let diagonal = Array2::from_diag(&ndarray::Array1::from_shape_fn(d, |i| {
        0.2 + 2.0 * (i as f64 + 1.0) / d as f64
    }));
    let root = Array2::from_shape_fn((d, d), |_| stream.normal() / (d as f64).sqrt());
    let random = linalg::matmul(root.view(), root.t()) + Array2::<f64>::eye(d) * 0.1;
    let common = Array2::from_shape_fn((d, d), |(i, j)| if i == j { 1.0 } else { 0.9 });
    vec![None, Some(diagonal), Some(random), Some(common)]
}

fn setting(d: usize, noise_var: f64, covariance: Option<&Array2<f64>>) -> Setting {
    let plain = Setting::new(d, noise_var).unwrap();
    match covariance {
        None => plain,
        Some(sigma) => plain.with_covariance(sigma).unwrap(),
    }
}

fn random_direction(d: usize, stream: &mut Stream) -> HeadGradient {
    let scale = 0.5 / (d as f64).sqrt();
    HeadGradient {
        v: (0..d + 2).map(|_| 0.5 * stream.normal()).collect(),
        q: Array2::from_shape_fn((d + 2, d + 2), |_| scale * stream.normal()),
    }
}

fn random_head(d: usize, stream: &mut Stream) -> Head {
    let entries = random_direction(d, stream);
    Head::new(entries.v, entries.q).unwrap()
}

fn random_task(d: usize, stream: &mut Stream) -> Task {
    let scale = 1.0 / (d as f64).sqrt();
    Task::new((0..d).map(|_| scale * stream.normal()).collect()).unwrap()
}

fn moved(head: &Head, direction: &HeadGradient, step: f64) -> Head {
    let v = head.v().iter().zip(&direction.v);
    let v = v.map(|(x, y)| x + step * y).collect();
    Head::new(v, &head.q() + &(&direction.q * step)).unwrap()
}

/// Central differences with two steps, exact for a polynomial of degree 4 along the line: only
/// rounding is left, so the step is large.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let h = 0.25;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn assert_slope(what: &str, gradient: &HeadGradient, direction: &HeadGradient, slope: f64) {
    let scale = gradient.norm() * direction.norm();
    let gap = (gradient.along(direction) - slope).abs();
    assert!(
        gap < tolerance::POLYNOMIAL_SLOPE * scale,
        "{what}: gap {gap:e}, scale {scale}"
    );
}

/// Every entry of (v, Q) where they are few, random directions where they are many.
fn directions(d: usize, stream: &mut Stream) -> Vec<HeadGradient> {
    let mut all: Vec<HeadGradient> = (0..6).map(|_| random_direction(d, stream)).collect();
    if d <= 5 {
        for place in 0..(d + 2) * (d + 3) {
            let mut unit = HeadGradient::zeros(d + 2);
            match place.checked_sub(d + 2) {
                None => unit.v[place] = 1.0,
                Some(entry) => unit.q[[entry / (d + 2), entry % (d + 2)]] = 1.0,
            }
            all.push(unit);
        }
    }
    all
}

#[test]
fn the_gradient_meets_finite_differences() {
    let mut stream = Stream::new(1, "gradient test", &[]);
    for d in [1, 2, 3, 5, 8, 13, 21] {
        let covariances = covariances(d, &mut stream);
        for (kind, sigma) in covariances.iter().enumerate() {
            for n in [0, 1, 2, 7, 20, 40] {
                let noise_var = [0.0, 0.1, 1.3][(n + kind) % 3];
                let setting = setting(d, noise_var, sigma.as_ref());
                let head = random_head(d, &mut stream);
                let task = random_task(d, &mut stream);
                let found = risk::test_error_and_gradient(&setting, &head, &task, n).unwrap();
                let error = |head: &Head| risk::test_error(&setting, head, &task, n).unwrap();
                assert_eq!(found.0.to_bits(), error(&head).to_bits());
                for direction in directions(d, &mut stream) {
                    let slope = slope(|h| error(&moved(&head, &direction, h)));
                    let what = format!("d = {d}, covariance {kind}, n = {n}");
                    assert_slope(&what, &found.1, &direction, slope);
                }
            }
        }
    }
}

#[test]
fn the_gradient_of_the_mean_meets_finite_differences() {
    let mut stream = Stream::new(2, "gradient test", &[]);
    for d in [1, 2, 3, 5, 8, 21] {
        let covariances = covariances(d, &mut stream);
        for (kind, sigma) in covariances.iter().enumerate() {
            for n in [0, 3, 20] {
                let setting = setting(d, 0.1, sigma.as_ref());
                let head = random_head(d, &mut stream);
                let found = risk::mean_unit_task_error_and_gradient(&setting, &head, n).unwrap();
                let error = |head: &Head| risk::mean_unit_task_error(&setting, head, n).unwrap();
                assert_eq!(found.0.to_bits(), error(&head).to_bits());
                for direction in directions(d, &mut stream)
                    .iter()
                    .take(if d > 8 { 2 } else { 12 })
                {
                    let slope = slope(|h| error(&moved(&head, direction, h)));
                    let what = format!("mean, d = {d}, covariance {kind}, n = {n}");
                    assert_slope(&what, &found.1, direction, slope);
                }
            }
        }
    }
}

/// The prediction is linear in v and in Q, so v . dv = <Q, dQ> for any loss: the balance law.
#[test]
fn the_gradient_is_balanced() {
    let mut stream = Stream::new(3, "balance test", &[]);
    for d in [1, 4, 9] {
        for sigma in covariances(d, &mut stream) {
            for n in [0, 5] {
                let setting = setting(d, 0.2, sigma.as_ref());
                let head = random_head(d, &mut stream);
                let task = random_task(d, &mut stream);
                let parts = [
                    risk::test_error_and_gradient(&setting, &head, &task, n).unwrap(),
                    risk::mean_unit_task_error_and_gradient(&setting, &head, n).unwrap(),
                ];
                for (_, gradient) in parts {
                    let by_v = linalg::inner(head.v(), &gradient.v);
                    let q = head.q();
                    let by_q = q.iter().zip(&gradient.q);
                    let by_q = by_q.fold(0.0, |sum, (x, y)| sum + x * y);
                    let scale = gradient.norm() * (1.0 + by_v.abs());
                    assert!((by_v - by_q).abs() < tolerance::ROUNDING * scale);
                }
            }
        }
    }
}

/// The lower factor of Sigma: another root than the library's.
fn cholesky(matrix: &Array2<f64>) -> Array2<f64> {
    let n = matrix.nrows();
    let mut factor = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let product = linalg::inner(&factor.row(i).to_vec()[..j], &factor.row(j).to_vec()[..j]);
            let rest = matrix[[i, j]] - product;
            factor[[i, j]] = if i == j {
                rest.sqrt()
            } else {
                rest / factor[[j, j]]
            };
        }
    }
    factor
}

/// Prompts drawn token by token.
struct Sampler<'a> {
    setting: &'a Setting,
    theta: &'a [f64],
    factor: Array2<f64>,
}

impl<'a> Sampler<'a> {
    fn new(setting: &'a Setting, task: &'a Task) -> Sampler<'a> {
        let sigma = setting.covariance().cloned();
        let sigma = sigma.unwrap_or_else(|| Array2::eye(setting.d()));
        Sampler {
            setting,
            theta: task.theta(),
            factor: cholesky(&sigma),
        }
    }

    fn token(&self, stream: &mut Stream) -> Vec<f64> {
        let d = self.setting.d();
        let g: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        let mut z = vec![1.0];
        z.extend((0..d).map(|i| linalg::inner(&self.factor.row(i).to_vec()[..=i], &g[..=i])));
        let noise = self.setting.noise_std() * stream.normal();
        z.push(linalg::inner(&z[1..], self.theta) + noise);
        z
    }

    /// Squared error and its derivative along a direction, for one prompt.
    fn draw(&self, head: &Head, along: &HeadGradient, n: usize, stream: &mut Stream) -> (f64, f64) {
        let mut query = self.token(stream);
        let y = query.pop().unwrap_or(f64::NAN);
        query.push(0.0);
        let keys = linalg::matvec(head.q().t(), &query);
        let d_keys = linalg::matvec(along.q.t(), &query);
        let (mut prediction, mut derivative) = (0.0, 0.0);
        let mut attend = |z: &[f64]| {
            let (score, value) = (linalg::inner(&keys, z), linalg::inner(head.v(), z));
            prediction += score * value;
            derivative += linalg::inner(&d_keys, z) * value + score * linalg::inner(&along.v, z);
        };
        (0..n).for_each(|_| attend(&self.token(stream)));
        attend(&query);
        let tokens = n as f64 + 1.0;
        let residual = prediction / tokens - y;
        (residual * residual, 2.0 * residual * derivative / tokens)
    }
}

/// The error and one derivative against sampled prompts, over random everything.
#[test]
fn error_and_gradient_meet_direct_sampling() {
    let mut stream = Stream::new(4, "direct twins", &[]);
    let shots = [0, 1, 2, 5, 13, 20, 40];
    for (round, d) in [1, 2, 3, 5, 8, 13, 21].into_iter().enumerate() {
        let covariances = covariances(d, &mut stream);
        for (kind, sigma) in covariances.iter().enumerate() {
            // Over the rounds every covariance meets every number of shots.
            for n in [shots[(round + kind) % 7], shots[(round + kind + 4) % 7]] {
                let noise_var = 1.5 * stream.uniform() * f64::from(u8::from(kind != round % 4));
                let setting = setting(d, noise_var, sigma.as_ref());
                let head = random_head(d, &mut stream);
                let task = random_task(d, &mut stream);
                let direction = random_direction(d, &mut stream);
                let sampler = Sampler::new(&setting, &task);
                let (mut errors, mut slopes) = (Moments::new(), Moments::new());
                for _ in 0..(PAIRS / (n + 3) / (d + 5)) {
                    let (error, slope) = sampler.draw(&head, &direction, n, &mut stream);
                    errors.push(error);
                    slopes.push(slope);
                }
                let (exact, gradient) =
                    risk::test_error_and_gradient(&setting, &head, &task, n).unwrap();
                let z = [
                    errors.estimate().z_score(exact),
                    slopes.estimate().z_score(gradient.along(&direction)),
                ];
                assert!(
                    z.iter().all(|z| z.abs() < tolerance::STANDARD_ERRORS),
                    "d = {d}, covariance {kind}, n = {n}: z = {z:?}, {:?}, {exact}",
                    errors.estimate()
                );
            }
        }
    }
}

/// Prompts times tokens times width, about 0.1 s for each case.
const PAIRS: usize = 6_000_000;

fn assert_stationary(what: &str, error: f64, gradient: &HeadGradient) {
    let size = gradient.norm();
    assert!(
        size < tolerance::ROUNDING * (1.0 + error),
        "{what}: gradient {size:e}"
    );
}

#[test]
fn the_pretraining_optimum_is_stationary_and_lowest() {
    let mut stream = Stream::new(5, "pretraining optimum", &[]);
    for d in [1, 2, 3, 5, 11] {
        for (kind, sigma) in covariances(d, &mut stream).iter().enumerate() {
            for (m, noise_var) in [(1, 0.0), (4, 0.5), (20, 0.1)] {
                let setting = setting(d, noise_var, sigma.as_ref());
                let head = covariance_optima::pretraining_head(&setting, m);
                let mean = |head: &Head| risk::mean_unit_task_error(&setting, head, m).unwrap();
                let (error, gradient) =
                    risk::mean_unit_task_error_and_gradient(&setting, &head, m).unwrap();
                let what = format!("d = {d}, covariance {kind}, m = {m}");
                assert_stationary(&what, error, &gradient);
                let loss = covariance_optima::pretraining_loss(&setting, m);
                assert!((error - loss).abs() < tolerance::ROUNDING * (1.0 + loss));
                for _ in 0..20 {
                    // Near and far: no head is below the optimum.
                    let direction = random_direction(d, &mut stream);
                    for size in [1e-3, 0.1, 1.0] {
                        assert!(mean(&moved(&head, &direction, size)) > loss, "{what}");
                    }
                }
                if sigma.is_none() {
                    let a = optima::pretraining_scale(&setting, m);
                    assert!((head.q_xx()[[0, 0]] - a).abs() < tolerance::ROUNDING);
                    let plain = optima::pretraining_loss(&setting, m);
                    assert!((loss - plain).abs() < tolerance::ROUNDING);
                }
            }
        }
    }
}

/// Both families of global minima of the zero-shot loss exist for every Sigma and reach sigma^2.
#[test]
fn the_full_zero_shot_optima_reach_the_noise_for_every_covariance() {
    let mut stream = Stream::new(6, "zero-shot optimum", &[]);
    for d in [1, 3, 8] {
        for sigma in covariances(d, &mut stream) {
            let setting = setting(d, 0.3, sigma.as_ref());
            let theta0 = random_task(d, &mut stream);
            let mut second = optima::pretrained_head(d, 0.0).q().to_owned();
            for (i, x) in theta0.theta().iter().enumerate() {
                second[[0, i + 1]] = 0.2 * x / 0.7;
                second[[i + 1, 0]] = 0.8 * x / 0.7;
            }
            let mut v = vec![0.0; d + 2];
            v[0] = 0.7;
            let first = optima::zero_shot_head(&theta0, -1.7);
            for head in [&first, &Head::new(v, second).unwrap()] {
                let (error, gradient) =
                    risk::test_error_and_gradient(&setting, head, &theta0, 0).unwrap();
                assert!((error - 0.3).abs() < tolerance::ROUNDING);
                assert_stationary("zero-shot", error, &gradient);
            }
            let task = random_task(d, &mut stream);
            let far = risk::test_error(&setting, &first, &task, 1_000_000_000).unwrap();
            let limit = covariance_optima::zero_shot_asymptote(&setting, &task);
            assert!((far / limit - 1.0).abs() < 1e-7, "{far} {limit}");
        }
    }
}

#[test]
fn the_value_only_optimum_is_stationary_in_v_and_its_weight_the_vertex() {
    let mut stream = Stream::new(7, "value-only optimum", &[]);
    for d in [1, 2, 3, 5, 11] {
        for (kind, sigma) in covariances(d, &mut stream).iter().enumerate() {
            let setting = setting(d, 0.2, sigma.as_ref());
            let (theta0, task) = (random_task(d, &mut stream), random_task(d, &mut stream));
            // Neither definite nor commuting with Sigma; and that of the pretraining optimum.
            let half = Array2::from_shape_fn((d, d), |_| stream.normal());
            let pretrained = covariance_optima::pretraining_head(&setting, 20);
            for q_xx in [(&half + &half.t()) * 0.3, pretrained.q_xx().to_owned()] {
                let what = format!("d = {d}, covariance {kind}");
                let q_xx = q_xx.view();
                let make = |w| covariance_optima::value_only_head(&setting, &theta0, q_xx, w);
                let head = make(0.7).unwrap();
                let (error, mut gradient) =
                    risk::test_error_and_gradient(&setting, &head, &theta0, 0).unwrap();
                gradient.q.fill(0.0);
                assert_stationary(&what, error, &gradient);
                let loss =
                    covariance_optima::value_only_zero_shot_loss(&setting, &theta0, q_xx).unwrap();
                assert!(
                    (error - loss).abs() < tolerance::ROUNDING * (1.0 + error),
                    "{what}"
                );
                for _ in 0..5 {
                    let mut direction = random_direction(d, &mut stream);
                    direction.q.fill(0.0);
                    let near = moved(&head, &direction, 0.1);
                    assert!(risk::test_error(&setting, &near, &theta0, 0).unwrap() > error);
                }
                for n in [1, 6, 40] {
                    let best =
                        covariance_optima::best_value_weight(&setting, &theta0, q_xx, &task, n);
                    let best = best.unwrap();
                    let error =
                        |w| risk::test_error(&setting, &make(w).unwrap(), &task, n).unwrap();
                    let (left, middle, right) = (error(best - 0.5), error(best), error(best + 0.5));
                    let gap = (left - right).abs();
                    assert!(
                        gap < tolerance::ROUNDING * left && left > middle,
                        "{what}: {gap:e}"
                    );
                }
            }
        }
    }
}

/// At Sigma = I and Q[x,x] = I the general formulas are the printed ones.
#[test]
fn the_general_value_only_optimum_reduces_to_the_isotropic_one() {
    let setting = Setting::new(5, 0.1).unwrap();
    let explicit = setting.clone().with_covariance(&Array2::eye(5)).unwrap();
    let theta0 = Task::random_unit(5, 3);
    let eye = Array2::<f64>::eye(5);
    let close = |a: f64, b: f64| assert!((a - b).abs() < tolerance::ROUNDING, "{a} {b}");
    for setting in [&setting, &explicit] {
        let head = covariance_optima::value_only_head(setting, &theta0, eye.view(), 0.6).unwrap();
        let plain = optima::value_only_head(&theta0, 0.6);
        head.v()
            .iter()
            .zip(plain.v())
            .for_each(|(a, b)| close(*a, *b));
        assert_eq!(head.q(), plain.q());
        close(
            covariance_optima::value_only_zero_shot_loss(setting, &theta0, eye.view()).unwrap(),
            0.1 + 2.0 / 9.0,
        );
        for (task, cosine) in [(theta0.clone(), 1.0), (theta0.negated(), -1.0)] {
            let weight =
                covariance_optima::best_value_weight(setting, &theta0, eye.view(), &task, 20);
            let plain = Setting::new(5, 0.1).unwrap();
            close(
                weight.unwrap(),
                optima::best_value_weight(&plain, 20, cosine),
            );
        }
    }
}

#[test]
fn refusals_name_the_entry_and_the_degenerate_case_has_an_answer() {
    let setting = Setting::new(2, 0.1).unwrap();
    let theta0 = Task::random_unit(2, 3);
    let make = |q_xx: &Array2<f64>, w| {
        covariance_optima::value_only_head(&setting, &theta0, q_xx.view(), w)
    };
    let skew = ndarray::arr2(&[[1.0, 0.5], [0.0, 1.0]]);
    let message = make(&skew, 1.0).unwrap_err().to_string();
    assert!(message.starts_with("Q[x,x]: not symmetric"), "{message}");
    let message = make(&Array2::eye(3), 1.0).unwrap_err().to_string();
    assert_eq!(message, "Q[x,x]: it has 3 rows, expected 2");
    let message = make(&Array2::eye(2), f64::NAN).unwrap_err().to_string();
    assert_eq!(message, "vy: entry 0 is NaN");
    let silent = make(&Array2::zeros((2, 2)), 1.0).unwrap();
    assert_eq!(silent.v(), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(silent.q().slice(s![1..3, 1..3]).sum(), 0.0);
    let head = Head::new(vec![0.0; 5], Array2::zeros((5, 5))).unwrap();
    let refused = risk::test_error_and_gradient(&setting, &head, &theta0, 1);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .starts_with("head: dimension 3")
    );
    assert!(risk::mean_unit_task_error_and_gradient(&setting, &head, 1).is_err());
}
