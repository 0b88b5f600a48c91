//! A GGUF header's tokenizer, written as the `tokenizer.json` that the same model has on the hub.
//!
//! Byte-level BPE only (`gpt2` in GGUF): tokens, merges, types of tokens, and by name how a text is cut into words first.
//! Does not know weights.

use crate::base::error::{Error, Result};
use crate::gguf::header::Header;
use serde_json::{Map, Value, json};

/// Types of tokens, as GGUF numbers them.
const NORMAL: i64 = 1;
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const UNUSED: i64 = 5;

/// Contractions, then letters, numbers, and the rest, each with the space before it.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// The same with up to three digits together, and line ends kept with what they end.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with each digit alone.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The JSON, in the form of the `tokenizers` library.
///
/// # Errors
/// Another kind of tokenizer, or lists that contradict each other.
pub(crate) fn tokenizer(header: &Header<'_>) -> Result<Value> {
    let path = header.path;
    let damaged = |what: String| Err(Error::damaged(path, what));
    let model = header.needed_text("tokenizer.ggml.model")?;
    if model != "gpt2" {
        let what = format!("it has a tokenizer of kind {model:?}, not byte-level BPE (gpt2)");
        return Err(Error::unsupported(path, what));
    }
    if header.truth("tokenizer.ggml.add_space_prefix")? == Some(true)
        || header.truth("tokenizer.ggml.add_eos_token")? == Some(true)
    {
        let what = "its tokenizer adds a space before, or a token after each text";
        return Err(Error::unsupported(path, what));
    }
    let tokens = header.needed_texts("tokenizer.ggml.tokens")?;
    let types = header.integers("tokenizer.ggml.token_type")?;
    if let Some(types) = types
        && types.len() != tokens.len()
    {
        let (count, of) = (types.len(), tokens.len());
        return damaged(format!("it has types of {count} tokens, and {of} tokens"));
    }
    let mut vocabulary = Map::new();
    let mut added = Vec::new();
    for (id, &token) in tokens.iter().enumerate() {
        if vocabulary.insert(token.to_owned(), json!(id)).is_some() {
            return damaged(format!("it has the token {token:?} twice"));
        }
        let kind = types.map_or(NORMAL, |types| types[id]);
        match kind {
            NORMAL | UNUSED => {}
            UNKNOWN | CONTROL | USER_DEFINED => {
                let special = kind != USER_DEFINED;
                added.push(added_token(id, token, special));
            }
            _ => return damaged(format!("token {token:?} has the type {kind}")),
        }
    }
    let mut merges = Vec::new();
    for merge in header.needed_texts("tokenizer.ggml.merges")? {
        match merge.split_once(' ') {
            Some((left, right)) => merges.push(json!([left, right])),
            None => return damaged(format!("merge {merge:?} is no two parts")),
        }
    }
    let (normalizer, cut, ignore_merges) = cut(header)?;
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": cut},
        "post_processor": begin(header, tokens)?,
        "decoder": byte_level(false),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": ignore_merges,
            "vocab": vocabulary,
            "merges": merges,
        },
    }))
}

fn added_token(id: usize, token: &str, special: bool) -> Value {
    json!({
        "id": id,
        "content": token,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": false,
        "special": special,
    })
}

fn byte_level(use_regex: bool) -> Value {
    json!({
        "type": "ByteLevel",
        "add_prefix_space": false,
        "trim_offsets": true,
        "use_regex": use_regex,
    })
}

/// How a text is normalised and cut into words, and whether a word that is a token needs no merges.
fn cut(header: &Header<'_>) -> Result<(Value, Vec<Value>, bool)> {
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    let none = Value::Null;
    Ok(match header.needed_text("tokenizer.ggml.pre")? {
        "gpt-2" => (none, vec![byte_level(true)], false),
        "smollm" => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            (none, vec![digits, byte_level(true)], false)
        }
        "llama-bpe" | "llama3" | "llama-v3" => (none, vec![split(LLAMA3), byte_level(false)], true),
        "qwen2" => {
            let normalizer = json!({"type": "NFC"});
            (normalizer, vec![split(QWEN2), byte_level(false)], false)
        }
        // What llama.cpp does for models whose tokenizer its converter did not know.
        "default" => {
            let punctuation = r"[\p{P}\$\+<=>\^~\|]+";
            let steps = [punctuation, GPT2, r"\p{N}+", "[0-9][0-9][0-9]"];
            let mut steps: Vec<Value> = steps.map(split).into();
            steps.push(byte_level(false));
            (none, steps, false)
        }
        other => {
            let what = format!("its tokenizer cuts words by rules called {other:?}");
            let hint = "known are gpt-2, smollm, llama-bpe, qwen2 and default";
            return Err(Error::new(header.path, what, hint));
        }
    })
}

/// The step after, which puts the first token before each text where the file asks for it.
fn begin(header: &Header<'_>, tokens: &[&str]) -> Result<Value> {
    if header.truth("tokenizer.ggml.add_bos_token")? != Some(true) {
        return Ok(byte_level(true));
    }
    let id = header.token("tokenizer.ggml.bos_token_id")?;
    let Some((id, token)) = id.and_then(|id| Some((id, *tokens.get(id as usize)?))) else {
        let what = "its tokenizer adds a first token, but names none";
        return Err(Error::damaged(header.path, what));
    };
    let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let first = json!({"SpecialToken": {"id": token, "type_id": 0}});
    Ok(json!({
        "type": "TemplateProcessing",
        "single": [first, sequence("A")],
        "pair": [first, sequence("A"), first, sequence("B")],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    }))
}
