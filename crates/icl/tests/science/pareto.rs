//! The trade-off: its quadratics against the exact error and sampled prompts' closed forms, its front against descent
//! over all entries, its first part in closed form against the minimiser.

use icl::math::stream::Stream;
use icl::model::head::Head;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::optima;
use icl::theory::pareto::entries::Layout;
use icl::theory::pareto::every_value::EveryValue;
use icl::theory::pareto::front::{FAMILIES, Family, FrontError, FrontModel, Tradeoff};
use icl::theory::pareto::invariants::{self, INVARIANTS};
use icl::theory::pareto::label_column::{best_label_weight, label_column_gain};
use icl::theory::pareto::search::{Errors, Plan};
use icl::theory::risk;
use ndarray::Array2;

fn defaults() -> Tradeoff {
    Tradeoff::new(5, 0.1, 20).unwrap()
}

/// Flat heads of a layout as heads; the last row of Q, which is not among them, is 0.
fn heads(layout: Layout, flat: &[f64]) -> Vec<Head> {
    let dim = layout.d + 2;
    let head = |part: &[f64]| {
        let (v, q) = part.split_at(dim);
        let q = Array2::from_shape_fn((dim, dim), |(i, j)| match i + 1 == dim {
            true => 0.0,
            false => q[i * dim + j],
        });
        Head::new(v.to_vec(), q).unwrap()
    };
    flat.chunks_exact(layout.head_len()).map(head).collect()
}

/// Moments of prompts by Isserlis' theorem against the formula of `risk`: two derivations of one number.
#[test]
fn the_quadratic_in_all_entries_is_the_exact_error() {
    for (d, n_heads, n_shots, noise) in [
        (1, 1, 3, 0.2),
        (2, 3, 1, 0.0),
        (3, 2, 20, 0.1),
        (5, 1, 7, 0.5),
    ] {
        let setting = Setting::new(d, noise).unwrap();
        let tradeoff = Tradeoff::new(d, noise, n_shots).unwrap();
        let layout = Layout { d, n_heads };
        let (zero, few) = layout.errors(&tradeoff);
        let mut stream = Stream::new(3, "pareto test", &[d as u64]);
        let flat: Vec<f64> = (0..layout.size()).map(|_| 0.4 * stream.normal()).collect();
        let (heads, tensor) = (heads(layout, &flat), layout.tensor(&flat));
        let mut axis = vec![0.0; d];
        axis[0] = 1.0;
        let theta0 = Task::new(axis).unwrap();
        let exact = risk::test_error_of_heads(&setting, &heads, &theta0, 0).unwrap();
        let mean = risk::mean_unit_task_error_of_heads(&setting, &heads, n_shots).unwrap();
        assert!(
            (zero.at(&tensor) / exact - 1.0).abs() < 1e-12,
            "{d} {n_heads}"
        );
        assert!(
            (few.at(&tensor) / mean - 1.0).abs() < 1e-12,
            "{d} {n_heads}"
        );
        // The two numbers that descent follows are the same.
        let (z, f) = Errors::new(&tradeoff, n_heads).of(&flat);
        assert!((z / exact - 1.0).abs() < 1e-12 && (f / mean - 1.0).abs() < 1e-12);
    }
}

/// Every model of the family, with free numbers: nine moments against `risk`.
#[test]
fn the_quadratics_in_the_invariants_are_the_exact_errors() {
    for (d, noise, n_shots) in [(2, 0.1, 4), (5, 0.1, 20), (7, 0.0, 1), (11, 0.6, 40)] {
        let setting = Setting::new(d, noise).unwrap();
        let theta0 = Task::random_unit(d, 4);
        let model = FrontModel::OneHead {
            alpha: 0.3,
            beta: -0.9,
            a: 0.7,
            b: -0.4,
            c: 1.3,
            gamma: 0.2,
        };
        let head = model.head(&theta0).unwrap();
        let zero = risk::test_error(&setting, &head, &theta0, 0).unwrap();
        let few = risk::mean_unit_task_error(&setting, &head, n_shots).unwrap();
        let features = model.features();
        let gap = |quadratic: icl::theory::pareto::quadratic::Quadratic, exact: f64| {
            (quadratic.at(&features) / exact - 1.0).abs()
        };
        assert!(gap(invariants::zero_shot(d, noise), zero) < 1e-12, "{d}");
        assert!(
            gap(invariants::few_shot(d, noise, n_shots), few) < 1e-12,
            "{d}"
        );
    }
}

/// The coefficient of tr S[x,x], which no single head has: against all entries, with a head for each covariate.
#[test]
fn the_ninth_invariant_is_that_of_many_heads() {
    let (d, noise, n) = (3, 0.1, 6);
    let tradeoff = Tradeoff::new(d, noise, n).unwrap();
    let layout = Layout { d, n_heads: d };
    let mut flat = vec![0.0; layout.size()];
    for (i, head) in flat.chunks_exact_mut(layout.head_len()).enumerate() {
        // v = H e_i, Q[x1, x_i] = 0.7: together 0.7 (u.q) tr S[x,x].
        head[i + 1] = d as f64;
        head[(d + 2) + (d + 2) + i + 1] = 0.7;
    }
    let mut features = [0.0; INVARIANTS];
    features[7] = 0.7;
    let (zero, few) = layout.errors(&tradeoff);
    let tensor = layout.tensor(&flat);
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    close(
        invariants::zero_shot(d, noise).at(&features),
        zero.at(&tensor),
    );
    close(
        invariants::few_shot(d, noise, n).at(&features),
        few.at(&tensor),
    );
}

/// The printed points at the defaults, to the digits printed.
#[test]
fn reference_points() {
    let rows = [
        (0.45, [0.3538, 0.3471, 0.3538, 0.3471, 0.3471]),
        (0.1 + 2.0 / 9.0, [0.3694, 0.3504, 0.3653, 0.3499, 0.3499]),
        (0.30, [f64::NAN, f64::NAN, 0.3748, 0.3575, 0.3575]),
        (0.27, [f64::NAN, f64::NAN, 0.4142, 0.3979, 0.3975]),
    ];
    for (bound, row) in rows {
        for (family, expected) in FAMILIES.into_iter().zip(row) {
            match defaults().point(family, bound) {
                Ok(point) => {
                    assert!(
                        (point.few_shot - expected).abs() < 5.1e-5,
                        "{bound} {family:?} {point:?}"
                    );
                    assert!(point.zero_shot <= bound + 1e-12);
                }
                Err(error) => {
                    assert!(expected.is_nan(), "{error}");
                    assert!(matches!(error, FrontError::OutOfReach { .. }));
                }
            }
        }
    }
    for (bound, expected) in [
        (0.24, 0.483),
        (0.22, 0.566),
        (0.2, 0.667),
        (0.16, 0.890),
        (0.14, 0.970),
    ] {
        let point = defaults().point(Family::OneHead, bound).unwrap();
        assert!(
            (point.few_shot - expected).abs() < 5.1e-4,
            "{bound} {point:?}"
        );
    }
}

/// A point's own numbers are those of the model that it names.
#[test]
fn points_are_models() {
    let (d, noise, n) = (4, 0.2, 9);
    let setting = Setting::new(d, noise).unwrap();
    let theta0 = Task::random_unit(d, 7);
    let tradeoff = Tradeoff::new(d, noise, n).unwrap();
    for family in FAMILIES {
        let point = tradeoff.point(family, 0.5).unwrap();
        let Some(head) = point.model.head(&theta0) else {
            assert_eq!(family, Family::AnyHeads);
            continue;
        };
        let zero = risk::test_error(&setting, &head, &theta0, 0).unwrap();
        let few = risk::mean_unit_task_error(&setting, &head, n).unwrap();
        assert!((zero - point.zero_shot).abs() < 1e-12, "{family:?}");
        assert!((few - point.few_shot).abs() < 1e-12, "{family:?}");
    }
}

/// Two methods that share nothing but the exact error: angles and convex problems, and descent from random starts.
#[test]
fn the_family_meets_descent_over_all_entries() {
    for (d, noise, n, bounds) in [
        // At 0.14 two branches of the front cross.
        (5, 0.1, 20, [0.45, 0.3222, 0.18, 0.14]),
        (3, 0.3, 10, [1.0, 0.6, 0.5, 0.4]),
        (2, 0.0, 5, [0.5, 0.3, 0.2, 0.1]),
        (1, 0.1, 4, [0.8, 0.4, 0.3, 0.2]),
    ] {
        let tradeoff = Tradeoff::new(d, noise, n).unwrap();
        let errors = Errors::new(&tradeoff, 1);
        for bound in bounds {
            let family = tradeoff.point(Family::OneHead, bound).unwrap();
            let found = errors
                .search(
                    bound,
                    &Plan {
                        starts: 24,
                        seed: 1,
                    },
                )
                .unwrap();
            let gap = found.few_shot - family.few_shot;
            assert!(
                gap.abs() < 1e-5,
                "d = {d}, bound {bound}: {family:?} {}",
                found.few_shot
            );
        }
    }
}

/// With more heads descent comes down to what any number can have; d + 2 always reach it, by a head for each
/// coordinate of v.
#[test]
fn enough_heads_reach_the_bound_of_any_number() {
    let tradeoff = Tradeoff::new(2, 0.1, 6).unwrap();
    for bound in [0.2, 0.5] {
        let any = tradeoff.point(Family::AnyHeads, bound).unwrap().few_shot;
        let mut before = f64::INFINITY;
        for n_heads in [1, 2, 4] {
            let plan = Plan {
                starts: 12,
                seed: 0,
            };
            let found = Errors::new(&tradeoff, n_heads)
                .search(bound, &plan)
                .unwrap();
            assert!(found.few_shot > any - 1e-7 && found.few_shot < before + 1e-7);
            before = found.few_shot;
        }
        assert!(before - any < 1e-5, "{bound}: {before} {any}");
    }
}

/// Two heads answer without examples at a cost of 1/N: one is the pretraining optimum, the other v = theta0, Q00 = 1.
#[test]
fn two_heads_have_the_noise_floor_at_a_cost_of_one_over_n() {
    for (d, noise, n) in [(5, 0.1, 20), (3, 0.4, 7)] {
        let setting = Setting::new(d, noise).unwrap();
        let theta0 = Task::random_unit(d, 1);
        let first = optima::pretrained_head(d, 2.0 * optima::pretraining_scale(&setting, n));
        let v = [vec![0.0], theta0.theta().to_vec(), vec![0.0]].concat();
        let mut q = Array2::zeros((d + 2, d + 2));
        q[[0, 0]] = 2.0;
        let heads = [first, Head::new(v, q).unwrap()];
        let zero = risk::test_error_of_heads(&setting, &heads, &theta0, 0).unwrap();
        let few = risk::mean_unit_task_error_of_heads(&setting, &heads, n).unwrap();
        let expected = optima::pretraining_loss(&setting, n) + 1.0 / (n as f64 + 1.0);
        assert!((zero - noise).abs() < 1e-12 && (few - expected).abs() < 1e-12);
    }
}

/// For value vectors of many directions, each with the global optimum over Q, nothing is below the family.
#[test]
fn no_direction_of_the_value_vector_is_better() {
    let tradeoff = Tradeoff::new(3, 0.1, 8).unwrap();
    let every = EveryValue::new(&tradeoff);
    for bound in [0.2, 0.4] {
        let family = tradeoff.point(Family::OneHead, bound).unwrap();
        let FrontModel::OneHead { alpha, beta, .. } = family.model else {
            panic!("one head");
        };
        let least = every.least_of_grid(bound, 8).unwrap().value;
        assert!(least > family.few_shot - 1e-9, "{least} {family:?}");
        // At the family's own v the optimum over all of Q is the family's.
        let own = every.least(&[0.0, alpha, 0.0, 0.0, beta], bound).unwrap();
        assert!((own.value - family.few_shot).abs() < 1e-9);
    }
}

/// gamma* against the vertex of the exact error, and its gain against the difference.
#[test]
fn the_label_weight_is_the_minimiser() {
    for (d, noise, n, alpha, a) in [
        (5, 0.1, 20, 1.0 / 9.0 / 0.8, 0.8),
        (1, 0.0, 1, 0.4, 1.0),
        (8, 0.5, 60, -0.2, 0.3),
    ] {
        let setting = Setting::new(d, noise).unwrap();
        let theta0 = Task::random_unit(d, 2);
        let error = |gamma: f64| {
            let model = FrontModel::OneHead {
                alpha,
                beta: 1.0,
                a,
                b: a,
                c: 0.0,
                gamma,
            };
            let head = model.head(&theta0).unwrap();
            risk::mean_unit_task_error(&setting, &head, n).unwrap()
        };
        // A parabola: three values give its vertex.
        let (left, middle, right) = (error(-1.0), error(0.0), error(1.0));
        let vertex = -0.5 * (right - left) / (right - 2.0 * middle + left);
        let gamma = best_label_weight(d, noise, n, alpha, a);
        assert!((gamma - vertex).abs() < 1e-9, "{gamma} {vertex}");
        let gain = label_column_gain(d, noise, n, alpha, a);
        assert!((middle - error(gamma) - gain).abs() < 1e-9);
    }
    // At the defaults, beside alpha a = 1/9 with the best a.
    let point = defaults()
        .point(Family::ValueAndLabelColumn, 0.1 + 2.0 / 9.0)
        .unwrap();
    let FrontModel::OneHead {
        alpha,
        beta,
        a,
        gamma,
        ..
    } = point.model
    else {
        panic!("one head");
    };
    let scaled = best_label_weight(5, 0.1, 20, alpha / beta, a * beta) / beta;
    assert!((gamma - scaled).abs() < 1e-7, "{gamma} {scaled}");
}

/// What cannot be asked is refused, and the ends have their limits.
#[test]
fn refusals_and_limits() {
    let words = |error: FrontError| error.to_string();
    assert!(words(Tradeoff::new(5, 0.1, 0).unwrap_err()).contains("n must be at least 1"));
    assert!(words(Tradeoff::new(0, 0.1, 3).unwrap_err()).contains("at least 1"));
    assert!(words(Tradeoff::new(5, f64::NAN, 3).unwrap_err()).contains("NaN"));
    for bound in [0.0999, f64::NAN, -1.0] {
        let error = defaults().point(Family::OneHead, bound).unwrap_err();
        assert!(words(error).contains("label noise, sigma2 = 0.1"));
    }
    let error = defaults()
        .point(Family::ValueAndLabelColumn, 0.3)
        .unwrap_err();
    assert!(words(error).contains("its least is 0.3222"));
    // No bound: the pretraining optimum. The least bound: the noise.
    let loss = optima::pretraining_loss(&Setting::new(5, 0.1).unwrap(), 20);
    for family in FAMILIES {
        for bound in [1.1, 7.0, f64::INFINITY] {
            let point = defaults().point(family, bound).unwrap();
            assert!((point.few_shot - loss).abs() < 1e-12, "{family:?}");
        }
        let least = defaults().least_zero_shot(family);
        let point = defaults().point(family, least).unwrap();
        assert!(
            (point.zero_shot - least).abs() < 1e-9,
            "{family:?} {point:?}"
        );
    }
    // d = 1: one covariate has no direction but theta0.
    let line = Tradeoff::new(1, 0.1, 4).unwrap();
    let mut before = f64::INFINITY;
    for family in [
        Family::ValueLabelColumnAndConstant,
        Family::OneHead,
        Family::AnyHeads,
    ] {
        let few = line.point(family, 0.3).unwrap().few_shot;
        assert!(few <= before + 1e-12);
        before = few;
    }
}
