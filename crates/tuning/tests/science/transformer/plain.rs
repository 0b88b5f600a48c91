//! A transformer written down token by token and head by head, in f64 with the platform's functions: shares nothing with the
//! library but configuration and layout.

#![expect(
    clippy::disallowed_methods,
    reason = "a second implementation, on purpose with other functions; compared within a tolerance"
)]

use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{
    Activation, Config, HeadOutput, Input, Kernel, Norm, NormKind, Output,
};
use tuning::transformer::model::layout::Layout;

type Vector = Vec<f64>;

pub struct Plain<'a> {
    pub config: &'a Config,
    pub layout: &'a Layout,
    pub parameters: &'a [f64],
}

impl Plain<'_> {
    fn tensor(&self, name: &str) -> Option<&[f64]> {
        let tensor = self
            .layout
            .tensors()
            .iter()
            .find(|tensor| tensor.name == name)?;
        Some(&self.parameters[tensor.range()])
    }

    fn map(&self, name: &str, x: &[f64]) -> Vector {
        let weight = self.tensor(&format!("{name}.weight")).unwrap();
        let rows = weight.chunks(x.len());
        let mut y: Vector = rows
            .map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum())
            .collect();
        if let Some(bias) = self.tensor(&format!("{name}.bias")) {
            y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
        y
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vector {
        let Some(Norm { kind, epsilon }) = self.config.norm else {
            return x.to_vec();
        };
        let count = x.len() as f64;
        let mean = match kind {
            NormKind::Rms => 0.0,
            NormKind::Layer => x.iter().sum::<f64>() / count,
        };
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let scale = self.tensor(&format!("{name}.weight")).unwrap();
        let shift = self.tensor(&format!("{name}.bias"));
        let normed = |i: usize| (x[i] - mean) / (variance + epsilon).sqrt() * scale[i];
        (0..x.len())
            .map(|i| normed(i) + shift.map_or(0.0, |shift| shift[i]))
            .collect()
    }

    fn embed(&self, tokens: &Tokens, token: usize) -> Vector {
        let width = self.config.width;
        match (tokens, self.config.input) {
            (Tokens::Dense { features, values }, input) => {
                let x = &values[token * features..(token + 1) * features];
                match input {
                    Input::Direct => x.to_vec(),
                    _ => self.map("model.embed_tokens", x),
                }
            }
            (Tokens::Bags { entries, ends }, _) => {
                let start = if token == 0 { 0 } else { ends[token - 1] };
                let bag = &entries[start..ends[token]];
                let table = self.tensor("model.embed_tokens.weight").unwrap();
                let entry = |i: usize| {
                    bag.iter()
                        .map(|&(id, weight)| weight * table[id as usize * width + i])
                        .sum::<f64>()
                };
                (0..width).map(entry).collect()
            }
        }
    }

    fn rotate(&self, head: &mut [f64], position: usize) {
        let Some(base) = self.config.attention.rope else {
            return;
        };
        let half = head.len() / 2;
        for i in 0..half {
            let angle = position as f64 * base.powf(-2.0 * i as f64 / head.len() as f64);
            let (a, b) = (head[i], head[i + half]);
            head[i] = a * angle.cos() - b * angle.sin();
            head[i + half] = b * angle.cos() + a * angle.sin();
        }
    }

    /// Outputs at every token of one sequence.
    fn sequence(&self, mut stream: Vec<Vector>) -> Vec<Vector> {
        let attention = &self.config.attention;
        let size = attention.head_size;
        for layer in 0..self.config.layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}");
            let normed: Vec<Vector> = stream
                .iter()
                .map(|x| self.norm(&name("input_layernorm"), x))
                .collect();
            let project = |part: &str, turn: bool| -> Vec<Vec<Vector>> {
                let all = normed.iter().map(|x| self.map(&name(part), x)).enumerate();
                all.map(|(position, row)| {
                    let mut heads: Vec<Vector> = row.chunks(size).map(<[f64]>::to_vec).collect();
                    if turn {
                        heads
                            .iter_mut()
                            .for_each(|head| self.rotate(head, position));
                    }
                    heads
                })
                .collect()
            };
            let q = project("self_attn.q_proj", true);
            let k = project("self_attn.k_proj", true);
            let v = project("self_attn.v_proj", false);
            let group = attention.heads / attention.key_value_heads;
            for token in 0..stream.len() {
                let seen = if attention.causal {
                    token + 1
                } else {
                    stream.len()
                };
                let mut heads: Vec<Vector> = Vec::new();
                for head in 0..attention.heads {
                    let dot = |other: usize| -> f64 {
                        q[token][head]
                            .iter()
                            .zip(&k[other][head / group])
                            .map(|(a, b)| a * b)
                            .sum()
                    };
                    let weights: Vector = match attention.kernel {
                        Kernel::Linear => (0..seen).map(|i| dot(i) / seen as f64).collect(),
                        Kernel::Softmax => {
                            let e: Vector = (0..seen)
                                .map(|i| (dot(i) / (size as f64).sqrt()).exp())
                                .collect();
                            let sum: f64 = e.iter().sum();
                            e.iter().map(|e| e / sum).collect()
                        }
                    };
                    let mix = |i: usize| -> f64 {
                        weights
                            .iter()
                            .zip(&v)
                            .map(|(w, v)| w * v[head / group][i])
                            .sum()
                    };
                    heads.push((0..size).map(mix).collect());
                }
                let update = match attention.output {
                    HeadOutput::Projection { .. } => {
                        self.map(&name("self_attn.o_proj"), &heads.concat())
                    }
                    HeadOutput::Mean => (0..size)
                        .map(|i| heads.iter().map(|head| head[i]).sum::<f64>() / heads.len() as f64)
                        .collect(),
                };
                stream[token]
                    .iter_mut()
                    .zip(update)
                    .for_each(|(x, y)| *x += y);
            }
            let Some(mlp) = self.config.mlp else { continue };
            for x in &mut stream {
                let normed = self.norm(&name("post_attention_layernorm"), x);
                let up = self.map(&name("mlp.up_proj"), &normed);
                let active: Vector = match mlp.activation {
                    Activation::SquaredRelu => up.iter().map(|x| x.max(0.0).powi(2)).collect(),
                    Activation::Gelu => up
                        .iter()
                        .map(|x| {
                            let inner =
                                (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
                            0.5 * x * (1.0 + inner.tanh())
                        })
                        .collect(),
                    Activation::SwiGlu => {
                        let gate = self.map(&name("mlp.gate_proj"), &normed);
                        up.iter()
                            .zip(gate)
                            .map(|(up, g)| up * g / (1.0 + (-g).exp()))
                            .collect()
                    }
                };
                let update = self.map(&name("mlp.down_proj"), &active);
                x.iter_mut().zip(update).for_each(|(x, y)| *x += y);
            }
        }
        let read = |x: &Vector| {
            let normed = self.norm("model.norm", x);
            match self.config.output {
                Output::LastCoordinate => vec![*normed.last().unwrap()],
                Output::Separate { .. } => self.map("lm_head", &normed),
                Output::Tied => self.map("model.embed_tokens", &normed),
            }
        };
        stream.iter().map(read).collect()
    }

    /// The output of every read.
    pub fn outputs(&self, batch: &Batch) -> Vec<Vector> {
        let mut outputs = Vec::new();
        let mut token = 0;
        for &length in &batch.lengths {
            let stream = (token..token + length)
                .map(|at| self.embed(&batch.tokens, at))
                .collect();
            outputs.extend(self.sequence(stream));
            token += length;
        }
        batch
            .reads
            .iter()
            .map(|read| outputs[read.token].clone())
            .collect()
    }

    pub fn loss(&self, batch: &Batch) -> f64 {
        let of = |(read, output): (&Read, Vector)| match read.target {
            Target::Value(wanted) => read.weight * (output[0] - wanted).powi(2),
            Target::Class { from, to, class } => {
                let sum: f64 = output[from..to].iter().map(|x| x.exp()).sum();
                read.weight * (sum.ln() - output[class])
            }
        };
        batch.reads.iter().zip(self.outputs(batch)).map(of).sum()
    }
}
