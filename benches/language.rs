//! One step of fine-tuning SmolLM2-135M by low-rank additions: wall and CPU time, tokens a second.
//!
//! `cargo bench --locked --bench language`, after `make llm-weights`. 16 prompts of 9 tokens without examples, and beside them six of 48, as in
//! the group `llm`; LoRA of rank 16 on Q, K, V and O; cross-entropy at the last three tokens of each; AdamW; single precision. Tokens are drawn:
//! what they say costs nothing. `benches/peer_language.py` has the same step in PyTorch and asks with `--plain THREADS`. Nothing is asserted.

use icl::math::stream::Stream;
use rustix::time::{ClockId, clock_gettime};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use tuning::language::example::{Example, batch};
use tuning::transformer::adapter::adapt;
use tuning::transformer::model::batch::Batch;
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::Training;
use tuning::transformer::trainable::{LowRank, Subset};

const MODEL: &str = "data/models/SmolLM2-135M-Instruct.Q4_1.gguf";
/// Prompts, tokens of each: without examples, and with five.
const SHAPES: [(&str, &[(usize, usize)]); 2] = [
    ("ZS", &[(16, 9)]),
    ("ZS and six with examples", &[(16, 9), (6, 48)]),
];
const ASKED: usize = 3;
const WARMUP: usize = 1;
const STEPS: usize = 6;

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL);
    if !path.is_file() {
        eprintln!("skipped: {MODEL} is not here: make llm-weights");
        return;
    }
    let mut args = std::env::args().skip_while(|arg| arg != "--plain").skip(1);
    let threads = args
        .next()
        .map(|threads| threads.parse().expect("--plain THREADS"));
    let model = pretrained::load_gguf(&path).expect("a model");
    let network = Network::new(model.config).expect("a network");
    let mut parameters = model.parameters;
    let vocabulary = network.config().output_size();
    for (name, shape) in SHAPES {
        let batch = drawn(shape, vocabulary);
        let tokens: usize = batch.lengths.iter().sum();
        for threads in threads.map_or(vec![1, 2], |threads| vec![threads]) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads");
            let [wall, cpu] = pool.install(|| step(&network, &mut parameters, &batch));
            println!(
                "{name}: {threads} threads, {tokens} tokens: {wall:.3} s wall, {cpu:.3} s CPU, {:.0} tokens a second",
                tokens as f64 / wall
            );
        }
    }
}

fn drawn(shape: &[(usize, usize)], vocabulary: usize) -> Batch {
    let mut stream = Stream::new(0, "bench tokens", &[]);
    let mut parts = shape.iter().map(|&(prompts, tokens)| {
        let example = |_| Example {
            tokens: (0..tokens)
                .map(|_| stream.index(vocabulary) as u32)
                .collect(),
            response: tokens - ASKED,
        };
        let examples: Vec<Example> = (0..prompts).map(example).collect();
        batch(&examples, vocabulary).expect("a batch")
    });
    let mut all = parts.next().expect("a part");
    parts.for_each(|part| all.append(&part, 1.0));
    all
}

/// Means over steps of wall and CPU time.
fn step(network: &Network, parameters: &mut [f32], batch: &Batch) -> [f64; 2] {
    let training = Training {
        steps: WARMUP + STEPS,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        schedule: Schedule {
            learning_rate: 1e-4,
            warmup: 0,
            decay: Decay::Constant,
        },
        clip_norm: Some(1.0),
        subset: Subset::Attention,
        low_rank: Some(LowRank {
            rank: 16,
            alpha: 32.0,
        }),
        seed: 0,
    };
    let mut start = (Instant::now(), cpu());
    let mut end = [0.0; 2];
    let heard = |step: usize, loss: Option<f64>, _: &[f32]| {
        if step == WARMUP {
            start = (Instant::now(), cpu());
        }
        if loss.is_none() {
            end = [start.0.elapsed().as_secs_f64(), cpu() - start.1];
        }
        ControlFlow::Continue(())
    };
    adapt(network, parameters, &training, |_| Ok(batch.clone()), heard).expect("a training");
    end.map(|seconds| seconds / STEPS as f64)
}

/// Seconds of CPU time of this process.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}
