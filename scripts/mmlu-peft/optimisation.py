"""AdamW with a schedule and clipping by the joint norm, as crates/tuning/src/transformer/optimizer.rs has them.

Does not know what is trained on.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

DECAYS = ("constant", "linear", "cosine")
EPSILON = 1e-8


@dataclass(frozen=True)
class Schedule:
    """The learning rate over `steps` steps: it rises linearly over the first ones, `warmup` being their share, then decays to 0
    after the last."""

    learning_rate: float
    warmup: float
    decay: str
    steps: int

    def rate(self, step: int) -> float:
        """Of a step, from 0."""
        warmup = math.ceil(self.warmup * self.steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        left = (self.steps - step) / max(self.steps - warmup, 1)
        share = {"constant": 1.0, "linear": left, "cosine": 0.5 - 0.5 * math.cos(math.pi * left)}
        return self.learning_rate * share[self.decay]


def adam_w(parameters: list[torch.nn.Parameter], betas: tuple[float, float], weight_decay: float) -> torch.optim.AdamW:
    """With a rate of 0: each step sets its own."""
    return torch.optim.AdamW(parameters, lr=0.0, betas=betas, eps=EPSILON, weight_decay=weight_decay)


def clip(parameters: Iterable[torch.nn.Parameter], most: float) -> float:
    """Scales all gradients so that their joint norm is at most this; the norm before. PyTorch's own function divides by the norm
    and 1e-6 more, which would show beside the program."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.double().square().sum().item() for gradient in gradients))
    if norm > most:
        for gradient in gradients:
            gradient.mul_(most / norm)
    return norm
