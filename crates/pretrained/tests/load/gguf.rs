//! Writes GGUF files, sound ones and others.

use crate::tiny::{
    CONTEXT, Family, GROUPS, HEADS, HIDDEN, LAYERS, MERGES, SIZE, TEMPLATE, Tiny, WIDTH, tokens,
};

/// Numbers of types of values.
const U32: u32 = 4;
const F32: u32 = 6;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const I32: u32 = 5;

#[derive(Debug, Clone)]
pub struct Tensor {
    pub name: String,
    /// The first runs fastest.
    pub sizes: Vec<u64>,
    pub kind: u32,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Gguf {
    pub version: u32,
    /// Keys, and values with their types before them.
    pub values: Vec<(String, Vec<u8>)>,
    pub tensors: Vec<Tensor>,
}

fn string(text: &str) -> Vec<u8> {
    let length = (text.len() as u64).to_le_bytes();
    [length.as_slice(), text.as_bytes()].concat()
}

pub fn text(value: &str) -> Vec<u8> {
    [STRING.to_le_bytes().as_slice(), &string(value)].concat()
}

pub fn integer(value: u32) -> Vec<u8> {
    [U32.to_le_bytes(), value.to_le_bytes()].concat()
}

pub fn float(value: f32) -> Vec<u8> {
    [F32.to_le_bytes(), value.to_le_bytes()].concat()
}

pub fn truth(value: bool) -> Vec<u8> {
    [BOOL.to_le_bytes().as_slice(), &[u8::from(value)]].concat()
}

fn array(kind: u32, elements: &[Vec<u8>]) -> Vec<u8> {
    let count = (elements.len() as u64).to_le_bytes();
    let head = [ARRAY.to_le_bytes(), kind.to_le_bytes()].concat();
    [head.as_slice(), &count, &elements.concat()].concat()
}

pub fn texts(values: &[&str]) -> Vec<u8> {
    let elements: Vec<Vec<u8>> = values.iter().map(|text| string(text)).collect();
    array(STRING, &elements)
}

pub fn integers(values: &[i32]) -> Vec<u8> {
    let elements: Vec<Vec<u8>> = values.iter().map(|x| x.to_le_bytes().to_vec()).collect();
    array(I32, &elements)
}

/// GGUF's name of a tensor of the hub.
fn name(hub: &str) -> String {
    let pairs = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers.", "blk."),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    pairs
        .iter()
        .fold(hub.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// What the converter does to Llama's Q and K: of each head, rows (half, pair) become (pair, half).
fn turned(values: &[f32], heads: usize) -> Vec<f32> {
    let columns = values.len() / (heads * SIZE);
    let mut turned = Vec::new();
    for head in 0..heads {
        for pair in 0..SIZE / 2 {
            for half in 0..2 {
                let row = head * SIZE + half * (SIZE / 2) + pair;
                turned.extend_from_slice(&values[row * columns..(row + 1) * columns]);
            }
        }
    }
    turned
}

pub fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A sound file of the model, all of its tensors f32.
pub fn of(model: &Tiny) -> Gguf {
    let family = model.family.name();
    let key = |part: &str| format!("{family}.{part}");
    let tokens = tokens();
    let (words, types): (Vec<&str>, Vec<i32>) = tokens
        .iter()
        .map(|(word, kind)| (word.as_str(), *kind))
        .unzip();
    let values = vec![
        ("general.architecture".into(), text(family)),
        ("general.name".into(), text("Tiny")),
        ("general.license".into(), text("mit")),
        (key("block_count"), integer(LAYERS as u32)),
        (key("context_length"), integer(CONTEXT as u32)),
        (key("embedding_length"), integer(WIDTH as u32)),
        (key("feed_forward_length"), integer(HIDDEN as u32)),
        (key("attention.head_count"), integer(HEADS as u32)),
        (key("attention.head_count_kv"), integer(GROUPS as u32)),
        (key("rope.freq_base"), float(1000.0)),
        (key("attention.layer_norm_rms_epsilon"), float(1e-5)),
        ("tokenizer.ggml.model".into(), text("gpt2")),
        ("tokenizer.ggml.pre".into(), text("smollm")),
        ("tokenizer.ggml.tokens".into(), texts(&words)),
        ("tokenizer.ggml.token_type".into(), integers(&types)),
        ("tokenizer.ggml.merges".into(), texts(&MERGES)),
        ("tokenizer.ggml.bos_token_id".into(), integer(1)),
        ("tokenizer.ggml.eos_token_id".into(), integer(0)),
        ("tokenizer.ggml.add_bos_token".into(), truth(false)),
        ("tokenizer.chat_template".into(), text(TEMPLATE)),
    ];
    let tensors = model.tensors.iter().map(|(hub, (shape, values))| {
        let heads = match (model.family, hub) {
            (Family::Llama, hub) if hub.contains("q_proj") => Some(HEADS),
            (Family::Llama, hub) if hub.contains("k_proj") => Some(GROUPS),
            _ => None,
        };
        let values = heads.map_or(values.clone(), |heads| turned(values, heads));
        Tensor {
            name: name(hub),
            sizes: shape.iter().rev().map(|&size| size as u64).collect(),
            kind: 0,
            data: f32s(&values),
        }
    });
    Gguf {
        version: 3,
        values,
        tensors: tensors.collect(),
    }
}

impl Gguf {
    pub fn set(&mut self, key: &str, value: Vec<u8>) {
        self.values.retain(|(other, _)| other != key);
        self.values.push((key.to_owned(), value));
    }

    pub fn remove(&mut self, key: &str) {
        let before = self.values.len();
        self.values.retain(|(other, _)| other != key);
        assert_eq!(self.values.len() + 1, before, "{key} was there");
    }

    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        let tensor = self.tensors.iter_mut().find(|tensor| tensor.name == name);
        tensor.unwrap_or_else(|| panic!("no tensor {name}"))
    }

    /// Nothing follows the last tensor, so every cut takes something.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.values.len() as u64).to_le_bytes());
        for (key, value) in &self.values {
            bytes.extend(string(key));
            bytes.extend(value);
        }
        let mut offset = 0u64;
        for tensor in &self.tensors {
            bytes.extend(string(&tensor.name));
            bytes.extend((tensor.sizes.len() as u32).to_le_bytes());
            bytes.extend(tensor.sizes.iter().flat_map(|size| size.to_le_bytes()));
            bytes.extend(tensor.kind.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            offset = (offset + tensor.data.len() as u64).next_multiple_of(32);
        }
        for tensor in &self.tensors {
            bytes.resize(bytes.len().next_multiple_of(32), 0);
            bytes.extend(&tensor.data);
        }
        bytes
    }
}
