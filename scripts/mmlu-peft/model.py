"""A language model and its tokenizer from a folder of the model hub, on a device, with repeatable arithmetic.

Opens no connection. Does not know what is done with the model.
"""

import argparse
import os
from pathlib import Path

# Read by the libraries when they are imported.
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
# cuBLAS is repeatable with a workspace of its own alone; read when the device is first used.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase  # noqa: E402

from errors import UserError  # noqa: E402

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", type=Path, required=True, metavar="FOLDER", help="a folder of the model hub: config.json, tokenizer.json, safetensors"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N [default: cpu]")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the frozen weights and of activations [default: float32]")
    parser.add_argument("--threads", type=int, help="of the CPU [default: as PyTorch chooses]")


def load(arguments: argparse.Namespace) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in evaluation mode, all of it frozen, and its tokenizer."""
    folder: Path = arguments.model
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} has no config.json", "name a folder of the model hub; what kind mmlu-finetune reads as `model` lies in one"
        )
    device = _device(arguments.device)
    _repeatable(arguments.threads)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=DTYPES[arguments.dtype], attn_implementation="sdpa", local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder}: {error}", "check that the folder is whole: config, tokenizer and weights of one model") from error
    return model.to(device).eval().requires_grad_(False), tokenizer


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name}: {error}", "cpu, cuda or cuda:0") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {name}: PyTorch sees {torch.cuda.device_count()} such devices",
            "--device cpu, or install a driver: nvidia-smi should list the GPU",
        )
    return device


def _repeatable(threads: int | None) -> None:
    torch.use_deterministic_algorithms(True)
    # Of the attentions in f32 on a GPU this one alone has no repeatable gradient.
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    if threads is not None:
        torch.set_num_threads(threads)


def ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Tokens that end an answer: those of all files that name some, as the program has them."""
    named = [model.config.eos_token_id, model.generation_config.eos_token_id, tokenizer.eos_token_id]
    found = {end for one in named if one is not None for end in (one if isinstance(one, list) else [one])}
    if not found:
        raise UserError("no file of the model names a token that ends an answer", "add `eos_token_id` to its config.json")
    return frozenset(found)
