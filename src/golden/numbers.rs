//! Computations that give numbers: one for each part of the numeric core, small and fast.
//!
//! Sizes are those that the vector code treats in different ways (token width 7 and others, full and
//! partial lane groups, several blocks); the results mean nothing. Does not know digests.

use crate::golden::{language, transformers};
use icl::evaluate::baseline::{Penalties, linear_fit};
use icl::evaluate::fresh_tasks::{EvaluatePlan, evaluate};
use icl::evaluate::pool::{self, PoolPlan, Readers};
use icl::math::lane_stream::LaneStream;
use icl::math::lanes::Lanes;
use icl::math::pca::Pca;
use icl::math::simd::{self, Kernel};
use icl::math::stream::Stream;
use icl::math::student;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::data_set::DataSet;
use icl::prompts::hold_out::stratified;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::prompts::task_pool::{Flips, Member, TaskPool};
use icl::theory::covariance_optima;
use icl::theory::optima;
use icl::theory::points;
use icl::theory::risk;
use icl::train::config::TrainConfig;
use icl::train::descent::{StepLoss, Trained};
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::optimizer::{ADAM_EPSILON, OptimizerConfig};
use icl::train::pool::Pool;
use icl::train::population::{PopulationLoss, train_population};
use icl::train::replay::Replay;
use icl::train::rows::Rows;
use icl::train::sampled::train;
use ndarray::Array2;
use std::fmt::Display;
use std::ops::ControlFlow;

/// What a computation gives.
pub type Numbers = Result<Vec<f64>, String>;

/// A computation.
pub type Compute = fn() -> Numbers;

/// All of them, by name.
pub const ALL: [(&str, Compute); 26] = [
    ("elementary functions", elementary_functions),
    ("uniforms and normals, one by one", scalar_draws),
    ("normals and chi-squares in lanes", lane_draws),
    ("Student's t and its power", student_tails),
    ("eigenvectors and matrix functions", matrix_functions),
    ("principal components", principal_components),
    ("random tasks and initial models", initial_models),
    ("data set of a task", data_set),
    ("pretraining, merged", pretraining),
    (
        "pretraining, d = 3 with a covariance",
        pretraining_with_covariance,
    ),
    ("fine-tuning, zero-shot, all, SGD", || {
        fine_tuning(Objective::ZeroShot, Trainable::All, sgd())
    }),
    ("fine-tuning, zero-shot, value, Adam", || {
        fine_tuning(Objective::ZeroShot, Trainable::Value, adam())
    }),
    ("fine-tuning, both, key-query, Adam", || {
        fine_tuning(Objective::ZeroAndFewShot, Trainable::KeyQuery, adam())
    }),
    ("fine-tuning, both, all, SGD", || {
        fine_tuning(Objective::ZeroAndFewShot, Trainable::All, sgd())
    }),
    ("fine-tuning, replay, value and label column, SGD", replay),
    ("separate matrices, 2 heads", || {
        separate(2, 1, Trainable::All, adam())
    }),
    ("separate matrices, 2 layers, query", || {
        separate(1, 2, Trainable::Query, sgd())
    }),
    ("separate matrices, 2 heads, 2 layers, key", || {
        separate(2, 2, Trainable::Key, adam())
    }),
    ("evaluation of one-layer models", one_layer_errors),
    ("evaluation of deep models", deep_errors),
    ("training and evaluation on a pool of examples", pool_scores),
    ("exact errors and closed forms", closed_forms),
    ("training on the exact loss", exact_training),
    ("transformer, f32, on regression", transformers::regression),
    ("transformer, f64, on bags of ids", transformers::bags),
    ("language model, f32, on tasks in words", language::answers),
];

fn text(error: impl Display) -> String {
    error.to_string()
}

fn sgd() -> OptimizerConfig {
    OptimizerConfig::Sgd {
        learning_rate: 0.01,
        momentum: 0.9,
    }
}

fn adam() -> OptimizerConfig {
    OptimizerConfig::Adam {
        learning_rate: 0.003,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: ADAM_EPSILON,
    }
}

fn go_on(_: usize, _: StepLoss) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Parameters, then every loss.
fn flat(trained: &Trained) -> Vec<f64> {
    let parts = |loss: &StepLoss| [Some(loss.total), loss.zero_shot, loss.few_shot];
    let losses = trained.losses.iter().flat_map(parts).flatten();
    trained
        .model
        .params()
        .iter()
        .copied()
        .chain(losses)
        .collect()
}

fn config(objective: Objective, trainable: Trainable, optimizer: OptimizerConfig) -> TrainConfig {
    TrainConfig {
        steps: 12,
        // Two full blocks and a partial one that ends within a lane group.
        batch_size: 2 * 256 + 13,
        n_shots: 9,
        objective,
        trainable,
        optimizer,
        clip_norm: Some(1.0),
        seed: 3,
    }
}

fn setting() -> Result<Setting, String> {
    Setting::new(5, 0.1).map_err(text)
}

/// d = 3, correlated covariates of different sizes.
fn skewed_setting() -> Result<Setting, String> {
    let covariance = Array2::from_shape_fn((3, 3), |(i, j)| match i == j {
        true => 0.5 + i as f64,
        false => 0.2,
    });
    let setting = Setting::new(3, 0.25).map_err(text)?;
    setting.with_covariance(&covariance).map_err(text)
}

fn elementary_functions() -> Numbers {
    let mut numbers = Vec::new();
    for i in -400..=400 {
        let x = f64::from(i) * 0.037;
        let positive = x.abs() + 1e-3;
        let inside = x / 16.0;
        numbers.extend([
            libm::exp(x),
            libm::exp2(x),
            libm::expm1(x),
            libm::log(positive),
            libm::log10(positive),
            libm::log1p(positive),
            libm::log2(positive),
            libm::sin(x),
            libm::cos(x),
            libm::atan(x),
            libm::acos(inside),
            libm::tanh(x),
            libm::erfc(inside * 5.0),
            libm::lgamma(positive),
            libm::pow(positive, x),
            libm::cbrt(x),
            libm::hypot(x, 1.5),
            positive.sqrt(),
        ]);
    }
    Ok(numbers)
}

fn scalar_draws() -> Numbers {
    let mut stream = Stream::new(7, "golden draws", &[1, 2]);
    let mut numbers = Vec::new();
    for i in 0..20_000 {
        numbers.push(stream.uniform());
        numbers.push(stream.normal());
        numbers.push(stream.index(10 + i) as f64);
    }
    numbers.extend((1..=40).map(|dof| stream.chi_square(dof)));
    Ok(numbers)
}

struct LaneDraws;

impl Kernel for LaneDraws {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let mut stream = LaneStream::new(7, "golden draws", &[3]);
        let mut groups = [Lanes::ZERO; 20];
        let mut numbers = Vec::new();
        for round in 0..400 {
            stream.fill_normal(&mut groups);
            numbers.extend(groups.iter().flat_map(|group| group.0));
            stream.fill_chi_square(20 + round % 30, &mut groups);
            numbers.extend(groups.iter().flat_map(|group| group.0));
            let places = stream.index(1000 + round as u32);
            numbers.extend(places.0.map(|place| place as f64));
        }
        numbers
    }
}

fn lane_draws() -> Numbers {
    Ok(simd::dispatch(LaneDraws))
}

fn student_tails() -> Numbers {
    let mut numbers = Vec::new();
    for df in 1..=20 {
        numbers.extend((-10..=10).map(|t| student::t_tail(f64::from(t) * 0.7, df)));
        numbers.extend([0.025, 1e-3, 1e-6].map(|tail| student::t_quantile(tail, df)));
    }
    numbers.extend([(1.0, 3), (2.0, 12), (0.3, 45)].map(|(m, n)| student::shortfall(m, n, 4.0)));
    Ok(numbers)
}

fn random_matrix(rows: usize, columns: usize, purpose: u64) -> Array2<f64> {
    let mut stream = Stream::new(11, "golden matrix", &[purpose]);
    Array2::from_shape_simple_fn((rows, columns), || stream.normal())
}

fn matrix_functions() -> Numbers {
    use icl::math::linalg::{matmul, symmetric_eigen, symmetric_function};
    let mut numbers = Vec::new();
    for size in [2, 5, 16, 33] {
        let factor = random_matrix(size, size + 3, size as u64);
        let gram = matmul(factor.view(), factor.t());
        let (values, vectors) = symmetric_eigen(&gram);
        numbers.extend(values);
        numbers.extend(vectors.iter());
        numbers.extend(symmetric_function(&gram, |x| 1.0 / x.sqrt()).iter());
    }
    Ok(numbers)
}

/// Whole numbers from 0 to 16 with structure, as pixels are.
fn pixels() -> Array2<f64> {
    let mut stream = Stream::new(13, "golden pixels", &[]);
    Array2::from_shape_fn((300, 24), |(row, column)| {
        let wave = ((row % 5) * (column % 7)) as f64 * 0.4;
        (wave + 4.0 * stream.uniform()).floor().min(16.0)
    })
}

fn principal_components() -> Numbers {
    let pixels = pixels();
    let pca = Pca::fit(pixels.view(), 6).map_err(text)?;
    let held_out = stratified(&(0..300).map(|row| row % 5).collect::<Vec<_>>(), 0.3, 2);
    let whitened = pca.whiten(pixels.view());
    let held_out = held_out
        .into_iter()
        .map(|is_out| f64::from(u8::from(is_out)));
    Ok(whitened.iter().copied().chain(held_out).collect())
}

fn initial_models() -> Numbers {
    let mut numbers = Vec::new();
    for seed in 0..300 {
        numbers.extend(Task::random_unit(5, seed).theta());
        let model = LinearAttention::random(Shape::merged(5), 0.05, seed).map_err(text)?;
        numbers.extend(model.params());
    }
    Ok(numbers)
}

fn data_set() -> Numbers {
    let setting = skewed_setting()?;
    let data = DataSet::generate(&setting, &Task::random_unit(3, 1), 3000, 5).map_err(text)?;
    Ok(data.x().iter().copied().chain(data.y()).collect())
}

fn pretraining() -> Numbers {
    let setting = setting()?;
    let initial = LinearAttention::random(Shape::merged(5), 0.05, 1).map_err(text)?;
    let config = config(Objective::FewShot, Trainable::All, sgd());
    let trained = train(&initial, &Fresh(&setting), &config, go_on);
    Ok(flat(&trained.map_err(text)?))
}

fn pretraining_with_covariance() -> Numbers {
    let setting = skewed_setting()?;
    let initial = LinearAttention::random(Shape::merged(3), 0.05, 1).map_err(text)?;
    let config = config(Objective::FewShot, Trainable::All, adam());
    let trained = train(&initial, &Fresh(&setting), &config, go_on);
    Ok(flat(&trained.map_err(text)?))
}

fn fine_tuning(objective: Objective, trainable: Trainable, optimizer: OptimizerConfig) -> Numbers {
    let setting = setting()?;
    let head = optima::pretrained_head(5, optima::pretraining_scale(&setting, 20));
    let initial = LinearAttention::from_head(&head);
    let data = DataSet::generate(&setting, &Task::random_unit(5, 0), 500, 0).map_err(text)?;
    let config = config(objective, trainable, optimizer);
    let trained = train(&initial, &Rows(&data), &config, go_on);
    Ok(flat(&trained.map_err(text)?))
}

fn replay() -> Numbers {
    let setting = setting()?;
    let head = optima::pretrained_head(5, optima::pretraining_scale(&setting, 20));
    let initial = LinearAttention::from_head(&head);
    let data = DataSet::generate(&setting, &Task::random_unit(5, 0), 500, 0).map_err(text)?;
    let objective = Objective::ZeroShotAndReplay { weight: 1.0 };
    let config = config(objective, Trainable::ValueAndLabelColumn, sgd());
    let (target, others) = (&Rows(&data), &Fresh(&setting));
    let trained = train(&initial, &Replay { target, others }, &config, go_on);
    Ok(flat(&trained.map_err(text)?))
}

fn separate_model(heads: usize, layers: usize) -> Result<LinearAttention, String> {
    let shape = Shape {
        d: 5,
        n_layers: layers,
        n_heads: heads,
        parametrization: Parametrization::Separate,
    };
    LinearAttention::random(shape, 0.3, 4).map_err(text)
}

fn separate(
    heads: usize,
    layers: usize,
    trainable: Trainable,
    optimizer: OptimizerConfig,
) -> Numbers {
    let setting = setting()?;
    let initial = separate_model(heads, layers)?;
    let data = DataSet::generate(&setting, &Task::random_unit(5, 0), 500, 0).map_err(text)?;
    let mut config = config(Objective::ZeroAndFewShot, trainable, optimizer);
    config.batch_size = 256 + 5;
    config.steps = 6;
    let trained = train(&initial, &Rows(&data), &config, go_on);
    Ok(flat(&trained.map_err(text)?))
}

fn errors(setting: &Setting, models: &[&LinearAttention]) -> Numbers {
    let plan = EvaluatePlan {
        n_shots: vec![0, 1, 3, 6, 20],
        n_prompts: 1024 + 77,
        seeds: vec![0, 5],
    };
    let task = Task::random_unit(setting.d(), 2);
    let tasks = [task.clone(), task.negated()];
    let errors = evaluate(setting, models, &tasks, &plan, |_, _| {
        ControlFlow::Continue(())
    });
    let errors = errors.map_err(text)?;
    let mut numbers = Vec::new();
    for model in 0..models.len() {
        for task in 0..tasks.len() {
            for point in 0..plan.n_shots.len() {
                let estimate = errors.get(model, task, point);
                numbers.extend([estimate.mean, estimate.std_error]);
            }
        }
    }
    Ok(numbers)
}

fn one_layer_errors() -> Numbers {
    let setting = setting()?;
    let random = LinearAttention::random(Shape::merged(5), 0.3, 1).map_err(text)?;
    let heads = separate_model(3, 1)?;
    let best = LinearAttention::from_head(&optima::pretrained_head(5, 0.8));
    let mut numbers = errors(&setting, &[&random, &heads, &best])?;
    // Its heads are multiples of the identity: fewer coordinates stand for all.
    numbers.extend(errors(&setting, &[&best])?);
    let skewed = skewed_setting()?;
    let other = LinearAttention::random(Shape::merged(3), 0.3, 1).map_err(text)?;
    numbers.extend(errors(&skewed, &[&other])?);
    Ok(numbers)
}

fn deep_errors() -> Numbers {
    let (two, three) = (separate_model(2, 2)?, separate_model(1, 3)?);
    errors(&setting()?, &[&two, &three])
}

fn pool(flips: Flips) -> Result<TaskPool, String> {
    let pixels = pixels();
    let features = Pca::fit(pixels.view(), 4)
        .map_err(text)?
        .whiten(pixels.view());
    let task = |(low, high): (usize, usize)| {
        let member = |row: usize| match row % 5 {
            class if class == low => Some(Member { row, label: -1.0 }),
            class if class == high => Some(Member { row, label: 1.0 }),
            _ => None,
        };
        (0..300).filter_map(member).collect::<Vec<_>>()
    };
    let tasks = [(0, 1), (0, 4), (2, 3)].map(task).to_vec();
    TaskPool::new(features.view(), tasks, flips).map_err(text)
}

fn pool_scores() -> Numbers {
    let training = pool(Flips::Random)?;
    let initial = LinearAttention::random(Shape::merged(4), 0.05, 1).map_err(text)?;
    let config = config(Objective::FewShot, Trainable::All, sgd());
    let trained = train(&initial, &Pool(&training), &config, go_on).map_err(text)?;
    let mut numbers = flat(&trained);
    let rows: Vec<Vec<f64>> = random_matrix(60, 4, 99)
        .rows()
        .into_iter()
        .map(|row| row.to_vec())
        .collect();
    let labels: Vec<f64> = rows
        .iter()
        .map(|row| (row[0] - 0.5 * row[3]).signum())
        .collect();
    let linear = linear_fit(&rows, &labels, 0.1);
    numbers.extend(&linear);
    let readers = Readers {
        models: vec![&trained.model],
        penalties: Penalties {
            ridge: 1.0,
            logistic: 1.0,
        },
        linear: vec![linear],
    };
    let n_readers =
        readers.models.len() + icl::evaluate::baseline::NAMES.len() + readers.linear.len();
    let plan = PoolPlan {
        n_shots: vec![0, 5, 20],
        n_prompts: 300,
        seeds: vec![1],
    };
    let sets = [pool(Flips::None)?, pool(Flips::All)?];
    let sets: Vec<&TaskPool> = sets.iter().collect();
    let scores = pool::evaluate(&readers, &sets, &plan, |_, _| ControlFlow::Continue(()));
    let scores = scores.map_err(text)?;
    for reader in 0..n_readers {
        for set in 0..sets.len() {
            for point in 0..plan.n_shots.len() {
                let score = scores.get(reader, set, point);
                let (error, accuracy) = (score.error, score.accuracy);
                numbers.extend([
                    error.mean,
                    error.std_error,
                    accuracy.mean,
                    accuracy.std_error,
                ]);
            }
        }
    }
    Ok(numbers)
}

fn closed_forms() -> Numbers {
    let (setting, skewed) = (setting()?, skewed_setting()?);
    let mut numbers = Vec::new();
    let theta0 = Task::random_unit(5, 0);
    let heads = [
        optima::pretrained_head(5, 0.8),
        optima::zero_shot_head(&theta0, 0.52),
        optima::value_only_head(&theta0, 0.65),
    ];
    for head in &heads {
        for n_shots in [0, 1, 7, 20] {
            numbers.push(risk::test_error(&setting, head, &theta0, n_shots).map_err(text)?);
            numbers.push(risk::mean_unit_task_error(&setting, head, n_shots).map_err(text)?);
        }
        numbers.push(optima::balance_law_weight(head));
    }
    numbers.push(risk::test_error_of_heads(&setting, &heads, &theta0, 6).map_err(text)?);
    let points = points::exact(&Setting::new(2, 0.1).map_err(text)?).map_err(text)?;
    numbers.extend(
        points
            .thresholds
            .iter()
            .flat_map(|p| [p.threshold, p.none, p.few]),
    );
    numbers.extend(points.weights.iter().map(|point| point.best));
    numbers.extend(points.limits);
    let head = covariance_optima::pretraining_head(&skewed, 20);
    numbers.extend(head.q().iter());
    numbers.push(covariance_optima::pretraining_loss(&skewed, 20));
    let task = Task::random_unit(3, 0);
    let value =
        covariance_optima::value_only_head(&skewed, &task, head.q_xx(), 0.7).map_err(text)?;
    numbers.extend(value.v());
    let (_, gradient) = risk::test_error_and_gradient(&skewed, &value, &task, 5).map_err(text)?;
    numbers.push(gradient.norm());
    Ok(numbers)
}

fn exact_training() -> Numbers {
    let setting = skewed_setting()?;
    let initial = LinearAttention::random(Shape::merged(3), 0.05, 6).map_err(text)?;
    let task = Task::random_unit(3, 9);
    let descent = config(Objective::FewShot, Trainable::All, sgd()).descent();
    let mut numbers = Vec::new();
    for loss in [PopulationLoss::Pretraining, PopulationLoss::Target(&task)] {
        let trained = train_population(&initial, &setting, loss, 10, &descent, go_on);
        numbers.extend(flat(&trained.map_err(text)?));
    }
    Ok(numbers)
}
