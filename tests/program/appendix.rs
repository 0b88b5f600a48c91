//! Separate matrices, several heads and layers: every configuration of pipeline.yaml against slow
//! references, and the exact error where one layer has one.

use icl::evaluate::fresh_tasks::{EvaluatePlan, TestErrors, evaluate};
use icl::math::linalg;
use icl::math::stream::Stream;
use icl::math::tolerance;
use icl::model::head::Head;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, MatrixKind, Parametrization, Shape};
use icl::prompts::data_set::DataSet;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::risk;
use icl::train::batch::{BatchPlan, Part, Reader, Reading, Streams};
use icl::train::config::TrainConfig;
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::optimizer::OptimizerConfig;
use icl::train::rows::Rows;
use icl::train::sampled::Source;
use icl::train::sampled::train;
use ndarray::Array2;
use retrace::spec::file::Spec;
use std::ops::ControlFlow;

const D: usize = 5;

fn shape(n_heads: usize, n_layers: usize, parametrization: Parametrization) -> Shape {
    Shape {
        d: D,
        n_layers,
        n_heads,
        parametrization,
    }
}

/// The shapes of the axes `config` of `qkv_pretrain` and `deep_pretrain` in pipeline.yaml, by label.
fn configurations() -> Vec<(String, Shape)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pipeline.yaml");
    let text = std::fs::read_to_string(path).expect("the pipeline");
    let spec = Spec::parse("pipeline.yaml", &text).expect("a pipeline");
    let items = |name: &str| {
        let stage = spec.stages.iter().find(|s| s.name.text == name);
        let (axis, items) = stage.expect("the stage").matrix[0].clone();
        assert_eq!(axis.text, "config");
        items
    };
    let read = |(label, item): &(retrace::yaml::node::Key, retrace::yaml::node::Node)| {
        let number = |name: &str| {
            let text = item.get(name).and_then(|node| node.scalar_text());
            text.expect("a number").parse().expect("a whole number")
        };
        let shape = shape(number("heads"), number("layers"), Parametrization::Separate);
        (label.text.clone(), shape)
    };
    let all = [items("qkv_pretrain"), items("deep_pretrain")].concat();
    all.iter().map(read).collect()
}

#[test]
fn the_configurations_of_the_paper_are_there() {
    let labels: Vec<String> = configurations()
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    for label in [
        "h1_l1_sgd",
        "h2_l1_sgd",
        "h4_l1_sgd",
        "h1_l2_sgd",
        "h2_l2_sgd",
        "h1_l3_sgd",
        "h1_l1_adam",
    ] {
        assert!(labels.iter().any(|l| l == label), "{label} in {labels:?}");
    }
}

/// Few-shot and zero-shot path, along random directions in parameter space and along the gradient.
#[test]
fn gradients_of_every_configuration_equal_finite_differences() {
    let setting = Setting::new(D, 0.1).unwrap();
    let data = DataSet::generate(&setting, &Task::random_unit(D, 1), 60, 1).unwrap();
    for (label, shape) in configurations() {
        // Three layers make a polynomial of degree 27 in the query: small entries keep it of order one.
        let base = LinearAttention::random(shape, 0.12, 4).unwrap();
        for (source, objective) in [
            (&Fresh(&setting) as &dyn Source, Objective::FewShot),
            (&Rows(&data), Objective::ZeroShot),
            (&Rows(&data), Objective::ZeroAndFewShot),
        ] {
            let mut batch = source.batches(
                BatchPlan {
                    shape,
                    batch_size: 67,
                    seed: 3,
                    streams: Streams::TRAINING,
                },
                20,
            );
            let weights = objective.weights(1, 4);
            let mut total = |model: &LinearAttention| {
                let reader = Reader {
                    matrices: model.effective(),
                    objective,
                    weights,
                };
                let Reading { loss, gradient } = &batch.read(&[reader], Part::Whole, 1)[0];
                let total = weights.zero_shot * loss.zero_shot + weights.few_shot * loss.few_shot;
                (total, model.pull_back(gradient))
            };
            let (_, gradient) = total(&base);
            let size = linalg::inner(&gradient, &gradient).sqrt();
            assert!(size > 0.0, "{label} {objective:?}");
            let mut stream = Stream::new(5, "directions", &[]);
            for number in 0..16 {
                let mut direction: Vec<f64> = match number {
                    0 => gradient.clone(),
                    _ => gradient.iter().map(|_| stream.normal()).collect(),
                };
                let length = linalg::inner(&direction, &direction).sqrt();
                direction.iter_mut().for_each(|x| *x /= length);
                let step = tolerance::FINITE_DIFFERENCE_STEP;
                let mut moved = |by: f64| {
                    let params = base.params().iter().zip(&direction);
                    let params = params.map(|(p, x)| p + by * x).collect();
                    total(&LinearAttention::from_params(shape, params).unwrap()).0
                };
                let slope = (moved(step) - moved(-step)) / (2.0 * step);
                let expected = linalg::inner(&gradient, &direction);
                let gap = (slope - expected).abs() / size.max(1.0);
                assert!(
                    gap < tolerance::FINITE_DIFFERENCE,
                    "{label} {objective:?} direction {number}: {slope} {expected}"
                );
            }
        }
    }
}

/// The model with Q = Wq^T Wk in place of the two.
fn merged(model: &LinearAttention) -> LinearAttention {
    let Shape {
        n_heads, n_layers, ..
    } = model.shape();
    let mut params = Vec::new();
    for layer in 0..n_layers {
        for head in 0..n_heads {
            let get = |kind| model.matrix(layer, head, kind).unwrap();
            let (query, key) = (get(MatrixKind::Query), get(MatrixKind::Key));
            params.extend(query.t().dot(&key).iter());
            params.extend(get(MatrixKind::Value).iter());
        }
    }
    let shape = shape(n_heads, n_layers, Parametrization::Merged);
    LinearAttention::from_params(shape, params).unwrap()
}

fn errors(
    setting: &Setting,
    models: &[&LinearAttention],
    task: &Task,
    n_shots: &[usize],
    n_prompts: usize,
) -> TestErrors {
    let plan = EvaluatePlan {
        n_shots: n_shots.to_vec(),
        n_prompts,
        seeds: vec![0, 1],
    };
    let tasks = std::slice::from_ref(task);
    evaluate(setting, models, tasks, &plan, |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap()
}

/// One layer with one head, whose errors take the fast path; and every other configuration.
#[test]
fn the_product_of_query_and_key_predicts_as_the_two() {
    let setting = Setting::new(D, 0.1).unwrap();
    let task = Task::random_unit(D, 3);
    for (label, shape) in configurations() {
        let separate = LinearAttention::random(shape, 0.3, 8).unwrap();
        let merged = merged(&separate);
        let shots = [0, 1, 20];
        let errors = errors(&setting, &[&separate, &merged], &task, &shots, 500);
        for point in 0..shots.len() {
            let (one, other) = (errors.get(0, 0, point).mean, errors.get(1, 0, point).mean);
            let gap = (one / other - 1.0).abs();
            assert!(gap < tolerance::ROUNDING, "{label} {point}: {one} {other}");
        }
    }
}

fn random_head(d: usize, spread: f64, stream: &mut Stream) -> Head {
    let v = (0..d + 2).map(|_| spread * stream.normal()).collect();
    let q = Array2::from_shape_fn((d + 2, d + 2), |_| spread * stream.normal());
    Head::new(v, q).unwrap()
}

#[test]
fn several_heads_meet_monte_carlo() {
    let mut stream = Stream::new(2, "heads", &[]);
    for (d, n_heads, general) in [(1, 2, false), (3, 4, false), (5, 2, false), (3, 3, true)] {
        let mut setting = Setting::new(d, 0.3).unwrap();
        if general {
            let root = Array2::from_shape_fn((d, d), |(i, j)| {
                f64::from(u8::from(i == j)) + 0.3 * stream.normal()
            });
            setting = setting.with_covariance(&root.dot(&root.t())).unwrap();
        }
        let task = Task::new((0..d).map(|_| stream.normal()).collect()).unwrap();
        let heads: Vec<Head> = (0..n_heads)
            .map(|_| random_head(d, 0.5, &mut stream))
            .collect();
        // With Wq = I, Wk is Q.
        let mut params = Vec::new();
        for head in &heads {
            params.extend(Array2::<f64>::eye(d + 2));
            params.extend(head.q());
            params.extend(std::iter::repeat_n(0.0, (d + 1) * (d + 2)));
            params.extend(head.v());
        }
        let shape = Shape {
            d,
            ..shape(n_heads, 1, Parametrization::Separate)
        };
        let model = LinearAttention::from_params(shape, params).unwrap();
        let shots = [0, 1, 2, 7, 20];
        let sampled = errors(&setting, &[&model], &task, &shots, 100_000);
        for (point, &n) in shots.iter().enumerate() {
            let exact = risk::test_error_of_heads(&setting, &heads, &task, n).unwrap();
            let z = sampled.get(0, 0, point).z_score(exact);
            assert!(
                z.abs() < tolerance::STANDARD_ERRORS,
                "d = {d}, {n_heads} heads, n = {n}: z = {z}"
            );
        }
    }
}

/// The prediction is linear in v and in Q: heads that combine every v with every Q are the head of
/// their means.
#[test]
fn all_pairs_of_vectors_and_matrices_are_the_head_of_their_means() {
    let mut stream = Stream::new(11, "heads", &[]);
    let setting = Setting::new(3, 0.2).unwrap();
    let task = Task::random_unit(3, 2);
    let [a, b] = [(); 2].map(|()| random_head(3, 0.6, &mut stream));
    let pair = |v: &Head, q: &Head| Head::new(v.v().to_vec(), q.q().to_owned()).unwrap();
    let heads = [pair(&a, &a), pair(&a, &b), pair(&b, &a), pair(&b, &b)];
    let v = a
        .v()
        .iter()
        .zip(b.v())
        .map(|(x, y)| 0.5 * (x + y))
        .collect();
    let mean = Head::new(v, 0.5 * (&a.q() + &b.q())).unwrap();
    for n in [0, 1, 20] {
        let found = risk::test_error_of_heads(&setting, &heads, &task, n).unwrap();
        let expected = risk::test_error(&setting, &mean, &task, n).unwrap();
        let gap = (found / expected - 1.0).abs();
        assert!(gap < tolerance::ROUNDING, "n = {n}: {found} {expected}");
    }
}

#[test]
fn equal_heads_are_one_head() {
    let mut stream = Stream::new(9, "heads", &[]);
    let setting = Setting::new(4, 0.2).unwrap();
    let task = Task::random_unit(4, 1);
    let head = random_head(4, 0.6, &mut stream);
    let still = Head::new(vec![0.0; 6], head.q().to_owned()).unwrap();
    let half = Head::new(
        head.v().iter().map(|v| 0.5 * v).collect(),
        head.q().to_owned(),
    )
    .unwrap();
    for n in [0, 1, 20] {
        let of = |heads: &[Head]| risk::test_error_of_heads(&setting, heads, &task, n).unwrap();
        let one = of(std::slice::from_ref(&head));
        assert_eq!(one, risk::test_error(&setting, &head, &task, n).unwrap());
        let three = of(&[head.clone(), head.clone(), head.clone()]);
        assert!(
            (three / one - 1.0).abs() < tolerance::ROUNDING,
            "{one} {three}"
        );
        let (beside, halved) = (
            of(&[head.clone(), still.clone()]),
            of(std::slice::from_ref(&half)),
        );
        assert!(
            (beside / halved - 1.0).abs() < tolerance::ROUNDING,
            "{beside} {halved}"
        );
    }
    let refused = risk::test_error_of_heads(&setting, &[], &task, 0).unwrap_err();
    assert_eq!(refused.to_string(), "heads: at least 1 is needed");
}

/// Learned by SGD from separate matrices, as the appendix does, with fewer prompts.
#[test]
fn errors_of_learned_one_layer_models_meet_the_closed_form() {
    let setting = Setting::new(D, 0.1).unwrap();
    let task = Task::random_unit(D, 0);
    let data = DataSet::generate(&setting, &task, 2000, 0).unwrap();
    let config = |objective| TrainConfig {
        steps: 1200,
        batch_size: 64,
        n_shots: 20,
        objective,
        trainable: Trainable::All,
        optimizer: OptimizerConfig::Sgd {
            learning_rate: 0.02,
            momentum: 0.9,
        },
        clip_norm: Some(1.0),
        seed: 0,
    };
    for n_heads in [1, 2] {
        let shape = shape(n_heads, 1, Parametrization::Separate);
        let initial = LinearAttention::random(shape, 0.05, 0).unwrap();
        let go = |_, _| ControlFlow::Continue(());
        let pretrained = train(&initial, &Fresh(&setting), &config(Objective::FewShot), go);
        let pretrained = pretrained.unwrap().model;
        let tuned = train(&pretrained, &Rows(&data), &config(Objective::ZeroShot), go);
        let tuned = tuned.unwrap().model;
        let shots = [0, 1, 20];
        let sampled = errors(&setting, &[&pretrained, &tuned], &task, &shots, 100_000);
        let mut exact = Vec::new();
        for (m, model) in [&pretrained, &tuned].into_iter().enumerate() {
            let heads = model.heads().unwrap();
            for (point, &n) in shots.iter().enumerate() {
                let error = risk::test_error_of_heads(&setting, &heads, &task, n).unwrap();
                let z = sampled.get(m, 0, point).z_score(error);
                let place = format!("{n_heads} heads, model {m}, n = {n}");
                assert!(z.abs() < tolerance::STANDARD_ERRORS, "{place}: z = {z}");
                exact.push(error);
            }
        }
        // It learned: in context first, then without examples.
        assert!(
            exact[2] < 0.45 && exact[3] < 0.15,
            "{n_heads} heads: {exact:?}"
        );
    }
}
