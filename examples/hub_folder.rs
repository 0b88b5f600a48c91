//! Writes a GGUF file's model as a folder of the model hub, its weights dequantised to f32, for programs that read such folders.
//!
//! `cargo run --release --locked --example hub_folder -- MODEL.gguf FOLDER`: in FOLDER config.json, model.safetensors,
//! tokenizer.json and tokenizer_config.json. Knows nothing of who reads them.

use pretrained::{Pretrained, load_gguf};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use tuning::transformer::model::config::{Config, HeadOutput, Input, Output};
use tuning::transformer::network::Network;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder] = args.as_slice() else {
        eprintln!("error: which model, and where to?\n  usage: hub_folder MODEL.gguf FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(model), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, folder: &Path) -> Result<(), Failure> {
    let model = load_gguf(path)?;
    let network = Network::new(model.config.clone())?;
    hub(&model, &network, folder)?;
    println!("{}: the model as the hub has it", folder.display());
    Ok(())
}

/// The model as a folder of the model hub.
fn hub(model: &Pretrained, network: &Network, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let tensors = network.layout().tensors();
    let bytes: Vec<Vec<u8>> = { tensors.iter() }
        .map(|tensor| {
            let values = model.parameters[tensor.range()].iter();
            values.flat_map(|x| x.to_le_bytes()).collect()
        })
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let shape = std::iter::once(tensor.rows).chain(tensor.columns).collect();
        TensorView::new(Dtype::F32, shape, bytes).map(|view| (tensor.name.clone(), view))
    });
    let bytes = serialize(views.collect::<Result<Vec<_>, _>>()?, None)?;
    std::fs::write(folder.join("model.safetensors"), bytes)?;
    let put = |name: &str, value: &Value| std::fs::write(folder.join(name), value.to_string());
    put(
        "config.json",
        &config(&model.config, model.context, &model.end)?,
    )?;
    std::fs::write(folder.join("tokenizer.json"), model.tokens.to_json()?)?;
    let end = model.end.first().and_then(|&id| model.tokens.token(id));
    let about = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": false,
        "eos_token": end,
        "chat_template": model.chat.as_ref().map(|chat| chat.source()),
    });
    put("tokenizer_config.json", &about)?;
    Ok(())
}

fn config(config: &Config, context: usize, end: &[u32]) -> Result<Value, Failure> {
    let attention = &config.attention;
    let (Input::Embedding { vocabulary }, Some(norm), Some(mlp)) =
        (config.input, config.norm, config.mlp)
    else {
        return Err("no language model".into());
    };
    let is_qwen = attention.bias && attention.output == HeadOutput::Projection { bias: false };
    let (kind, class) = match is_qwen {
        true => ("qwen2", "Qwen2ForCausalLM"),
        false => ("llama", "LlamaForCausalLM"),
    };
    Ok(json!({
        "architectures": [class],
        "model_type": kind,
        "hidden_size": config.width,
        "intermediate_size": mlp.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.key_value_heads,
        "head_dim": attention.head_size,
        "rms_norm_eps": norm.epsilon,
        "rope_theta": attention.rope,
        "rope_scaling": null,
        "hidden_act": "silu",
        "attention_bias": attention.bias,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": config.output == Output::Tied,
        "eos_token_id": end,
        "torch_dtype": "float32",
    }))
}
