//! How fast the hot kernels are, how far from what the processor could do, and how well two threads share them.
//!
//! `make bench`. Each kernel is timed as a user's run drives it (one training step, one block of an
//! evaluation). Its bound is what its counted floating-point operations and random numbers would
//! take at the best rates measured here: additions and multiplications of lanes held in registers,
//! and numbers drawn into a small buffer. Nothing is asserted.

use icl::evaluate::fresh_tasks::{EvaluatePlan, evaluate};
use icl::math::lane_stream::LaneStream;
use icl::math::lanes::{Lanes, WIDTH};
use icl::math::simd::{self, Kernel};
use icl::math::width::Fixed;
use icl::math::words::Words;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Parametrization, Shape};
use icl::prompts::data_set::DataSet;
use icl::prompts::fresh::{FreshSampler, Method, TaskChoice};
use icl::prompts::gram::PromptGroup;
use icl::prompts::resample::Resampler;
use icl::prompts::sampler::Sampler;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::risk;
use icl::train::config::TrainConfig;
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::optimizer::OptimizerConfig;
use icl::train::rows::Rows;
use icl::train::sampled::{Source, train};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

const D: usize = 5;
const SHOTS: usize = 20;
const BATCH: usize = 5000;
const STEPS: usize = 40;
const SAMPLES: usize = 7;

fn main() {
    // `--level avx2` or `--level baseline`: as on a machine that has no more than that.
    let mut args = std::env::args().skip_while(|arg| arg != "--level").skip(1);
    match args.next().as_deref() {
        None | Some("avx512") => {}
        Some("avx2") => simd::set_level_cap(simd::Level::Avx2),
        Some("baseline") => simd::set_level_cap(simd::Level::Baseline),
        Some(other) => panic!("no level `{other}`: baseline, avx2 or avx512"),
    }
    // `--plain NAME`, for benches/peer_torch.py: nanoseconds a prompt of one kernel on all cores.
    let mut args = std::env::args().skip_while(|arg| arg != "--plain").skip(1);
    if let Some(name) = args.next() {
        let kernel = kernels().into_iter().find(|kernel| kernel.name == name);
        let kernel = kernel.unwrap_or_else(|| panic!("no kernel `{name}`"));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        println!(
            "{:.1}",
            kernel.seconds(threads) / kernel.prompts as f64 * 1e9
        );
        return;
    }
    let rates = Rates::measure();
    println!(
        "best rates, one thread: {:.2} ns a normal, {:.2} ns an index, {:.1} GFLOP/s (additions and multiplications of lanes)",
        rates.normal,
        rates.index,
        1.0 / rates.flop
    );
    println!();
    println!(
        "{:<34} {:>12} {:>12} {:>12} {:>9} {:>12} {:>11}",
        "kernel", "ns/prompt", "bound ns", "of bound", "1 thread", "2 threads", "efficiency"
    );
    for kernel in kernels() {
        let [one, two] = [1, 2].map(|threads| kernel.seconds(threads) / kernel.prompts as f64);
        let bound = kernel.cost.bound(&rates);
        println!(
            "{:<34} {:>12.1} {:>12.1} {:>11.0}% {:>7.2} M/s {:>8.2} M/s {:>10.0}%",
            kernel.name,
            one * 1e9,
            bound,
            bound / (one * 1e9) * 100.0,
            1e-6 / one,
            1e-6 / two,
            one / (2.0 * two) * 100.0
        );
    }
    println!();
    closed_form();
}

/// The exact test error and its gradient: one call each.
fn closed_form() {
    const CALLS: u32 = 10_000;
    let setting = Setting::new(D, 0.1).expect("a setting");
    let task = Task::random_unit(D, 0);
    let model = LinearAttention::random(Shape::merged(D), 0.3, 0).expect("a model");
    let head = model.heads().expect("one layer").remove(0);
    let microseconds = |work: &dyn Fn()| {
        let seconds = median(|| (0..CALLS).for_each(|_| work()));
        seconds * 1e6 / f64::from(CALLS)
    };
    let error = microseconds(&|| {
        black_box(risk::test_error(&setting, &head, &task, SHOTS).expect("an error"));
    });
    let gradient = microseconds(&|| {
        let result = risk::test_error_and_gradient(&setting, &head, &task, SHOTS);
        black_box(result.expect("an error with its gradient"));
    });
    println!("exact test error: {error:.2} us; with its gradient: {gradient:.2} us");
}

/// Nanoseconds for one of each, at best.
struct Rates {
    normal: f64,
    index: f64,
    flop: f64,
}

impl Rates {
    fn measure() -> Rates {
        const DRAWS: usize = 1 << 18;
        let per = |seconds: f64, n: usize| seconds * 1e9 / n as f64;
        Rates {
            normal: per(median(|| simd::dispatch(Normals(DRAWS))), DRAWS * WIDTH),
            index: per(median(|| simd::dispatch(Indices(DRAWS))), DRAWS * WIDTH),
            flop: per(
                median(|| simd::dispatch(Flops(DRAWS))),
                DRAWS * WIDTH * 2 * CHAINS,
            ),
        }
    }
}

struct Normals(usize);

impl Kernel for Normals {
    type Output = Lanes;
    #[inline(always)]
    fn run(self) -> Lanes {
        let mut stream = LaneStream::new(0, "bench normals", &[]);
        let mut buffer = [Lanes::ZERO; 64];
        for _ in 0..self.0 / buffer.len() {
            stream.fill_normal(&mut buffer);
            black_box(&buffer);
        }
        buffer[0]
    }
}

struct Indices(usize);

impl Kernel for Indices {
    type Output = Words;
    #[inline(always)]
    fn run(self) -> Words {
        let mut stream = LaneStream::new(0, "bench indices", &[]);
        let mut buffer = [Words::ZERO; 64];
        for _ in 0..self.0 / buffer.len() {
            for rows in &mut buffer {
                *rows = stream.index(100_000);
            }
            black_box(&buffer);
        }
        buffer[0]
    }
}

/// Independent sums, enough of them to hide the latency of an addition.
const CHAINS: usize = 10;

struct Flops(usize);

impl Kernel for Flops {
    type Output = [Lanes; CHAINS];
    #[inline(always)]
    fn run(self) -> [Lanes; CHAINS] {
        let mut sums = [Lanes::ONE; CHAINS];
        let factor = black_box(Lanes::splat(0.999_999));
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = *sum * factor + factor;
            }
        }
        sums
    }
}

/// What one prompt takes, counted from the formulas; copies and masks are free.
#[derive(Clone, Copy, Default)]
struct Cost {
    normals: usize,
    indices: usize,
    flops: usize,
}

impl Cost {
    fn bound(&self, rates: &Rates) -> f64 {
        self.normals as f64 * rates.normal
            + self.indices as f64 * rates.index
            + self.flops as f64 * rates.flop
    }

    fn plus(self, other: Cost) -> Cost {
        Cost {
            normals: self.normals + other.normals,
            indices: self.indices + other.indices,
            flops: self.flops + other.flops,
        }
    }
}

/// A fresh prompt with a task of its own, by Bartlett's decomposition: k = d + 1 normals a pair.
fn fresh_prompt() -> Cost {
    let k = D + 1;
    let triangle = k * (k - 1) / 2;
    // Task, query, row sum, the factor's triangle, and its diagonal (a normal and a uniform each).
    let normals = D + k + k + triangle + 2 * k;
    let label = (k + 1) * 2 * k;
    Cost {
        normals,
        indices: 0,
        flops: label + gram(k + 1) + 12 * k,
    }
}

/// S of `columns` columns and the query.
fn gram(columns: usize) -> usize {
    let entries = (D + 1) * (D + 2) / 2;
    entries * (2 * columns + 2)
}

fn resampled_prompt() -> Cost {
    Cost {
        normals: 0,
        indices: SHOTS,
        flops: gram(SHOTS) + (D + 1) * SHOTS,
    }
}

/// Forward and backward pass on (S, z): 2 n^2 for a matrix-vector product, 2 n^3 for a product.
fn attention(layers: usize, heads: usize) -> Cost {
    let n = D + 2;
    // S v, Q^T z, their product; backward z (S v)^T and S (Q^T z); below a last layer, its dS and dz.
    let below = if layers > 1 { 4 * n * n + 2 * n } else { 0 };
    let last = heads * (2 * (2 * n * n) + 2 * n + 4 * n * n + 3 * n + below);
    // Forward: Q S, (Q S) V^T by head; S M, M^T S M, M^T z. Backward of an inner layer: S M dS, z dz^T;
    // by head dM V, its product with S, dM^T (Q S); through the layer, where another is below,
    // M dS M^T, M dz, and by head Q^T (dM V).
    let product = 2 * n * n * n;
    let inner = layers - 1;
    let forward = inner * (heads * 2 * product + 2 * product + 2 * n * n);
    let backward = inner * (product + 2 * n * n + heads * 3 * product)
        + inner.saturating_sub(1) * (2 * product + 2 * n * n + heads * product);
    Cost {
        flops: last + forward + backward,
        ..Cost::default()
    }
}

/// The same on one token: vectors only.
fn single_token(layers: usize, heads: usize) -> Cost {
    let n = D + 2;
    let square = 2 * n * n;
    let last = heads * (square + 4 * n + square + 4 * n);
    let inner = (layers - 1) * heads * (2 * square + 4 * n + 4 * square + 8 * n);
    Cost {
        flops: last + inner,
        ..Cost::default()
    }
}

struct Timed {
    name: String,
    cost: Cost,
    /// Prompts of one call.
    prompts: usize,
    /// Makes what the work needs, then the work itself.
    prepare: Box<dyn Fn() -> Work>,
}

type Work = Box<dyn Fn() + Send + Sync>;

impl Timed {
    fn seconds(&self, threads: usize) -> f64 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let work = (self.prepare)();
        pool.expect("a thread pool").install(|| median(work))
    }
}

fn median<T>(work: impl Fn() -> T) -> f64 {
    black_box(work());
    let mut seconds: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[SAMPLES / 2]
}

fn kernels() -> Vec<Timed> {
    let separate = |n_heads, n_layers| Shape {
        d: D,
        n_layers,
        n_heads,
        parametrization: Parametrization::Separate,
    };
    let mut out = vec![
        training(
            "pretraining, merged",
            Shape::merged(D),
            Objective::FewShot,
            true,
        ),
        training("ZS, merged", Shape::merged(D), Objective::ZeroShot, false),
        training(
            "ZS+FS, merged",
            Shape::merged(D),
            Objective::ZeroAndFewShot,
            false,
        ),
    ];
    for (heads, layers) in [(1, 1), (4, 1), (1, 2), (1, 3)] {
        let shape = separate(heads, layers);
        let name = |what: &str| format!("{what}, separate ({heads}, {layers})");
        out.push(training(
            &name("pretraining"),
            shape,
            Objective::FewShot,
            true,
        ));
        out.push(training(&name("ZS"), shape, Objective::ZeroShot, false));
        out.push(training(
            &name("ZS+FS"),
            shape,
            Objective::ZeroAndFewShot,
            false,
        ));
    }
    for n_shots in [10, 100, 1000] {
        out.push(pretraining_at(n_shots));
    }
    for batch in [1250, 5000, 20_000] {
        let mut timed = training("", Shape::merged(D), Objective::FewShot, true);
        timed = Timed {
            name: format!("pretraining, batch {batch}"),
            ..sized(timed, batch)
        };
        out.push(timed);
    }
    out.push(evaluation());
    out.push(Timed {
        name: "Gram matrices, fresh, one thread".to_owned(),
        cost: fresh_prompt(),
        prompts: DRAWN,
        prepare: Box::new(|| Box::new(|| drop(black_box(simd::dispatch(DrawFresh))))),
    });
    out.push(Timed {
        name: "Gram matrices, data, one thread".to_owned(),
        cost: Cost {
            indices: SHOTS + 1,
            ..resampled_prompt()
        },
        prompts: DRAWN,
        prepare: Box::new(|| {
            let data = data(100_000);
            Box::new(move || drop(black_box(simd::dispatch(DrawRows(&data)))))
        }),
    });
    out
}

/// Prompts that the samplers draw without anything reading them; one thread.
const DRAWN: usize = 1 << 16;

struct DrawFresh;

impl Kernel for DrawFresh {
    type Output = PromptGroup;
    #[inline(always)]
    fn run(self) -> PromptGroup {
        let setting = Setting::new(D, 0.1).expect("a setting");
        let mut sampler =
            FreshSampler::new(&setting, SHOTS, TaskChoice::RandomUnit, Method::Fastest);
        let mut stream = LaneStream::new(0, "bench prompts", &[]);
        let mut group = PromptGroup::new(D);
        for _ in 0..DRAWN / WIDTH {
            sampler.draw_query(&mut stream, &mut group);
            sampler.draw_context(Fixed::<{ D + 2 }>, &mut stream, &mut group);
            black_box(&group);
        }
        group
    }
}

struct DrawRows<'a>(&'a DataSet);

impl Kernel for DrawRows<'_> {
    type Output = PromptGroup;
    #[inline(always)]
    fn run(self) -> PromptGroup {
        let mut sampler = Resampler::new(self.0, SHOTS);
        let mut stream = LaneStream::new(0, "bench rows", &[]);
        let mut group = PromptGroup::new(D);
        sampler.start_queries(&mut stream);
        sampler.start_contexts(&mut stream);
        for _ in 0..DRAWN / WIDTH {
            sampler.draw_query(Fixed::<{ D + 2 }>, &mut stream, &mut group);
            sampler.draw_context(Fixed::<{ D + 2 }>, &mut stream, &mut group);
            black_box(&group);
        }
        group
    }
}

fn data(pairs: usize) -> DataSet {
    let setting = Setting::new(D, 0.1).expect("a setting");
    DataSet::generate(&setting, &Task::random_unit(D, 0), pairs, 0).expect("data")
}

fn sized(timed: Timed, batch: usize) -> Timed {
    let cost = timed.cost;
    let prepare = run(Shape::merged(D), Objective::FewShot, true, SHOTS, batch);
    Timed {
        name: String::new(),
        cost,
        prompts: batch * STEPS,
        prepare,
    }
}

fn pretraining_at(n_shots: usize) -> Timed {
    Timed {
        name: format!("pretraining, n = {n_shots}"),
        cost: fresh_prompt().plus(attention(1, 1)),
        prompts: BATCH * STEPS,
        prepare: run(Shape::merged(D), Objective::FewShot, true, n_shots, BATCH),
    }
}

fn training(name: &str, shape: Shape, objective: Objective, fresh: bool) -> Timed {
    let (layers, heads) = (shape.n_layers, shape.n_heads);
    let mut cost = Cost::default();
    if objective.uses_zero_shot() {
        cost = cost.plus(single_token(layers, heads));
    }
    if objective.uses_few_shot() {
        let prompt = if fresh {
            fresh_prompt()
        } else {
            resampled_prompt()
        };
        cost = cost.plus(prompt).plus(attention(layers, heads));
    }
    if !fresh {
        cost.indices += 1;
    }
    Timed {
        name: name.to_owned(),
        cost,
        prompts: BATCH * STEPS,
        prepare: run(shape, objective, fresh, SHOTS, BATCH),
    }
}

fn run(
    shape: Shape,
    objective: Objective,
    fresh: bool,
    n_shots: usize,
    batch_size: usize,
) -> Box<dyn Fn() -> Work> {
    Box::new(move || step(shape, objective, fresh, n_shots, batch_size))
}

fn step(
    shape: Shape,
    objective: Objective,
    fresh: bool,
    n_shots: usize,
    batch_size: usize,
) -> Work {
    let setting = Setting::new(D, 0.1).expect("a setting");
    let pairs = if fresh { 1 } else { 100_000 };
    let data = data(pairs);
    let initial = LinearAttention::random(shape, 0.05, 0).expect("a model");
    let config = TrainConfig {
        steps: STEPS,
        batch_size,
        n_shots,
        objective,
        trainable: Trainable::All,
        optimizer: OptimizerConfig::Sgd {
            learning_rate: 0.01,
            momentum: 0.9,
        },
        clip_norm: Some(1.0),
        seed: 0,
    };
    Box::new(move || {
        let source: &dyn Source = if fresh {
            &Fresh(&setting)
        } else {
            &Rows(&data)
        };
        let trained = train(&initial, source, &config, |_, _| ControlFlow::Continue(()));
        black_box(trained.expect("a run"));
    })
}

const MODELS: usize = 7;

/// Seven models of the main experiment on shared prompts.
fn evaluation() -> Timed {
    let (k, n) = (D + 1, D + 2);
    // By model: scores and sums of k + 1 columns, Q T, the query's own score.
    let each = 2 * k * (k + 1) * 2 + 2 * n * k + n * n + 4 * n;
    let cost = Cost {
        normals: fresh_prompt().normals - D,
        indices: 0,
        flops: MODELS * each,
    };
    Timed {
        name: format!("evaluation of {MODELS} models"),
        cost,
        prompts: EVALUATED,
        prepare: Box::new(evaluate_models),
    }
}

const EVALUATED: usize = 1 << 17;

fn evaluate_models() -> Work {
    let setting = Setting::new(D, 0.1).expect("a setting");
    let models: Vec<LinearAttention> = (0..MODELS as u64)
        .map(|seed| LinearAttention::random(Shape::merged(D), 0.3, seed).expect("a model"))
        .collect();
    let plan = EvaluatePlan {
        n_shots: vec![SHOTS],
        n_prompts: EVALUATED,
        seeds: vec![0],
    };
    Box::new(move || {
        let models: Vec<&LinearAttention> = models.iter().collect();
        let tasks = [Task::random_unit(D, 0)];
        let errors = evaluate(&setting, &models, &tasks, &plan, |_, _| {
            ControlFlow::Continue(())
        });
        black_box(errors.expect("estimates"));
    })
}
