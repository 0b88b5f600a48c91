//! A model of two layers with random parameters, and a tokenizer of some fifty tokens.

use icl::math::stream::Stream;
use std::collections::BTreeMap;

pub const WIDTH: usize = 32;
pub const HEADS: usize = 4;
pub const GROUPS: usize = 2;
pub const SIZE: usize = 8;
pub const HIDDEN: usize = 64;
pub const LAYERS: usize = 2;
/// Rows of the embedding: more than there are tokens, as in many models.
pub const ROWS: usize = 48;
pub const CONTEXT: usize = 64;

pub const TEMPLATE: &str = "{% for message in messages %}{{ '<|start|>' + message['role'] + ' ' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant ' }}{% endif %}";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Llama,
    Qwen2,
}

impl Family {
    pub fn name(self) -> &'static str {
        match self {
            Family::Llama => "llama",
            Family::Qwen2 => "qwen2",
        }
    }
}

/// Tensors by the hub's names: shape and values.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

#[derive(Debug, Clone)]
pub struct Tiny {
    pub family: Family,
    pub tied: bool,
    pub tensors: Tensors,
}

/// Values are multiples of 1/64 below 2 in size, which f16 and bf16 hold exactly.
pub fn tiny(family: Family, tied: bool) -> Tiny {
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("model.embed_tokens.weight".into(), vec![ROWS, WIDTH]),
        ("model.norm.weight".into(), vec![WIDTH]),
    ];
    if !tied {
        shapes.push(("lm_head.weight".into(), vec![ROWS, WIDTH]));
    }
    let (queries, keys) = (HEADS * SIZE, GROUPS * SIZE);
    for layer in 0..LAYERS {
        let mut add = |name: &str, shape: &[usize]| {
            shapes.push((format!("model.layers.{layer}.{name}"), shape.to_vec()));
        };
        add("input_layernorm.weight", &[WIDTH]);
        add("post_attention_layernorm.weight", &[WIDTH]);
        for (name, rows) in [("q", queries), ("k", keys), ("v", keys)] {
            add(&format!("self_attn.{name}_proj.weight"), &[rows, WIDTH]);
            if family == Family::Qwen2 {
                add(&format!("self_attn.{name}_proj.bias"), &[rows]);
            }
        }
        add("self_attn.o_proj.weight", &[WIDTH, queries]);
        add("mlp.gate_proj.weight", &[HIDDEN, WIDTH]);
        add("mlp.up_proj.weight", &[HIDDEN, WIDTH]);
        add("mlp.down_proj.weight", &[WIDTH, HIDDEN]);
    }
    let tensors = shapes.into_iter().map(|(name, shape)| {
        let mut stream = Stream::new(1, &name, &[]);
        let count: usize = shape.iter().product();
        let values = (0..count).map(|_| (stream.index(255) as f32 - 127.0) / 64.0);
        let values = values.collect();
        (name, (shape, values))
    });
    Tiny {
        family,
        tied,
        tensors: tensors.collect(),
    }
}

/// Tokens by id, and their types as GGUF has them: 1 text, 3 control, 4 added by a user, 5 unused.
pub fn tokens() -> Vec<(String, i32)> {
    let mut tokens = vec![("<|end|>".to_owned(), 3), ("<|start|>".to_owned(), 3)];
    let letters = ('a'..='z').chain('0'..='9').chain(['.', 'Ġ', 'Ċ']);
    tokens.extend(letters.map(|letter| (letter.to_string(), 1)));
    tokens.extend(["th", "the", "Ġthe"].map(|word| (word.to_owned(), 1)));
    tokens.push(("<u>".to_owned(), 4));
    tokens.push(("[PAD]".to_owned(), 5));
    tokens
}

pub const MERGES: [&str; 3] = ["t h", "th e", "Ġ the"];
