"""The same training steps and evaluation in plain PyTorch, and a comparison with the Rust kernels.

Written for this comparison from the model's formulas (docs/theory.md, section 1): prompts as matrices
of tokens, attention as batched products, gradients by autograd; on the CPU, in single precision,
PyTorch's default. `make bench-peer` runs both sides in alternation and prints the medians.
"""

import argparse
import statistics
import subprocess
import sys
import time

D, SHOTS, BATCH, PAIRS, NOISE = 5, 20, 5000, 100_000, 0.1**0.5


def model(torch, layers, heads, separate):
    kinds = 3 if separate else 2
    return [
        torch.nn.Parameter(0.05 * torch.randn(layers, heads, D + 2, D + 2))
        for _ in range(kinds)
    ]


def predict(torch, params, tokens):
    """Last coordinate of the last token: Z <- Z + (1/H) sum_h (1/N) (Z Q_h Z^T) Z V_h^T."""
    *scores, value = params
    z = tokens
    for layer in range(value.shape[0]):
        update = 0
        for head in range(value.shape[1]):
            if len(scores) == 2:
                query = z @ scores[0][layer, head].T
                key = z @ scores[1][layer, head].T
            else:
                query, key = z @ scores[0][layer, head], z
            attention = query @ key.transpose(1, 2) / z.shape[1]
            update = update + attention @ (z @ value[layer, head].T)
        z = z + update / value.shape[1]
    return z[:, -1, -1]


def prompts(torch, x, y):
    tokens = torch.cat([torch.ones(*y.shape, 1), x, y.unsqueeze(-1)], dim=-1)
    tokens[:, -1, -1] = 0
    return tokens, y[:, -1]


def fresh(torch, n, batch):
    theta = torch.nn.functional.normalize(torch.randn(batch, D, 1), dim=1)
    x = torch.randn(batch, n + 1, D)
    y = (x @ theta).squeeze(-1) + NOISE * torch.randn(batch, n + 1)
    return prompts(torch, x, y)


def training(torch, layers, heads, separate, objective):
    params = model(torch, layers, heads, separate)
    optimizer = torch.optim.SGD(params, lr=0.01, momentum=0.9)
    x = torch.randn(PAIRS, D)
    y = x @ torch.nn.functional.normalize(torch.randn(D), dim=0) + NOISE * torch.randn(PAIRS)

    def step():
        if objective == "pretraining":
            tokens, label = fresh(torch, SHOTS, BATCH)
        else:
            rows = torch.randint(PAIRS, (BATCH, SHOTS + 1))
            tokens, label = prompts(torch, x[rows], y[rows])
        loss = 0
        if objective != "ZS":
            loss = loss + ((predict(torch, params, tokens) - label) ** 2).mean()
        if objective != "pretraining":
            loss = loss + ((predict(torch, params, tokens[:, -1:]) - label) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()

    return step


def evaluation(torch):
    models = [model(torch, 1, 1, False) for _ in range(7)]

    def step():
        with torch.no_grad():
            tokens, label = fresh(torch, SHOTS, BATCH)
            for params in models:
                ((predict(torch, params, tokens) - label) ** 2).mean()

    return step


def kernels(torch):
    """By the name that the Rust benchmark gives the same work; all take BATCH prompts a call."""
    table = {}
    for name, shape in [
        ("merged", (1, 1, False)),
        ("separate (1, 1)", (1, 1, True)),
        ("separate (4, 1)", (1, 4, True)),
        ("separate (1, 2)", (2, 1, True)),
        ("separate (1, 3)", (3, 1, True)),
    ]:
        for objective in ["pretraining", "ZS", "ZS+FS"]:
            table[f"{objective}, {name}"] = training(torch, *shape, objective)
    table["evaluation of 7 models"] = evaluation(torch)
    return table


def seconds_per_step(step, steps):
    step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def rust_nanoseconds(name):
    command = ["cargo", "bench", "--quiet", "--locked", "--bench", "kernels", "--", "--plain", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.split()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of kernels; all if left out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="PyTorch steps in a round")
    args = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("bench-peer needs PyTorch: `python3 -m pip install torch`, then again (PYTHON=... picks the interpreter)")
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; medians of {args.rounds} rounds")
    print(f"{'kernel':<34} {'PyTorch':>14} {'icl-repro':>14} {'ratio':>8}")
    for name, step in kernels(torch).items():
        if args.names and not any(part in name for part in args.names):
            continue
        theirs, ours = [], []
        for _ in range(args.rounds):
            theirs.append(seconds_per_step(step, args.steps) / BATCH * 1e9)
            ours.append(rust_nanoseconds(name))
        theirs, ours = statistics.median(theirs), statistics.median(ours)
        print(f"{name:<34} {theirs:>7.0f} ns/prompt {ours:>4.0f} ns/prompt {theirs / ours:>7.1f}x", flush=True)


if __name__ == "__main__":
    main()
