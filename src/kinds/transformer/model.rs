//! A transformer's configuration as pipeline.yaml writes it.

use crate::kinds::params::number::{Count, Positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::parameters::Init;

/// Added to a norm's mean square or variance.
const EPSILON: f64 = 1e-5;

/// Which model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelParams {
    /// The paper's: tokens are the stream, linear attention with Q, K and V, no O, the label's place is read.
    LinearAttention(LinearAttentionParams),
    /// With an embedding, the matrix O and an output of its own.
    Transformer(TransformerParams),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearAttentionParams {
    layers: Count,
    heads: Count,
    /// Standard deviation of the initial entries.
    init_std: Positive,
}

/// Initial maps are N(0, 1 / inputs), those into the stream divided by sqrt(2 layers), the output 0.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerParams {
    width: Count,
    layers: Count,
    /// Heads; each has width / heads coordinates.
    heads: Count,
    /// Heads of keys and values, a divisor of `heads`; as many as heads where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_value_heads: Option<Count>,
    attention: KernelParam,
    /// A token sees itself and what is before it alone.
    causal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    norm: Option<NormParam>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mlp: Option<MlpParams>,
    /// Base of rotary positions; none without positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope: Option<Positive>,
    /// Whether linear maps have biases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bias: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KernelParam {
    Linear,
    Softmax,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum NormParam {
    /// RMSNorm.
    Rms,
    /// LayerNorm.
    Layer,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MlpParams {
    activation: ActivationParam,
    hidden: Count,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ActivationParam {
    /// In its tanh form.
    Gelu,
    SquaredRelu,
    SwiGlu,
}

/// What tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tokens {
    /// So many numbers.
    Features(usize),
    /// Sets of ids below this.
    Vocabulary(usize),
}

impl ModelParams {
    /// The configuration for such tokens, with so many outputs.
    ///
    /// # Errors
    /// Sizes that do not fit each other, with the names of pipeline.yaml.
    pub fn config(&self, tokens: Tokens, outputs: usize) -> Result<Config, String> {
        match (self, tokens) {
            (ModelParams::LinearAttention(params), Tokens::Features(features)) if outputs == 1 => {
                let (layers, heads) = (params.layers.get(), params.heads.get());
                Ok(Config::linear_attention(features, layers, heads))
            }
            (ModelParams::LinearAttention(_), _) => Err(
                "the paper's linear attention reads numbers and predicts one: take `transformer`"
                    .into(),
            ),
            (ModelParams::Transformer(params), Tokens::Features(features)) => {
                params.config(Input::Linear { features }, outputs)
            }
            (ModelParams::Transformer(params), Tokens::Vocabulary(vocabulary)) => {
                params.config(Input::Embedding { vocabulary }, outputs)
            }
        }
    }

    /// Whether it can read words at all, whatever their number.
    ///
    /// # Errors
    /// As [`ModelParams::config`].
    pub fn check_words(&self) -> Result<(), String> {
        self.config(Tokens::Vocabulary(1), 2).map(|_| ())
    }

    /// How it begins.
    pub fn init(&self) -> Init {
        match self {
            ModelParams::LinearAttention(params) => Init::Normal {
                std: params.init_std.get(),
            },
            ModelParams::Transformer(_) => Init::FanIn,
        }
    }
}

impl TransformerParams {
    fn config(&self, input: Input, outputs: usize) -> Result<Config, String> {
        let (width, heads) = (self.width.get(), self.heads.get());
        if width % heads != 0 {
            return Err(format!(
                "width {width} does not divide into {heads} heads: take a width that is a multiple of heads"
            ));
        }
        let config = Config {
            input,
            width,
            layers: self.layers.get(),
            attention: Attention {
                kernel: match self.attention {
                    KernelParam::Linear => Kernel::Linear,
                    KernelParam::Softmax => Kernel::Softmax,
                },
                causal: self.causal,
                heads,
                key_value_heads: self.key_value_heads.map_or(heads, Count::get),
                head_size: width / heads,
                bias: self.bias,
                output: HeadOutput::Projection { bias: self.bias },
                rope: self.rope.map(Positive::get),
            },
            norm: self.norm.map(|norm| Norm {
                kind: match norm {
                    NormParam::Rms => NormKind::Rms,
                    NormParam::Layer => NormKind::Layer,
                },
                epsilon: EPSILON,
            }),
            mlp: self.mlp.map(|mlp| Mlp {
                activation: match mlp.activation {
                    ActivationParam::Gelu => Activation::Gelu,
                    ActivationParam::SquaredRelu => Activation::SquaredRelu,
                    ActivationParam::SwiGlu => Activation::SwiGlu,
                },
                hidden: mlp.hidden.get(),
                bias: self.bias,
            }),
            output: Output::Separate { size: outputs },
        };
        config.check().map_err(|e| e.to_string())?;
        Ok(config)
    }
}
