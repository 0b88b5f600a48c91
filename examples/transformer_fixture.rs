//! Writes what the transformer computes, for somebody else's program to compute again (`tests/peer/equal.py`).
//!
//! `cargo run --release --locked --example transformer_fixture -- OUT.json [MODEL.safetensors ...]`: small models of every
//! ingredient with random parameters, and the models of those files, which kinds `bridge-pretrain` and `words-pretrain`
//! write. Of each: configuration, random sequences, outputs, loss and gradient, all in f64. Knows nothing of who reads
//! them.

use icl::math::stream::Stream;
use icl_repro::kinds::transformer::model_file::{Values, from_bytes};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::ExitCode;
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::network::Network;
use tuning::transformer::train::Worker;

/// Sequences of a case; longer than the parts of a batch.
const SEQUENCES: usize = 9;
/// Tokens of the longest.
const LONGEST: usize = 12;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((out, files)) = args.split_first() else {
        eprintln!(
            "error: no file to write\n  usage: transformer_fixture OUT.json [MODEL.safetensors ...]"
        );
        return ExitCode::from(2);
    };
    match write(Path::new(out), files) {
        Ok(count) => {
            println!("{count} models in {out}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write(out: &Path, files: &[String]) -> Result<usize, String> {
    let mut cases = Vec::new();
    for (name, config) in configs() {
        let network = Network::new(config).map_err(|e| format!("{name}: {e}"))?;
        let mut stream = Stream::new(0, "transformer fixture", &[]);
        // No zeros, so that every path carries something.
        let count = network.layout().len();
        let parameters: Vec<f64> = (0..count).map(|_| 0.4 * stream.normal()).collect();
        let mut case = case(name, &network, &parameters)?;
        case["parameters"] = by_tensor(&network, &parameters);
        cases.push(case);
    }
    for file in files {
        let read = || {
            let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
            let (_, network, values) = from_bytes(&bytes).map_err(|e| e.to_string())?;
            let parameters = match values {
                Values::F32(values) => values.into_iter().map(f64::from).collect(),
                Values::F64(values) => values,
            };
            let mut case = case(file, &network, &parameters)?;
            case["file"] = json!(file);
            Ok(case)
        };
        cases.push(read().map_err(|why: String| format!("{file}: {why}"))?);
    }
    let text = serde_json::to_string(&cases).map_err(|e| e.to_string())?;
    std::fs::write(out, text).map_err(|e| format!("{}: {e}", out.display()))?;
    Ok(cases.len())
}

/// Every ingredient at least once, most with others that could hide a mistake in it.
fn configs() -> Vec<(&'static str, Config)> {
    let attention = Attention {
        kernel: Kernel::Softmax,
        causal: true,
        heads: 2,
        key_value_heads: 2,
        head_size: 4,
        bias: false,
        output: HeadOutput::Projection { bias: false },
        rope: None,
    };
    let biased = Attention {
        bias: true,
        output: HeadOutput::Projection { bias: true },
        ..attention
    };
    let grouped = Attention {
        heads: 6,
        key_value_heads: 2,
        rope: Some(100.0),
        ..attention
    };
    let base = Config {
        input: Input::Linear { features: 5 },
        width: 8,
        layers: 2,
        attention,
        norm: None,
        mlp: None,
        output: Output::Separate { size: 3 },
    };
    let norm = |kind| {
        let epsilon = 1e-5;
        Some(Norm { kind, epsilon })
    };
    let (rms, layer) = (norm(NormKind::Rms), norm(NormKind::Layer));
    let mlp = |activation, bias| {
        let hidden = 10;
        Some(Mlp {
            activation,
            hidden,
            bias,
        })
    };
    let of = |attention: Attention| Config {
        attention,
        ..base.clone()
    };
    let bags = Input::Embedding { vocabulary: 13 };
    vec![
        (
            "the paper's linear attention",
            Config::linear_attention(7, 1, 1),
        ),
        (
            "the same, 3 layers of 2 heads",
            Config::linear_attention(7, 3, 2),
        ),
        ("softmax", base.clone()),
        (
            "linear, causal",
            of(Attention {
                kernel: Kernel::Linear,
                ..attention
            }),
        ),
        (
            "softmax, not causal, biases",
            of(Attention {
                causal: false,
                ..biased
            }),
        ),
        (
            "grouped heads, rotary positions, LayerNorm",
            Config {
                norm: layer,
                ..of(grouped)
            },
        ),
        (
            "RMSNorm, GELU with biases",
            Config {
                norm: rms,
                mlp: mlp(Activation::Gelu, true),
                ..base.clone()
            },
        ),
        (
            "LayerNorm, squared ReLU",
            Config {
                norm: layer,
                mlp: mlp(Activation::SquaredRelu, false),
                ..of(biased)
            },
        ),
        (
            "bags, rotary positions, RMSNorm, SwiGLU, tied, 3 layers",
            Config {
                input: bags,
                layers: 3,
                norm: rms,
                mlp: mlp(Activation::SwiGlu, false),
                output: Output::Tied,
                ..of(Attention {
                    bias: true,
                    ..grouped
                })
            },
        ),
        (
            "bags, GELU",
            Config {
                input: bags,
                mlp: mlp(Activation::Gelu, false),
                ..base
            },
        ),
    ]
}

/// The network's configuration, a batch, and what it makes of it.
fn case(name: &str, network: &Network, parameters: &[f64]) -> Result<Value, String> {
    let batch = batch(network.config());
    let mut worker = Worker::new(network);
    let outputs = worker.predict(parameters, &batch)?;
    let wanted = vec![true; network.layout().tensors().len()];
    let mut gradient = Vec::new();
    let loss = worker.loss_and_gradient(parameters, &batch, &wanted, &mut gradient)?;
    let rows: Vec<&[f64]> = outputs
        .chunks_exact(network.config().output_size())
        .collect();
    Ok(json!({
        "name": name,
        "config": described(network.config()),
        "lengths": batch.lengths,
        "tokens": tokens(&batch.tokens),
        "reads": batch.reads.iter().map(read).collect::<Vec<_>>(),
        "outputs": rows,
        "loss": loss,
        "gradient": by_tensor(network, &gradient),
    }))
}

/// Entries by tensor, flat.
fn by_tensor(network: &Network, values: &[f64]) -> Value {
    let tensors = network.layout().tensors().iter();
    let entries = tensors.map(|tensor| {
        let shape: Vec<usize> = std::iter::once(tensor.rows).chain(tensor.columns).collect();
        let value = json!({"shape": shape, "values": values[tensor.range()]});
        (tensor.name.clone(), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

/// Sequences of 1 to [`LONGEST`] tokens, most read at several places, some twice, some with weight 0.
fn batch(config: &Config) -> Batch {
    let mut stream = Stream::new(0, "transformer fixture batch", &[]);
    let lengths: Vec<usize> = (0..SEQUENCES).map(|_| 1 + stream.index(LONGEST)).collect();
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
                for _ in 0..1 + stream.index(4) {
                    entries.push((stream.index(vocabulary) as u32, stream.normal()));
                }
                ends.push(entries.len());
            }
            Tokens::Bags { entries, ends }
        }
    };
    let size = config.output_size();
    let mut reads = Vec::new();
    for token in 0..count {
        for _ in 0..stream.index(3) {
            let target = if size == 1 {
                Target::Value(stream.normal())
            } else {
                let from = stream.index(size - 1);
                let to = from + 2 + stream.index(size - from - 1);
                let class = from + stream.index(to - from);
                Target::Class { from, to, class }
            };
            let weight = [0.0, 0.25, 1.0][stream.index(3)];
            reads.push(Read {
                token,
                target,
                weight,
            });
        }
    }
    Batch {
        lengths,
        tokens,
        reads,
    }
}

fn tokens(tokens: &Tokens) -> Value {
    match tokens {
        Tokens::Dense { features, values } => {
            json!({"features": values.chunks_exact(*features).collect::<Vec<_>>()})
        }
        Tokens::Bags { entries, ends } => {
            let (ids, weights): (Vec<u32>, Vec<f64>) = entries.iter().copied().unzip();
            json!({"ids": ids, "weights": weights, "ends": ends})
        }
    }
}

fn read(read: &Read) -> Value {
    let (token, weight) = (read.token, read.weight);
    match read.target {
        Target::Value(value) => json!({"token": token, "weight": weight, "value": value}),
        Target::Class { from, to, class } => {
            json!({"token": token, "weight": weight, "from": from, "to": to, "class": class})
        }
    }
}

fn described(config: &Config) -> Value {
    let attention = &config.attention;
    json!({
        "layers": config.layers,
        "kernel": match attention.kernel {
            Kernel::Linear => "linear",
            Kernel::Softmax => "softmax",
        },
        "causal": attention.causal,
        "heads": attention.heads,
        "key_value_heads": attention.key_value_heads,
        "head_output": match attention.output {
            HeadOutput::Mean => "mean",
            HeadOutput::Projection { .. } => "projection",
        },
        "rope": attention.rope,
        "norm": config.norm.map(|norm| match norm.kind {
            NormKind::Rms => "rms",
            NormKind::Layer => "layer",
        }),
        "epsilon": config.norm.map(|norm| norm.epsilon),
        "activation": config.mlp.map(|mlp| match mlp.activation {
            Activation::Gelu => "gelu",
            Activation::SquaredRelu => "squared-relu",
            Activation::SwiGlu => "swi-glu",
        }),
        "output": match config.output {
            Output::LastCoordinate => "last-coordinate",
            Output::Separate { .. } => "separate",
            Output::Tied => "tied",
        },
    })
}
