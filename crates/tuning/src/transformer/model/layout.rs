//! Which tensors a configuration has: names, shapes, and where each lies in one flat vector of parameters.
//!
//! Names and shapes are those of the Llama family on the model hub (a linear map is out x in), so such files need no
//! renaming. Does not know values.

use crate::transformer::model::config::{
    Activation, Config, ConfigError, HeadOutput, Input, NormKind, Output,
};
use std::ops::Range;

/// What a tensor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Embedding,
    Query,
    Key,
    Value,
    /// The matrix O.
    HeadOutput,
    Mlp,
    Norm,
    Output,
}

/// A matrix or vector among the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    pub name: String,
    pub role: Role,
    /// Of a layer, counted from 0.
    pub layer: Option<usize>,
    pub rows: usize,
    /// None for a vector.
    pub columns: Option<usize>,
    offset: usize,
}

impl Tensor {
    /// Its entries among the parameters.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.rows * self.columns.unwrap_or(1)
    }

    /// Whether it has no entries: none of a checked configuration is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A linear map: places of its tensors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    pub weight: usize,
    pub bias: Option<usize>,
    pub inputs: usize,
    pub outputs: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct NormTensors {
    pub scale: usize,
    pub shift: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MlpTensors {
    pub gate: Option<Linear>,
    pub up: Linear,
    pub down: Linear,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerTensors {
    pub norm: Option<NormTensors>,
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub output: Option<Linear>,
    pub mlp_norm: Option<NormTensors>,
    pub mlp: Option<MlpTensors>,
}

/// All tensors of a configuration.
#[derive(Debug, Clone)]
pub struct Layout {
    tensors: Vec<Tensor>,
    pub(crate) embedding: Option<usize>,
    pub(crate) layers: Vec<LayerTensors>,
    pub(crate) norm: Option<NormTensors>,
    /// The output's matrix, which a tied one shares with the embedding.
    pub(crate) output: Option<usize>,
}

impl Layout {
    /// # Errors
    /// A configuration that means nothing.
    pub fn new(config: &Config) -> Result<Layout, ConfigError> {
        config.check()?;
        let mut list = List::default();
        let width = config.width;
        let embedding = match config.input {
            Input::Direct => None,
            Input::Linear { features } => Some((width, features)),
            Input::Embedding { vocabulary } => Some((vocabulary, width)),
        }
        .map(|(rows, columns)| {
            let name = "model.embed_tokens.weight".to_owned();
            list.add(name, Role::Embedding, None, rows, Some(columns))
        });
        let layers = (0..config.layers)
            .map(|layer| list.layer(config, layer))
            .collect();
        let norm = list.norm(config, "model.norm", None);
        let output = match config.output {
            Output::LastCoordinate => None,
            Output::Tied => embedding,
            Output::Separate { size } => {
                let name = "lm_head.weight".to_owned();
                Some(list.add(name, Role::Output, None, size, Some(width)))
            }
        };
        Ok(Layout {
            tensors: list.tensors,
            embedding,
            layers,
            norm,
            output,
        })
    }

    /// In the order of their places.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.tensors.last().map_or(0, |last| last.range().end)
    }

    /// Whether there are no parameters: never, as every layer has attention.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Default)]
struct List {
    tensors: Vec<Tensor>,
}

impl List {
    fn add(
        &mut self,
        name: String,
        role: Role,
        layer: Option<usize>,
        rows: usize,
        columns: Option<usize>,
    ) -> usize {
        let offset = self.tensors.last().map_or(0, |last| last.range().end);
        self.tensors.push(Tensor {
            name,
            role,
            layer,
            rows,
            columns,
            offset,
        });
        self.tensors.len() - 1
    }

    fn linear(
        &mut self,
        name: &str,
        role: Role,
        layer: usize,
        [inputs, outputs]: [usize; 2],
        bias: bool,
    ) -> Linear {
        let prefix = format!("model.layers.{layer}.{name}");
        let layer = Some(layer);
        let weight = self.add(
            format!("{prefix}.weight"),
            role,
            layer,
            outputs,
            Some(inputs),
        );
        let bias = bias.then(|| self.add(format!("{prefix}.bias"), role, layer, outputs, None));
        Linear {
            weight,
            bias,
            inputs,
            outputs,
        }
    }

    fn norm(&mut self, config: &Config, name: &str, layer: Option<usize>) -> Option<NormTensors> {
        let norm = config.norm?;
        let mut add = |part: &str| {
            let name = format!("{name}.{part}");
            self.add(name, Role::Norm, layer, config.width, None)
        };
        let scale = add("weight");
        let shift = (norm.kind == NormKind::Layer).then(|| add("bias"));
        Some(NormTensors { scale, shift })
    }

    fn layer(&mut self, config: &Config, layer: usize) -> LayerTensors {
        let attention = &config.attention;
        let width = config.width;
        let queries = attention.heads * attention.head_size;
        let keys = attention.key_value_heads * attention.head_size;
        let bias = attention.bias;
        let prefix = format!("model.layers.{layer}");
        let norm = self.norm(config, &format!("{prefix}.input_layernorm"), Some(layer));
        let (q, k, v) = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
        let query = self.linear(q, Role::Query, layer, [width, queries], bias);
        let key = self.linear(k, Role::Key, layer, [width, keys], bias);
        let value = self.linear(v, Role::Value, layer, [width, keys], bias);
        let output = match attention.output {
            HeadOutput::Mean => None,
            HeadOutput::Projection { bias } => {
                let o = "self_attn.o_proj";
                Some(self.linear(o, Role::HeadOutput, layer, [queries, width], bias))
            }
        };
        let name = format!("{prefix}.post_attention_layernorm");
        let mlp_norm = config
            .mlp
            .and_then(|_| self.norm(config, &name, Some(layer)));
        let mlp = config.mlp.map(|mlp| {
            let sizes = [width, mlp.hidden];
            let gate = (mlp.activation == Activation::SwiGlu)
                .then(|| self.linear("mlp.gate_proj", Role::Mlp, layer, sizes, mlp.bias));
            let up = self.linear("mlp.up_proj", Role::Mlp, layer, sizes, mlp.bias);
            let back = [mlp.hidden, width];
            let down = self.linear("mlp.down_proj", Role::Mlp, layer, back, mlp.bias);
            MlpTensors { gate, up, down }
        });
        LayerTensors {
            norm,
            query,
            key,
            value,
            output,
            mlp_norm,
            mlp,
        }
    }
}
