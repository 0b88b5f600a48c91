//! What cannot be used is refused with its name.

use crate::folder::{self, Kind};
use crate::gguf::{self, Gguf, float, integer, integers, text, texts, truth};
use crate::same::of_gguf;
use crate::tiny::{Family, Tensors, Tiny, tiny};
use pretrained::{Files, load_folder, load_gguf};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

type Change = fn(&mut Gguf);

/// A change of a sound file, and what the error has.
const GGUF: &[(&str, Change)] = &[
    ("GGUF version 1", |f| f.version = 1),
    ("big-endian", |f| f.version = 3 << 24),
    ("architecture \"bert\"", |f| {
        f.set("general.architecture", text("bert"))
    }),
    ("no general.architecture", |f| {
        f.remove("general.architecture")
    }),
    ("no llama.block_count", |f| f.remove("llama.block_count")),
    ("llama.block_count should be a size", |f| {
        f.set("llama.block_count", text("2"))
    }),
    ("no tensor blk.2.", |f| {
        f.set("llama.block_count", integer(3))
    }),
    ("has tensor blk.1.", |f| {
        f.set("llama.block_count", integer(1))
    }),
    ("parameters, which", |f| {
        f.set("llama.block_count", integer(u32::MAX))
    }),
    ("by its sizes", |f| {
        f.set("llama.embedding_length", integer(64))
    }),
    ("parameters, which", |f| {
        f.set("llama.feed_forward_length", integer(u32::MAX))
    }),
    ("must divide", |f| {
        f.set("llama.attention.head_count_kv", integer(3))
    }),
    ("heads is 0", |f| {
        f.set("llama.attention.head_count", integer(0))
    }),
    ("head_size 7 is odd", |f| {
        f.set("llama.attention.key_length", integer(7))
    }),
    ("rope.dimension_count", |f| {
        f.set("llama.rope.dimension_count", integer(4))
    }),
    ("rope.scaling.type", |f| {
        f.set("llama.rope.scaling.type", text("linear"))
    }),
    ("a base above 1", |f| {
        f.set("llama.rope.freq_base", float(f32::NAN))
    }),
    ("epsilon", |f| {
        f.set("llama.attention.layer_norm_rms_epsilon", float(-1.0))
    }),
    ("states 47 tokens", |f| {
        f.set("llama.vocab_size", integer(47))
    }),
    ("expert_count", |f| f.set("llama.expert_count", integer(8))),
    ("alignment", |f| f.set("general.alignment", integer(33))),
    ("kind \"llama\"", |f| {
        f.set("tokenizer.ggml.model", text("llama"))
    }),
    ("rules called \"tekken\"", |f| {
        f.set("tokenizer.ggml.pre", text("tekken"))
    }),
    ("add_space_prefix", |f| {
        f.set("tokenizer.ggml.add_space_prefix", integer(1))
    }),
    ("a space before", |f| {
        f.set("tokenizer.ggml.add_space_prefix", truth(true))
    }),
    ("lacks the token \"hx\"", |f| {
        f.set("tokenizer.ggml.merges", texts(&["h x"]))
    }),
    ("no two parts", |f| {
        f.set("tokenizer.ggml.merges", texts(&["the"]))
    }),
    ("types of 2 tokens", |f| {
        f.set("tokenizer.ggml.token_type", integers(&[3, 3]))
    }),
    ("token 99 is to end answers", |f| {
        f.set("tokenizer.ggml.eos_token_id", integer(99))
    }),
    ("its chat template cannot be read", |f| {
        f.set("tokenizer.chat_template", text("{% for"))
    }),
    ("stored as Q4_K", |f| {
        f.tensor("blk.0.ffn_up.weight").kind = 12
    }),
    ("unknown type 99", |f| {
        f.tensor("blk.0.ffn_up.weight").kind = 99
    }),
    ("no tensor output_norm.weight", |f| {
        f.tensors.retain(|t| t.name != "output_norm.weight")
    }),
    ("has tensor blk.0.attn_q_norm.weight", |f| {
        let mut extra = f.tensor("blk.0.attn_norm.weight").clone();
        extra.name = "blk.0.attn_q_norm.weight".into();
        f.tensors.push(extra);
    }),
    ("scales its rotary", |f| {
        f.tensor("blk.0.attn_v.weight").name = "rope_freqs.weight".into()
    }),
    ("is [16, 16]", |f| {
        f.tensor("blk.0.attn_v.weight").sizes = vec![16, 16]
    }),
    ("which F32 cannot have", |f| {
        f.tensor("blk.0.attn_v.weight").sizes = vec![1 << 40, 1 << 40]
    }),
    ("which Q8_0 cannot have", |f| {
        let tensor = f.tensor("blk.0.attn_v.weight");
        (tensor.kind, tensor.sizes) = (8, vec![16, 32]);
    }),
    ("ends before the end", |f| {
        f.tensor("token_embd.weight").sizes = vec![32, 1 << 30]
    }),
    ("output_norm.weight has NaN at index 5", |f| {
        f.tensor("output_norm.weight").data[20..24].copy_from_slice(&f32::NAN.to_le_bytes());
    }),
    ("blk.1.attn_q.weight has inf", |f| {
        f.tensor("blk.1.attn_q.weight").data[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    }),
];

#[test]
fn gguf_files() {
    for (expected, change) in GGUF {
        let mut file = gguf::of(&tiny(Family::Llama, true));
        change(&mut file);
        let error = of_gguf(&file).expect_err(expected);
        assert!(error.what.contains(expected), "{expected}: {error}");
        assert_eq!(error.path, "tiny.gguf");
    }
}

#[test]
fn a_table_smaller_than_the_vocabulary() {
    let mut file = gguf::of(&tiny(Family::Llama, true));
    let tensor = file.tensor("token_embd.weight");
    tensor.sizes = vec![32, 40];
    tensor.data.truncate(32 * 40 * 4);
    let error = of_gguf(&file).expect_err("too small");
    assert!(
        error.what.contains("46 tokens") && error.what.contains("40 rows"),
        "{error}"
    );
}

#[test]
fn files_of_another_kind_or_none() {
    let temp = TempDir::new().expect("a folder");
    let missing = temp.path().join("missing.gguf");
    let error = load_gguf(&missing).expect_err("missing");
    assert!(
        error.what.starts_with("cannot be read") && error.hint.contains("get the file"),
        "{error}"
    );
    std::fs::write(&missing, b"PK\x03\x04 and so on").expect("written");
    let error = load_gguf(&missing).expect_err("foreign");
    assert_eq!(error.what, "it is no GGUF file");
    let error = Files::find(temp.path()).expect_err("empty");
    assert_eq!(error.what, "it has no file model.safetensors");
}

/// A folder with one file changed: its name, how, and what the error has.
fn refused(model: &Tiny, name: &str, change: impl Fn(&mut Value), expected: &str) {
    let temp = TempDir::new().expect("a folder");
    let files = folder::write(temp.path(), model, Kind::F32);
    let path = temp.path().join(name);
    let bytes = std::fs::read(&path).expect("read");
    let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut value);
    folder::put(temp.path(), name, &value);
    let error = load_folder(&files).expect_err(expected);
    assert!(error.what.contains(expected), "{expected}: {error}");
    assert!(
        error.path.ends_with(".json") || error.path.ends_with(".safetensors"),
        "{error}"
    );
}

#[test]
fn configurations() {
    let model = tiny(Family::Qwen2, true);
    let cases = [
        ("model_type", json!("gemma2"), "model_type \"gemma2\""),
        ("model_type", Value::Null, "no model_type"),
        (
            "architectures",
            json!(["Qwen2ForSequenceClassification"]),
            "architectures",
        ),
        (
            "rope_scaling",
            json!({"type": "linear", "factor": 2.0}),
            "rope_scaling",
        ),
        (
            "rope_parameters",
            json!({"rope_type": "yarn"}),
            "rope_parameters",
        ),
        ("use_sliding_window", json!(true), "use_sliding_window"),
        (
            "layer_types",
            json!(["full_attention", "sliding_attention"]),
            "sliding_attention",
        ),
        ("hidden_act", json!("gelu"), "hidden_act"),
        (
            "quantization_config",
            json!({"bits": 4}),
            "quantization_config",
        ),
        ("hidden_size", json!(33), "by "),
        ("hidden_size", json!("32"), "hidden_size is \"32\""),
        ("num_hidden_layers", Value::Null, "no num_hidden_layers"),
        ("num_hidden_layers", json!(1), "model.layers.1"),
        ("num_hidden_layers", json!(3), "no tensor model.layers.2"),
        ("num_hidden_layers", json!(u64::MAX), "it states"),
        ("vocab_size", json!(u32::MAX), "it states"),
        ("num_key_value_heads", json!(3), "must divide"),
        ("head_dim", json!(16), "by "),
        (
            "tie_word_embeddings",
            json!(false),
            "no tensor lm_head.weight",
        ),
        ("eos_token_id", json!([0, "x"]), "eos_token_id"),
        ("eos_token_id", json!(4000), "token 4000 is to end answers"),
        (
            "max_position_embeddings",
            json!(-1),
            "max_position_embeddings is -1",
        ),
    ];
    for (key, value, expected) in cases {
        refused(
            &model,
            "config.json",
            |config| config[key] = value.clone(),
            expected,
        );
    }
    let defaults = json!({"rope_type": "default", "rope_theta": 1000.0});
    let temp = TempDir::new().expect("a folder");
    let files = folder::write(temp.path(), &model, Kind::F32);
    let mut config = folder::config(&model);
    config["rope_parameters"] = defaults;
    config["rope_theta"] = Value::Null;
    folder::put(temp.path(), "config.json", &config);
    let loaded = load_folder(&files).expect("the newer way to say the same");
    assert_eq!(loaded.config.attention.rope, Some(1000.0));
}

#[test]
fn tokenizers() {
    let model = tiny(Family::Llama, true);
    type Change = fn(&mut Value);
    let cases: &[(&str, Change)] = &[
        ("model is Unigram", |t| {
            t["model"]["type"] = json!("Unigram")
        }),
        ("a step BertNormalizer", |t| {
            t["normalizer"] = json!({"type": "BertNormalizer"})
        }),
        ("a step Whitespace", |t| {
            t["pre_tokenizer"]["pretokenizers"][0]["type"] = json!("Whitespace")
        }),
        ("lacks the token \"th\"", |t| {
            t["model"]["vocab"]
                .as_object_mut()
                .expect("a map")
                .remove("th");
        }),
        ("has no id of its own", |t| {
            t["model"]["vocab"]["a"] = json!(3)
        }),
        ("continuing_subword_prefix", |t| {
            t["model"]["continuing_subword_prefix"] = json!("##")
        }),
        ("drops merges", |t| t["model"]["dropout"] = json!(0.1)),
        ("has two ids", |t| t["added_tokens"][0]["id"] = json!(7)),
        ("does not follow", |t| {
            t["added_tokens"][0]["content"] = json!("<new>");
            t["added_tokens"][0]["id"] = json!(60);
        }),
        ("tokens, the model's embedding 48 rows", |t| {
            t["model"]["vocab"]["zz"] = json!(48)
        }),
        ("unknown", |t| t["model"]["unk_token"] = json!("<unk>")),
        ("no vocabulary", |t| t["model"] = json!({"type": "BPE"})),
    ];
    for (expected, change) in cases {
        refused(&model, "tokenizer.json", change, expected);
    }
    let end = |config: &mut Value| config["eos_token"] = json!("<|none|>");
    refused(
        &model,
        "tokenizer_config.json",
        end,
        "\"<|none|>\" is not in the tokenizer",
    );
}

/// Files of weights that do not fit the rest.
#[test]
fn weights() {
    let model = tiny(Family::Llama, true);
    let with = |tensors: &Tensors, expected: &str| {
        let temp = TempDir::new().expect("a folder");
        let files = folder::write(temp.path(), &model, Kind::F32);
        let bytes = folder::safetensors(tensors, Kind::F32);
        std::fs::write(&files.weights[0], bytes).expect("written");
        match load_folder(&files) {
            Err(error) => assert!(error.to_string().contains(expected), "{expected}: {error}"),
            Ok(_) => assert_eq!(expected, ""),
        }
    };
    let embedding = "model.embed_tokens.weight";
    let mut tensors = model.tensors.clone();
    tensors.remove("model.norm.weight");
    with(&tensors, "there is no tensor model.norm.weight");
    let mut tensors = model.tensors.clone();
    tensors.insert("model.extra.weight".into(), (vec![1], vec![0.0]));
    with(&tensors, "has tensor model.extra.weight");
    let mut tensors = model.tensors.clone();
    tensors.insert(
        "model.layers.0.self_attn.rotary_emb.inv_freq".into(),
        (vec![1], vec![0.0]),
    );
    with(&tensors, "");
    let mut tensors = model.tensors.clone();
    tensors.get_mut(embedding).expect("there").1[33] = f32::NEG_INFINITY;
    with(&tensors, "model.embed_tokens.weight has -inf at index 33");
    // A tied output that is stored all the same: if it is the embedding.
    let mut tensors = model.tensors.clone();
    let mut head = tensors[embedding].clone();
    tensors.insert("lm_head.weight".into(), head.clone());
    with(&tensors, "");
    head.1[0] += 1.0;
    tensors.insert("lm_head.weight".into(), head);
    with(&tensors, "lm_head.weight of its own");
}

#[test]
fn types_of_values() {
    let model = tiny(Family::Llama, true);
    let temp = TempDir::new().expect("a folder");
    let files = folder::write(temp.path(), &model, Kind::F32);
    let bytes = folder::safetensors(&model.tensors, Kind::F32);
    let at = bytes.windows(5).position(|five| five == b"\"F32\"");
    let at = at.expect("a type");
    let mut other = bytes.clone();
    other[at..at + 5].copy_from_slice(b"\"I32\"");
    std::fs::write(&files.weights[0], other).expect("written");
    let error = load_folder(&files).expect_err("no integers");
    assert!(
        error.what.contains("stored as I32") && error.hint.contains("BF16"),
        "{error}"
    );
}

#[test]
fn indexes() {
    let model = tiny(Family::Llama, true);
    let temp = TempDir::new().expect("a folder");
    folder::write(temp.path(), &model, Kind::F32);
    let files = folder::split(temp.path(), &model);
    let index = files.index.clone().expect("an index");
    let sound: Value = serde_json::from_slice(&std::fs::read(&index).expect("read")).expect("JSON");
    let change = |change: &dyn Fn(&mut Value), expected: &str, files: &Files| {
        let mut value = sound.clone();
        change(&mut value);
        std::fs::write(&index, value.to_string()).expect("written");
        let error = load_folder(files).expect_err(expected);
        assert!(error.what.contains(expected), "{expected}: {error}");
    };
    let map = "weight_map";
    let name = "model.norm.weight";
    let (first, second) = (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    );
    change(&|v| v[map] = Value::Null, "no weight_map", &files);
    change(
        &|v| v[map][name] = json!(first),
        "which the index has in",
        &files,
    );
    change(
        &|v| v[map][name] = json!("model-3.safetensors"),
        "names model-3.safetensors",
        &files,
    );
    change(
        &|v| v[map][name] = json!(7),
        "is in 7, which is no file",
        &files,
    );
    let mut fewer = files.clone();
    fewer.weights.pop();
    change(&|_| (), second, &fewer);
    fewer.weights.clear();
    fewer.index = None;
    change(&|_| (), "there are no weights", &fewer);
    let mut twice = files.clone();
    twice.index = None;
    twice.weights.push(twice.weights[0].clone());
    change(&|_| (), "in another file too", &twice);
    let mut value = sound.clone();
    value[map][name] = json!("../elsewhere.safetensors");
    std::fs::write(&index, value.to_string()).expect("written");
    let error = Files::find(temp.path()).expect_err("outside");
    assert!(error.what.contains("no file beside it"), "{error}");
    assert!(Path::new(&error.path).ends_with("model.safetensors.index.json"));
}
