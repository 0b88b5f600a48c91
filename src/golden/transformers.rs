//! Trainings of small transformers: numbers of every ingredient in both precisions. Does not know digests.

use icl::math::tensor::float::Float;
use icl::prompts::task::Task;
use std::ops::ControlFlow;
use tuning::bridge::regression::Regression;
use tuning::forgetting::paths::{finetune, pretrain};
use tuning::forgetting::variant::{Objective, Variant};
use tuning::forgetting::world::{Replayed, World};
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{Training, train};
use tuning::transformer::trainable::{LowRank, Subset};

/// Softmax with grouped heads, rotary positions, RMSNorm and GELU on the regression task: pretraining, then value-only with replay,
/// in f32.
pub fn regression() -> Result<Vec<f64>, String> {
    let world = Regression {
        target: Task::random_unit(3, 1),
        noise_std: 0.3,
        shots: 7,
        first_token: true,
        seed: 1,
        prompts: 21,
        measured: 19,
    };
    let config = Config {
        input: Input::Linear {
            features: world.features(),
        },
        attention: Attention {
            rope: Some(100.0),
            key_value_heads: 1,
            ..ATTENTION
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: 1e-5,
        }),
        mlp: Some(Mlp {
            activation: Activation::Gelu,
            hidden: 37,
            bias: true,
        }),
        output: Output::Separate { size: 1 },
        width: 20,
        layers: 2,
    };
    let network = Network::new(config).map_err(|e| e.to_string())?;
    let mut parameters: Vec<f32> = initial(network.layout(), Init::FanIn, 1);
    let training = training(Subset::Everything, None);
    let stops = [0, training.steps];
    let go = &mut |_, _| ControlFlow::Continue(());
    let learned = pretrain(&network, &mut parameters, &world, &training, &stops, go)?;
    let variant = Variant {
        name: "replay".into(),
        objective: Objective::Replay {
            weight: 0.7,
            every: 2,
            of: Replayed::Unlabelled,
        },
        subset: Subset::Value,
        low_rank: None,
        between: Some(2),
    };
    let measures = world.measures()?;
    let tuned = finetune(
        &network,
        &parameters,
        &world,
        &measures,
        &variant,
        &training,
        &stops,
        go,
    )?;
    let checkpoints = learned.checkpoints.into_iter().chain(tuned.checkpoints);
    let mut numbers: Vec<f64> = checkpoints
        .flat_map(|checkpoint| checkpoint.errors)
        .collect();
    numbers.extend(parameters.iter().map(|x| f64::from(*x)));
    Ok(numbers)
}

/// Linear attention, LayerNorm, SwiGLU, biases and a tied output on bags of ids, with low-rank additions, in f64.
pub fn bags() -> Result<Vec<f64>, String> {
    let config = Config {
        input: Input::Embedding { vocabulary: 23 },
        attention: Attention {
            kernel: Kernel::Linear,
            bias: true,
            output: HeadOutput::Projection { bias: true },
            ..ATTENTION
        },
        norm: Some(Norm {
            kind: NormKind::Layer,
            epsilon: 1e-5,
        }),
        mlp: Some(Mlp {
            activation: Activation::SwiGlu,
            hidden: 29,
            bias: false,
        }),
        output: Output::Tied,
        width: 20,
        layers: 2,
    };
    let network = Network::new(config).map_err(|e| e.to_string())?;
    let mut parameters: Vec<f64> = initial(network.layout(), Init::FanIn, 2);
    let low_rank = LowRank {
        rank: 3,
        alpha: 2.0,
    };
    let training = training(Subset::Attention, Some(low_rank));
    let batch = |step| Ok(batch_of_bags(step));
    let mut losses = Vec::new();
    train(&network, &mut parameters, &training, batch, |_, loss, _| {
        losses.extend(loss);
        ControlFlow::Continue(())
    })?;
    losses.extend(parameters.iter().map(|x| x.to_f64()));
    Ok(losses)
}

const ATTENTION: Attention = Attention {
    kernel: Kernel::Softmax,
    causal: true,
    heads: 2,
    key_value_heads: 2,
    head_size: 10,
    bias: false,
    output: HeadOutput::Projection { bias: false },
    rope: None,
};

fn training(subset: Subset, low_rank: Option<LowRank>) -> Training {
    Training {
        steps: 6,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.01,
        },
        schedule: Schedule {
            learning_rate: 0.01,
            warmup: 2,
            decay: Decay::Cosine,
        },
        clip_norm: Some(0.5),
        subset,
        low_rank,
        seed: 3,
    }
}

/// Sequences of 1 to 9 tokens of one or two ids; the last of each is read.
fn batch_of_bags(step: usize) -> Batch {
    let lengths: Vec<usize> = (0..11).map(|at| 1 + (at * 7 + step) % 9).collect();
    let count: usize = lengths.iter().sum();
    let id = |at: usize| ((at * 13 + step * 5) % 23) as u32;
    let mut entries = Vec::new();
    let ends = (0..count).map(|token| {
        entries.push((id(token), 1.0));
        if token % 3 == 0 {
            entries.push((id(token + 1), 0.5));
        }
        entries.len()
    });
    let ends = ends.collect();
    let mut end = 0;
    let reads = lengths.iter().map(|length| {
        end += length;
        let target = Target::Class {
            from: 2,
            to: 20,
            class: 2 + end % 18,
        };
        Read {
            token: end - 1,
            target,
            weight: 1.0 / 11.0,
        }
    });
    Batch {
        reads: reads.collect(),
        lengths,
        tokens: Tokens::Bags { entries, ends },
    }
}
