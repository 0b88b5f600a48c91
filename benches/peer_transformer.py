"""One training step of the transformer that reads words in plain PyTorch, beside the program's.

Sizes as in benches/transformer.rs, the model of tests/peer/transformer.py, autograd, and PyTorch's own attention, bags and
fused AdamW; on the CPU, in single precision. `make bench-peer` runs both sides in alternation, each on 1 and 2 threads, and
prints the medians of wall time and of CPU time. The machine must be idle: PyTorch's second thread spins where it waits, and beside
another program its step takes seconds.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "peer"))

PROMPTS, NAMES, IDS, N_GRAMS, LETTERS, OUTPUTS = 64, 17, 23, 8192, 4, 70
TOKENS = 2 * NAMES
LAYERS, WIDTH, HEADS, HIDDEN = 3, 96, 4, 384
WARMUP, STEPS = 5, 60


def batch(torch):
    """Bags (ids, weights, offsets) of all tokens, and the letter of each name."""
    ids, weights, offsets = [], [], []
    names = torch.randint(N_GRAMS, (PROMPTS, NAMES, IDS))
    letters = torch.randint(LETTERS, (PROMPTS, NAMES))
    share = torch.full((IDS,), IDS**-0.5)
    one = torch.ones(1)

    def token(bag, weight):
        offsets.append(sum(len(bag) for bag in ids[-1:]) + (offsets[-1] if offsets else 0))
        ids.append(bag)
        weights.append(weight)

    for prompt in range(PROMPTS):
        token(torch.tensor([N_GRAMS + LETTERS]), one)
        for name in range(NAMES):
            token(names[prompt, name], share)
            if name + 1 < NAMES:
                letter = N_GRAMS + letters[prompt, name : name + 1]
                token(torch.cat([names[prompt, name], letter]), torch.cat([share, one]))
    return (torch.cat(ids), torch.cat(weights), torch.tensor(offsets)), letters


def training_step(torch):
    import training
    import transformer

    config = transformer.Config(
        LAYERS, heads=HEADS, key_value_heads=HEADS, rope=10_000.0, norm="rms", activation="gelu"
    )
    shapes = training.shapes(config, WIDTH, HIDDEN, (N_GRAMS + LETTERS + 1, WIDTH), OUTPUTS)
    tensors = training.initial(config, shapes, torch.Generator().manual_seed(0))
    for tensor in tensors.values():
        tensor.requires_grad_()
    optimizer = torch.optim.AdamW(tensors.values(), 1e-3, training.BETAS, eps=1e-8, weight_decay=0, fused=True)
    batches = [batch(torch) for _ in range(4)]
    at = torch.arange(1, TOKENS, 2)

    def step(index):
        bags, letters = batches[index % len(batches)]
        stream = transformer.embed(tensors, bags).view(PROMPTS, TOKENS, WIDTH)
        outputs = transformer.run(config, tensors, stream, at=at)[..., :LETTERS]
        loss = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), letters.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tensors.values(), 1.0)
        optimizer.step()

    return step


def theirs(step):
    """Medians over steps of wall and CPU seconds."""
    times = []
    for index in range(WARMUP + STEPS):
        start = time.perf_counter(), time.process_time()
        step(index)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return [statistics.median(column) for column in zip(*times[WARMUP:], strict=True)]


def ours(threads):
    command = ["cargo", "bench", "--quiet", "--locked", "--bench", "transformer", "--", "--plain", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [float(seconds) for seconds in done.stdout.split()[-2:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("bench-peer needs PyTorch: `python3 -m pip install torch`, then again (PYTHON=... picks the interpreter)")
    torch.manual_seed(0)
    step = training_step(torch)
    print(f"PyTorch {torch.__version__}; medians of {args.rounds} rounds of {STEPS} steps, milliseconds")
    print(f"{'words training step':<20} {'PyTorch wall':>13} {'CPU':>7} {'icl-repro wall':>15} {'CPU':>7} {'ratios':>14}")
    for threads in [1, 2]:
        torch.set_num_threads(threads)
        rounds = [(theirs(step), ours(threads)) for _ in range(args.rounds)]
        sides = [[statistics.median(column) * 1e3 for column in zip(*side, strict=True)] for side in zip(*rounds, strict=True)]
        (wall, cpu), (our_wall, our_cpu) = sides
        print(
            f"{f'{threads} threads':<20} {wall:>13.1f} {cpu:>7.1f} {our_wall:>15.1f} {our_cpu:>7.1f}"
            f" {our_wall / wall:>6.2f}x {our_cpu / cpu:>6.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
