"""The same training in f64 on both sides: what is left apart is a mistake, or rounding at 1e-16.

    python3 tests/peer/mmlu_exact.py FOLDER HUB

FOLDER is that of mmlu.py, after it ran, HUB the folder of its model. Trains by the functions of scripts/mmlu-peft in f64, with the library's parts that
stay in f32 replaced (mmlu.py compares the commands as they are), and lets the program's own trainer train on the same batches
(`examples/adapter_fixture.rs`). Ends with 1 where they differ by more than mmlu_tolerance.py says.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

from torch import float64

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/mmlu-peft"))

import adapter  # noqa: E402
import model as models  # noqa: E402
import optimisation  # noqa: E402
import prompts  # noqa: E402
import train  # noqa: E402
import training  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

import double  # noqa: E402
import mmlu_tolerance as tolerance  # noqa: E402

RANK, ALPHA, SEED, SHOTS, EPOCHS, BATCH = 4, 8.0, 3, 1, 2, 3
GIVEN = argparse.Namespace(betas=(0.9, 0.999), weight_decay=0.01, learning_rate=3e-3, warmup=0.2, decay="cosine", clip_norm=1.0, at_once=1)


def in_pytorch(folder: Path, hub: Path) -> tuple[list[float], dict, training.Epochs]:
    """Losses, the matrices that changed, and what was trained on."""
    model, tokenizer = models.load(argparse.Namespace(model=hub, device="cpu", dtype="float64", threads=1))
    double.replace(model)
    found = prompts.read(folder / "artifacts/prompts/prompts.csv", "training", tokenizer)
    both = (found[prompts.Form("question", shots, 0)] for shots in (0, SHOTS))
    epochs = training.Epochs([training.Pair(*pair) for pair in zip(*both, strict=True)], EPOCHS, BATCH, 1.0, SEED)
    adapted = adapter.add(model, "attention", RANK, ALPHA, SEED)
    losses = [loss for loss in train.follow(adapted, epochs, GIVEN) if loss is not None]
    return losses, adapter.changed(adapted, float64), epochs


def asked(epochs: training.Epochs) -> dict:
    """The training for the program's side."""
    steps = []
    for batch in epochs.steps():
        parts: dict[bool, list[training.Weighted]] = {}
        for one in batch:
            parts.setdefault(one.prompt.form.shots > 0, []).append(one)
        steps.append([part(of) for of in parts.values()])
    warmup = math.ceil(GIVEN.warmup * len(steps))
    settings = {"rank": RANK, "alpha": ALPHA, "seed": SEED, "learning_rate": GIVEN.learning_rate, "warmup": warmup, "betas": GIVEN.betas}
    return settings | {"epsilon": optimisation.EPSILON, "weight_decay": GIVEN.weight_decay, "clip_norm": GIVEN.clip_norm, "steps": steps}


def part(of: list[training.Weighted]) -> dict:
    examples = [{"tokens": one.prompt.tokens + one.prompt.response, "response": len(one.prompt.tokens)} for one in of]
    return {"weight": sum(one.weight * len(one.prompt.response) for one in of), "examples": examples}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: mmlu_exact.py FOLDER HUB")
    folder, hub = (Path(argument).resolve() for argument in sys.argv[1:])
    losses, theirs, epochs = in_pytorch(folder, hub)
    (folder / "training.json").write_text(json.dumps(asked(epochs)))
    program = os.environ.get("ADAPTER_FIXTURE", "cargo run --release --locked --quiet --example adapter_fixture --").split()
    if subprocess.run([*program, hub, folder / "training.json", folder / "exact.safetensors"], cwd=ROOT).returncode:
        sys.exit("the program failed (above)")
    ours, before = load_file(folder / "exact.safetensors"), load_file(hub / "model.safetensors")
    mine = ours.pop("losses").tolist()
    apart = max(abs(a / b - 1) for a, b in zip(mine, losses, strict=True))
    gaps = {}
    for name, matrix in ours.items():
        change = matrix - before[name].double()
        gaps[name] = ((theirs[name] - matrix).norm() / change.norm()).item() if name in theirs else math.inf
    worst = max(gaps, key=gaps.get)
    is_right = ours.keys() == theirs.keys() and apart < tolerance.EXACT and gaps[worst] < tolerance.EXACT
    what = f"in f64: {len(mine)} losses at most {apart:.1e} of a loss apart, changes of {len(gaps)} matrices at most {gaps[worst]:.1e} of a change"
    print(("ok   " if is_right else "OFF  ") + what)
    sys.exit(not is_right)


if __name__ == "__main__":
    main()
