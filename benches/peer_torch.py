"""The same training steps and evaluation in plain PyTorch, and a comparison with the Rust kernels.

Written for this comparison from the model's formulas (docs/theory.md, section 1): prompts as matrices
of tokens, attention as batched products, gradients by autograd; on the CPU, in single precision,
PyTorch's default. `make bench-peer` runs both sides in alternation and prints the medians.
"""

import sys
import time

import peer
from peer import BATCH, D, NOISE, PAIRS, SHOTS


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
    models = [model(torch, 1, 1, False) for _ in range(peer.EVALUATED)]

    def step():
        with torch.no_grad():
            tokens, label = fresh(torch, SHOTS, BATCH)
            for params in models:
                ((predict(torch, params, tokens) - label) ** 2).mean()

    return step


def kernel(torch, name):
    """The work that the Rust benchmark calls `name`, BATCH prompts a step, as a function that times steps."""
    if name == peer.EVALUATION:
        step = evaluation(torch)
    else:
        objective, shape = name.split(", ", 1)
        step = training(torch, *peer.SHAPES[shape], objective)

    def seconds(steps):
        step()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return (time.perf_counter() - start) / steps

    return seconds


def main():
    args = peer.arguments(__doc__)
    try:
        import torch
    except ImportError:
        sys.exit("bench-peer needs PyTorch: `python3 -m pip install torch`, then again (PYTHON=... picks the interpreter)")
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    peer.compare(args, f"PyTorch {torch.__version__}, eager", {"PyTorch f32": lambda name: kernel(torch, name)})


if __name__ == "__main__":
    main()
