//! One training step of the transformer that reads words: wall time, CPU time, and how far from its products' bound.
//!
//! `cargo bench --locked --bench transformer`. 3 layers of width 96, 4 heads, RoPE, RMSNorm, GELU; 64 prompts of 34 tokens,
//! each a bag of ids; cross-entropy at the 17 names of a prompt; AdamW; single precision. The products of a step (in
//! linear maps and attention, forward and backward, in one part of the batch) are also timed alone, on one thread:
//! that is the step's bound as the product kernel is now. `benches/peer_transformer.py` has the same step in PyTorch and asks with
//! `--plain THREADS`: seconds of wall and of CPU time. Nothing is asserted.

use icl::math::stream::Stream;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{PARTS, Training, train};
use tuning::transformer::trainable::Subset;

const PROMPTS: usize = 64;
const NAMES: usize = 17;
const TOKENS: usize = 2 * NAMES;
/// Of a name, after some dropped out.
const IDS: usize = 23;
const N_GRAMS: usize = 8192;
const LETTERS: usize = 4;
/// Letters, and the languages of pretraining.
const OUTPUTS: usize = LETTERS + 66;
const LAYERS: usize = 3;
const WIDTH: usize = 96;
const HEADS: usize = 4;
const HIDDEN: usize = 384;

const WARMUP: usize = 5;
const STEPS: usize = 60;

fn main() {
    let mut args = std::env::args().skip_while(|arg| arg != "--plain").skip(1);
    if let Some(threads) = args.next() {
        let threads = threads
            .parse()
            .unwrap_or_else(|_| panic!("--plain THREADS"));
        let step = words_training_step(threads);
        println!("{} {}", step.wall, step.cpu);
        return;
    }
    let products = products();
    let flops: usize = products
        .iter()
        .map(|(count, one)| count * one.flops())
        .sum();
    let of_part = seconds_of(&products);
    let (flops, bound) = (PARTS as f64 * flops as f64, PARTS as f64 * of_part);
    println!(
        "products of one step: {:.2} GFLOP; alone, on one thread: {:.1} ms, {:.1} GFLOP/s",
        flops * 1e-9,
        bound * 1e3,
        flops * 1e-9 / bound
    );
    println!();
    println!(
        "{:<22} {:>9} {:>9} {:>22} {:>16}",
        "words training step", "wall ms", "CPU ms", "GFLOP/s of CPU time", "products' bound"
    );
    for threads in [1, 2] {
        let step = words_training_step(threads);
        println!(
            "{:<22} {:>9.1} {:>9.1} {:>22.1} {:>15.0}%",
            format!("{threads} threads"),
            step.wall * 1e3,
            step.cpu * 1e3,
            flops * 1e-9 / step.cpu,
            bound / step.cpu * 100.0
        );
    }
}

/// Medians over steps, in seconds.
struct Step {
    wall: f64,
    cpu: f64,
}

fn words_training_step(threads: usize) -> Step {
    let network = Network::new(config()).expect("a configuration");
    let mut parameters: Vec<f32> = initial(network.layout(), Init::FanIn, 0);
    let batches: Vec<Batch> = (0..4).map(batch).collect();
    let training = Training {
        steps: WARMUP + STEPS,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        schedule: Schedule {
            learning_rate: 1e-3,
            warmup: 0,
            decay: Decay::Constant,
        },
        clip_norm: Some(1.0),
        subset: Subset::Everything,
        low_rank: None,
        seed: 0,
    };
    let mut times = Vec::with_capacity(training.steps + 1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let ending = pool.expect("a thread pool").install(|| {
        let batch_of = |step: usize| Ok(batches[step % batches.len()].clone());
        train(&network, &mut parameters, &training, batch_of, |_, _, _| {
            times.push((Instant::now(), cpu_seconds()));
            ControlFlow::Continue(())
        })
    });
    ending.expect("batches that the network reads");
    let steps = || times[WARMUP..].windows(2);
    Step {
        wall: median(steps().map(|pair| (pair[1].0 - pair[0].0).as_secs_f64())),
        cpu: median(steps().map(|pair| pair[1].1 - pair[0].1)),
    }
}

/// CPU time of all threads of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn config() -> Config {
    Config {
        input: Input::Embedding {
            vocabulary: N_GRAMS + LETTERS + 1,
        },
        width: WIDTH,
        layers: LAYERS,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads: HEADS,
            key_value_heads: HEADS,
            head_size: WIDTH / HEADS,
            bias: false,
            output: HeadOutput::Projection { bias: false },
            rope: Some(10_000.0),
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: 1e-5,
        }),
        mlp: Some(Mlp {
            activation: Activation::Gelu,
            hidden: HIDDEN,
            bias: false,
        }),
        output: Output::Separate { size: OUTPUTS },
    }
}

/// \[start\], then \[name\] and \[name + letter\] for each shot, and the query's \[name\].
fn batch(index: u64) -> Batch {
    let mut stream = Stream::new(0, "bench words", &[index]);
    let (mut entries, mut ends, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    let weight = 1.0 / (IDS as f64).sqrt();
    for _ in 0..PROMPTS {
        entries.push(((N_GRAMS + LETTERS) as u32, 1.0));
        ends.push(entries.len());
        for name in 0..NAMES {
            let ids: Vec<u32> = (0..IDS).map(|_| stream.index(N_GRAMS) as u32).collect();
            let class = stream.index(LETTERS);
            reads.push(Read {
                token: ends.len(),
                target: Target::Class {
                    from: 0,
                    to: LETTERS,
                    class,
                },
                weight: 1.0 / (PROMPTS * NAMES) as f64,
            });
            entries.extend(ids.iter().map(|&id| (id, weight)));
            ends.push(entries.len());
            if name + 1 < NAMES {
                entries.extend(ids.iter().map(|&id| (id, weight)));
                entries.push(((N_GRAMS + class) as u32, 1.0));
                ends.push(entries.len());
            }
        }
    }
    Batch {
        lengths: vec![TOKENS; PROMPTS],
        tokens: Tokens::Bags { entries, ends },
        reads,
    }
}

/// C = A B, rows x inner times inner x columns; `left` and `right`: that factor lies in memory as its transpose.
#[derive(Clone, Copy)]
struct Product {
    rows: usize,
    inner: usize,
    columns: usize,
    left: bool,
    right: bool,
}

impl Product {
    fn flops(&self) -> usize {
        2 * self.rows * self.inner * self.columns
    }

    /// Seconds of one, the median of many.
    fn seconds(&self) -> f64 {
        let entries =
            |len: usize| -> Vec<f32> { (0..len).map(|i| (i % 17) as f32 / 16.0).collect() };
        let a = entries(self.rows * self.inner);
        let b = entries(self.inner * self.columns);
        let mut c = entries(self.rows * self.columns);
        let view = |data, rows, columns, turned| match turned {
            true => MatrixRef::new(data, columns, rows).t(),
            false => MatrixRef::new(data, rows, columns),
        };
        // A few million operations a sample: some tenths of a millisecond.
        let calls = 1 + (10_000_000 / self.flops());
        let mut sample = || {
            let start = Instant::now();
            for _ in 0..calls {
                let (a, b) = (
                    view(&a, self.rows, self.inner, self.left),
                    view(&b, self.inner, self.columns, self.right),
                );
                let c = MatrixMut::new(black_box(&mut c), self.rows, self.columns);
                multiply(c, a, b, false);
            }
            start.elapsed().as_secs_f64() / calls as f64
        };
        sample();
        median((0..15).map(|_| sample()))
    }
}

fn seconds_of(products: &[(usize, Product)]) -> f64 {
    let seconds = products
        .iter()
        .map(|(count, one)| *count as f64 * one.seconds());
    seconds.sum()
}

/// How many of which products one part of the batch takes. The last layer asks at the names alone.
fn products() -> Vec<(usize, Product)> {
    let prompts = PROMPTS / PARTS;
    let mut list = Vec::new();
    for layer in 0..LAYERS {
        let asked = if layer + 1 == LAYERS { NAMES } else { TOKENS };
        let (rows, asking) = (prompts * TOKENS, prompts * asked);
        list.extend(linear(2, rows, WIDTH, WIDTH));
        list.extend(linear(2, asking, WIDTH, WIDTH));
        list.extend(linear(1, asking, WIDTH, HIDDEN));
        list.extend(linear(1, asking, HIDDEN, WIDTH));
        let size = WIDTH / HEADS;
        let each = |rows, inner, columns, left, right| {
            let product = Product {
                rows,
                inner,
                columns,
                left,
                right,
            };
            (prompts * HEADS, product)
        };
        list.extend([
            // Q K^T, P V; P^T dO, dO V^T, dS K, dS^T Q.
            each(asked, size, TOKENS, false, true),
            each(asked, TOKENS, size, false, false),
            each(TOKENS, asked, size, true, false),
            each(asked, size, TOKENS, false, true),
            each(asked, TOKENS, size, false, false),
            each(TOKENS, asked, size, true, false),
        ]);
    }
    list.extend(linear(1, prompts * NAMES, WIDTH, OUTPUTS));
    list
}

/// X W^T, dY W and dY^T X.
fn linear(count: usize, rows: usize, inputs: usize, outputs: usize) -> [(usize, Product); 3] {
    let product = |rows, inner, columns, left, right| {
        let product = Product {
            rows,
            inner,
            columns,
            left,
            right,
        };
        (count, product)
    };
    [
        product(rows, inputs, outputs, false, true),
        product(rows, outputs, inputs, false, false),
        product(outputs, rows, inputs, true, false),
    ]
}
