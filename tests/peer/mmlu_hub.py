"""A small transformer of the program over bytes as a folder of the model hub, so that `transformers` reads it.

Its tokenizer has a token for each byte and joins none. Knows nothing of what the model is for.
"""

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

# Ends an answer of a model over bytes: "end of text" of ASCII.
END = 3
CONTEXT = 1 << 14
EPSILON = 1e-5


def write_hub(model: Path, hub: Path) -> None:
    """Writes config, weights and tokenizer below `hub`."""
    with safe_open(model, framework="pt") as file:
        about = json.loads(file.metadata()["icl-repro"])
    shape = about["model"]["transformer"]
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "tie_word_embeddings": False,
        "hidden_size": shape["width"], "intermediate_size": shape["mlp"]["hidden"], "num_hidden_layers": shape["layers"],
        "num_attention_heads": shape["heads"], "num_key_value_heads": shape["key_value_heads"], "head_dim": shape["width"] // shape["heads"],
        "rms_norm_eps": EPSILON, "rope_theta": shape["rope"], "attention_bias": False, "mlp_bias": False,
        "vocab_size": about["outputs"], "max_position_embeddings": CONTEXT, "bos_token_id": None, "eos_token_id": END,
    }  # fmt: skip
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    vocabulary = {chr(byte): byte for byte in shown} | {chr(256 + at): byte for at, byte in enumerate(hidden)}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "post_processor": None,
        "pre_tokenizer": level, "decoder": level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": [],
        },
    }  # fmt: skip
    hub.mkdir(parents=True)
    # Without the program's own entry in the header, which the library refuses.
    save_file(load_file(model), hub / "model.safetensors", metadata={"format": "pt"})
    for name, value in [
        ("config.json", config),
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}),
    ]:
        (hub / name).write_text(json.dumps(value))
