//! A Llama or Qwen2 model's sizes from the header, and its tensors under the names and in the order of the model hub.
//!
//! The converter to GGUF turns the rows of Llama's Q and K, so that rotary positions turn neighbours; here they are
//! turned back. Qwen2's are as they were. Does not know tokenizers.

use crate::base::error::{Error, Result};
use crate::gguf::file::StoredTensor;
use crate::gguf::header::Header;
use crate::model::loaded::{finite, layout, shape};
use std::collections::BTreeSet;
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};
use tuning::transformer::model::layout::{Role, Tensor};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Llama,
    Qwen2,
}

/// # Errors
/// Another family, an ingredient that the transformer lacks, or a size that is missing.
fn config(header: &Header<'_>) -> Result<(Family, Config, usize)> {
    let path = header.path;
    let (family, prefix) = match header.needed_text("general.architecture")? {
        "llama" => (Family::Llama, "llama"),
        "qwen2" => (Family::Qwen2, "qwen2"),
        other => {
            let what = format!("it is a model of architecture {other:?}");
            return Err(Error::unsupported(path, what));
        }
    };
    let key = |part: &str| format!("{prefix}.{part}");
    let unsupported = |part: &str| Err(Error::unsupported(path, format!("it has {}", key(part))));
    for part in ["attention.sliding_window", "expert_count"] {
        if header.size(&key(part))?.is_some_and(|size| size > 0) {
            return unsupported(part);
        }
    }
    let scaling = "rope.scaling.type";
    if header
        .text(&key(scaling))?
        .is_some_and(|kind| kind != "none")
    {
        return unsupported(scaling);
    }
    let has = |tensor: &str| header.file.tensors.contains_key(tensor);
    if has("rope_freqs.weight") {
        let what = "it scales its rotary positions (tensor rope_freqs.weight)";
        return Err(Error::unsupported(path, what));
    }
    let width = header.needed_size(&key("embedding_length"))?;
    let heads = header.needed_size(&key("attention.head_count"))?;
    let groups = header
        .size(&key("attention.head_count_kv"))?
        .unwrap_or(heads);
    let size = match header.size(&key("attention.key_length"))? {
        Some(size) => size,
        None => width.checked_div(heads).unwrap_or(0),
    };
    for part in ["attention.value_length", "rope.dimension_count"] {
        if header.size(&key(part))?.is_some_and(|other| other != size) {
            return unsupported(part);
        }
    }
    let Some(table) = header.file.tensors.get("token_embd.weight") else {
        return Err(Error::damaged(path, "it has no tensor token_embd.weight"));
    };
    let vocabulary = table.shape[0];
    if let Some(stated) = header.size(&key("vocab_size"))?
        && stated != vocabulary
    {
        let what = format!("it states {stated} tokens and has embeddings of {vocabulary}");
        return Err(Error::damaged(path, what));
    }
    let config = Config {
        input: Input::Embedding { vocabulary },
        width,
        layers: header.needed_size(&key("block_count"))?,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads,
            key_value_heads: groups,
            head_size: size,
            bias: has("blk.0.attn_q.bias"),
            output: HeadOutput::Projection {
                bias: has("blk.0.attn_output.bias"),
            },
            rope: Some(header.number(&key("rope.freq_base"))?.unwrap_or(10000.0)),
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: header.needed_number(&key("attention.layer_norm_rms_epsilon"))?,
        }),
        mlp: Some(Mlp {
            activation: Activation::SwiGlu,
            hidden: header.needed_size(&key("feed_forward_length"))?,
            bias: has("blk.0.ffn_up.bias"),
        }),
        output: match has("output.weight") {
            true => Output::Separate { size: vocabulary },
            false => Output::Tied,
        },
    };
    let context = header.needed_size(&key("context_length"))?;
    Ok((family, config, context))
}

/// Configuration, context and all parameters.
///
/// # Errors
/// As [`config`]; tensors that are missing, left over, of another shape, or not finite.
pub(crate) fn read(header: &Header<'_>, bytes: usize) -> Result<(Config, usize, Vec<f32>)> {
    let path = header.path;
    let (family, config, context) = config(header)?;
    let layout = layout(path, &config, bytes as u64)?;
    let mut left: BTreeSet<&str> = header.file.tensors.keys().copied().collect();
    let mut found = Vec::new();
    for tensor in layout.tensors() {
        let name = name(tensor);
        let Some(stored) = header.file.tensors.get(name.as_str()) else {
            return Err(Error::damaged(path, format!("it has no tensor {name}")));
        };
        left.remove(name.as_str());
        let expected = shape(tensor);
        if stored.shape != expected {
            let what = format!(
                "tensor {name} is {:?}, by its sizes {expected:?}",
                stored.shape
            );
            return Err(Error::damaged(path, what));
        }
        found.push((tensor, name, stored));
    }
    if let Some(name) = left.first() {
        let what = format!("it has tensor {name}, which such a model does not have");
        return Err(Error::unsupported(path, what));
    }
    let mut parameters = Vec::with_capacity(layout.len());
    for (tensor, name, stored) in found {
        let start = parameters.len();
        let heads = match (family, tensor.role) {
            (Family::Llama, Role::Query) => Some(config.attention.heads),
            (Family::Llama, Role::Key) => Some(config.attention.key_value_heads),
            _ => None,
        };
        match heads {
            None => stored.stored.read(stored.data, &mut parameters),
            Some(heads) => turn_back(stored, heads, &mut parameters),
        }
        finite(path, &name, &parameters[start..])?;
    }
    Ok((config, context, parameters))
}

/// Rows of a head in GGUF: the first of the lower half, the first of the upper, the second of the lower, ...
fn turn_back(stored: &StoredTensor<'_>, heads: usize, into: &mut Vec<f32>) {
    let mut values = Vec::new();
    stored.stored.read(stored.data, &mut values);
    let rows = stored.shape[0];
    let (columns, size) = (values.len() / rows, rows / heads);
    for head in 0..heads {
        for row in 0..size {
            let (half, pair) = (row / (size / 2), row % (size / 2));
            let from = head * size + 2 * pair + half;
            into.extend_from_slice(&values[from * columns..(from + 1) * columns]);
        }
    }
}

/// A tensor's name in GGUF.
fn name(tensor: &Tensor) -> String {
    let Some(layer) = tensor.layer else {
        let name = match tensor.role {
            Role::Embedding => "token_embd.weight",
            Role::Norm => "output_norm.weight",
            _ => "output.weight",
        };
        return name.to_owned();
    };
    let prefix = format!("model.layers.{layer}.");
    let part = tensor.name.strip_prefix(&prefix).unwrap_or(&tensor.name);
    let (part, end) = part.rsplit_once('.').unwrap_or((part, "weight"));
    let part = match part {
        "input_layernorm" => "attn_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "post_attention_layernorm" => "ffn_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        other => other,
    };
    format!("blk.{layer}.{part}.{end}")
}
