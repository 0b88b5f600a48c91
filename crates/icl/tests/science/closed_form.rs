//! The closed forms against printed reference values and against Monte Carlo, in standard errors.

use icl::evaluate::fresh_tasks::{EvaluatePlan, evaluate};
use icl::math::linalg;
use icl::math::moments::Moments;
use icl::math::stream::Stream;
use icl::math::tolerance;
use icl::model::head::Head;
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::optima;
use icl::theory::risk;
use ndarray::Array2;
use std::ops::ControlFlow;

const SHOTS: [usize; 9] = [0, 1, 2, 5, 6, 7, 8, 20, 40];

fn defaults() -> Setting {
    Setting::new(5, 0.1).unwrap()
}

/// A head with entries of order one; its predictions are too.
fn random_head(d: usize, stream: &mut Stream) -> Head {
    let scale = 1.0 / (d as f64).sqrt();
    let v = (0..d + 2).map(|_| 0.5 * stream.normal()).collect();
    let q = Array2::from_shape_fn((d + 2, d + 2), |_| 0.5 * scale * stream.normal());
    Head::new(v, q).unwrap()
}

fn random_task(d: usize, stream: &mut Stream) -> Task {
    Task::new((0..d).map(|_| 0.8 * stream.normal()).collect()).unwrap()
}

fn random_covariance(d: usize, stream: &mut Stream) -> Array2<f64> {
    let root = Array2::from_shape_fn((d, d), |_| stream.normal() / (d as f64).sqrt());
    let mut sigma = linalg::matmul(root.view(), root.t());
    sigma.diag_mut().iter_mut().for_each(|x| *x += 0.2);
    sigma
}

fn assert_agrees(what: &str, estimate: icl::math::moments::Estimate, exact: f64) {
    let z = estimate.z_score(exact);
    assert!(
        z.abs() < tolerance::STANDARD_ERRORS,
        "{what}: {estimate:?}, exact {exact}, z = {z}"
    );
}

/// The table of docs/theory.md, section 7.
#[test]
fn printed_reference_values() {
    let setting = defaults();
    let theta0 = Task::random_unit(5, 17);
    let heads = [
        optima::pretrained_head(5, 20.0 / 26.0),
        optima::zero_shot_head(&theta0, 0.52),
        optima::value_only_head(&theta0, 20.0 / 26.0),
        optima::value_only_head(&theta0, 0.66),
    ];
    let rows = [
        (1.0, 0, [1.1000, 0.1000, 0.3222, 0.3222]),
        (1.0, 1, [1.4402, 2.5786, 1.4089, 1.1405]),
        (1.0, 10, [0.5083, 1.6632, 0.5268, 0.4664]),
        (1.0, 20, [0.3459, 1.4113, 0.3402, 0.3243]),
        (-1.0, 0, [1.1000, 4.1000, 3.4333, 3.4333]),
        (-1.0, 20, [0.3459, 1.2529, 0.4000, 0.4567]),
    ];
    for (sign, n, expected) in rows {
        let task = if sign > 0.0 {
            theta0.clone()
        } else {
            theta0.negated()
        };
        for (head, expected) in heads.iter().zip(expected) {
            let found = risk::test_error(&setting, head, &task, n).unwrap();
            assert!(
                (found - expected).abs() < tolerance::PRINTED_4,
                "n = {n}: {found} {expected}"
            );
        }
    }
}

/// Risk against the fast Monte Carlo, over dimensions, shots, noise, and models that share prompts.
#[test]
fn risk_meets_monte_carlo() {
    for (d, noise_var) in [(1, 0.1), (2, 0.0), (5, 0.1), (5, 0.0), (11, 0.4), (21, 0.0)] {
        let setting = Setting::new(d, noise_var).unwrap();
        let mut stream = Stream::new(d as u64, "closed-form test", &[]);
        let task = random_task(d, &mut stream);
        let unit = Task::random_unit(d, 1);
        // One model: rank 1. Three models: rank up to 3. Seven: rank up to k = d + 1.
        for n_models in [1, 3, 7] {
            let mut heads: Vec<Head> = (1..n_models).map(|_| random_head(d, &mut stream)).collect();
            heads.push(optima::value_only_head(&unit, 0.7));
            check_monte_carlo(&setting, &heads, &[task.clone(), unit.clone()]);
        }
    }
}

/// The same with a general covariance, through the linear map of the fast path.
#[test]
fn risk_meets_monte_carlo_for_a_general_covariance() {
    for d in [1, 3] {
        let mut stream = Stream::new(d as u64, "covariance test", &[]);
        let sigma = random_covariance(d, &mut stream);
        let setting = Setting::new(d, 0.2)
            .unwrap()
            .with_covariance(&sigma)
            .unwrap();
        let heads: Vec<Head> = (0..3).map(|_| random_head(d, &mut stream)).collect();
        check_monte_carlo(&setting, &heads, &[random_task(d, &mut stream)]);
    }
}

fn check_monte_carlo(setting: &Setting, heads: &[Head], tasks: &[Task]) {
    let models: Vec<LinearAttention> = heads.iter().map(LinearAttention::from_head).collect();
    let models: Vec<&LinearAttention> = models.iter().collect();
    let plan = EvaluatePlan {
        n_shots: SHOTS.to_vec(),
        n_prompts: 15_003,
        seeds: vec![3, 4],
    };
    let errors = evaluate(setting, &models, tasks, &plan, |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
    for (m, head) in heads.iter().enumerate() {
        for (t, task) in tasks.iter().enumerate() {
            for (i, &n) in SHOTS.iter().enumerate() {
                let exact = risk::test_error(setting, head, task, n).unwrap();
                let estimate = errors.get(m, t, i);
                assert_eq!(estimate.n, 30_006);
                let what = format!("d = {}, model {m}, task {t}, n = {n}", setting.d());
                assert_agrees(&what, estimate, exact);
            }
        }
    }
}

/// Risk against attention on the prompt itself, token by token: shares no code with the fast paths.
#[test]
fn general_risk_meets_direct_attention() {
    let d = 3;
    let mut stream = Stream::new(1, "direct risk test", &[]);
    let sigma = random_covariance(d, &mut stream);
    // A factor of Sigma other than the library's: the lower Cholesky factor.
    let factor = cholesky(&sigma);
    let plain = Setting::new(d, 0.3).unwrap();
    let setting = plain.with_covariance(&sigma).unwrap();
    let head = random_head(d, &mut stream);
    let task = random_task(d, &mut stream);
    for n in [0, 1, 4, 9] {
        let mut moments = Moments::new();
        for _ in 0..40_000 {
            let mut tokens: Vec<Vec<f64>> = Vec::new();
            for _ in 0..=n {
                let g: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
                let x = linalg::matvec(factor.view(), &g);
                let y = linalg::inner(&x, task.theta()) + 0.3_f64.sqrt() * stream.normal();
                tokens.push([&[1.0], &x[..], &[y]].concat());
            }
            let y = std::mem::take(&mut tokens[n][d + 1]);
            let scores = linalg::matvec(head.q().t(), &tokens[n]);
            let sum = tokens.iter().fold(0.0, |sum, z| {
                sum + linalg::inner(&scores, z) * linalg::inner(head.v(), z)
            });
            let residual = sum / (n as f64 + 1.0) - y;
            moments.push(residual * residual);
        }
        let exact = risk::test_error(&setting, &head, &task, n).unwrap();
        assert_agrees(&format!("n = {n}"), moments.estimate(), exact);
    }
}

fn cholesky(matrix: &Array2<f64>) -> Array2<f64> {
    let n = matrix.nrows();
    let mut factor = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let sum = (0..j).fold(matrix[[i, j]], |sum, k| {
                sum - factor[[i, k]] * factor[[j, k]]
            });
            factor[[i, j]] = if i == j {
                sum.sqrt()
            } else {
                sum / factor[[j, j]]
            };
        }
    }
    factor
}

/// The cubature over unit tasks against a random sample of them.
#[test]
fn mean_over_unit_tasks_meets_sampling() {
    for d in [1, 2, 4, 6] {
        let mut stream = Stream::new(d as u64, "cubature test", &[]);
        let plain = Setting::new(d, 0.2).unwrap();
        let sigma = random_covariance(d, &mut stream);
        let general = plain.clone().with_covariance(&sigma).unwrap();
        let head = random_head(d, &mut stream);
        for setting in [&plain, &general] {
            for n in [0, 3] {
                let mut moments = Moments::new();
                for seed in 0..4_000 {
                    let task = Task::random_unit(d, seed);
                    moments.push(risk::test_error(setting, &head, &task, n).unwrap());
                }
                let exact = risk::mean_unit_task_error(setting, &head, n).unwrap();
                let estimate = moments.estimate();
                let allowed = tolerance::STANDARD_ERRORS * estimate.std_error + tolerance::ROUNDING;
                assert!(
                    (estimate.mean - exact).abs() < allowed,
                    "d = {d}: {estimate:?} {exact}"
                );
            }
        }
    }
}

/// Many heads, separate matrices, and the general path (forced by a deep model whose first layer
/// does nothing) agree with the one-layer path and with the risk.
#[test]
fn the_two_evaluation_paths_agree() {
    let setting = defaults();
    let task = Task::random_unit(5, 8);
    let plan = EvaluatePlan {
        n_shots: vec![0, 1, 6, 7, 20],
        n_prompts: 20_000,
        seeds: vec![0, 1],
    };
    let run = |models: &[&LinearAttention]| {
        let tasks = std::slice::from_ref(&task);
        evaluate(&setting, models, tasks, &plan, |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap()
    };
    let shape = Shape {
        d: 5,
        n_layers: 1,
        n_heads: 3,
        parametrization: Parametrization::Separate,
    };
    let heads = LinearAttention::random(shape, 0.6, 5).unwrap();
    let single = optima::value_only_head(&task, 0.7);
    let single_model = LinearAttention::from_head(&single);
    // Two layers, the first of them zero: Z passes through, the second is `single`.
    let deep_shape = Shape {
        n_layers: 2,
        ..single_model.shape()
    };
    let mut params = vec![0.0; single_model.params().len()];
    params.extend_from_slice(single_model.params());
    let deep = LinearAttention::from_params(deep_shape, params).unwrap();

    let fast = run(&[&heads, &single_model]);
    let general = run(&[&heads, &single_model, &deep]);
    for (i, &n) in plan.n_shots.iter().enumerate() {
        let (a, b) = (fast.get(0, 0, i), general.get(0, 0, i));
        let spread = (a.std_error * a.std_error + b.std_error * b.std_error).sqrt();
        assert!(
            (a.mean - b.mean).abs() < tolerance::STANDARD_ERRORS * spread,
            "{n}: {a:?} {b:?}"
        );
        let exact = risk::test_error(&setting, &single, &task, n).unwrap();
        assert_agrees("fast", fast.get(1, 0, i), exact);
        assert_agrees("general", general.get(1, 0, i), exact);
        assert_eq!(general.get(1, 0, i), general.get(2, 0, i));
    }
}

/// Common random numbers: a model's estimate does not depend on its twin beside it.
#[test]
fn models_of_one_call_share_their_prompts() {
    let setting = defaults();
    let task = Task::random_unit(5, 8);
    let model = LinearAttention::from_head(&optima::zero_shot_head(&task, 0.5));
    let plan = EvaluatePlan {
        n_shots: vec![1, 20],
        n_prompts: 3_000,
        seeds: vec![7],
    };
    let tasks = [task.negated(), task];
    let run = |models: &[&LinearAttention]| {
        evaluate(&setting, models, &tasks, &plan, |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap()
    };
    let (alone, twins) = (run(&[&model]), run(&[&model, &model]));
    for (t, i) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        assert_eq!(alone.get(0, t, i), twins.get(0, t, i));
        assert_eq!(alone.get(0, t, i), twins.get(1, t, i));
    }
    assert_ne!(alone.get(0, 0, 1), alone.get(0, 1, 1));
}

#[test]
fn evaluation_refuses_and_stops() {
    let setting = defaults();
    let task = Task::random_unit(5, 8);
    let model = LinearAttention::from_head(&optima::pretrained_head(4, 0.5));
    let mut plan = EvaluatePlan {
        n_shots: vec![0, 1],
        n_prompts: 10,
        seeds: vec![0],
    };
    let run = |models: &[&LinearAttention], plan: &EvaluatePlan| {
        evaluate(
            &setting,
            models,
            std::slice::from_ref(&task),
            plan,
            |done, total| {
                assert_eq!(total, 2);
                if done == 1 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        run(&[&model], &plan),
        "model 0: dimension 4, but the setting has d = 5"
    );
    let good = LinearAttention::from_head(&optima::pretrained_head(5, 0.5));
    assert_eq!(run(&[&good], &plan), "stopped before the end");
    plan.seeds.clear();
    assert!(run(&[&good], &plan).contains("at least 1"));
}
