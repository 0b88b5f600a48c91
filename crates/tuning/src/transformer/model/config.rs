//! What a transformer is made of: sizes, the kind of attention, norms, positions, MLP, input and output.
//!
//! A layer is attention and then, where there is one, an MLP; each reads the normalised residual stream (pre-norm) and
//! adds to it. The paper's linear attention is one such configuration: [`Config::linear_attention`]. Does
//! not know parameters' values.

use std::fmt;

/// A decoder's sizes and ingredients.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub input: Input,
    /// Of the residual stream.
    pub width: usize,
    pub layers: usize,
    pub attention: Attention,
    /// Before attention, before the MLP, and before the output; without it the stream is read as it is.
    pub norm: Option<Norm>,
    pub mlp: Option<Mlp>,
    pub output: Output,
}

/// How tokens enter the residual stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// A token's features are the stream itself: as many as it is wide.
    Direct,
    /// A linear map of a token's features, without bias.
    Linear { features: usize },
    /// A row of a table for each of a token's ids.
    Embedding { vocabulary: usize },
}

/// Attention over the tokens of a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    pub kernel: Kernel,
    /// A token sees itself and what is before it; otherwise the whole sequence.
    pub causal: bool,
    pub heads: usize,
    /// Heads of keys and values; each serves heads / key_value_heads heads of queries.
    pub key_value_heads: usize,
    pub head_size: usize,
    /// Queries, keys and values have biases.
    pub bias: bool,
    pub output: HeadOutput,
    /// Base of rotary positions (RoPE); none without positions.
    pub rope: Option<f64>,
}

/// What a token's query and a key become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// q . k / (number of tokens seen), as in the paper.
    Linear,
    /// The softmax over the tokens seen of q . k / sqrt(head size).
    Softmax,
}

/// How the heads' outputs enter the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadOutput {
    /// Their mean: each is as wide as the stream, as in the paper.
    Mean,
    /// A linear map of all of them, the matrix O.
    Projection { bias: bool },
}

/// A normalisation of each token, with a learned scale (and shift, for `Layer`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    pub kind: NormKind,
    /// Added to the mean square, or the variance.
    pub epsilon: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// RMSNorm: x / sqrt(mean x^2 + epsilon) * g.
    Rms,
    /// LayerNorm: (x - mean) / sqrt(variance + epsilon) * g + b.
    Layer,
}

/// Two linear maps with a nonlinearity between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mlp {
    pub activation: Activation,
    pub hidden: usize,
    pub bias: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x Phi(x) in its tanh form.
    Gelu,
    /// max(x, 0)^2.
    SquaredRelu,
    /// silu(gate) * up: three maps.
    SwiGlu,
}

/// What is read from the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Output {
    /// Its last coordinate, as in the paper.
    LastCoordinate,
    /// A linear map of its own, without bias.
    Separate { size: usize },
    /// Products with the rows of the input's table.
    Tied,
}

/// A configuration that means nothing, with what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The paper's model with separate matrices: tokens of `width` = d + 2 numbers are the stream, scores are
    /// (Wq z).(Wk z') / N, heads are averaged, the label's place is the output.
    pub fn linear_attention(width: usize, layers: usize, heads: usize) -> Config {
        Config {
            input: Input::Direct,
            width,
            layers,
            attention: Attention {
                kernel: Kernel::Linear,
                causal: false,
                heads,
                key_value_heads: heads,
                head_size: width,
                bias: false,
                output: HeadOutput::Mean,
                rope: None,
            },
            norm: None,
            mlp: None,
            output: Output::LastCoordinate,
        }
    }

    /// Numbers in an output.
    pub fn output_size(&self) -> usize {
        match (self.output, self.input) {
            (Output::LastCoordinate, _) => 1,
            (Output::Separate { size }, _) => size,
            (Output::Tied, Input::Embedding { vocabulary }) => vocabulary,
            (Output::Tied, Input::Direct | Input::Linear { .. }) => 0,
        }
    }

    /// # Errors
    /// Sizes of 0, or that do not fit each other.
    pub fn check(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        let attention = &self.attention;
        let (heads, groups, size) = (
            attention.heads,
            attention.key_value_heads,
            attention.head_size,
        );
        let mut sizes = vec![
            ("width", self.width),
            ("layers", self.layers),
            ("heads", heads),
            ("key_value_heads", groups),
            ("head_size", size),
        ];
        match self.input {
            Input::Direct => {}
            Input::Linear { features } => sizes.push(("features", features)),
            Input::Embedding { vocabulary } => sizes.push(("vocabulary", vocabulary)),
        }
        if let Some(mlp) = self.mlp {
            sizes.push(("mlp.hidden", mlp.hidden));
        }
        if let Output::Separate { size } = self.output {
            sizes.push(("output", size));
        }
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return error(format!("{name} is 0: a transformer has at least 1"));
        }
        if heads % groups != 0 {
            return error(format!(
                "{heads} heads cannot share {groups} heads of keys and values: the second must divide the first"
            ));
        }
        if attention.output == HeadOutput::Mean && size != self.width {
            return error(format!(
                "heads that are averaged are as wide as the stream: head_size is {size}, width {}",
                self.width
            ));
        }
        if let Some(base) = attention.rope {
            if size % 2 != 0 {
                return error(format!(
                    "rotary positions turn pairs of coordinates: head_size {size} is odd"
                ));
            }
            if !(base.is_finite() && base > 1.0) {
                return error(format!("rotary positions have a base above 1, not {base}"));
            }
        }
        if let Some(norm) = self.norm
            && !(norm.epsilon.is_finite() && norm.epsilon > 0.0)
        {
            return error(format!(
                "a norm's epsilon is positive, not {}",
                norm.epsilon
            ));
        }
        match (self.output, self.input) {
            (Output::Tied, Input::Direct | Input::Linear { .. }) => {
                error("a tied output needs an input with a table of embeddings".into())
            }
            _ => Ok(()),
        }
    }
}
