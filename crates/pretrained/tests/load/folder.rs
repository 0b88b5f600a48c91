//! Writes folders as the model hub lays them out.

use crate::tiny::{
    CONTEXT, GROUPS, HEADS, HIDDEN, LAYERS, MERGES, ROWS, TEMPLATE, Tensors, Tiny, WIDTH, tokens,
};
use pretrained::Files;
use serde_json::{Value, json};
use std::path::Path;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    F32,
    F16,
    Bf16,
}

/// Of a value that the kind holds exactly; such a small normal number, or 0.
fn bytes(kind: Kind, value: f32) -> Vec<u8> {
    let bits = value.to_bits();
    match kind {
        Kind::F32 => value.to_le_bytes().to_vec(),
        Kind::Bf16 => ((bits >> 16) as u16).to_le_bytes().to_vec(),
        Kind::F16 if value == 0.0 => ((bits >> 16) as u16).to_le_bytes().to_vec(),
        Kind::F16 => {
            let exponent = ((bits >> 23) & 0xff) + 15 - 127;
            let half = (bits >> 31) << 15 | exponent << 10 | (bits >> 13) & 0x3ff;
            (half as u16).to_le_bytes().to_vec()
        }
    }
}

pub fn safetensors(tensors: &Tensors, kind: Kind) -> Vec<u8> {
    let dtype = match kind {
        Kind::F32 => "F32",
        Kind::F16 => "F16",
        Kind::Bf16 => "BF16",
    };
    let mut data = Vec::new();
    let mut header = serde_json::Map::new();
    for (name, (shape, values)) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|&value| bytes(kind, value)));
        let offsets = [start, data.len()];
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert(name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    let length = (header.len() as u64).to_le_bytes();
    [length.as_slice(), header.as_bytes(), &data].concat()
}

pub fn config(model: &Tiny) -> Value {
    json!({
        "architectures": [match model.family.name() { "llama" => "LlamaForCausalLM", _ => "Qwen2ForCausalLM" }],
        "model_type": model.family.name(),
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": GROUPS,
        "rms_norm_eps": 1e-5f32,
        "rope_theta": 1000.0,
        "rope_scaling": null,
        "hidden_act": "silu",
        "vocab_size": ROWS,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": model.tied,
        "use_sliding_window": false,
        "eos_token_id": 0,
    })
}

pub fn tokenizer() -> Value {
    let tokens = tokens();
    let vocabulary: serde_json::Map<String, Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, (token, _))| (token.clone(), json!(id)))
        .collect();
    let added = tokens
        .iter()
        .enumerate()
        .filter(|(_, (_, kind))| matches!(kind, 3 | 4));
    let added: Vec<Value> = added
        .map(|(id, (token, kind))| {
            json!({"id": id, "content": token, "special": *kind == 3, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false})
        })
        .collect();
    let merges: Vec<Vec<&str>> = MERGES
        .iter()
        .map(|merge| merge.split(' ').collect())
        .collect();
    let level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let digits = json!({"type": "Digits", "individual_digits": true});
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, level]},
        "post_processor": null,
        "decoder": level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    })
}

pub fn tokenizer_config() -> Value {
    json!({
        "bos_token": {"content": "<|start|>", "lstrip": false},
        "eos_token": "<|end|>",
        "chat_template": TEMPLATE,
    })
}

/// A sound folder, the weights in one file.
pub fn write(folder: &Path, model: &Tiny, kind: Kind) -> Files {
    put(folder, "config.json", &config(model));
    put(folder, "tokenizer.json", &tokenizer());
    put(folder, "tokenizer_config.json", &tokenizer_config());
    let weights = safetensors(&model.tensors, kind);
    std::fs::write(folder.join("model.safetensors"), weights).expect("written");
    Files::find(folder).expect("all files are there")
}

pub fn put(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), value.to_string()).expect("written");
}

/// The weights in two files with an index, in place of the one.
pub fn split(folder: &Path, model: &Tiny) -> Files {
    let half = model.tensors.len() / 2;
    let mut map = serde_json::Map::new();
    for part in 0..2 {
        let file = format!("model-0000{}-of-00002.safetensors", part + 1);
        let tensors = model.tensors.iter().skip(part * half);
        let count = if part == 0 { half } else { usize::MAX };
        let tensors: Tensors = tensors
            .take(count)
            .map(|(n, t)| (n.clone(), t.clone()))
            .collect();
        map.extend(tensors.keys().map(|name| (name.clone(), json!(file))));
        std::fs::write(folder.join(&file), safetensors(&tensors, Kind::F32)).expect("written");
    }
    let _ = std::fs::remove_file(folder.join("model.safetensors"));
    put(
        folder,
        "model.safetensors.index.json",
        &json!({"metadata": {}, "weight_map": map}),
    );
    Files::find(folder).expect("all files are there")
}
