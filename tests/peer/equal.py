"""Outputs, losses and gradients of the program's transformer against PyTorch's, on the same numbers.

    cargo run --release --locked --example transformer_fixture -- FIXTURE.json [MODEL.safetensors ...]
    python3 tests/peer/equal.py FIXTURE.json

In double precision; gradients by autograd. Ends with 1 where a number is off by more than 1e-10 of the
largest of its kind: of all outputs, of the loss, of its tensor's gradient. (A tensor whose gradient is less than
a thousandth of the largest is compared with that: keys' biases have none but rounding under softmax.)
"""

import json
import sys

import torch
from torch.nn import functional

import transformer

TOLERANCE = 1e-10
SMALLEST = 1e-3


def parameters(case):
    if "file" in case:
        return transformer.of_file(case["file"])
    tensors = {
        name: torch.tensor(entry["values"], dtype=torch.float64).view(entry["shape"])
        for name, entry in case["parameters"].items()
    }
    return transformer.Config(**case["config"]), tensors


def outputs(config, tensors, case):
    """Of every token, sequence by sequence."""
    tokens = case["tokens"]
    if "features" in tokens:
        stream = transformer.embed(tensors, torch.tensor(tokens["features"], dtype=torch.float64))
    else:
        weights = torch.tensor(tokens["weights"], dtype=torch.float64)
        bags = torch.tensor(tokens["ids"]), weights, torch.tensor([0, *tokens["ends"][:-1]])
        stream = transformer.embed(tensors, bags)
    sequences = stream.split(case["lengths"])
    return torch.cat([transformer.run(config, tensors, one.unsqueeze(0))[0] for one in sequences])


def loss_of(read, row):
    if "value" in read:
        return (row[0] - read["value"]) ** 2
    choice = row[read["from"] : read["to"]].unsqueeze(0)
    return functional.cross_entropy(choice, torch.tensor([read["class"] - read["from"]]))


def gap(found, expected, least=1e-300):
    return ((found - expected).abs().max() / expected.abs().max().clamp(min=least)).item()


def compare(case):
    """The largest relative gaps of outputs, loss and gradient, and the tensor of the last."""
    config, tensors = parameters(case)
    tensors = {name: tensor.double().requires_grad_() for name, tensor in tensors.items()}
    if set(tensors) != set(case["gradient"]):
        sys.exit(f"{case['name']}: tensors {sorted(set(tensors) ^ set(case['gradient']))} are on one side alone")
    found = outputs(config, tensors, case)
    rows = [found[read["token"]] for read in case["reads"]]
    loss = sum(read["weight"] * loss_of(read, row) for read, row in zip(case["reads"], rows, strict=True))
    loss.backward()
    gradients = {}
    least = SMALLEST * max(abs(value) for entry in case["gradient"].values() for value in entry["values"])
    for name, entry in case["gradient"].items():
        expected = torch.tensor(entry["values"], dtype=torch.float64).view(entry["shape"])
        grad = tensors[name].grad
        gradients[name] = gap(torch.zeros_like(expected) if grad is None else grad, expected, least)
    worst = max(gradients, key=gradients.get)
    expected = torch.tensor(case["outputs"], dtype=torch.float64)
    of_outputs = gap(torch.stack(rows).detach(), expected)
    of_loss = gap(loss.detach(), torch.tensor(case["loss"], dtype=torch.float64))
    return of_outputs, of_loss, gradients[worst], worst


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    if not cases:
        sys.exit(f"{sys.argv[1]}: no models in it")
    print(f"PyTorch {torch.__version__}, {len(cases)} models; largest relative gaps")
    print(f"{'model':<58} {'outputs':>9} {'loss':>9} {'gradient':>9}")
    failed = 0
    for case in cases:
        *gaps, worst = compare(case)
        # Not `any(gap > TOLERANCE)`: a gap that is no number is not within it.
        bad = not all(gap <= TOLERANCE for gap in gaps)
        failed += bad
        numbers = " ".join(f"{gap:>9.1e}" for gap in gaps)
        print(f"{case['name'][-58:]:<58} {numbers}{f'  differs, most in {worst}' if bad else ''}")
    if failed:
        sys.exit(f"{failed} of {len(cases)} models differ by more than {TOLERANCE}")
    print(f"all within {TOLERANCE}")


if __name__ == "__main__":
    main()
