"""The transformer in plain PyTorch, and the pipeline's models read into it.

Written from the model's description (the documentation of crates/tuning/src/transformer/model/config.rs, layout.rs
and batch.rs) with torch.nn.functional and autograd alone, so that it shares nothing with the program but
names of tensors. A layer is attention and then, where there is one, an MLP; each reads the normalised
stream and adds to it. Knows no task.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch.nn import functional

# The header's entry, and what the program adds to a norm's mean square or variance.
ENTRY, EPSILON = "icl-repro", 1e-5


@dataclass(frozen=True)
class Config:
    """What the tensors do not say: their names and shapes tell sizes, biases, and tied or not."""

    layers: int
    kernel: str = "softmax"
    causal: bool = True
    heads: int = 1
    key_value_heads: int = 1
    head_output: str = "projection"
    rope: float | None = None
    norm: str | None = None
    epsilon: float | None = EPSILON
    activation: str | None = None
    output: str = "separate"


def of_file(path):
    """The configuration and tensors of a file that a kind of pretraining wrote."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        about = (file.metadata() or {}).get(ENTRY)
        if about is None:
            raise ValueError(f"{path}: its header has no entry `{ENTRY}`: is it a model of this program?")
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    kind, model = next(iter(json.loads(about)["model"].items()))
    heads = model["heads"]
    if kind == "linear-attention":
        return Config(model["layers"], "linear", False, heads, heads, "mean", output="last-coordinate"), tensors
    mlp = model.get("mlp") or {}
    config = Config(
        layers=model["layers"],
        kernel=model["attention"],
        causal=model["causal"],
        heads=heads,
        key_value_heads=model.get("key_value_heads") or heads,
        rope=model.get("rope"),
        norm=model.get("norm"),
        activation=mlp.get("activation"),
    )
    return config, tensors


def embed(tensors, tokens):
    """Rows of the stream. Tokens are features (..., features), or bags: ids, weights and offsets."""
    table = tensors.get("model.embed_tokens.weight")
    if isinstance(tokens, torch.Tensor):
        return tokens if table is None else functional.linear(tokens, table)
    ids, weights, offsets = tokens
    return functional.embedding_bag(ids, table, offsets, mode="sum", per_sample_weights=weights)


def run(config, tensors, stream, at=None):
    """Outputs (sequences, tokens, size) of sequences of equal length (sequences, tokens, width); with `at`,
    those of these tokens alone."""
    for layer in range(config.layers):
        name = f"model.layers.{layer}"
        normed = norm(config, tensors, f"{name}.input_layernorm", stream)
        stream = stream + attention(config, tensors, f"{name}.self_attn", normed)
        if config.activation:
            normed = norm(config, tensors, f"{name}.post_attention_layernorm", stream)
            stream = stream + mlp(config, tensors, f"{name}.mlp", normed)
    if at is not None:
        stream = stream[:, at]
    stream = norm(config, tensors, "model.norm", stream)
    match config.output:
        case "last-coordinate":
            return stream[..., -1:]
        case "separate":
            return functional.linear(stream, tensors["lm_head.weight"])
        case "tied":
            return functional.linear(stream, tensors["model.embed_tokens.weight"])
    raise ValueError(f"no output `{config.output}`")


def linear(tensors, name, x):
    return functional.linear(x, tensors[f"{name}.weight"], tensors.get(f"{name}.bias"))


def norm(config, tensors, name, x):
    match config.norm:
        case None:
            return x
        case "rms":
            return functional.rms_norm(x, x.shape[-1:], tensors[f"{name}.weight"], config.epsilon)
        case "layer":
            weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
            return functional.layer_norm(x, x.shape[-1:], weight, bias, config.epsilon)
    raise ValueError(f"no norm `{config.norm}`")


def attention(config, tensors, name, x):
    sequences, tokens, _ = x.shape

    def heads(part, count):
        return linear(tensors, f"{name}.{part}", x).view(sequences, tokens, count, -1).transpose(1, 2)

    query = heads("q_proj", config.heads)
    key, value = (heads(part, config.key_value_heads) for part in ["k_proj", "v_proj"])
    if config.rope:
        query, key = rotate(query, config.rope), rotate(key, config.rope)
    each = config.heads // config.key_value_heads
    key, value = (part.repeat_interleave(each, dim=1) for part in [key, value])
    if config.kernel == "softmax":
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=config.causal)
    else:
        scores = query @ key.transpose(-1, -2)
        seen = torch.arange(1, tokens + 1, dtype=x.dtype) if config.causal else torch.full((tokens,), float(tokens))
        scores = (scores.tril() if config.causal else scores) / seen.to(x.dtype).unsqueeze(1)
        mixed = scores @ value
    if config.head_output == "mean":
        return mixed.mean(dim=1)
    return linear(tensors, f"{name}.o_proj", mixed.transpose(1, 2).flatten(2))


@lru_cache
def turns(tokens, half, base, dtype):
    """Cosines and sines of position base^(-i / half), (tokens, half)."""
    rates = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(tokens, dtype=torch.float64), rates)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x, base):
    """Coordinates i and i + half of each head turn by position base^(-i / half)."""
    half = x.shape[-1] // 2
    cos, sin = turns(x.shape[-2], half, base, x.dtype)
    first, second = x.split(half, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def mlp(config, tensors, name, x):
    up = linear(tensors, f"{name}.up_proj", x)
    match config.activation:
        case "gelu":
            active = functional.gelu(up, approximate="tanh")
        case "squared-relu":
            active = functional.relu(up).square()
        case "swi-glu":
            active = functional.silu(linear(tensors, f"{name}.gate_proj", x)) * up
        case other:
            raise ValueError(f"no activation `{other}`")
    return linear(tensors, f"{name}.down_proj", active)
