"""Low-rank additions W + (alpha / rank) B A by PEFT, with the first values of the program: B is 0, the entries of A are N(0, 1 / inputs)
from the stream of the matrix's name.

Does not know what they are trained on.
"""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import Linear
from transformers import PreTrainedModel

from stream import Stream
from errors import UserError

# Names of pipeline.yaml, and of the matrices on the model hub. Biases stay as they are.
TRAINABLE = {
    "attention": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "query-key-value": ["q_proj", "k_proj", "v_proj"],
    "query": ["q_proj"],
    "key": ["k_proj"],
    "value": ["v_proj"],
    "head-output": ["o_proj"],
    "mlp": ["gate_proj", "up_proj", "down_proj"],
}
# What PEFT puts before a module's name, and the name that it gives the only addition.
PREFIX = "base_model.model."
ADAPTER = "default"


def add(model: PreTrainedModel, trainable: str, rank: int, alpha: float, seed: int) -> PeftModel:
    """The model with additions that change nothing yet; these alone are trained."""
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    missing = [name for name in TRAINABLE[trainable] if name not in names]
    if missing:
        raise UserError(
            f"--trainable {trainable}: the model has no {', '.join(missing)}", "models of the Llama and Qwen2 families have them"
        )
    settings = LoraConfig(r=rank, lora_alpha=alpha, target_modules=TRAINABLE[trainable], lora_dropout=0.0, bias="none")
    adapted = get_peft_model(model, settings)
    for name, layer in layers(adapted).items():
        first, last = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        stream = Stream(seed, f"low rank {name}")
        std = 1.0 / first.shape[1] ** 0.5
        drawn = torch.tensor([std * stream.normal() for _ in range(first.numel())], dtype=torch.float64)
        with torch.no_grad():
            first.copy_(drawn.reshape(first.shape))
            last.zero_()
    return adapted


def layers(adapted: PeftModel) -> dict[str, Linear]:
    """Adapted layers by the name of their matrix without PEFT."""
    modules = adapted.named_modules()
    return {f"{name.removeprefix(PREFIX)}.weight": layer for name, layer in modules if isinstance(layer, Linear)}


@torch.no_grad()
def changed(adapted: PeftModel, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """W + (alpha / rank) B A of the matrices that differ from W, on the CPU; computed in that precision."""
    found = {}
    for name, layer in layers(adapted).items():
        weight, first, last = (part.weight.to(dtype) for part in (layer.get_base_layer(), layer.lora_A[ADAPTER], layer.lora_B[ADAPTER]))
        whole = weight + layer.scaling[ADAPTER] * (last @ first)
        if not torch.equal(whole, weight):
            found[name] = whole.cpu().contiguous()
    return found
