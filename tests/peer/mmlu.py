"""The MMLU experiment by the program and by PyTorch and PEFT (scripts/mmlu-peft), on the same items and prompts.

    python3 tests/peer/mmlu.py FOLDER [MODEL.gguf HUB]

Without a model the program makes a small random one over bytes. MODEL.gguf is a real one, and HUB the same as the model hub lays it out
(`cargo run --example hub_folder`). Works in FOLDER, which is emptied. Runs the stages in a pipeline of its own, then train.py and evaluate.py with
the same parameters. Ends with 1 where the two differ by more than mmlu_tolerance.py says, or where nothing could have shown it.
"""

import functools
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
from safetensors.torch import load_file

from mmlu_tolerance import LARGE, SMALL, InF32
from mmlu_hub import write_hub

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts/mmlu-peft"
ITEMS, RATIONALES = "data/mmlu/made_up_items.csv", "data/mmlu/made_up_rationales.csv"
# Of the variants: trained matrices, weight of the few-shot loss.
ALL = {"both": ("attention", 1.0), "zs_q": ("query", 0.0), "both_k": ("key", 0.5), "zs_v": ("value", 0.0)}


@dataclass(frozen=True)
class Size:
    """What is asked and trained: as much as takes a minute."""

    variants: list[str]
    training: int
    test: int
    epochs: int
    batch: int
    rank: int
    learning_rate: float
    rationales: str | None
    prompting: dict
    forms: list[dict]
    answers: int
    most_tokens: int
    temperature: float
    tolerance: InF32


FORMS = [{"task": "question"}, {"task": "question", "shots": 1}, {"task": "word-count", "shots": 1}]
# Over bytes: reasoned, padded, long.
RANDOM = Size(
    variants=list(ALL), training=10, test=8, epochs=3, batch=3, rank=4, learning_rate=3e-3, rationales=RATIONALES,
    prompting={"shot_tokens": 900, "seed": 0}, forms=[*FORMS, {"task": "word-count"}, {"task": "question", "dummies": 1}],
    answers=2, most_tokens=12, temperature=1.0, tolerance=SMALL,
)  # fmt: skip
REAL = Size(
    variants=["both", "zs_v"], training=6, test=8, epochs=2, batch=3, rank=8, learning_rate=1e-3, rationales=None,
    prompting={"seed": 0}, forms=FORMS, answers=2, most_tokens=6, temperature=0.5, tolerance=LARGE,
)  # fmt: skip


class Failures:
    def __init__(self):
        self.count = 0

    def say(self, variant, is_right, what):
        print(f"{'ok ' if is_right else 'OFF'}  {variant}: {what}", flush=True)
        self.count += not is_right


def finetuning(size, variant):
    trainable, weight = ALL[variant]
    return {
        "prompting": size.prompting,
        "trainable": trainable,
        "lora": {"rank": size.rank, "alpha": 2 * size.rank},
        "few_shot": {"shots": 1, "weight": weight},
        "cutoff": 4096,
        "optimisation": {
            "epochs": size.epochs, "batch": size.batch, "learning_rate": size.learning_rate, "warmup": 0.2, "decay": "cosine",
            "betas": [0.9, 0.999], "weight_decay": 0.01, "clip_norm": 1.0, "seed": 3,
        },
    }  # fmt: skip


def evaluation(size):
    samples = {
        "answers": size.answers,
        "most_tokens": size.most_tokens,
        "top_k": 20,
        "top_p": 0.95,
        "temperature": size.temperature,
        "seed": 5,
    }
    return {"prompting": size.prompting, "forms": size.forms, "samples": samples}


def stages(size, model, theirs):
    """The program's; where PEFT's checkpoints are there, they are asked too."""
    every = ["stem", "humanities", "social_sciences", "other"]
    asked = evaluation(size)
    inputs = {"items": "items.table", "model": model} | ({"rationales": size.rationales} if size.rationales else {})
    prompts = {"prompting": asked["prompting"], "forms": asked["forms"], "items": size.training + size.test}
    found = {
        "items": {
            "kind": "mmlu-items",
            "inputs": {"items": ITEMS},
            "params": {
                "training": {"items": size.training, "categories": every[1:3]}, "test": {"items": size.test, "categories": every},
                "flawed": "leave-out", "seed": 1234,
            },
        },
        "prompts": {"kind": "mmlu-prompts", "inputs": inputs, "params": prompts},
    }  # fmt: skip
    if model == "random.model":
        transformer = {"width": 32, "layers": 2, "heads": 4, "key_value_heads": 2, "attention": "softmax", "causal": True, "norm": "rms"}
        transformer |= {"mlp": {"activation": "swi-glu", "hidden": 64}, "rope": 10000}
        found["random"] = {"kind": "mmlu-random-model", "params": {"model": {"transformer": transformer}, "seed": 0}}
    for variant in size.variants:
        found[f"finetune_{variant}"] = {"kind": "mmlu-finetune", "inputs": inputs, "params": finetuning(size, variant)}
        sides = {"evaluate": f"finetune_{variant}.checkpoints"} | ({"evaluate_theirs": f"theirs/{variant}.safetensors"} if theirs else {})
        for side, checkpoints in sides.items():
            found[f"{side}_{variant}"] = {"kind": "mmlu-evaluate", "inputs": inputs | {"checkpoints": checkpoints}, "params": asked}
    return found


def run_program(folder, size, model, theirs):
    program = os.environ.get("ICL_REPRO", "cargo run --release --locked --quiet --").split()
    (folder / "pipeline.yaml").write_text(json.dumps({"version": 2, "stages": stages(size, model, theirs)}))
    if subprocess.run([*program, "run", "--quiet", "-C", str(folder)], cwd=ROOT).returncode:
        sys.exit("the program failed (above); ICL_REPRO=path picks it, `cargo build --release --locked` makes it")


def run_script(name, hub, folder, arguments):
    table, prompts = folder / "artifacts/items/table.parquet", folder / "artifacts/prompts/prompts.csv"
    command = [sys.executable, "-B", SCRIPTS / name, "--model", hub, "--items", table, "--prompts", prompts]
    command += ["--threads", 1] if (folder / "artifacts/random").exists() else []
    command += [part for key, value in arguments.items() for part in [f"--{key}", *(value if isinstance(value, list) else [value])]]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{name} failed (above)")


def run_peft(folder, hub, size, variant):
    params, samples = finetuning(size, variant), evaluation(size)["samples"]
    optimisation = params["optimisation"]
    arguments = {"trainable": params["trainable"], "cutoff": params["cutoff"], **params["lora"]}
    arguments |= {"few-shots": params["few_shot"]["shots"], "few-shot-weight": params["few_shot"]["weight"]}
    arguments |= {key.replace("_", "-"): value for key, value in optimisation.items()}
    checkpoints = folder / f"theirs/{variant}.safetensors"
    run_script(
        "train.py", hub, folder, arguments | {"checkpoints": checkpoints, "losses": folder / f"theirs/{variant}.losses.csv", "at-once": 2}
    )
    written = {name: folder / f"theirs/{variant}.{name}.csv" for name in ("scores", "accuracy")}
    run_script(
        "evaluate.py",
        hub,
        folder,
        {key.replace("_", "-"): value for key, value in samples.items()} | {"checkpoints": checkpoints} | written,
    )


def ours(folder, stage, name):
    return pyarrow.parquet.read_table(folder / f"artifacts/{stage}/{name}.parquet").to_pydict()


def theirs(folder, variant, name):
    return pyarrow.csv.read_csv(folder / f"theirs/{variant}.{name}.csv").to_pydict()


def losses(folder, variant, tolerance, say):
    mine, other = ours(folder, f"finetune_{variant}", "losses"), theirs(folder, variant, "losses")
    same = list(mine) == list(other) and all(mine[name] == other[name] for name in ("step", "epoch"))
    gap = max(abs(a / b - 1) for a, b in zip(mine["loss"], other["loss"], strict=True))
    fall = mine["loss"][0] - mine["loss"][-1]
    what = f"losses of {len(mine['step'])} steps ({mine['loss'][0]:.4f} to {mine['loss'][-1]:.4f}): at most {gap:.1e} of a loss apart"
    say(same and gap < tolerance.loss and abs(fall) > 10 * tolerance.loss, what)


def matrices(folder, model, variant, tolerance, say):
    """The change of each matrix at each stop, beside the same by PEFT."""
    mine = load_file(folder / f"artifacts/finetune_{variant}/checkpoints.safetensors")
    other = load_file(folder / f"theirs/{variant}.safetensors")
    gaps = {}
    for name in mine.keys() & other.keys():
        before = model[name.partition(".")[2]].double()
        change = mine[name].double() - before
        gaps[name] = ((other[name].double() - before - change).norm() / change.norm()).item()
    worst = max(gaps, key=gaps.get)
    median = sorted(gaps.values())[len(gaps) // 2]
    what = f"changes of {len(mine)} matrices: at most {gaps[worst]:.1e} of a change apart ({worst}), median {median:.1e}"
    say(mine.keys() == other.keys() and gaps[worst] < tolerance.change, what)


PROBABILITIES = ("probability", "probability_std")


def tables(mine, other, name, tolerance, say):
    """Columns of names and counts are equal, those of numbers nearly."""
    numbers = [column for column, cells in mine.items() if any(isinstance(cell, float) for cell in cells)]
    same = list(mine) == list(other) and all(mine[column] == other[column] for column in mine.keys() - set(numbers))
    # Shares of few answers differ by a whole answer where a draw lies at a border.
    gaps = {column: [gap(a, b) for a, b in zip(mine[column], other[column], strict=True)] for column in numbers}
    off = sum(one > 1e-9 for column, of in gaps.items() if column not in PROBABILITIES for one in of)
    worst = max(one for column, of in gaps.items() if column in PROBABILITIES for one in of)
    count = len(next(iter(mine.values())))
    what = f"{name}: {count} rows, probabilities at most {worst:.1e} apart, {off} other numbers differ"
    say(same and worst < tolerance.probability and off <= tolerance.answers * count, what)


def gap(a, b):
    missing = [x is None or math.isnan(x) for x in (a, b)]
    return abs(a - b) if not any(missing) else (0.0 if all(missing) else math.inf)


def compare(folder, hub, size, failures):
    weights = load_file(hub / "model.safetensors")
    for variant in size.variants:
        say, within = functools.partial(failures.say, variant), size.tolerance
        losses(folder, variant, within, say)
        matrices(folder, weights, variant, within, say)
        for name in ("scores", "accuracy"):
            both = theirs(folder, variant, name)
            tables(ours(folder, f"evaluate_{variant}", name), both, f"{name}, each with its own training", within, say)
            tables(ours(folder, f"evaluate_theirs_{variant}", name), both, f"{name} of PEFT's checkpoints", within, say)
        # A random model says nothing; of a real one some answers count.
        if size is REAL:
            silent = theirs(folder, variant, "scores")["unanswered"]
            say(min(silent) < 1, f"{sum(one < 1 for one in silent)} of {len(silent)} prompts have an answer that gives a letter")


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit("usage: mmlu.py FOLDER [MODEL.gguf HUB]")
    folder, failures = Path(sys.argv[1]).resolve(), Failures()
    is_random = len(sys.argv) == 2
    size = RANDOM if is_random else REAL
    if folder.exists() and not (folder / "theirs").is_dir():
        sys.exit(f"{folder} is there and not of an earlier run, so it is not emptied: name a new folder")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "theirs").mkdir(parents=True)
    (folder / ITEMS).parent.mkdir(parents=True)
    for file in (ITEMS, RATIONALES):
        shutil.copy(ROOT / file, folder / file)
    model = "random.model" if is_random else "weights/model.gguf"
    if not is_random:
        (folder / model).parent.mkdir()
        shutil.copy(sys.argv[2], folder / model)
    run_program(folder, size, model, theirs=False)
    hub = folder / "hub" if is_random else Path(sys.argv[3]).resolve()
    if is_random:
        write_hub(folder / "artifacts/random/model.safetensors", hub)
    for variant in size.variants:
        run_peft(folder, hub, size, variant)
    run_program(folder, size, model, theirs=True)
    compare(folder, hub, size, failures)
    sys.exit(failures.count > 0)


if __name__ == "__main__":
    main()
