"""Training in PyTorch as the pipeline's kinds state it, and the program's own runs beside it.

A world (bridge.py, words.py) has `loss(part, config, tensors, step, steps)` for the parts `pretraining`, `zero_shot` and
`replay`, and `errors(config, tensors)`. Knows no world.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
BETAS = (0.9, 0.99)
# What is minimised, and which tensors are changed: all, or those whose names have this in them.
VARIANTS = {
    "ZS (all)": (["zero_shot"], ""),
    "ZS (V)": (["zero_shot"], ".v_proj."),
    "ZS+replay (all)": (["zero_shot", "replay"], ""),
}


@dataclass(frozen=True)
class Settings:
    """Of one training with AdamW without decay of weights; warmup, then `decay` to 0."""

    steps: int
    learning_rate: float
    warmup: int
    decay: str
    clip: float = 1.0

    def rate(self, step):
        """As a share of the learning rate, counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        left = (self.steps - step) / max(self.steps - self.warmup, 1)
        return left if self.decay == "linear" else (1 - math.cos(math.pi * left)) / 2

    def of_pipeline(self):
        return {
            "steps": self.steps,
            "optimizer": {"adamw": {"betas": list(BETAS), "weight_decay": 0}},
            "learning_rate": self.learning_rate,
            "warmup": self.warmup,
            "decay": self.decay,
            "clip_norm": self.clip,
            "stops": [],
        }


def initial(config, shapes, generator):
    """Maps N(0, 1 / inputs), those into the stream divided by sqrt(2 layers); embeddings N(0, 1), output 0,
    norms 1."""
    tensors = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            tensors[name] = torch.ones(shape)
            continue
        std = 1 / math.sqrt(shape[1])
        if name == "lm_head.weight":
            std = 0.0
        elif name == "model.embed_tokens.weight":
            std = 1.0
        elif "o_proj" in name or "down_proj" in name:
            std /= math.sqrt(2 * config.layers)
        tensors[name] = std * torch.randn(shape, generator=generator)
    return tensors


def shapes(config, width, hidden, inputs, outputs):
    """Of a model without biases, with RMSNorm or none and an ungated MLP or none; embeddings are
    `inputs`, (rows, columns)."""
    table = {"model.embed_tokens.weight": inputs}
    for layer in range(config.layers):
        name = f"model.layers.{layer}"
        table |= {f"{name}.self_attn.{part}_proj.weight": (width, width) for part in "qkvo"}
        if config.norm:
            table[f"{name}.input_layernorm.weight"] = (width,)
        if config.activation:
            table |= {f"{name}.mlp.up_proj.weight": (hidden, width), f"{name}.mlp.down_proj.weight": (width, hidden)}
        if config.norm and config.activation:
            table[f"{name}.post_attention_layernorm.weight"] = (width,)
    if config.norm:
        table["model.norm.weight"] = (width,)
    return table | {"lm_head.weight": (outputs, width)}


def train(world, config, tensors, settings, parts, changed=""):
    """Copies of the tensors, trained on the sum of the parts' losses."""
    tensors = {name: tensor.clone().requires_grad_(changed in name) for name, tensor in tensors.items()}
    trained = [tensor for tensor in tensors.values() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, settings.learning_rate, BETAS, eps=1e-8, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, settings.rate)
    for step in range(settings.steps):
        loss = sum(world.loss(part, config, tensors, step, settings.steps) for part in parts)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, settings.clip)
        optimizer.step()
        schedule.step()
    return {name: tensor.detach() for name, tensor in tensors.items()}


def errors(world, config, tensors):
    with torch.no_grad():
        return world.errors(config, tensors)


def results(world, config, start, pretraining, finetuning):
    """Errors by variant: a dictionary of measures each."""
    pretrained = train(world, config, start, pretraining, ["pretraining"])
    found = {"pretrained": errors(world, config, pretrained)}
    for name, (parts, changed) in VARIANTS.items():
        found[name] = errors(world, config, train(world, config, pretrained, finetuning, parts, changed))
    return found


def variants_of_pipeline():
    """The same in pipeline.yaml's words; names there are identifiers."""
    of_parts = {
        ("zero_shot",): "zero-shot",
        ("zero_shot", "replay"): {"zero-shot-and-replay": {"weight": 1.0}},
    }
    return {
        f"v{at}": {"objective": of_parts[tuple(parts)], "trainable": "value" if changed else "everything"}
        for at, (parts, changed) in enumerate(VARIANTS.values())
    }


def program_results(stages, files, targets, also=None):
    """Runs the program on a pipeline of these stages, in a folder of its own with these files of the repository.
    Returns by target the errors by variant, read from its `paths`, and the rows of the table `also`."""
    import pyarrow.parquet as parquet

    program = os.environ.get("ICL_REPRO", "cargo run --release --locked --quiet --").split()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # JSON is YAML.
        (folder / "pipeline.yaml").write_text(json.dumps({"version": 2, "stages": stages}))
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes((ROOT / file).read_bytes())
        if subprocess.run([*program, "run", "--quiet", "-C", str(folder)], cwd=ROOT).returncode:
            sys.exit("the program failed (above); ICL_REPRO=path picks it, `cargo build --release --locked` makes it")
        found = []
        for target in targets:
            rows = parquet.read_table(folder / target).to_pylist()
            last = max(row["step"] for row in rows)
            names = {f"v{at}": name for at, name in enumerate(VARIANTS)}
            table = {"pretrained": {}} | {name: {} for name in names.values()}
            for row in rows:
                measure = f"{row['measure']}, n = {row['n_shots']}"
                if row["step"] == 0:
                    table["pretrained"][measure] = row["error"]
                elif row["step"] == last:
                    table[names[row["variant"]]][measure] = row["error"]
            found.append(table)
        return found, parquet.read_table(folder / also).to_pylist() if also else None


def report(title, theirs, ours):
    """Prints errors by variant and measure of every seed on both sides, and how far the means of their
    logarithms lie apart in the spread of seeds. Errors are positive and some spread over a factor of ten, so logarithms."""
    print(f"\n{title}\n{'variant':<16} {'measure':<24} {'PyTorch':>24} {'icl-repro':>24} {'ratio':>7} {'t':>6}")
    distances = []
    for variant, measures in theirs[0].items():
        for measure in measures:
            sides = [[one[variant][measure] for one in side] for side in [theirs, ours]]
            logs = [[math.log(value) for value in side] for side in sides]
            means = [statistics.fmean(side) for side in logs]
            columns = " ".join(f"{' '.join(f'{value:.3f}' for value in side):>24}" for side in sides)
            ratio, t = math.exp(means[0] - means[1]), ""
            if len(theirs) > 1:
                error = math.sqrt(sum(statistics.variance(side) / len(side) for side in logs))
                distances.append(abs(means[0] - means[1]) / error)
                t = f"{(means[0] - means[1]) / error:.1f}"
            print(f"{variant:<16} {measure:<24} {columns} {ratio:>7.2f} {t:>6}")
    if distances:
        print(f"|t|: median {statistics.median(distances):.1f}, largest {max(distances):.1f} of {len(distances)}")
