"""Two rungs of the bridge from scratch in PyTorch, beside the program's on other prompts and tasks.

    python3 tests/peer/bridge.py

The paper's regression task in sequences of tokens: (1, x, y) each pair, (1, x, 0) the query, a first token
with a feature of its own. Rungs: a layer of softmax attention (`sink`), and two of them with RMSNorm and a GELU MLP.
Each is pretrained on random unit tasks and fine-tuned to one; errors are mean squares at the query. Seeds agree in
nothing but the distribution, so compare with the spread over seeds.
"""

import argparse
import sys

import torch
from torch.nn import functional

import training
import transformer

D, NOISE_VAR, SHOTS, PROMPTS, MEASURED = 5, 0.1, 20, 128, 4000
WIDTH, HEADS, HIDDEN = 32, 4, 128
PRETRAINING = training.Settings(3000, 0.003, 50, "cosine")
FINETUNING = training.Settings(400, 0.003, 0, "linear")
RUNGS = {
    "sink": transformer.Config(1, heads=HEADS, key_value_heads=HEADS),
    "two_layers": transformer.Config(2, heads=HEADS, key_value_heads=HEADS, norm="rms", activation="gelu"),
}


class Regression:
    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.target = self.unit(1)
        # The same prompts for every model of the seed.
        self.measures = {
            f"{name}, n = {shots}": self.prompts(theta, shots, MEASURED)
            for name, theta, shots in [
                ("target", self.target, 0),
                ("target", self.target, SHOTS),
                ("opposite", -self.target, SHOTS),
                ("random", None, SHOTS),
            ]
        }

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def unit(self, count):
        return functional.normalize(self.normal(count, D), dim=1)

    def prompts(self, theta, shots, count):
        """Tokens (count, 1 + shots + 1, d + 3) and labels; a random unit task in each prompt where theta is none."""
        theta = self.unit(count) if theta is None else theta
        x = self.normal(count, shots + 1, D)
        y = (x * theta.unsqueeze(1)).sum(-1) + NOISE_VAR**0.5 * self.normal(count, shots + 1)
        tokens = torch.zeros(count, shots + 2, D + 3)
        tokens[:, 0, -1] = 1
        tokens[:, 1:, 0] = 1
        tokens[:, 1:, 1:-2] = x
        tokens[:, 1:-1, -2] = y[:, :-1]
        return tokens, y[:, -1]

    def squared(self, config, tensors, prompts):
        tokens, labels = prompts
        found = transformer.run(config, tensors, transformer.embed(tensors, tokens), at=[-1])
        return (found[:, 0, 0] - labels).square().mean()

    def loss(self, part, config, tensors, step, steps):
        theta, shots = (self.target, 0) if part == "zero_shot" else (None, SHOTS)
        return self.squared(config, tensors, self.prompts(theta, shots, PROMPTS))

    def errors(self, config, tensors):
        return {name: self.squared(config, tensors, prompts).item() for name, prompts in self.measures.items()}


def theirs(config, seed):
    world = Regression(seed)
    shapes = training.shapes(config, WIDTH, HIDDEN, (WIDTH, D + 3), 1)
    start = training.initial(config, shapes, world.generator)
    return training.results(world, config, start, PRETRAINING, FINETUNING)


def ours(rungs, seeds):
    """By rung, a table for each seed."""
    stages, targets = {}, []
    for rung in rungs:
        config = RUNGS[rung]
        model = {"width": WIDTH, "layers": config.layers, "heads": HEADS, "attention": "softmax", "causal": True}
        if config.norm:
            model["norm"] = config.norm
        if config.activation:
            model["mlp"] = {"activation": config.activation, "hidden": HIDDEN}
        for seed in seeds:
            world = {
                "d": D,
                "noise_var": NOISE_VAR,
                "shots": SHOTS,
                "first_token": True,
                "prompts": PROMPTS,
                "measured": MEASURED,
                "seed": seed,
            }
            targets.append(f"artifacts/{rung}_{seed}.parquet")
            stages[f"pretrain_{rung}_{seed}"] = {
                "kind": "bridge-pretrain",
                "params": {
                    "world": world,
                    "model": {"transformer": model},
                    "precision": "f32",
                    "training": PRETRAINING.of_pipeline(),
                },
            }
            stages[f"finetune_{rung}_{seed}"] = {
                "kind": "bridge-finetune",
                "inputs": {"pretrained": f"pretrain_{rung}_{seed}.model"},
                "params": {
                    "world": world,
                    "training": FINETUNING.of_pipeline(),
                    "variants": training.variants_of_pipeline(),
                },
                "outputs": {"paths": targets[-1]},
            }
    tables, _ = training.program_results(stages, [], targets)
    tables = iter(tables)
    return {rung: [next(tables) for _ in seeds] for rung in rungs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rungs", nargs="*", help=f"of {', '.join(RUNGS)}; all if left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102])
    args = parser.parse_args()
    if unknown := [rung for rung in args.rungs if rung not in RUNGS]:
        sys.exit(f"no rung {', '.join(unknown)}: there are {', '.join(RUNGS)}")
    rungs = args.rungs or list(RUNGS)
    torch.set_num_threads(1)
    tables = ours(rungs, args.seeds)
    for rung in rungs:
        found = [theirs(RUNGS[rung], seed) for seed in args.seeds]
        training.report(f"{rung}: mean squared errors of seeds {args.seeds}", found, tables[rung])


if __name__ == "__main__":
    main()
