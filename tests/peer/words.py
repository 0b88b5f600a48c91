"""Words from scratch in PyTorch, beside the program's on other prompts and another target.

    python3 tests/peer/words.py [--steps 200]

Which language is a name in? Four languages with a letter each, anew in every prompt; 16 names with their letters and one
that asks. A prompt is [start], then [name] and [name + letter] for each example, and the query's [name]; a name is the bag
of its hashed 1- to 3-grams. The names are those of the program's stage `names`; hashing, prompts, drop-out and training are
this script's own. Errors are shares of wrong letters on names of things that no training saw. The two sides draw the target's
languages apart, and some are easier than others: what is measured on the target takes several seeds to compare, the rest one.
"""

import argparse
import random
import zlib

import torch
from torch.nn import functional

import training
import transformer

N_GRAMS, LETTERS, SHOTS = 8192, 4, 16
PRETRAINING_PROMPTS, PROMPTS, MEASURED = 64, 32, 1000
DROPOUT, LANGUAGE_WEIGHT = 0.3, 1.0
WIDTH, HEADS, HIDDEN, ROPE = 96, 4, 384, 10_000.0
CONFIG = transformer.Config(3, heads=HEADS, key_value_heads=HEADS, rope=ROPE, norm="rms", activation="gelu")
FINETUNING = training.Settings(200, 0.001, 0, "linear")
# As the pipeline's stage.
NAMES, BLAKE3 = "data/words/names.tsv.gz", "d5131a81f2067dea8bd1a993ffefaa4806127592befeacb7dec96e8a1d14dba0"
NAMES_STAGE = {
    "kind": "names",
    "inputs": {"names": NAMES},
    "params": {
        "blake3": BLAKE3,
        "most_languages": 2,
        "least_names": 180,
        "test_share": 0.25,
        "script": "Latin",
        "unseen": 16,
        "seed": 0,
    },
    "outputs": {"table": "artifacts/names.parquet"},
}


def pretraining(steps):
    return training.Settings(steps, 0.002, 20, "cosine")


def bag(name):
    """Ids of the groups of one to three letters of |name|, but for the lone mark."""
    marked = f"\x1f{name.lower()}\x1f"
    groups = {marked[at : at + length] for length in [1, 2, 3] for at in range(len(marked) - length + 1)}
    return sorted({zlib.crc32(group.encode()) % N_GRAMS for group in groups - {"\x1f"}})


class Words:
    """`names[split][language]` are bags; `roles` are lists of languages."""

    def __init__(self, rows, seed):
        self.random = random.Random(seed)
        self.names, self.roles = {"train": {}, "test": {}}, {}
        for row in rows:
            self.names[row["split"]].setdefault(row["language"], []).append(bag(row["name"]))
            languages = self.roles.setdefault(row["role"], [])
            if row["language"] not in languages:
                languages.append(row["language"])
        trained = self.roles["pretraining"]
        self.target = self.random.sample(trained, LETTERS)
        others = [language for language in trained if language not in self.target]
        deals = {
            "target": lambda: self.target,
            "other_letters": self.deranged,
            "other_trained": lambda: self.random.sample(others, LETTERS),
            "unseen": lambda: self.random.sample(self.roles["unseen"], LETTERS),
        }
        measures = [("target", 0), *((name, SHOTS) for name in deals)]
        self.measures = {
            f"{name}, n = {shots}": self.prompts("test", deals[name], shots, MEASURED, 0.0)
            for name, shots in measures
        }

    def outputs(self):
        return LETTERS + len(self.roles["pretraining"])

    def deranged(self):
        while True:
            deal = self.random.sample(self.target, LETTERS)
            if all(own != other for own, other in zip(deal, self.target, strict=True)):
                return deal

    def prompts(self, split, deal_of, shots, count, dropout):
        """Bags of all tokens; by prompt and name the letter and the language (-1 where pretraining has it not)."""
        ids, weights, offsets, letters, languages = [], [], [], [], []
        trained = {language: at for at, language in enumerate(self.roles["pretraining"])}

        def token(name, letter=None):
            offsets.append(len(ids))
            ids.extend(name)
            weights.extend([len(name) ** -0.5] * len(name))
            if letter is not None:
                ids.append(N_GRAMS + letter)
                weights.append(1.0)

        for _ in range(count):
            deal, used = deal_of(), set()
            token([N_GRAMS + LETTERS])
            for at in range(shots + 1):
                letter = self.random.randrange(LETTERS)
                language = deal[letter]
                while True:
                    name = self.random.choice(self.names[split][language])
                    if tuple(name) not in used:
                        break
                used.add(tuple(name))
                kept = [one for one in name if self.random.random() >= dropout] or [self.random.choice(name)]
                letters.append(letter)
                languages.append(trained.get(language, -1))
                token(kept)
                if at < shots:
                    token(kept, letter)
        bags = torch.tensor(ids), torch.tensor(weights), torch.tensor(offsets)
        shape = count, shots + 1
        return bags, torch.tensor(letters).view(shape), torch.tensor(languages).view(shape)

    def at_names(self, config, tensors, bags, shape):
        """Outputs at the names, (prompts, names, size)."""
        count, names = shape
        stream = transformer.embed(tensors, bags).view(count, 2 * names, -1)
        return transformer.run(config, tensors, stream, at=torch.arange(1, 2 * names, 2))

    def loss(self, part, config, tensors, step, steps):
        trained = self.roles["pretraining"]
        target = part == "zero_shot"
        deal_of = (lambda: self.target) if target else (lambda: self.random.sample(trained, LETTERS))
        count = PRETRAINING_PROMPTS if part == "pretraining" else PROMPTS
        bags, letters, languages = self.prompts("train", deal_of, 0 if target else SHOTS, count, DROPOUT)
        found = self.at_names(config, tensors, bags, letters.shape)
        if part != "pretraining":
            return functional.cross_entropy(found[:, -1, :LETTERS], letters[:, -1])
        letter = functional.cross_entropy(found[..., :LETTERS].flatten(0, 1), letters.flatten())
        language = functional.cross_entropy(found[..., LETTERS:].flatten(0, 1), languages.flatten())
        return letter + LANGUAGE_WEIGHT * (1 - step / steps) * language

    def errors(self, config, tensors):
        table = {}
        for name, (bags, letters, _) in self.measures.items():
            found = self.at_names(config, tensors, bags, letters.shape)[:, -1, :LETTERS]
            table[name] = (found.argmax(-1) != letters[:, -1]).double().mean().item()
        return table


def theirs(rows, seed, steps):
    world = Words(rows, seed)
    shapes = training.shapes(CONFIG, WIDTH, HIDDEN, (N_GRAMS + LETTERS + 1, WIDTH), world.outputs())
    start = training.initial(CONFIG, shapes, torch.Generator().manual_seed(seed))
    return training.results(world, CONFIG, start, pretraining(steps), FINETUNING)


def ours(seeds, steps):
    """Tables by seed, and the rows of the names."""
    model = {
        "width": WIDTH,
        "layers": CONFIG.layers,
        "heads": HEADS,
        "attention": "softmax",
        "causal": True,
        "norm": CONFIG.norm,
        "mlp": {"activation": CONFIG.activation, "hidden": HIDDEN},
        "rope": ROPE,
    }
    stages, targets = {"names": NAMES_STAGE}, []
    for seed in seeds:
        world = {
            "n_grams": N_GRAMS,
            "shots": SHOTS,
            "dropout": DROPOUT,
            "language_weight": LANGUAGE_WEIGHT,
            "pretraining_prompts": PRETRAINING_PROMPTS,
            "prompts": PROMPTS,
            "measured": MEASURED,
            "seed": seed,
        }
        targets.append(f"artifacts/words_{seed}.parquet")
        stages[f"pretrain_{seed}"] = {
            "kind": "words-pretrain",
            "inputs": {"names": "names.table"},
            "params": {
                "world": world,
                "model": {"transformer": model},
                "precision": "f32",
                "training": pretraining(steps).of_pipeline(),
            },
        }
        stages[f"finetune_{seed}"] = {
            "kind": "words-finetune",
            "inputs": {"names": "names.table", "pretrained": f"pretrain_{seed}.model"},
            "params": {
                "world": world,
                "training": FINETUNING.of_pipeline(),
                "variants": training.variants_of_pipeline(),
            },
            "outputs": {"paths": targets[-1]},
        }
    return training.program_results(stages, [NAMES], targets, NAMES_STAGE["outputs"]["table"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--steps", type=int, default=750, help="of pretraining, at least 20")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tables, rows = ours(args.seeds, args.steps)
    found = [theirs(rows, seed, args.steps) for seed in args.seeds]
    training.report(f"words: shares of wrong answers of seeds {args.seeds}", found, tables)


if __name__ == "__main__":
    main()
