//! `config.json` of a Llama or Qwen2 model as a configuration of the transformer.
//!
//! Defaults are those of the `transformers` library. What would change the result and is not in the transformer is
//! refused by name. Does not know weights.

use crate::base::error::{Error, Result};
use serde_json::Value;
use std::path::Path;
use tuning::transformer::model::config::{
    Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
};

/// Configuration, and tokens of context.
///
/// # Errors
/// Another family, a size that is missing, an ingredient that the transformer lacks.
pub(crate) fn read(path: &Path, settings: &Value) -> Result<(Config, usize)> {
    let settings = Settings { path, settings };
    let (biased, class) = match settings.text("model_type")? {
        Some("llama") => (settings.truth("attention_bias")?, "LlamaForCausalLM"),
        Some("qwen2") => (true, "Qwen2ForCausalLM"),
        Some(other) => return settings.refused(&format!("model_type {other:?}")),
        None => return Err(Error::damaged(path, "it has no model_type")),
    };
    let is_llama = class == "LlamaForCausalLM";
    if let Some(list) = settings.value("architectures").and_then(Value::as_array)
        && !list.iter().any(|name| name == class)
    {
        return settings.refused(&format!("architectures {list:?}"));
    }
    if settings.truth("use_sliding_window")? {
        return settings.refused("use_sliding_window");
    }
    if let Some(kinds) = settings.value("layer_types").and_then(Value::as_array)
        && let Some(kind) = kinds.iter().find(|kind| *kind != "full_attention")
    {
        return settings.refused(&format!("layer_types with {kind}"));
    }
    if settings.value("quantization_config").is_some() {
        return settings.refused("quantization_config");
    }
    match settings.text("hidden_act")? {
        Some("silu") | None => {}
        Some(other) => return settings.refused(&format!("hidden_act {other:?}")),
    }
    let base = rope(&settings)?;
    let width = settings.needed("hidden_size")?;
    let heads = settings.needed("num_attention_heads")?;
    let size = match settings.size("head_dim")? {
        Some(size) => size,
        None => width.checked_div(heads).unwrap_or(0),
    };
    let vocabulary = settings.needed("vocab_size")?;
    let config = Config {
        input: Input::Embedding { vocabulary },
        width,
        layers: settings.needed("num_hidden_layers")?,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads,
            key_value_heads: settings.size("num_key_value_heads")?.unwrap_or(heads),
            head_size: size,
            bias: biased,
            output: HeadOutput::Projection {
                bias: is_llama && biased,
            },
            rope: Some(base),
        },
        norm: Some(Norm {
            kind: NormKind::Rms,
            epsilon: settings.number("rms_norm_eps")?.unwrap_or(1e-6),
        }),
        mlp: Some(Mlp {
            activation: Activation::SwiGlu,
            hidden: settings.needed("intermediate_size")?,
            bias: is_llama && settings.truth("mlp_bias")?,
        }),
        output: match settings.truth("tie_word_embeddings")? {
            true => Output::Tied,
            false => Output::Separate { size: vocabulary },
        },
    };
    Ok((config, settings.needed("max_position_embeddings")?))
}

/// The base of rotary positions, which newer files keep in `rope_parameters`.
fn rope(settings: &Settings<'_>) -> Result<f64> {
    let mut base = settings.number("rope_theta")?;
    for key in ["rope_scaling", "rope_parameters"] {
        let Some(value) = settings.value(key) else {
            continue;
        };
        let inner = Settings {
            path: settings.path,
            settings: value,
        };
        for kind in ["rope_type", "type"] {
            if inner.text(kind)?.is_some_and(|kind| kind != "default") {
                return settings.refused(&format!("{key} {value}"));
            }
        }
        base = inner.number("rope_theta")?.or(base);
    }
    if settings
        .number("partial_rotary_factor")?
        .is_some_and(|part| part != 1.0)
    {
        return settings.refused("partial_rotary_factor");
    }
    Ok(base.unwrap_or(10000.0))
}

/// Values by key; null is absent.
struct Settings<'a> {
    path: &'a Path,
    settings: &'a Value,
}

impl<'a> Settings<'a> {
    fn refused<T>(&self, what: &str) -> Result<T> {
        Err(Error::unsupported(self.path, format!("it has {what}")))
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.settings.get(key).filter(|value| !value.is_null())
    }

    fn optional<T>(
        &self,
        key: &str,
        wanted: &str,
        of: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let wrong = || Error::damaged(self.path, format!("{key} is {value}, not {wanted}"));
        of(value).map(Some).ok_or_else(wrong)
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.optional(key, "a text", Value::as_str)
    }

    /// Absent is false.
    fn truth(&self, key: &str) -> Result<bool> {
        Ok(self
            .optional(key, "true or false", Value::as_bool)?
            .unwrap_or(false))
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        self.optional(key, "a number", Value::as_f64)
    }

    fn size(&self, key: &str) -> Result<Option<usize>> {
        self.optional(key, "a size", |value| usize::try_from(value.as_u64()?).ok())
    }

    fn needed(&self, key: &str) -> Result<usize> {
        let missing = || Error::damaged(self.path, format!("it has no {key}"));
        self.size(key)?.ok_or_else(missing)
    }
}
