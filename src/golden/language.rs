//! A language model of a few thousand parameters: low-rank additions trained on tasks in words, and answers scored along the way.
//! Does not know digests.

use std::ops::ControlFlow;
use tuning::forgetting::variant::{Objective, Variant};
use tuning::forgetting::world::Replayed;
use tuning::language::codec::Bytes;
use tuning::language::evaluation::{Evaluation, Question, Size};
use tuning::language::finetune::{finetune, measure};
use tuning::language::items::Item;
use tuning::language::split::Split;
use tuning::language::tasks::{Tasks, Writer};
use tuning::language::world::Language;
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::Training;
use tuning::transformer::trainable::{LowRank, Subset};

/// Scores without and with examples at every checkpoint of a training with replay, in f32.
pub fn answers() -> Result<Vec<f64>, String> {
    let letters = (b'a'..=b'x').map(char::from);
    let items = letters.enumerate().flat_map(|(at, letter)| {
        let item = |task: &str, answer: String| {
            let (task, question) = (task.to_owned(), letter.to_string());
            (
                Item {
                    task,
                    question,
                    answer,
                    rank: at + 1,
                },
                Split::ALL[at % 3],
            )
        };
        let upper = letter.to_uppercase().to_string();
        [
            item("upper", upper),
            item("double", format!("{letter}{letter}")),
        ]
    });
    let tasks = Tasks::new(items);
    let writer = Writer {
        codec: &Bytes,
        start: &[0],
    };
    let replayed = ["double".to_owned()];
    let world = Language {
        writer,
        tasks: &tasks,
        vocabulary: Bytes::VOCABULARY,
        target: "upper",
        replayed: &replayed,
        shots: 3,
        prompts: 5,
        few_shot_prompts: 3,
        seed: 4,
    };
    let question = Question::Task {
        name: "upper".into(),
        split: Split::Test,
    };
    let size = Size {
        queries: 8,
        groups: 3,
    };
    let evaluations =
        [0, 2].map(|shots| Evaluation::new(&question, shots, size, &tasks, writer, 4));
    let evaluations = evaluations.into_iter().collect::<Result<Vec<_>, _>>()?;
    let network = Network::new(config()).map_err(|e| e.to_string())?;
    let mut parameters: Vec<f32> = initial(network.layout(), Init::FanIn, 3);
    let start = measure(&network, &parameters, &evaluations)?;
    let variant = Variant {
        name: "replay".into(),
        objective: Objective::Replay {
            weight: 1.0,
            every: 1,
            of: Replayed::Random,
        },
        subset: Subset::Attention,
        low_rank: Some(LowRank {
            rank: 3,
            alpha: 6.0,
        }),
        between: None,
    };
    let training = Training {
        steps: 8,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        schedule: Schedule {
            learning_rate: 0.02,
            warmup: 2,
            decay: Decay::Linear,
        },
        clip_norm: Some(1.0),
        subset: Subset::Everything,
        low_rank: None,
        seed: 4,
    };
    let go = &mut |_, _| ControlFlow::Continue(());
    let stops = [0, 3, 8];
    let path = finetune(
        &network,
        &mut parameters,
        &world,
        &evaluations,
        &start,
        &variant,
        &training,
        &stops,
        go,
    )?;
    let scores = path
        .checkpoints
        .into_iter()
        .flat_map(|checkpoint| checkpoint.scores);
    Ok(scores
        .flat_map(|scored| [scored.error, scored.log_probability])
        .collect())
}

fn config() -> Config {
    Config {
        input: Input::Embedding {
            vocabulary: Bytes::VOCABULARY,
        },
        width: 24,
        layers: 2,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads: 3,
            key_value_heads: 1,
            head_size: 8,
            bias: true,
            output: HeadOutput::Projection { bias: false },
            rope: Some(10_000.0),
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: 1e-5,
        }),
        mlp: Some(Mlp {
            activation: Activation::SwiGlu,
            hidden: 40,
            bias: false,
        }),
        output: Output::Tied,
    }
}
