//! The transformer against a plain one, finite differences, and the paper's model in its own code.

mod large;
mod plain;

use crate::written_out::{attend, prompts, shapes};
use icl::math::stream::Stream;
use icl::model::effective::Effective;
use icl::model::weights::{LinearAttention, MatrixKind, Parametrization, Shape};
use ndarray::Array2;
use plain::Plain;
use std::ops::ControlFlow;
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{Ending, PARTS, Training, Worker, train};
use tuning::transformer::trainable::{LowRank, Subset};

const RMS: Option<Norm> = Some(Norm {
    kind: NormKind::Rms,
    epsilon: 1e-5,
});
const LAYER: Option<Norm> = Some(Norm {
    kind: NormKind::Layer,
    epsilon: 1e-5,
});

fn mlp(activation: Activation, bias: bool) -> Option<Mlp> {
    Some(Mlp {
        activation,
        hidden: 10,
        bias,
    })
}

/// Every ingredient at least once, in small models.
fn configs() -> Vec<Config> {
    let plain = Attention {
        kernel: Kernel::Softmax,
        causal: true,
        heads: 2,
        key_value_heads: 2,
        head_size: 4,
        bias: false,
        output: HeadOutput::Projection { bias: false },
        rope: None,
    };
    let base = Config {
        input: Input::Linear { features: 5 },
        width: 8,
        layers: 1,
        attention: plain,
        norm: None,
        mlp: None,
        output: Output::Separate { size: 3 },
    };
    let words = Input::Embedding { vocabulary: 13 };
    let with = |attention: Attention| Config {
        attention,
        ..base.clone()
    };
    vec![
        Config::linear_attention(5, 1, 1),
        Config::linear_attention(5, 2, 3),
        base.clone(),
        with(Attention {
            kernel: Kernel::Linear,
            ..plain
        }),
        with(Attention {
            causal: false,
            bias: true,
            output: HeadOutput::Projection { bias: true },
            ..plain
        }),
        Config {
            norm: LAYER,
            layers: 2,
            ..with(Attention {
                heads: 4,
                key_value_heads: 2,
                head_size: 2,
                rope: Some(100.0),
                ..plain
            })
        },
        Config {
            norm: RMS,
            mlp: mlp(Activation::Gelu, true),
            ..base.clone()
        },
        Config {
            norm: LAYER,
            mlp: mlp(Activation::SquaredRelu, false),
            layers: 2,
            ..base.clone()
        },
        Config {
            input: words,
            norm: RMS,
            mlp: mlp(Activation::SwiGlu, false),
            layers: 3,
            output: Output::Tied,
            ..with(Attention {
                heads: 3,
                key_value_heads: 1,
                head_size: 6,
                bias: true,
                rope: Some(10_000.0),
                ..plain
            })
        },
        Config {
            input: words,
            mlp: mlp(Activation::Gelu, false),
            layers: 2,
            ..base
        },
    ]
}

fn network(config: &Config) -> Network {
    Network::new(config.clone()).unwrap()
}

/// Parameters without zeros, so that every path carries something.
fn parameters(network: &Network) -> Vec<f64> {
    let mut stream = Stream::new(5, "transformer test", &[]);
    (0..network.layout().len())
        .map(|_| 0.4 * stream.normal())
        .collect()
}

/// Sequences of 1 to 6 tokens, read at several places, some twice, some with weight 0.
fn batch(config: &Config, sequences: usize) -> Batch {
    let mut stream = Stream::new(7, "transformer test batch", &[]);
    let lengths: Vec<usize> = (0..sequences).map(|_| 1 + stream.index(6)).collect();
    let count: usize = lengths.iter().sum();
    let dense = |features: usize, stream: &mut Stream| Tokens::Dense {
        features,
        values: (0..count * features).map(|_| stream.normal()).collect(),
    };
    let tokens = match config.input {
        Input::Direct => dense(config.width, &mut stream),
        Input::Linear { features } => dense(features, &mut stream),
        Input::Embedding { vocabulary } => {
            let (mut entries, mut ends) = (Vec::new(), Vec::new());
            for _ in 0..count {
                for _ in 0..1 + stream.index(3) {
                    entries.push((stream.index(vocabulary) as u32, stream.normal()));
                }
                ends.push(entries.len());
            }
            Tokens::Bags { entries, ends }
        }
    };
    let size = config.output_size();
    let mut reads = Vec::new();
    let mut end = 0;
    for (sequence, length) in lengths.iter().enumerate() {
        end += length;
        if sequence % 5 == 4 {
            continue;
        }
        for token in [end - length, end - 1] {
            for _ in 0..1 + stream.index(2) {
                let target = match size >= 3 {
                    true => Target::Class {
                        from: 1,
                        to: 3,
                        class: 1 + stream.index(2),
                    },
                    false => Target::Value(stream.normal()),
                };
                let weight = if stream.index(4) == 0 {
                    0.0
                } else {
                    0.1 + stream.uniform()
                };
                reads.push(Read {
                    token,
                    target,
                    weight,
                });
            }
        }
    }
    Batch {
        lengths,
        tokens,
        reads,
    }
}

fn gradient(network: &Network, parameters: &[f64], batch: &Batch) -> (f64, Vec<f64>) {
    let wanted = vec![true; network.layout().tensors().len()];
    let mut gradient = Vec::new();
    let loss = Worker::new(network).loss_and_gradient(parameters, batch, &wanted, &mut gradient);
    (loss.unwrap(), gradient)
}

#[test]
fn outputs_and_losses_equal_those_of_a_plain_transformer() {
    for config in configs() {
        let network = network(&config);
        let parameters = parameters(&network);
        let plain = Plain {
            config: &config,
            layout: network.layout(),
            parameters: &parameters,
        };
        for sequences in [1, 2, PARTS, 11] {
            let batch = batch(&config, sequences);
            let found = Worker::new(&network).predict(&parameters, &batch).unwrap();
            let expected = plain.outputs(&batch).concat();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let gap = (found - expected).abs();
                assert!(
                    gap <= 1e-12 * expected.abs().max(1.0),
                    "{config:?}: {found} {expected}"
                );
            }
            let (loss, _) = gradient(&network, &parameters, &batch);
            let expected = plain.loss(&batch);
            assert!(
                (loss - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{config:?}"
            );
        }
    }
}

#[test]
fn every_component_of_the_gradient_equals_a_finite_difference_of_the_plain_loss() {
    for config in configs() {
        let network = network(&config);
        let parameters = parameters(&network);
        let batch = batch(&config, 9);
        let (_, gradient) = gradient(&network, &parameters, &batch);
        let size = gradient.iter().map(|x| x * x).sum::<f64>().sqrt();
        let step = 1e-5;
        for (at, &found) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut moved = parameters.clone();
                moved[at] += by;
                Plain {
                    config: &config,
                    layout: network.layout(),
                    parameters: &moved,
                }
                .loss(&batch)
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            assert!(
                (slope - found).abs() < 1e-8 * size.max(1.0),
                "{config:?}, {at}: {slope} {found}"
            );
        }
    }
}

/// What nobody trains below the trained tensors is skipped, and what is trained gets the same bits.
#[test]
fn a_gradient_of_some_tensors_is_that_of_all() {
    for config in configs() {
        let network = network(&config);
        let parameters = parameters(&network);
        let batch = batch(&config, 9);
        let (_, all) = gradient(&network, &parameters, &batch);
        let tensors = network.layout().tensors();
        for (only, tensor) in tensors.iter().enumerate() {
            let wanted: Vec<bool> = (0..tensors.len()).map(|at| at == only).collect();
            let mut found = Vec::new();
            let mut worker = Worker::new(&network);
            worker
                .loss_and_gradient(&parameters, &batch, &wanted, &mut found)
                .unwrap();
            for (at, (found, all)) in found.iter().zip(&all).enumerate() {
                let expected = if tensor.range().contains(&at) {
                    *all
                } else {
                    0.0
                };
                assert_eq!(
                    found.to_bits(),
                    expected.to_bits(),
                    "{config:?} {}",
                    tensor.name
                );
            }
        }
    }
}

/// The paper's model is a configuration: the same predictions and gradients as its own code.
#[test]
fn the_papers_linear_attention_is_one_configuration() {
    for shape in shapes(5).filter(|shape| shape.parametrization == Parametrization::Separate) {
        let model = LinearAttention::random(shape, 0.4, 21).unwrap();
        let network = network(&Config::linear_attention(7, shape.n_layers, shape.n_heads));
        let parameters = of_model(&network, &model);
        for n in [0, 1, 6] {
            let (matrices, group) = prompts(n, 5);
            let batch = of_prompts(&matrices);
            let found = Worker::new(&network).predict(&parameters, &batch).unwrap();
            for (found, prompt) in found.iter().zip(&matrices) {
                let expected = attend(&model, prompt);
                assert!(
                    (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                    "{shape:?}"
                );
            }
            // Its own kernel's gradient of the sum of predictions over the lanes.
            let mut kernel =
                icl::model::attention::Attention::new(7, shape.n_layers, shape.n_heads);
            let mut lanes =
                icl::model::attention::LaneGradient::zeros(7, shape.n_layers, shape.n_heads);
            let effective = model.effective();
            kernel.forward(7_usize, &effective, &group);
            kernel.backward(
                7_usize,
                &effective,
                &group,
                icl::math::lanes::Lanes::ONE,
                &mut lanes,
            );
            let mut of_effective = Effective::zeros(7, shape.n_layers, shape.n_heads);
            lanes.reduce_into(&mut of_effective);
            let expected = model.pull_back(&of_effective);
            // A squared error whose slope is 1: target f - 1/2.
            let mut batch = batch.clone();
            for (read, output) in batch.reads.iter_mut().zip(&found) {
                read.target = Target::Value(output - 0.5);
            }
            let (_, found) = gradient(&network, &parameters, &batch);
            let largest = expected.iter().fold(1.0_f64, |a, b| a.max(b.abs()));
            for (at, place) in places(&network, shape).into_iter().enumerate() {
                let gap = (found[place] - expected[at]).abs();
                assert!(
                    gap <= 1e-12 * largest,
                    "{shape:?}, n = {n}, parameter {at}: {gap}"
                );
            }
        }
    }
}

/// For each parameter of the paper's model its place among the transformer's.
fn places(network: &Network, shape: Shape) -> Vec<usize> {
    let mut places = Vec::new();
    for (layer, head, kind, _) in shape.matrices() {
        let name = match kind {
            MatrixKind::Query => "q",
            MatrixKind::Key => "k",
            MatrixKind::Value => "v",
            MatrixKind::KeyQuery => panic!("a merged matrix"),
        };
        let name = format!("model.layers.{layer}.self_attn.{name}_proj.weight");
        let tensors = network.layout().tensors();
        let tensor = tensors.iter().find(|tensor| tensor.name == name).unwrap();
        let start = tensor.range().start + head * 49;
        places.extend(start..start + 49);
    }
    places
}

fn of_model(network: &Network, model: &LinearAttention) -> Vec<f64> {
    let mut parameters = vec![f64::NAN; network.layout().len()];
    for (place, &value) in places(network, model.shape())
        .into_iter()
        .zip(model.params())
    {
        parameters[place] = value;
    }
    parameters
}

fn of_prompts(prompts: &[Array2<f64>]) -> Batch {
    let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.nrows()).collect();
    let mut end = 0;
    let reads = lengths.iter().map(|length| {
        end += length;
        Read {
            token: end - 1,
            target: Target::Value(0.0),
            weight: 1.0,
        }
    });
    Batch {
        reads: reads.collect(),
        tokens: Tokens::Dense {
            features: 7,
            values: prompts
                .iter()
                .flat_map(|prompt| prompt.iter().copied())
                .collect(),
        },
        lengths,
    }
}

fn training(subset: Subset, low_rank: Option<LowRank>) -> Training {
    Training {
        steps: 3,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
        },
        schedule: Schedule {
            learning_rate: 0.01,
            warmup: 2,
            decay: Decay::Cosine,
        },
        clip_norm: Some(1.0),
        subset,
        low_rank,
        seed: 3,
    }
}

fn go(_: usize, _: Option<f64>, _: &[f64]) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_frozen_set_is_frozen() {
    let subsets = [
        (Subset::Everything, ""),
        (Subset::QueryKeyValue, "q_proj k_proj v_proj"),
        (Subset::Attention, "q_proj k_proj v_proj o_proj"),
        (Subset::Query, "q_proj"),
        (Subset::Key, "k_proj"),
        (Subset::Value, "v_proj"),
        (Subset::HeadOutput, "o_proj"),
        (Subset::Mlp, "mlp."),
        (Subset::FirstLayerValue, "layers.0.self_attn.v_proj"),
        (Subset::LastLayerValue, "layers.2.self_attn.v_proj"),
    ];
    let config = configs()
        .into_iter()
        .find(|config| config.layers == 3)
        .unwrap();
    let network = network(&config);
    for (subset, names) in subsets {
        for low_rank in [
            None,
            Some(LowRank {
                rank: 2,
                alpha: 4.0,
            }),
        ] {
            let before = parameters(&network);
            let mut after = before.clone();
            let ending = train(
                &network,
                &mut after,
                &training(subset, low_rank),
                |_| Ok(batch(&config, 9)),
                go,
            );
            assert_eq!(ending, Ok(Ending::Completed));
            for tensor in network.layout().tensors() {
                let named =
                    names.is_empty() || names.split(' ').any(|name| tensor.name.contains(name));
                let trained = named && (low_rank.is_none() || tensor.columns.is_some());
                let moved = before[tensor.range()] != after[tensor.range()];
                assert_eq!(moved, trained, "{subset:?} {low_rank:?} {}", tensor.name);
            }
        }
    }
}

/// A low-rank addition of full rank, B and A apart: one step of SGD moves B by -rate (alpha / rank) dW A^T.
#[test]
fn low_rank_gradients_are_those_of_the_whole_matrix() {
    let config = configs()
        .into_iter()
        .find(|config| config.layers == 3)
        .unwrap();
    let network = network(&config);
    let start = parameters(&network);
    let batch = batch(&config, 9);
    let (rank, alpha, rate) = (2, 3.0, 1e-3);
    let mut training = training(Subset::Value, Some(LowRank { rank, alpha }));
    training.steps = 1;
    training.clip_norm = None;
    training.optimizer = Optimizer::Sgd { momentum: 0.0 };
    training.schedule = Schedule {
        learning_rate: rate,
        warmup: 0,
        decay: Decay::Constant,
    };
    let mut after = start.clone();
    train(&network, &mut after, &training, |_| Ok(batch.clone()), go).unwrap();
    let (_, gradient) = gradient(&network, &start, &batch);
    for tensor in network
        .layout()
        .tensors()
        .iter()
        .filter(|t| t.name.ends_with("v_proj.weight"))
    {
        let (rows, columns) = (tensor.rows, tensor.columns.unwrap());
        let mut stream = Stream::new(training.seed, &format!("low rank {}", tensor.name), &[]);
        let std = 1.0 / (columns as f64).sqrt();
        let a = Array2::from_shape_fn((rank, columns), |_| std * stream.normal());
        let d = Array2::from_shape_vec((rows, columns), gradient[tensor.range()].to_vec()).unwrap();
        let scale = alpha / rank as f64;
        // B was 0: W moves by scale * dB A alone, dB = scale * dW A^T.
        let moved = d.dot(&a.t()).dot(&a) * (-rate * scale * scale);
        for ((x, before), expected) in after[tensor.range()]
            .iter()
            .zip(&start[tensor.range()])
            .zip(&moved)
        {
            assert!((x - before - expected).abs() < 1e-12, "{}", tensor.name);
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let config = configs()
        .into_iter()
        .find(|config| config.layers == 3)
        .unwrap();
    let network = network(&config);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut parameters: Vec<f32> = initial(network.layout(), Init::FanIn, 1);
            let training = training(Subset::Everything, None);
            let heard = |_: usize, _: Option<f64>, _: &[f32]| ControlFlow::Continue(());
            train(
                &network,
                &mut parameters,
                &training,
                |_| Ok(batch(&config, 23)),
                heard,
            )
            .unwrap();
            parameters.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn divergence_is_an_ending_and_not_an_error() {
    let config = &configs()[0];
    let network = network(config);
    let mut training = training(Subset::Everything, None);
    training.optimizer = Optimizer::Sgd { momentum: 0.0 };
    training.schedule.learning_rate = 1e200;
    training.clip_norm = None;
    training.steps = 50;
    let mut parameters = parameters(&network);
    let ending = train(
        &network,
        &mut parameters,
        &training,
        |_| Ok(batch(config, 9)),
        go,
    )
    .unwrap();
    assert!(
        matches!(ending, Ending::Diverged { step } if step > 0),
        "{ending:?}"
    );
}

#[test]
fn what_cannot_be_is_said() {
    let message = |change: &dyn Fn(&mut Config)| {
        let mut config = configs()[5].clone();
        change(&mut config);
        Network::new(config).unwrap_err().to_string()
    };
    assert!(message(&|c| c.layers = 0).contains("layers is 0"));
    assert!(message(&|c| c.attention.head_size = 3).contains("head_size 3 is odd"));
    assert!(message(&|c| c.attention.key_value_heads = 3).contains("4 heads cannot share 3"));
    assert!(message(&|c| c.output = Output::Tied).contains("tied"));
    assert!(message(&|c| c.attention.output = HeadOutput::Mean).contains("as wide as the stream"));
    assert!(message(&|c| c.attention.rope = Some(0.5)).contains("base above 1"));
    let config = &configs()[5];
    let network = network(config);
    let refused = |change: &dyn Fn(&mut Batch)| {
        let mut batch = batch(config, 9);
        change(&mut batch);
        Worker::new(&network)
            .predict(&parameters(&network), &batch)
            .unwrap_err()
    };
    assert!(refused(&|b| b.lengths[2] = 0).contains("sequence 2 has no tokens"));
    assert!(refused(&|b| b.reads[0].token = 10_000).contains("token 10000"));
    assert!(refused(&|b| b.reads.reverse()).contains("order"));
    assert!(
        refused(&|b| b.tokens = Tokens::Dense {
            features: 4,
            values: vec![]
        })
        .contains("4 features")
    );
    assert!(
        refused(&|b| b.tokens = Tokens::Bags {
            entries: vec![],
            ends: vec![]
        })
        .contains("token ids")
    );
    let target = Target::Class {
        from: 0,
        to: 4,
        class: 1,
    };
    assert!(refused(&|b| b.reads[0].target = target).contains("there are 3"));
}
