//! Text to token ids and back, by the library that the model hub's own programs use.
//!
//! A description is checked before the library sees it, which trusts it: only byte-pair encoding, with the steps that
//! models of the Llama and Qwen2 families have. Does not know the model, nor chats.

use crate::base::error::{Error, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use tokenizers::tokenizer::{NormalizedString, Normalizer};

/// The steps that a description may name, by its field.
const STEPS: &[(&str, &[&str])] = &[
    (
        "normalizer",
        &[
            "Sequence", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace",
        ],
    ),
    (
        "pre_tokenizer",
        &["Sequence", "ByteLevel", "Digits", "Metaspace", "Split"],
    ),
    (
        "post_processor",
        &["Sequence", "ByteLevel", "TemplateProcessing"],
    ),
    (
        "decoder",
        &[
            "Sequence",
            "ByteLevel",
            "ByteFallback",
            "Fuse",
            "Metaspace",
            "Replace",
            "Strip",
        ],
    ),
];

/// A model's tokenizer.
pub struct Tokenizer {
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    vocabulary: usize,
    added: BTreeSet<u32>,
    special: BTreeSet<u32>,
    begin: Vec<u32>,
    /// Bytes that a text may not have: byte-level BPE without a token for them would leave them out in silence.
    missing: Vec<u8>,
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "Tokenizer({}, {} tokens)",
            self.path.display(),
            self.vocabulary
        )
    }
}

impl Tokenizer {
    /// From the text of a `tokenizer.json`.
    pub(crate) fn of_text(path: &Path, text: &[u8]) -> Result<Tokenizer> {
        let value = serde_json::from_slice(text)
            .map_err(|e| Error::damaged(path, format!("it is no JSON: {e}")))?;
        Tokenizer::of_json(path, value)
    }

    pub(crate) fn of_json(path: &Path, value: Value) -> Result<Tokenizer> {
        for (field, known) in STEPS {
            steps(path, field, &value[field], known)?;
        }
        let ids = model(path, &value["model"])?;
        let added = added(path, &value["added_tokens"], &ids)?;
        let mut inner: tokenizers::Tokenizer = serde_json::from_value(value)
            .map_err(|e| Error::damaged(path, format!("the tokenizer cannot be built: {e}")))?;
        inner.with_padding(None);
        let unset = inner.with_truncation(None).map(|_| ());
        unset.map_err(|e| Error::damaged(path, e.to_string()))?;
        let mut special = BTreeSet::new();
        for Added {
            id,
            content,
            is_special,
        } in &added
        {
            if inner.token_to_id(content) != Some(*id) {
                let what = format!(
                    "added token {content:?} has id {id}, which does not follow the others"
                );
                return Err(Error::damaged(path, what));
            }
            special.extend(is_special.then_some(*id));
        }
        let last = ids
            .values()
            .copied()
            .chain(added.iter().map(|added| added.id))
            .max();
        let mut tokenizer = Tokenizer {
            path: path.to_owned(),
            vocabulary: last.map_or(0, |last| last as usize + 1),
            missing: missing(&inner),
            inner,
            added: added.iter().map(|added| added.id).collect(),
            special,
            begin: Vec::new(),
        };
        tokenizer.begin = tokenizer.frame()?;
        Ok(tokenizer)
    }

    /// The tokens that the last step puts before a text.
    fn frame(&self) -> Result<Vec<u32>> {
        let ids = |framed| -> Result<Vec<u32>> {
            let encoding = self.inner.encode_fast("a", framed);
            Ok(encoding.map_err(|e| self.failed(&e))?.get_ids().to_vec())
        };
        let (framed, plain) = (ids(true)?, ids(false)?);
        match framed.strip_suffix(plain.as_slice()) {
            Some(begin) => Ok(begin.to_vec()),
            None => {
                let what = "its tokenizer adds tokens after each text";
                Err(Error::unsupported(&self.path, what))
            }
        }
    }

    fn failed(&self, why: &dyn fmt::Display) -> Error {
        Error::damaged(&self.path, format!("the tokenizer fails: {why}"))
    }

    /// The tokens of a text. Special tokens that stand in it as text (`<|im_end|>`) become themselves; none are added.
    ///
    /// # Errors
    /// A text with a byte that no token has.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false);
        let ids = encoding.map_err(|e| self.failed(&e))?.get_ids().to_vec();
        if !self.missing.is_empty() {
            self.check(text, &ids)?;
        }
        Ok(ids)
    }

    /// Whether the tokens of a text have all of its bytes.
    fn check(&self, text: &str, ids: &[u32]) -> Result<()> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = self.inner.get_normalizer() {
            let done = normalizer.normalize(&mut normalized);
            done.map_err(|e| self.failed(&e))?;
        }
        let text = normalized.get();
        let mut bytes = text.bytes().enumerate();
        let Some((at, byte)) = bytes.find(|(_, byte)| self.missing.contains(byte)) else {
            return Ok(());
        };
        // The byte may be part of an added token, which is written as it is; a byte of other tokens is one letter.
        let length = |&id: &u32| {
            let token = self.inner.id_to_token(id).unwrap_or_default();
            if self.added.contains(&id) {
                token.len()
            } else {
                token.chars().count()
            }
        };
        if ids.iter().map(length).sum::<usize>() == text.len() {
            return Ok(());
        }
        let what =
            format!("its tokenizer has no token for byte {byte:#04x}, which a text has at {at}");
        Err(Error::new(&self.path, what, "leave it out of the text"))
    }

    /// The text of tokens, special ones included. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// An id that is no token.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        if let Some(id) = ids.iter().find(|&&id| self.inner.id_to_token(id).is_none()) {
            let what = format!("its tokenizer has no token {id}");
            let hint = "ids come from this tokenizer, or are below its number of tokens";
            return Err(Error::new(&self.path, what, hint));
        }
        self.inner.decode(ids, false).map_err(|e| self.failed(&e))
    }

    /// A token by its text, `<|im_end|>` say.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// A token's text in the vocabulary, where a byte-level tokenizer writes a space as `Ġ`.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Whether a token is a mark and no text.
    pub fn is_special(&self, id: u32) -> bool {
        self.special.contains(&id)
    }

    /// One more than the largest id.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The tokens that begin a text which is no chat.
    pub(crate) fn begin(&self) -> &[u32] {
        &self.begin
    }

    /// The description, as `tokenizer.json` has it.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> Result<String> {
        self.inner.to_string(false).map_err(|e| self.failed(&e))
    }
}

/// Steps and the steps in them are of known types.
fn steps(path: &Path, field: &str, value: &Value, known: &[&str]) -> Result<()> {
    match value {
        Value::Null => return Ok(()),
        Value::Object(step) => {
            let kind = step
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or("without a type");
            if !known.contains(&kind) {
                let what = format!("its {field} has a step {kind}");
                return Err(Error::unsupported(path, what));
            }
            for (name, inner) in step {
                if let (
                    "normalizers" | "pretokenizers" | "processors" | "decoders",
                    Value::Array(inner),
                ) = (name.as_str(), inner)
                {
                    for step in inner {
                        steps(path, field, step, known)?;
                    }
                }
            }
        }
        _ => return Err(Error::damaged(path, format!("its {field} is no step"))),
    }
    Ok(())
}

/// Byte-pair encoding's tokens by their text.
fn model(path: &Path, model: &Value) -> Result<BTreeMap<String, u32>> {
    let damaged = |what: String| Err(Error::damaged(path, what));
    let kind = model["type"].as_str().unwrap_or("without a type");
    if kind != "BPE" {
        let what = format!("its tokenizer's model is {kind}, not BPE");
        return Err(Error::unsupported(path, what));
    }
    for part in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if model[part].as_str().is_some_and(|text| !text.is_empty()) {
            return Err(Error::unsupported(
                path,
                format!("its tokenizer has a {part}"),
            ));
        }
    }
    if model["dropout"]
        .as_f64()
        .is_some_and(|dropout| dropout != 0.0)
    {
        return Err(Error::unsupported(
            path,
            "its tokenizer drops merges at random",
        ));
    }
    let (Some(vocabulary), Some(merges)) = (model["vocab"].as_object(), model["merges"].as_array())
    else {
        return damaged("its tokenizer has no vocabulary or no merges".into());
    };
    let mut ids = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (token, id) in vocabulary {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
        match id.filter(|&id| id < u32::MAX && taken.insert(id)) {
            Some(id) => ids.insert(token.clone(), id),
            None => return damaged(format!("token {token:?} has no id of its own")),
        };
    }
    if model["unk_token"]
        .as_str()
        .is_some_and(|token| !ids.contains_key(token))
    {
        return damaged("its token for what is unknown is not in its vocabulary".into());
    }
    for merge in merges {
        let parts = match merge {
            Value::String(merge) => merge.split_once(' '),
            Value::Array(parts) if parts.len() == 2 => parts[0].as_str().zip(parts[1].as_str()),
            _ => None,
        };
        let Some((left, right)) = parts else {
            return damaged(format!("merge {merge} is no two tokens"));
        };
        let whole = format!("{left}{right}");
        if let Some(token) = [left, right, &whole]
            .into_iter()
            .find(|token| !ids.contains_key(*token))
        {
            return damaged(format!(
                "its vocabulary lacks the token {token:?} of merge {merge}"
            ));
        }
    }
    Ok(ids)
}

/// A token besides the model's, or one of them with a meaning of its own.
struct Added {
    id: u32,
    content: String,
    is_special: bool,
}

fn added(path: &Path, value: &Value, ids: &BTreeMap<String, u32>) -> Result<Vec<Added>> {
    let empty = Vec::new();
    let list = match value {
        Value::Null => &empty,
        Value::Array(list) => list,
        _ => return Err(Error::damaged(path, "its added tokens are no list")),
    };
    let mut taken = BTreeMap::new();
    list.iter()
        .map(|entry| {
            let id = entry["id"].as_u64().and_then(|id| u32::try_from(id).ok());
            let content = entry["content"]
                .as_str()
                .filter(|content| !content.is_empty());
            let (Some(id), Some(content)) = (id.filter(|&id| id < u32::MAX), content) else {
                let what = format!("added token {entry} has no id or no content");
                return Err(Error::damaged(path, what));
            };
            let other = ids.get(content).is_some_and(|&other| other != id);
            if other || taken.insert(content.to_owned(), id).is_some() {
                let what = format!("added token {content:?} has two ids");
                return Err(Error::damaged(path, what));
            }
            Ok(Added {
                id,
                content: content.to_owned(),
                is_special: entry["special"].as_bool().unwrap_or(false),
            })
        })
        .collect()
}

/// Bytes that byte-level BPE has no token for.
fn missing(inner: &tokenizers::Tokenizer) -> Vec<u8> {
    use tokenizers::PreTokenizerWrapper as Step;
    let is_byte_level = match inner.get_pre_tokenizer() {
        Some(Step::ByteLevel(_)) => true,
        Some(Step::Sequence(steps)) => {
            let steps: &[Step] = steps.as_ref();
            steps.iter().any(|step| matches!(step, Step::ByteLevel(_)))
        }
        _ => false,
    };
    if !is_byte_level {
        return Vec::new();
    }
    // Printable bytes are their own letters; the others have those from U+0100 on, in order.
    let mut next = 0x100;
    let letters = (0..=u8::MAX).map(|byte| {
        let printable = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let letter = if printable { u32::from(byte) } else { next };
        next += u32::from(!printable);
        (byte, char::from_u32(letter).map(String::from))
    });
    letters
        .filter(|(_, letter)| {
            let letter = letter.as_deref().unwrap_or_default();
            inner.token_to_id(letter).is_none()
        })
        .map(|(byte, _)| byte)
        .collect()
}
