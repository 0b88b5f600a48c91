//! Training: determinism, the paper's pretraining optimum, endings and refusals.

use icl::evaluate::baseline::{self, Penalties};
use icl::evaluate::fresh_tasks::{EvaluatePlan, evaluate};
use icl::evaluate::pool::{self, PoolPlan, Readers};
use icl::math::simd;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::data_set::DataSet;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::prompts::task_pool::{Flips, Member, TaskPool};
use icl::theory::optima;
use icl::theory::readout;
use icl::theory::risk;
use icl::train::batch::{BatchPlan, Batches};
use icl::train::config::TrainConfig;
use icl::train::descent::{Ending, Trained};
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::optimizer::{ADAM_EPSILON, OptimizerConfig};
use icl::train::pool::Pool;
use icl::train::replay::Replay;
use icl::train::rows::Rows;
use icl::train::sampled::{Source, Training, train, train_all};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

fn config() -> TrainConfig {
    TrainConfig {
        steps: 6,
        batch_size: 700,
        n_shots: 20,
        objective: Objective::FewShot,
        trainable: Trainable::All,
        optimizer: OptimizerConfig::Sgd {
            learning_rate: 0.01,
            momentum: 0.9,
        },
        clip_norm: Some(1.0),
        seed: 0,
    }
}

fn on(n_threads: usize, work: impl FnOnce() -> String + Send) -> String {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .build()
        .unwrap();
    pool.install(work)
}

/// Everything that training and evaluation give, exactly (`{:?}` of a float round-trips).
fn everything() -> String {
    let setting = Setting::new(5, 0.1).unwrap();
    let theta0 = Task::random_unit(5, 1);
    let data = DataSet::generate(&setting, &theta0, 1_000, 1).unwrap();
    let shape = Shape {
        d: 5,
        n_layers: 2,
        n_heads: 2,
        parametrization: Parametrization::Separate,
    };
    let mut text = String::new();
    let mut models = Vec::new();
    for shape in [Shape::merged(5), shape] {
        let initial = LinearAttention::random(shape, 0.3, 2).unwrap();
        for (source, objective) in [
            (&Fresh(&setting) as &dyn Source, Objective::FewShot),
            (&Rows(&data), Objective::ZeroAndFewShot),
        ] {
            let config = TrainConfig {
                objective,
                ..config()
            };
            let run = train(&initial, source, &config, |_, _| ControlFlow::Continue(())).unwrap();
            text += &format!("{run:?}");
            models.push(run.model);
        }
    }
    let plan = EvaluatePlan {
        n_shots: vec![0, 3, 20],
        n_prompts: 2_100,
        seeds: vec![1, 2],
    };
    let tasks = [theta0.clone(), theta0.negated()];
    for models in [&models[..2], &models[..]] {
        let models: Vec<&LinearAttention> = models.iter().collect();
        let errors = evaluate(&setting, &models, &tasks, &plan, |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap();
        text += &format!("{errors:?}");
    }
    text
}

/// The same for a pool of labelled examples, at widths of one tile and of two.
fn everything_of_pools() -> String {
    let mut text = String::new();
    for d in [5, 8, 9] {
        let setting = Setting::new(d, 0.1).unwrap();
        let data = DataSet::generate(&setting, &Task::random_unit(d, 1), 60, 1).unwrap();
        let (x, y) = (data.x(), data.y());
        let member = |row: usize| Member {
            row,
            label: y[row].signum(),
        };
        let tasks = [0..30, 20..60].map(|rows| rows.map(member).collect());
        let pool = TaskPool::new(x.view(), tasks.to_vec(), Flips::Random).unwrap();
        let initial = LinearAttention::random(Shape::merged(d), 0.3, 2).unwrap();
        let go = |_, _| ControlFlow::Continue(());
        let run = train(&initial, &Pool(&pool), &config(), go).unwrap();
        let rows: Vec<Vec<f64>> = x.rows().into_iter().map(|row| row.to_vec()).collect();
        let labels: Vec<f64> = y.iter().map(|y| y.signum()).collect();
        let readers = Readers {
            models: vec![&initial, &run.model],
            penalties: Penalties {
                ridge: 1.0,
                logistic: 0.5,
            },
            linear: vec![baseline::linear_fit(&rows, &labels, 1.0)],
        };
        let plan = PoolPlan {
            n_shots: vec![0, 1, 7],
            n_prompts: 300,
            seeds: vec![1, 2],
        };
        let scores = pool::evaluate(&readers, &[&pool, &pool], &plan, |_, _| {
            ControlFlow::Continue(())
        });
        text += &format!("{run:?}{:?}", scores.unwrap());
    }
    text
}

/// The one test that changes the process-wide level cap; the cap changes no result, so tests that
/// run beside it are safe.
#[test]
fn bits_depend_on_neither_threads_nor_instructions() {
    let everything = || everything() + &everything_of_pools();
    let expected = on(1, everything);
    for n_threads in [2, 3] {
        assert!(
            expected == on(n_threads, everything),
            "{n_threads} threads differ"
        );
    }
    for level in simd::supported_levels() {
        simd::set_level_cap(level);
        assert!(expected == on(2, everything), "{level:?} differs");
    }
}

#[test]
fn seeds_and_objectives_draw_what_they_should() {
    let setting = Setting::new(5, 0.1).unwrap();
    let theta0 = Task::random_unit(5, 1);
    let data = DataSet::generate(&setting, &theta0, 1_000, 1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.3, 2).unwrap();
    let first = |objective, seed| -> Trained {
        let config = TrainConfig {
            objective,
            seed,
            ..config()
        };
        train(&initial, &Rows(&data), &config, |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap()
    };
    let zero = first(Objective::ZeroShot, 0);
    let both = first(Objective::ZeroAndFewShot, 0);
    assert_eq!(
        zero.losses[0].zero_shot, both.losses[0].zero_shot,
        "queries are shared"
    );
    assert_eq!(zero.losses[0].few_shot, None);
    let expected = both.losses[0].zero_shot.unwrap() + both.losses[0].few_shot.unwrap();
    assert_eq!(both.losses[0].total, expected);
    assert_ne!(zero.losses[0], first(Objective::ZeroShot, 1).losses[0]);
    assert_ne!(zero.losses[0], zero.losses[1]);
}

/// At the paper's constants but a third of its steps: the loss is within a few percent of the optimum.
#[test]
fn pretraining_approaches_the_optimum() {
    let setting = Setting::new(5, 0.1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.05, 1).unwrap();
    let config = TrainConfig {
        steps: 2_500,
        batch_size: 1_000,
        ..config()
    };
    let mut calls = 0;
    let run = train(&initial, &Fresh(&setting), &config, |step, _| {
        assert_eq!(step, calls);
        calls += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(
        (calls, run.losses.len(), run.ending),
        (2_500, 2_500, Ending::Completed)
    );
    assert!(run.losses[0].total > 0.9);
    let head = &run.model.heads().unwrap()[0];
    let error = risk::mean_unit_task_error(&setting, head, 20).unwrap();
    let optimum = optima::pretraining_loss(&setting, 20);
    assert!(
        error > optimum - 1e-12,
        "{error} below the optimum {optimum}"
    );
    assert!(error < optimum + 0.005, "{error} {optimum}");
    let readout = readout::read(head, &Task::random_unit(5, 1));
    assert!((readout.vy_q_mean - optima::pretraining_scale(&setting, 20)).abs() < 0.03);
}

/// From the exact pretrained point, zero-shot training of everything reaches sigma^2 and the w that
/// the balance law predicts; of the value alone, the value-only optimum.
#[test]
fn fine_tuning_reaches_its_closed_forms() {
    let setting = Setting::new(5, 0.1).unwrap();
    let theta0 = Task::random_unit(5, 4);
    let data = DataSet::generate(&setting, &theta0, 50_000, 1).unwrap();
    // Balanced scales: norm(v) = norm(Q), as training from a small start leaves them.
    let a = optima::pretraining_scale(&setting, 20);
    let scale = (a * 5.0_f64.sqrt()).sqrt();
    let unit = optima::pretrained_head(5, a);
    let v = unit.v().iter().map(|x| x * scale).collect();
    let start = icl::model::head::Head::new(v, unit.q().mapv(|x| x / scale)).unwrap();
    let predicted = optima::balance_law_weight(&start);
    let initial = LinearAttention::from_head(&start);
    let run = |trainable| {
        let config = TrainConfig {
            steps: 2_500,
            // The paper's batch: sampling keeps the value-only error above its floor, by 0.001 to 0.006
            // over eight seeds of the main experiment, and by five times as much with 1,000 prompts.
            batch_size: 5_000,
            objective: Objective::ZeroShot,
            trainable,
            ..config()
        };
        let run = train(&initial, &Rows(&data), &config, |_, _| {
            ControlFlow::Continue(())
        });
        run.unwrap().model.heads().unwrap().remove(0)
    };
    let error = |head| risk::test_error(&setting, &head, &theta0, 0).unwrap();

    let all = run(Trainable::All);
    let readout = readout::read(&all, &theta0);
    assert!(error(all) < 0.102);
    assert!(
        (readout.w_from_value / predicted - 1.0).abs() < 0.03,
        "{readout:?} {predicted}"
    );
    assert!((readout.w_from_key_query / readout.w_from_value - 1.0).abs() < 0.02);

    let value = run(Trainable::Value);
    let readout = readout::read(&value, &theta0);
    let floor = optima::value_only_zero_shot_loss(&setting, 1.0);
    assert!((error(value) - floor).abs() < 0.01);
    assert!(
        (readout.value_only_projection - 1.0).abs() < 0.05,
        "{readout:?}"
    );
}

#[test]
fn adam_lowers_the_loss_of_a_deep_model() {
    let setting = Setting::new(3, 0.1).unwrap();
    let shape = Shape {
        d: 3,
        n_layers: 2,
        n_heads: 2,
        parametrization: Parametrization::Separate,
    };
    let initial = LinearAttention::random(shape, 0.2, 3).unwrap();
    let optimizer = OptimizerConfig::Adam {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.9,
        epsilon: ADAM_EPSILON,
    };
    let config = TrainConfig {
        steps: 300,
        batch_size: 256,
        optimizer,
        ..config()
    };
    let run = train(&initial, &Fresh(&setting), &config, |_, _| {
        ControlFlow::Continue(())
    });
    let losses = run.unwrap().losses;
    let mean = |part: &[icl::train::descent::StepLoss]| {
        part.iter().map(|loss| loss.total).sum::<f64>() / part.len() as f64
    };
    assert!(mean(&losses[280..]) < 0.6 * mean(&losses[..20]));
}

/// All memory is taken before the first step: 60 steps ask for it as often as 10.
#[test]
fn a_step_allocates_nothing() {
    let setting = Setting::new(5, 0.1).unwrap();
    let data = DataSet::generate(&setting, &Task::random_unit(5, 1), 1_000, 1).unwrap();
    let separate = Shape {
        d: 5,
        n_layers: 3,
        n_heads: 2,
        parametrization: Parametrization::Separate,
    };
    // The counter counts its own thread: the only one of this pool.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.unwrap();
    for shape in [Shape::merged(5), separate] {
        let initial = LinearAttention::random(shape, 0.05, 2).unwrap();
        for (source, objective) in [
            (&Fresh(&setting) as &dyn Source, Objective::FewShot),
            (&Rows(&data), Objective::ZeroAndFewShot),
        ] {
            let allocations = |steps| {
                let config = TrainConfig {
                    steps,
                    objective,
                    ..config()
                };
                let run = || {
                    train(&initial, source, &config, |_, _| ControlFlow::Continue(())).unwrap();
                };
                pool.install(|| allocation_counter::measure(run))
                    .count_total
            };
            // The first run also builds what lasts as long as the process.
            allocations(1);
            let few = allocations(10);
            assert!(few > 0, "nothing was counted");
            assert_eq!(few, allocations(60), "{shape:?} {objective:?}");
        }
    }
}

/// What comes of a training depends neither on who is trained beside it nor on when those end: whatever they
/// minimise and train, with other prompts among them, one that diverges, one that is stopped and one that is refused.
#[test]
fn side_by_side_as_one_by_one() {
    let setting = Setting::new(5, 0.1).unwrap();
    let theta0 = Task::random_unit(5, 1);
    let data = DataSet::generate(&setting, &theta0, 1_000, 1).unwrap();
    let (target, others) = (&Rows(&data), &Fresh(&setting));
    let replayed = Objective::ZeroShotAndReplay { weight: 0.7 };
    let initial = LinearAttention::random(Shape::merged(5), 0.3, 2).unwrap();
    let with = |objective, trainable| TrainConfig {
        objective,
        trainable,
        ..config()
    };
    let fast = OptimizerConfig::Sgd {
        learning_rate: 1e200,
        momentum: 0.9,
    };
    let (zero, both) = (Objective::ZeroShot, Objective::ZeroAndFewShot);
    for (source, objectives) in [
        (target as &dyn Source, [zero, both, both]),
        (&Replay { target, others }, [replayed; 3]),
    ] {
        let [first, second, third] = objectives;
        let configs = [
            with(first, Trainable::All),
            with(second, Trainable::Value),
            with(third, Trainable::KeyQuery),
            TrainConfig {
                steps: 3,
                ..with(second, Trainable::All)
            },
            TrainConfig {
                seed: 5,
                ..with(second, Trainable::All)
            },
            TrainConfig {
                n_shots: 4,
                batch_size: 10,
                ..with(second, Trainable::All)
            },
            TrainConfig {
                optimizer: fast,
                clip_norm: None,
                ..with(first, Trainable::All)
            },
            with(second, Trainable::Query),
            with(first, Trainable::Value),
        ];
        let stopping = configs.len() - 1;
        let on_step = |place: usize| {
            move |step: usize, _| match place == stopping && step == 1 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let training = |(place, config)| Training {
            initial: &initial,
            config,
            on_step: Box::new(on_step(place)),
        };
        let together = train_all(configs.iter().enumerate().map(training).collect(), source);
        assert_eq!(together.len(), configs.len());
        for (place, (config, together)) in configs.iter().zip(together).enumerate() {
            let alone = train(&initial, source, config, on_step(place));
            assert_eq!(alone, together, "{place}: {config:?}");
            let ending = together.map(|trained| trained.ending);
            match place {
                6 => assert!(matches!(ending, Ok(Ending::Diverged { .. })), "{ending:?}"),
                7 => assert!(ending.is_err()),
                8 => assert_eq!(ending, Ok(Ending::Stopped { step: 1 })),
                _ => assert_eq!(ending, Ok(Ending::Completed)),
            }
        }
    }
}

/// A source that counts how often prompts are drawn for somebody.
struct Counting<'a>(Rows<'a>, AtomicUsize);

impl Source for Counting<'_> {
    fn d(&self) -> usize {
        self.0.d()
    }

    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.batches(plan, n_shots)
    }
}

#[test]
fn the_same_prompts_are_drawn_once() {
    let setting = Setting::new(5, 0.1).unwrap();
    let data = DataSet::generate(&setting, &Task::random_unit(5, 1), 100, 1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.3, 2).unwrap();
    let drawn = |seeds: [u64; 4]| {
        let source = Counting(Rows(&data), AtomicUsize::new(0));
        let configs = seeds.map(|seed| TrainConfig { seed, ..config() });
        let training = |config| Training {
            initial: &initial,
            config,
            on_step: Box::new(|_, _| ControlFlow::Continue(())),
        };
        let trained = train_all(configs.iter().map(training).collect(), &source);
        assert!(trained.len() == 4 && trained.iter().all(Result::is_ok));
        source.1.into_inner()
    };
    assert_eq!(drawn([1, 1, 1, 1]), 1);
    assert_eq!(drawn([1, 2, 1, 2]), 2);
    assert_eq!(drawn([1, 2, 3, 4]), 4);
}

#[test]
fn divergence_is_a_result() {
    let setting = Setting::new(5, 0.1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.5, 3).unwrap();
    let optimizer = OptimizerConfig::Sgd {
        learning_rate: 1e6,
        momentum: 0.0,
    };
    let config = TrainConfig {
        steps: 100,
        optimizer,
        clip_norm: None,
        ..config()
    };
    let run = train(&initial, &Fresh(&setting), &config, |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let step = run.diverged_at().expect("a learning rate of 1e6 diverges");
    assert_eq!(run.losses.len(), step);
    assert!(step > 0 && run.losses.iter().all(|loss| loss.total.is_finite()));
    assert!(run.model.params().iter().all(|x| x.is_finite()));
}

#[test]
fn the_callback_stops_training() {
    let setting = Setting::new(5, 0.1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.05, 3).unwrap();
    let run = train(&initial, &Fresh(&setting), &config(), |step, _| {
        if step == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .unwrap();
    assert_eq!(
        (run.ending, run.losses.len()),
        (Ending::Stopped { step: 2 }, 3)
    );
    assert_eq!(run.diverged_at(), None);
}

#[test]
fn refusals_say_what_is_wrong() {
    let setting = Setting::new(4, 0.1).unwrap();
    let initial = LinearAttention::random(Shape::merged(5), 0.05, 3).unwrap();
    let message = |setting: &Setting, config: TrainConfig| {
        train(&initial, &Fresh(setting), &config, |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        message(&setting, config()),
        "the model has d = 5, its prompts have d = 4"
    );
    let setting = Setting::new(5, 0.1).unwrap();
    assert!(
        message(
            &setting,
            TrainConfig {
                steps: 0,
                ..config()
            }
        )
        .contains("steps")
    );
    assert!(
        message(
            &setting,
            TrainConfig {
                batch_size: 0,
                ..config()
            }
        )
        .contains("batch")
    );
    let clip_norm = Some(f64::NAN);
    assert!(
        message(
            &setting,
            TrainConfig {
                clip_norm,
                ..config()
            }
        )
        .contains("clip")
    );
    let trainable = Trainable::Key;
    assert!(
        message(
            &setting,
            TrainConfig {
                trainable,
                ..config()
            }
        )
        .contains("use all")
    );
}
