//! Quantiles of sampled squared errors: against what is known of them, for any number of threads.

use icl::evaluate::fresh_tasks::{EvaluatePlan, TestErrors, evaluate, evaluate_spread};
use icl::math::spread::{Buckets, Spread};
use icl::math::stream::Stream;
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use std::ops::ControlFlow;

const D: usize = 5;

fn shape(n_layers: usize) -> Shape {
    Shape {
        d: D,
        n_layers,
        n_heads: 1,
        parametrization: Parametrization::Separate,
    }
}

fn model(n_layers: usize, spread: f64) -> LinearAttention {
    LinearAttention::random(shape(n_layers), spread, 3).unwrap()
}

fn plan(n_prompts: usize) -> EvaluatePlan {
    EvaluatePlan {
        n_shots: vec![0, 3, 20],
        n_prompts,
        seeds: vec![0, 1, 2],
    }
}

fn spreads(models: &[&LinearAttention], n_prompts: usize) -> TestErrors {
    let setting = Setting::new(D, 0.1).unwrap();
    let tasks = [Task::random_unit(D, 0)];
    let go = |_, _| ControlFlow::Continue(());
    evaluate_spread(&setting, models, &tasks, &plan(n_prompts), go).unwrap()
}

/// A model that predicts 0 has the error y^2, y ~ N(0, 1.1): quantiles of a chi-square of one degree.
#[test]
fn quantiles_of_a_silent_model_are_those_of_a_chi_square() {
    let n_prompts = 100_000;
    for n_layers in [1, 2] {
        let silent = model(n_layers, 0.0);
        let errors = spreads(&[&silent], n_prompts);
        for point in 0..3 {
            let Spread { median, q90, tail } = errors.spread(0, 0, point).unwrap();
            // Five standard errors, sqrt(p (1 - p) / n) / density, and half a bucket.
            for (found, expected, density, p) in [
                (median, 0.454936, 0.4711, 0.5),
                (q90, 2.705543, 0.0627, 0.9_f64),
            ] {
                let n = (3 * n_prompts) as f64;
                let margin = 5.0 * (p * (1.0 - p) / n).sqrt() / density + 0.004 * expected;
                let gap = (found / 1.1 - expected).abs();
                assert!(gap < margin, "{n_layers} layers: {found} {expected}");
            }
            // The largest 0.1 % of such squares hold P(chi-square of 3 degrees > 10.83) = 1.27 %.
            assert!((tail - 0.0127).abs() < 0.001, "{tail}");
        }
    }
}

/// 2k-th powers of normal numbers: the largest 0.1 % hold P(chi-square of 2k + 1 degrees > 10.83).
#[test]
fn means_are_told_up_to_cubes_and_not_of_ninth_powers() {
    let mut stream = Stream::new(1, "powers", &[]);
    let normals: Vec<f64> = (0..400_000).map(|_| stream.normal()).collect();
    for (degree, expected, margin, tells) in [
        (1, 0.0127, 0.001, true),
        (3, 0.1463, 0.02, true),
        (9, 0.9305, 0.04, false),
    ] {
        let mut buckets = Buckets::new();
        let squares = normals
            .iter()
            .map(|x| (0..degree).fold(1.0, |product, _| product * x * x));
        buckets.extend(&squares.collect::<Vec<f64>>());
        let spread = buckets.spread();
        assert!(
            (spread.tail - expected).abs() < margin,
            "{degree}: {spread:?}"
        );
        assert_eq!(spread.tells_mean(), tells, "{degree}");
    }
}

#[test]
fn two_layers_without_examples_have_no_mean_that_a_sample_tells() {
    let (deep, shallow) = (model(2, 0.5), model(1, 0.5));
    let errors = spreads(&[&deep, &shallow], 20_000);
    assert!(!errors.spread(0, 0, 0).unwrap().tells_mean());
    assert!(errors.spread(1, 0, 0).unwrap().tells_mean());
}

/// More blocks than are held at a time, and the last one of each seed is not full.
#[test]
fn no_number_of_threads_changes_a_bit_and_the_means_are_those_of_evaluate() {
    let n_prompts = 100 * 1024 + 77;
    let models = [model(2, 0.3), model(1, 0.3)];
    let models = [&models[0], &models[1]];
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| spreads(&models, n_prompts))
    };
    let one = of(1);
    assert_eq!(one, of(3));
    let setting = Setting::new(D, 0.1).unwrap();
    let tasks = [Task::random_unit(D, 0)];
    let go = |_, _| ControlFlow::Continue(());
    let plain = evaluate(&setting, &models, &tasks, &plan(n_prompts), go).unwrap();
    for (model, point) in [(0, 0), (0, 2), (1, 0), (1, 1)] {
        assert_eq!(plain.get(model, 0, point), one.get(model, 0, point));
        assert_eq!(plain.spread(model, 0, point), None);
    }
}
